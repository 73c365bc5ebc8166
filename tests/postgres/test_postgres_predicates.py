"""What a query finds rows by, read from its text."""

from __future__ import annotations

import logging

import pytest

from bot.agent.postgres.predicates import seen


def uses(sql: str) -> list[str] | None:
    found = seen(sql)
    if found is None:
        return None
    return sorted(
        f"{'|'.join(f'{table.schema}.{table.name}'.lstrip('.') for table in use.tables)}"
        f" {use.column} {use.kind}"
        for use in found
    )


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT * FROM t WHERE a = $1", ["t a equality"]),
        ("SELECT * FROM t WHERE $1 = a", ["t a equality"]),
        ("SELECT * FROM t WHERE (a) = ($1)", ["t a equality"]),
        ("SELECT * FROM t WHERE a = $1::int", ["t a equality"]),
        ("SELECT * FROM t WHERE a IN ($1, $2)", ["t a equality"]),
        ("SELECT * FROM t WHERE a = ANY($1)", ["t a equality"]),
        ("SELECT * FROM t WHERE a = (SELECT max(b) FROM u)", ["t a equality"]),
        ("SELECT * FROM t WHERE a > $1 AND b <= $2", ["t a range", "t b range"]),
        ("SELECT * FROM t WHERE a >= $1 OR b < $2", ["t a range", "t b range"]),
        ("SELECT * FROM t WHERE a BETWEEN $1 AND $2", ["t a range"]),
        ("UPDATE t SET b = $1 WHERE a = $2", ["t a equality"]),
        ("DELETE FROM t WHERE a < $1", ["t a range"]),
        ("INSERT INTO u SELECT * FROM t WHERE a = $1", ["t a equality"]),
        ('SELECT * FROM S."T" AS x WHERE X."A" = $1', ["s.T A equality"]),
        ("SELECT * FROM t JOIN u ON u.id = t.u_id", ["t u_id join", "u id join"]),
        ("SELECT * FROM t, u WHERE u.id = t.u_id", ["t u_id join", "u id join"]),
        ("SELECT * FROM t JOIN u USING (id)", ["t id join", "u id join"]),
        (
            "SELECT * FROM t JOIN u ON u.id = t.u_id AND u.k = $1",
            ["t u_id join", "u id join", "u k equality"],
        ),
        ("DELETE FROM t USING u WHERE t.u_id = u.id", ["t u_id join", "u id join"]),
        ("SELECT * FROM t JOIN u ON true WHERE a = $1", ["t|u a equality"]),
        (
            "SELECT * FROM t WHERE EXISTS (SELECT FROM u WHERE u.t_id = t.id AND k = $1)",
            ["t id join", "u k equality", "u t_id join"],
        ),
        (
            "SELECT * FROM t WHERE id IN (SELECT t_id FROM u WHERE k = $1)",
            ["t id equality", "u k equality"],
        ),
        ("WITH r AS (SELECT * FROM t WHERE a = $1) SELECT * FROM r WHERE b = $2", ["t a equality"]),
        ("SELECT * FROM (SELECT * FROM t WHERE a = $1) s WHERE s.b = $2", ["t a equality"]),
        ("SELECT a = $1, CASE WHEN b = $2 THEN 1 END FROM t", []),
        ("SELECT * FROM t WHERE NOT a = $1 AND b <> $2 AND c NOT IN ($3)", []),
        ("SELECT * FROM t WHERE lower(a) = $1 AND b::text = $2", []),
        ("SELECT * FROM t WHERE a = b AND c > d + 1", []),
        ("SELECT a FROM t GROUP BY a HAVING count(*) > $1", []),
        ("VACUUM t", []),
        ("SELECT FROM WHERE (", None),
        ("SELECT " + "(" * 3_000, None),
    ],
)
def test_a_query_is_read(sql: str, found: list[str] | None) -> None:
    assert uses(sql) == found


def test_no_query_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        seen("ALTER ROLE bob WITH PASSWORD 'hunter2' FOO BAR")
        seen("VACUUM (VERBOSE) secret_table")
    assert caplog.text == ""

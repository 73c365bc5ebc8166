"""What pg_stat_statements has counted, where it is there."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.sql import SQL, Identifier

from bot.agent.postgres.session import MARK, Row, Session

SLOWEST = 20
MOST_CALLED = 200
READ = 4_000  # characters of a statement; longer ones are not read for index advice

_EXTENSION = """
    n.nspname AS schema, string_to_array(e.extversion, '.')::int[] AS version
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements'
"""
_STATEMENTS = """
    * FROM (
        SELECT query, calls, total_ms, slowest_ms, rows,
            count(*) OVER ()::int AS statements,
            sum(calls) OVER ()::bigint AS all_calls, sum(total_ms) OVER ()::float AS all_ms,
            max(slowest_ms) OVER ()::float AS all_slowest_ms,
            row_number() OVER (ORDER BY total_ms DESC) AS by_time,
            row_number() OVER (ORDER BY calls DESC) AS by_calls
        FROM (
            SELECT query, sum(calls)::bigint AS calls, sum(total_exec_time)::float AS total_ms,
                max(max_exec_time)::float AS slowest_ms, sum(rows)::bigint AS rows
            FROM {schema}.pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND position({mark} IN query) = 0
            GROUP BY query
        ) AS of_all_users
    ) AS ranked
    WHERE by_time <= {slowest} OR by_calls <= {most_called}
    ORDER BY by_time
"""
_WINDOW = """
    (extract(epoch FROM stats_reset) * 1000)::bigint AS since,
    (extract(epoch FROM clock_timestamp() - stats_reset) / 3600)::float AS hours
    FROM {schema}.pg_stat_statements_info
"""
HIDDEN = "<insufficient privilege>"  # instead of another role's text


@dataclass(frozen=True)
class Statement:
    """One query without its values, over all users; times are milliseconds."""

    query: str
    calls: int
    total_ms: float
    slowest_ms: float
    rows: int


@dataclass(frozen=True)
class Statements:
    """The slowest (by total time) and the most called ones, and the sums over all there are.

    ``hours`` is how long they were counted, ``since`` its begin (ms); None where PostgreSQL doesn't tell.
    """

    slowest: tuple[Statement, ...]
    called: tuple[Statement, ...]
    count: int
    calls: int
    total_ms: float
    slowest_ms: float
    since: int | None
    hours: float | None


async def statements(session: Session) -> Statements | str:
    """Of this database, or why there are none. Raises ``psycopg.Error`` for an extension not loaded."""
    found = await session.rows(_EXTENSION)
    if not found:
        return (
            "pg_stat_statements is not there: add it to shared_preload_libraries, restart, "
            "and CREATE EXTENSION pg_stat_statements in this database"
        )
    schema, version = found[0]["schema"], found[0]["version"]
    if version < [1, 8]:
        return "pg_stat_statements is older than 1.8: ALTER EXTENSION pg_stat_statements UPDATE"
    rows = await session.rows(_filled(_STATEMENTS, schema))
    window = await session.row(_filled(_WINDOW, schema)) if version >= [1, 9] else {}
    first = rows[0] if rows else {}
    return Statements(
        slowest=tuple(_statement(row) for row in rows if row["by_time"] <= SLOWEST),
        called=tuple(_statement(row) for row in rows if row["by_calls"] <= MOST_CALLED),
        count=first.get("statements", 0),
        calls=first.get("all_calls", 0),
        total_ms=first.get("all_ms", 0.0),
        slowest_ms=first.get("all_slowest_ms", 0.0),
        since=window.get("since"),
        hours=window.get("hours"),
    )


def _filled(sql: str, schema: str) -> str:
    return (
        SQL(sql)
        .format(schema=Identifier(schema), mark=MARK, slowest=SLOWEST, most_called=MOST_CALLED)
        .as_string()
    )


def _statement(row: Row) -> Statement:
    return Statement(row["query"], row["calls"], row["total_ms"], row["slowest_ms"], row["rows"])

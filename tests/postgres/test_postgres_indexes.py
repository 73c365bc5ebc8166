"""Index advice out of what really ran; each statement can be run as it is."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.postgres_client import asked


async def advice(dsn: str) -> dict[tuple[str, ...], Any]:
    section = (await asked(dsn))["indexes"]
    return {(one["table"], *one["columns"]): one for one in section["advice"]}


def run(dsn: str, sql: str, times: int = 1) -> None:
    with psycopg.connect(dsn, autocommit=True) as client:
        for _ in range(times):
            client.execute(sql)


@pytest.mark.parametrize(
    ("sql", "times", "advised"),
    [
        ("SELECT 1 FROM customers WHERE email = 'a'", 11, True),
        ("SELECT 1 FROM customers WHERE email = 'a'", 10, False),
        ("SELECT 1 FROM customers WHERE email BETWEEN 'a' AND 'b'", 6, True),
        ("SELECT 1 FROM customers WHERE email > 'a'", 5, False),
        ("UPDATE customers SET name = '' WHERE email = 'nobody'", 11, True),
        ("SELECT 1 FROM customers WHERE lower(email) = 'a'", 11, False),
        ("SELECT 1 FROM customers WHERE email <> 'a'", 11, False),
    ],
)
async def test_a_column_is_advised_by_how_often_queries_find_rows_by_it(
    shop: str, sql: str, times: int, advised: bool
) -> None:
    run(shop, sql, times)
    assert (("customers", "email") in await advice(shop)) is advised


async def test_the_sql_makes_the_index_and_the_advice_goes(shop: str) -> None:
    run(shop, "SELECT 1 FROM customers WHERE email = 'a'", 11)
    before = (await advice(shop))["customers", "email"]
    assert before["kinds"] == ["equality"]
    assert before["calls_per_hour"] == 11
    assert before["sql"] == 'CREATE INDEX CONCURRENTLY ON "public"."customers" ("email");'
    run(shop, before["sql"])
    assert ("customers", "email") not in await advice(shop)


async def test_a_foreign_key_without_an_index_is_advised_and_its_joins_are_named_with_it(
    shop: str,
) -> None:
    assert (await advice(shop))["orders", "customer_id"]["kinds"] == ["foreign key"]
    run(shop, "SELECT 1 FROM orders o JOIN customers c ON c.id = o.customer_id")
    found = await advice(shop)
    assert found["orders", "customer_id"]["kinds"] == ["join", "foreign key"]
    assert "orders_customer_id_fkey" in found["orders", "customer_id"]["reason"]
    assert ("customers", "id") not in found, "its primary key serves the other side"


@pytest.mark.parametrize(
    ("index", "served"),
    [
        ("CREATE INDEX ON orders (customer_id)", True),
        ("CREATE INDEX ON orders (customer_id, total)", True),
        ("CREATE INDEX ON orders (total, customer_id)", False),
        ("CREATE INDEX ON orders (customer_id) WHERE total > 5", False),
        ("CREATE INDEX ON orders ((customer_id + 1))", False),
        ("CREATE INDEX ON orders (total) INCLUDE (customer_id)", False),
        ("CREATE INDEX ON orders USING brin (customer_id)", False),
    ],
)
async def test_an_index_serves_a_foreign_key_that_it_begins_with(
    shop: str, index: str, served: bool
) -> None:
    run(shop, index)
    assert (("orders", "customer_id") not in await advice(shop)) is served


async def test_odd_names_and_partitioned_tables_get_sql_that_runs_too(shop: str) -> None:
    run(shop, 'CREATE SCHEMA "Odd"')
    run(shop, 'CREATE TABLE "Odd"."Or""ders" (id int, "When" int) PARTITION BY RANGE (id)')
    run(shop, 'CREATE TABLE "Odd".p PARTITION OF "Odd"."Or""ders" DEFAULT')
    run(shop, 'SELECT 1 FROM "Odd"."Or""ders" o WHERE o."When" = 5', 11)
    one = (await advice(shop))['Odd.Or"ders', "When"]
    assert one["sql"] == 'CREATE INDEX ON "Odd"."Or""ders" ("When");'
    run(shop, one["sql"])
    assert ('Odd.Or"ders', "When") not in await advice(shop)


async def test_without_counts_there_is_advice_for_foreign_keys_alone_and_the_reason(
    shop: str,
) -> None:
    run(shop, "DROP EXTENSION pg_stat_statements")
    section = (await asked(shop))["indexes"]
    assert [one["kinds"] for one in section["advice"]] == [["foreign key"]]
    assert section["unknown"]["advice"].startswith("foreign keys only: pg_stat_statements")

"""Slow queries: counted where pg_stat_statements is there, else what runs now; no value is shown."""

from __future__ import annotations

import asyncio
import json

import psycopg
import pytest

from tests.support.postgres_client import asked, opened


async def test_each_query_has_its_count_total_mean_and_slowest_the_worst_total_first(
    shop: str,
) -> None:
    with psycopg.connect(shop, autocommit=True) as client:
        client.execute("SELECT pg_sleep(2)")
        for number in (1, 2, 3):
            client.execute(f"SELECT name FROM customers WHERE id = {number}")
    section = (await asked(shop))["slow_queries"]
    assert section["source"] == "pg_stat_statements"
    worst, *others = section["queries"]
    assert worst["query"] == "SELECT pg_sleep($1)"
    assert worst["calls"] == 1
    assert worst["total_ms"] == worst["slowest_ms"] >= 2_000
    assert worst["mean_ms"] >= 2_000
    (named,) = [one for one in others if "customers" in one["query"]]
    assert (named["calls"], named["rows"]) == (3, 2)
    assert named["total_ms"] < 2_000
    assert section["calls"] == sum(one["calls"] for one in section["queries"])
    assert section["slowest_ms"] == worst["slowest_ms"]
    assert section["since"] > 0


async def test_the_agents_own_questions_are_not_among_them(shop: str) -> None:
    await asked(shop)
    section = (await asked(shop))["slow_queries"]
    assert not [one for one in section["queries"] if "pg_stat" in one["query"]]


async def test_without_pg_stat_statements_it_is_what_runs_now_and_the_way_to_more(
    shop: str,
) -> None:
    with psycopg.connect(shop) as client:
        client.execute("DROP EXTENSION pg_stat_statements")
    async with opened(shop) as client:
        sleeping = asyncio.create_task(client.execute("SELECT pg_sleep(30), 'Ada Secret'"))
        section = (await asked(shop, until=lambda data: data["slow_queries"]["running"]))[
            "slow_queries"
        ]
        client.cancel()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await sleeping
    assert section["source"] == "pg_stat_activity"
    (running,) = section["running"]
    assert running["query"] == "SELECT pg_sleep(?), ?"
    assert section["calls"] == 1
    assert section["slowest_ms"] == section["total_ms"] == running["running_ms"] > 0
    assert "CREATE EXTENSION pg_stat_statements" in section["unknown"]["queries"]


async def test_no_password_and_no_value_of_any_query_leaves_the_host(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as client:
        client.execute("CREATE ROLE temporary PASSWORD 'hunter2-hunter2'")
        client.execute("DROP ROLE temporary")
        client.execute(
            "SELECT 'tok-en-123' /* by eve@shop.example */ FROM customers WHERE id = 4711"
        )
    async with opened(shop) as holder, opened(shop) as waiter:
        await holder.execute("UPDATE customers SET email = 'holder@shop.example' WHERE id = 1")
        waiting = asyncio.create_task(
            waiter.execute(
                "UPDATE customers SET email = E'it\\'s waiter@shop.example' WHERE id = 1"
            )
        )
        data = await asked(shop, until=lambda data: data["locks"]["waiting"])
        await holder.rollback()
        await waiting
    told = json.dumps(data)
    assert "CREATE ROLE temporary PASSWORD ?" in told
    for value in ("hunter2", "tok-en", "eve@", "4711", "holder@", "waiter@", "Very-S3cret"):
        assert value not in told

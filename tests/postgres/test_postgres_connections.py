"""Connections: how many, what they do, who waits, and what a role may not see."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import psycopg

from tests.support.postgres_client import asked, opened


async def test_connections_are_counted_by_state_and_the_agents_own_is_not(shop: str) -> None:
    with ExitStack() as stack:
        busy, *_ = [
            stack.enter_context(psycopg.connect(shop, application_name="pool")) for _ in range(4)
        ]
        busy.execute("SELECT 1")
        section = (await asked(shop))["connections"]
    assert section["by_state"] == {"idle": 3, "idle in transaction": 1}
    assert (section["size"], section["idle"], section["active"], section["use"]) == (4, 3, 0, 0.25)
    assert section["max"] == 20
    assert section["server_total"] >= 5
    assert section["by_client"] == [{"user": "postgres", "application": "pool", "connections": 4}]
    assert section["advice"] is None


async def test_a_pool_that_is_nearly_all_in_use_should_be_larger(shop: str) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(psycopg.connect(shop)).execute("SELECT 1")
        section = (await asked(shop))["connections"]
    assert section["use"] == 1.0
    assert section["advice"]["change"] == "larger"


async def test_a_pool_with_more_than_five_idle_should_be_smaller(shop: str) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(psycopg.connect(shop))
        section = (await asked(shop))["connections"]
    assert section["advice"]["change"] == "smaller"


async def test_a_database_that_nobody_uses_has_no_use_instead_of_a_division_by_zero(
    shop: str,
) -> None:
    section = (await asked(shop))["connections"]
    assert (section["size"], section["use"], section["advice"]) == (0, None, None)


async def test_whoever_waits_for_a_lock_is_counted_with_how_long(shop: str) -> None:
    async with opened(shop) as holder, opened(shop) as waiter:
        await holder.execute("UPDATE orders SET total = 1 WHERE id = 1")
        waiting = asyncio.create_task(waiter.execute("UPDATE orders SET total = 2 WHERE id = 1"))
        section = await asked(shop, until=lambda data: data["connections"]["waiting_clients"])
        await holder.rollback()
        await waiting
    section = section["connections"]
    assert section["waiting_clients"] == 1
    assert section["longest_wait_ms"] >= 0
    assert section["waits"] == [{"kind": "Lock", "event": "transactionid", "clients": 1}]


async def test_rollbacks_are_counted_and_what_postgresql_cant_know_is_null_with_the_reason(
    shop: str,
) -> None:
    with psycopg.connect(shop) as client:
        client.rollback()
        client.execute("SELECT 1")
        client.rollback()
    data = await asked(shop, until=lambda data: data["connections"]["errors"]["rolled_back"])
    section = data["connections"]
    assert section["errors"]["connections_refused"] is None
    assert section["pool_wait_ms"] is None
    assert "its log" in section["unknown"]["errors.connections_refused"]
    assert "pool" in section["unknown"]["pool_wait_ms"]


async def test_a_role_that_may_not_look_gets_unknown_and_the_remedy_never_a_guess(
    shop: str, stranger: str
) -> None:
    with psycopg.connect(shop) as client:
        client.execute("SELECT 1")
        data = await asked(stranger)
    section = data["connections"]
    assert section["by_state"] == {"hidden": 1}
    assert (section["size"], section["idle"], section["use"]) == (1, None, None)
    assert "GRANT pg_monitor" in section["unknown"]["use"]
    assert "GRANT pg_monitor" in data["slow_queries"]["unknown"]["queries"]
    assert data["unknown"] == {}

"""Locks: who waits for whom, and deadlocks."""

from __future__ import annotations

import asyncio

import psycopg

from tests.support.postgres_client import asked, opened


async def test_a_victim_is_shown_beside_its_blocker_with_what_both_do(shop: str) -> None:
    async with opened(shop) as holder, opened(shop) as waiter:
        pids = (waiter.info.backend_pid, holder.info.backend_pid)
        await holder.execute("UPDATE orders SET total = 1 WHERE id = 1")
        waiting = asyncio.create_task(waiter.execute("UPDATE orders SET total = 2 WHERE id = 1"))
        section = (await asked(shop, until=lambda data: data["locks"]["blocked"]))["locks"]
        await holder.rollback()
        await waiting
    (pair,) = section["blocked"]
    assert section["waiting"] == 1
    assert (pair["victim"]["pid"], pair["blocker"]["pid"]) == pids
    assert pair["victim"]["query"] == "UPDATE orders SET total = ? WHERE id = ?"
    assert pair["victim"]["waited_ms"] >= 0
    assert pair["blocker"]["state"] == "idle in transaction"
    assert pair["blocker"]["transaction_ms"] >= pair["victim"]["waited_ms"]
    assert pair["lock"] == {"kind": "transactionid", "mode": "ShareLock", "relation": "orders"}


async def test_a_table_lock_names_the_table(shop: str) -> None:
    async with opened(shop) as holder, opened(shop) as waiter:
        await holder.execute("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(waiter.execute("SELECT * FROM customers"))
        section = (await asked(shop, until=lambda data: data["locks"]["blocked"]))["locks"]
        await holder.rollback()
        await waiting
    (pair,) = section["blocked"]
    assert pair["lock"] == {"kind": "relation", "mode": "AccessShareLock", "relation": "customers"}


async def test_a_deadlock_is_counted(shop: str) -> None:
    assert (await asked(shop))["locks"]["deadlocks"] == 0
    async with opened(shop) as one, opened(shop) as other:
        await one.execute("UPDATE orders SET total = 1 WHERE id = 1")
        await other.execute("UPDATE orders SET total = 1 WHERE id = 2")
        both = await asyncio.gather(
            one.execute("UPDATE orders SET total = 1 WHERE id = 2"),
            other.execute("UPDATE orders SET total = 1 WHERE id = 1"),
            return_exceptions=True,
        )
        assert [type(result) for result in both].count(psycopg.errors.DeadlockDetected) == 1
    data = await asked(shop, until=lambda data: data["locks"]["deadlocks"])
    assert data["locks"]["deadlocks"] == 1


async def test_nobody_waiting_is_an_empty_list(shop: str) -> None:
    section = (await asked(shop))["locks"]
    assert (section["waiting"], section["blocked"]) == (0, [])

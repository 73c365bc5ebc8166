"""Functions a second in groups, 64 waiting, beside one commit each: the same database, the same functions.

How much a group saves depends on the disk: the quicker it is, the more the functions themselves count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bench.config import ALICE, TEAM, config
from bench.pairs import in_blocks, take_turns
from bench.table import Line
from bot.clock import SystemClock
from bot.model.actor import Actor
from bot.model.command import Declare
from bot.services import incidents
from bot.services.incidents import Asked, Done
from bot.store import incidents as store
from bot.store.database import GROUP, Database, Tx

ROUNDS = 20
EACH = 8
"""Writes of each that waits, one after the other."""
AIM = 20


async def measure(folder: Path) -> AsyncIterator[Line]:
    """A row, which is mostly the machinery; then an entry of a timeline."""
    database = Database(folder / "groups.db", SystemClock())
    try:
        await database.write(_prepare)
        yield await _line(database, "a row", _add_row)
        yield await _line(database, "a timeline entry", _add_entry)
    finally:
        await database.close()


async def _line(database: Database, what: str, function: Callable[[Tx], None]) -> Line:
    async def waiter() -> None:
        for _ in range(EACH):
            await database.write(function)

    async def grouped(number: int) -> None:
        async with asyncio.TaskGroup() as waiting:
            for _ in range(GROUP):
                waiting.create_task(waiter())

    async def alone(number: int) -> None:
        for _ in range(GROUP):
            await waiter()

    together, each = await take_turns(ROUNDS, grouped, alone)
    ratio, (low, high) = in_blocks(lambda a, b: b / a, together, each)
    commit = in_blocks(float, each)[0] / (GROUP * EACH)
    return Line(
        what=f"{what}, in groups of {GROUP}",
        ours=_a_second(in_blocks(float, together)[0]),
        beside=f"one commit each {_a_second(in_blocks(float, each)[0])} ({commit:.2f} ms)",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=AIM,
        at_least=True,
    )


def _prepare(tx: Tx) -> None:
    tx.run("CREATE TABLE row (id INTEGER PRIMARY KEY, at INTEGER)")
    command = Declare(title="checkout answers slowly")
    done = incidents.declare(tx, config(), command, Asked(Actor.slack(TEAM, ALICE)))
    assert isinstance(done, Done)
    assert done.incident.id == 1


def _add_row(tx: Tx) -> None:
    tx.run("INSERT INTO row (at) VALUES (:now)", now=tx.now)


def _add_entry(tx: Tx) -> None:
    store.add_entry(tx, 1, ALICE, "note", {"text": "restarted the cache"})


def _a_second(milliseconds: float) -> str:
    return f"{GROUP * EACH / milliseconds * 1000:.0f} a second"

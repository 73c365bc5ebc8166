"""Functions a second in groups, 64 waiting, beside one commit each: the same database, the same functions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from bench.pairs import in_blocks, take_turns
from bench.table import Line
from bot.clock import SystemClock
from bot.store import outbox
from bot.store.database import GROUP, Database, Tx

ROUNDS = 40
AIM = 20


async def measure(folder: Path) -> AsyncIterator[Line]:
    """One line: how many times more functions a second the groups make durable."""
    database = Database(folder / "groups.db", SystemClock())

    async def grouped(number: int) -> None:
        writes = (database.write(_add, f"grouped:{number}:{at}") for at in range(GROUP))
        await asyncio.gather(*writes)

    async def alone(number: int) -> None:
        for at in range(GROUP):
            await database.write(_add, f"alone:{number}:{at}")

    try:
        together, each = await take_turns(ROUNDS, grouped, alone)
    finally:
        await database.close()
    ratio, (low, high) = in_blocks(lambda a, b: b / a, together, each)
    yield Line(
        what=f"functions in groups of {GROUP}",
        ours=_a_second(in_blocks(float, together)[0]),
        beside=f"one commit each {_a_second(in_blocks(float, each)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=AIM,
        at_least=True,
    )


def _add(tx: Tx, key: str) -> None:
    outbox.add(tx, key, "test", "user:U01ALICE", {"person": "U01ALICE"}, page=True)


def _a_second(milliseconds: float) -> str:
    return f"{GROUP / milliseconds * 1000:.0f} a second"

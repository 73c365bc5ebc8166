"""A due timer, claimed and fired, where 10,000 are open and where a million are."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from bench.pairs import WARM_UP, Work, in_blocks, take_turns
from bench.table import Line, microseconds
from bot.clock import SystemClock
from bot.model.timer import Timer
from bot.store import timers
from bot.store.database import Database, Tx

FEW, MANY = 10_000, 1_000_000
ROUNDS = 400
AIM = 1.5
_DAY_MS = 86_400_000


async def measure(folder: Path) -> AsyncIterator[Line]:
    """The statements alone, then with the two commits: claimed in one, fired in the other."""
    clock = SystemClock()
    few = await _filled(folder / "few.db", clock, FEW)
    many = await _filled(folder / "many.db", clock, MANY)
    statements: dict[int, list[float]] = {FEW: [], MANY: []}
    try:
        took = await take_turns(ROUNDS, _due(few, statements[FEW]), _due(many, statements[MANY]))
    finally:
        await few.close()
        await many.close()
    yield _line(
        "a due timer, its statements", statements[MANY][WARM_UP:], statements[FEW][WARM_UP:]
    )
    yield _line("a due timer, with both commits", took[1], took[0])


def _due(database: Database, statements: list[float]) -> Work:
    """Claims one timer that is due and fires it; ``statements`` gets the part without the commits."""

    async def work(number: int) -> None:
        timer, claiming = await database.write(_claim)
        fired, firing = await database.write(_fire, timer)
        assert fired
        statements.append((claiming + firing) * 1000)

    return work


def _claim(tx: Tx) -> tuple[Timer, float]:
    began = time.perf_counter()
    (timer,) = timers.claim(tx, 1)
    return timer, time.perf_counter() - began


def _fire(tx: Tx, timer: Timer) -> tuple[bool, float]:
    began = time.perf_counter()
    fired = timers.fire(tx, timer)
    return fired, time.perf_counter() - began


async def _filled(path: Path, clock: SystemClock, count: int) -> Database:
    """A database with ``count`` timers that are due within a day, and those that the rounds take."""
    await Database(path, clock).close()  # makes the tables
    now = clock.now()
    dice = random.Random(count)
    rows = [
        ("level", f"open:{at}", now + dice.randrange(3_600_000, _DAY_MS)) for at in range(count)
    ]
    rows += [("level", f"due:{at}", now - at) for at in range(WARM_UP + ROUNDS)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO timers (kind, subject, due_at) VALUES (?, ?, ?)", rows)
    return Database(path, clock)


def _line(what: str, many: list[float], few: list[float]) -> Line:
    ratio, (low, high) = in_blocks(lambda a, b: a / b, many, few)
    return Line(
        what=what,
        ours=f"{microseconds(in_blocks(float, many)[0])} of {MANY:,} open",
        beside=f"{microseconds(in_blocks(float, few)[0])} of {FEW:,}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=AIM,
    )

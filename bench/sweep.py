"""A sweep of many targets beside its slowest target alone, and beside a bare aiohttp gather.

The targets are another process. Ours asks, judges, and has every sample on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from bench.config import config
from bench.fleet import fleet
from bench.pairs import in_blocks, take_turns
from bench.table import Line, microseconds
from bot.clock import SystemClock
from bot.http import Client
from bot.model.target import HealthSource, Target
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store.database import Database

ROUNDS = {100: 100, 1_000: 20}
AIM = {100: 1.15}
WITHIN_MS = 30_000


async def measure(folder: Path) -> AsyncIterator[Line]:
    """Two lines a number of targets: beside the slowest one, and beside the gather."""
    for count, rounds in ROUNDS.items():
        with fleet(count) as url:
            mine, slowest, bare = await _take_turns(
                folder / f"sweep-{count}.db", url, count, rounds
            )
        yield _line(f"a sweep of {count:,} targets", mine, "the slowest", slowest, AIM.get(count))
        yield _line(f"a sweep of {count:,} targets", mine, "a bare gather", bare, None)


async def _take_turns(path: Path, url: str, count: int, rounds: int) -> list[list[float]]:
    clock = SystemClock()
    targets = {
        f"service-{number}": Target(health=HealthSource(url=f"{url}/{number}", status="status"))
        for number in range(count)
    }
    rules = config().model_copy(update={"targets": targets})
    names = tuple(rules.targets)
    database = Database(path, clock)
    connector = aiohttp.TCPConnector(limit=0)
    async with Client(rules.allows) as http, aiohttp.ClientSession(connector=connector) as session:
        monitoring = Monitoring(database, http, Live(rules), clock)

        async def ours(number: int) -> None:
            healths = await monitoring.refresh(names, WITHIN_MS)
            assert all(one.status == "ok" for one in healths)

        async def slowest(number: int) -> None:
            await _get(session, f"{url}/{count - 1}")

        async def bare(number: int) -> None:
            await asyncio.gather(*(_get(session, f"{url}/{one}") for one in range(count)))

        took = await take_turns(rounds, ours, slowest, bare)
        await monitoring.close()
        await database.close()
    return took


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.json()


def _line(what: str, mine: list[float], name: str, theirs: list[float], aim: float | None) -> Line:
    ratio, (low, high) = in_blocks(lambda a, b: a / b, mine, theirs)
    return Line(
        what=what,
        ours=microseconds(in_blocks(float, mine)[0]),
        beside=f"{name} {microseconds(in_blocks(float, theirs)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=aim,
    )

"""`/iora health` of ten targets on this machine, beside the same twenty requests without the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from bench.config import config
from bench.listening import listening
from bench.pairs import in_blocks, take_turns
from bench.table import Line, microseconds
from bot.clock import SystemClock
from bot.http import Client
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store.database import Database

ROUNDS = 100
TARGETS = 10
WITHIN_MS = 5_000


async def measure(folder: Path) -> AsyncIterator[Line]:
    """Asked, judged, and its samples on the disk."""
    clock = SystemClock()
    async with listening(_target(clock)) as port:
        url = f"http://127.0.0.1:{port}"
        rules = config(TARGETS, url)
        names = tuple(rules.targets)
        database = Database(folder / "health.db", clock)
        async with Client() as http, aiohttp.ClientSession() as session:
            monitoring = Monitoring(database, http, Live(rules), clock)

            async def ours(number: int) -> None:
                healths = await monitoring.refresh(names, WITHIN_MS)
                assert all(one.status == "ok" for one in healths)

            async def bare(number: int) -> None:
                paths = ("/api/health", "/v1/metrics") * TARGETS
                await asyncio.gather(*(_get(session, url + path) for path in paths))

            mine, theirs = await take_turns(ROUNDS, ours, bare)
            await monitoring.close()
            await database.close()
    ratio, (low, high) = in_blocks(lambda a, b: a / b, mine, theirs)
    yield Line(
        what=f"the health of {TARGETS} targets",
        ours=microseconds(in_blocks(float, mine)[0]),
        beside=f"{2 * TARGETS} bare requests {microseconds(in_blocks(float, theirs)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
    )


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.json()


def _target(clock: SystemClock) -> web.Application:
    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def metrics(request: web.Request) -> web.Response:
        now = clock.now()
        readings = [
            {"metric": "cpu_percent", "value": 12.0, "unit": "%", "reason": None, "at": now},
            {"metric": "memory_mb", "value": 120.0, "unit": "MB", "reason": None, "at": now},
        ]
        return web.json_response({"readings": readings, "at": now})

    routes = web.Application()
    routes.router.add_get("/api/health", health)
    routes.router.add_get("/v1/metrics", metrics)
    return routes

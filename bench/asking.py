"""A command that only asks: its ack beside a bare Bolt app that gives the same answer.

Twice: as Slack sees it over signed HTTP (a process of its own asks, on loopback), and inside Bolt alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from multiprocessing import get_context
from pathlib import Path

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from bench.apps import SECRET, bare, dispatch, ours
from bench.listening import listening
from bench.pairs import in_blocks, take_turns
from bench.table import Line, microseconds
from bench.visitor import Errand, visit
from bot.clock import SystemClock
from bot.slack.desk import Desk
from bot.web.events import handler
from bot.web.signature import Signature

ROUNDS = 600
OPEN = 3
AIM = 1.3
_AT_ONCE = "health"  # is measured after its ack, and answered through its response_url
_COMMANDS = ("help", "incidents", "show INC-1")


async def measure(folder: Path) -> AsyncIterator[Line]:
    """A line a command over HTTP, then a line a command inside Bolt."""
    clock = SystemClock()
    async with ours(folder / "asking.db", clock) as (mine, desk):
        for number in range(1, OPEN + 1):
            await dispatch(mine, f"declare sev2 checkout answers slowly {number}")
        for text in _COMMANDS:
            yield await _over_http(mine, clock, text)
        for text in (_AT_ONCE, *_COMMANDS):
            yield await _in_process(mine, desk, text)


async def _over_http(mine: AsyncApp, clock: SystemClock, text: str) -> Line:
    theirs = bare(await dispatch(mine, text), signing_secret=SECRET)
    routes = web.Application()
    routes.router.add_post("/slack/events", handler(mine, Signature(SECRET, clock)))
    async with AsyncExitStack() as stack:
        ports = [
            await stack.enter_async_context(listening(one))
            for one in (routes, theirs.web_app("/slack/events"))
        ]
        pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        errand = Errand(tuple(ports), text, SECRET, ROUNDS)
        took = await asyncio.get_running_loop().run_in_executor(pool, visit, errand)
    return _line(f"/iora {text}, over HTTP", *took)


async def _in_process(mine: AsyncApp, desk: Desk, text: str) -> Line:
    """The bare app has as few middlewares as ours, so that the difference is all ours."""

    async def between() -> None:
        await desk.drain(5)

    theirs = bare(
        await dispatch(mine, text),
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
    )
    took = await take_turns(
        ROUNDS,
        lambda number: dispatch(mine, text),
        lambda number: dispatch(theirs, text),
        between=between,
    )
    return _line(f"/iora {text}, in process", *took)


def _line(what: str, mine: list[float], theirs: list[float]) -> Line:
    ratio, (low, high) = in_blocks(lambda a, b: a / b, mine, theirs)
    return Line(
        what=what,
        ours=microseconds(in_blocks(float, mine)[0]),
        beside=f"bare Bolt {microseconds(in_blocks(float, theirs)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=AIM,
    )

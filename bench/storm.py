"""A storm of alerts on the whole bot, Slack away: alerts stored a second, and how long commands wait."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.config import config
from bench.storming import Sent, Storm, send
from bench.table import Line, microseconds
from bot.model.actor import Actor
from bot.model.config import Config
from bot.model.intake import Intake
from bot.model.settings import Settings
from bot.wiring import Bot

SECONDS, A_SECOND, BATCH = 10, 1_000, 20
AIM_MS = 1_000
ROUNDS = 3
_TOKENS = {"alertmanager": "a-token-of-alertmanager", "builds": "a-token-of-builds"}
_INTAKE = Intake.model_validate(
    {
        "sources": {
            "alertmanager": {
                "kind": "alertmanager",
                "token": _TOKENS["alertmanager"],
                "rate": 10_000,
            },
            "builds": {
                "kind": "json",
                "token": _TOKENS["builds"],
                "map": {"title": "message", "fingerprint": "id", "severity": "level"},
                "rate": 10_000,
            },
        }
    },
    strict=False,
)
_BENCH = Actor.login("bench")


async def measure(folder: Path) -> AsyncIterator[Line]:
    """Commands in a storm; then how much can be stored: a hundred alerts a request, and one."""
    bot = Bot(_settings(folder), _config())
    await bot.start()
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield await _commands(bot, pool)
            for batch, alerts in ((100, 10_000), (1, 3_000)):
                yield await _throughput(bot, pool, batch, alerts)
    finally:
        await bot.stop()


async def _commands(bot: Bot, pool: ProcessPoolExecutor) -> Line:
    calm = [await _command(bot, number) for number in range(20)]
    storm = Storm(_url(bot, BATCH), _token(BATCH), SECONDS, A_SECOND, BATCH)
    sending = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(pool, send, storm))
    took: list[float] = []
    while not sending.done():
        took.append(await _command(bot, len(took)))
        await asyncio.wait((sending,), timeout=0.1)
    sent = await sending
    assert bot.intake.stored >= sent.alerts, "an alert was lost"
    return Line(
        what=f"a command in a storm, {A_SECOND} alerts a second for {SECONDS} s",
        ours=f"median {microseconds(statistics.median(took))}, all {sent.alerts} stored",
        beside=f"at rest {microseconds(statistics.median(calm))}",
        result=max(took),
        low=min(took),
        high=max(took),
        unit="ms",
        aim=AIM_MS,
    )


async def _throughput(bot: Bot, pool: ProcessPoolExecutor, batch: int, alerts: int) -> Line:
    found = [await _rate(bot, pool, batch, alerts) for _ in range(ROUNDS)]
    middle = statistics.median(found)
    return Line(
        what=f"alerts stored, {batch} a request" if batch > 1 else "alerts stored, one a request",
        ours=f"{middle:,.0f} a second",
        beside="none",
        result=middle / A_SECOND,
        low=min(found) / A_SECOND,
        high=max(found) / A_SECOND,
        unit="of a storm",
        aim=1 if batch > 1 else None,
        at_least=True,
    )


async def _rate(bot: Bot, pool: ProcessPoolExecutor, batch: int, alerts: int) -> float:
    """As many as can be, by one client with 64 connections."""
    storm = Storm(_url(bot, batch), _token(batch), alerts / 1_000_000, 1_000_000, batch)
    began = time.monotonic()
    sent: Sent = await asyncio.get_running_loop().run_in_executor(pool, send, storm)
    return sent.alerts / (time.monotonic() - began)


async def _command(bot: Bot, number: int) -> float:
    """One that is stored, in milliseconds."""
    words = f"declare sev4 by hand {number} {time.monotonic_ns()}"
    return await _timed(bot.answer(_BENCH, words))


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1_000


def _url(bot: Bot, batch: int) -> str:
    path = "/intake/alertmanager" if batch > 1 else "/intake/alerts/builds"
    return f"http://127.0.0.1:{bot.port}{path}"


def _token(batch: int) -> str:
    return _TOKENS["alertmanager" if batch > 1 else "builds"]


def _config() -> Config:
    return config().model_copy(update={"intake": _INTAKE})


def _settings(folder: Path) -> Settings:
    return Settings.read(
        {
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_APP_TOKEN": "xapp-bench",
            "SLACK_API_URL": "http://127.0.0.1:9/api/",
            "IORA_DATABASE_URL": f"sqlite:///{folder}/storm.db",
            "PORT": "0",
        }
    )

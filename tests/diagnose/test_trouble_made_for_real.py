"""Each trouble, made for real by a process, is the first finding of the real bot with the real agent."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.config import Config
from bot.model.settings import Settings
from bot.wiring import Bot
from tests.support.agents import TOKEN, agent, write
from tests.support.programs import ask, child

PATIENCE_S = 90.0
TROUBLE = Path(__file__).parents[1] / "support" / "trouble.py"
AGENT = "logs: [{file: service.log}]\nleak: {threshold_mb: 200, window: 8s}\n"
REQUESTS = {"errors": 40, "slow": 20}


def config(url: str, agent_url: str) -> Config:
    written = {
        "version": 1,
        "targets": {
            "iora": {
                "poll": "1h",
                "health": {"url": f"{url}/api/health", "status": "status"},
                "agent": {"url": agent_url, "token": TOKEN},
            }
        },
        "escalation": {
            "default": "announce",
            "last_resort": ["user:U01ALICE"],
            "policies": {"announce": {"levels": [{"after": "0s", "notify": ["channel"]}]}},
        },
    }
    return Config.model_validate_json(json.dumps(written))


@contextmanager
def service(kind: str, log: Path):
    """The service in trouble; its address and its pid."""
    with child([sys.executable, str(TROUBLE), kind, str(log)]) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}", process.pid


@asynccontextmanager
async def bot_of(folder: Path, settings: Config) -> AsyncIterator[Bot]:
    """A bot that answers the command line; it has no Slack."""
    environ = {"IORA_DATABASE_URL": f"sqlite:///{folder}/iora.db"}
    bot = Bot(Settings.read(environ), settings)
    await bot.start(serving=False)
    try:
        yield bot
    finally:
        await bot.stop()


async def diagnosed(bot: Bot, folder: Path) -> dict[str, Any]:
    said = await bot.answer(Actor.login("test"), "diagnose iora it hurts")
    assert not said["refused"], said
    found: Any = said["json"]
    return dict(found)


def of_the_service(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings but for what is as true: that others use this machine while the tests run."""
    return [one for one in report["findings"] if one["kind"] != "neighbour"]


def work(url: str, count: int, at_once: int = 20) -> None:
    """Requests of people who use the service."""
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda _: ask(f"{url}/work"), range(count)))


@pytest.mark.parametrize("kind", ["cpu", "leak", "threads", "descriptors", "errors", "slow"])
async def test_it_is_named_as_the_first_finding(tmp_path, kind):
    with service(kind, tmp_path / "service.log") as (url, pid):
        (tmp_path / "pid").write_text(str(pid))
        with agent(write(tmp_path, "pid_file: pid", more=AGENT)) as running:
            await asyncio.to_thread(work, url, REQUESTS.get(kind, 0))
            async with bot_of(tmp_path, config(url, running.url)) as bot:
                report: dict[str, Any] = {"findings": []}
                end = time.monotonic() + PATIENCE_S
                while [one["kind"] for one in of_the_service(report)[:1]] != [kind]:
                    assert time.monotonic() < end, (report["findings"], report.get("partial"))
                    report = await diagnosed(bot, tmp_path)
                assert report["findings"][0]["recommendation"] == report["recommendations"][0]
                assert of_the_service(report)[0]["recommendation"] in report["recommendations"]
                assert report["issue_description"] == "it hurts"
                assert report["thread_dump"]["total_threads"] >= 1
                assert report["heap_dump"]["total_allocated"] > 1_000_000
                assert report["heap_dump"]["allocation_count"] is None


async def test_a_service_that_is_well_has_no_finding(tmp_path):
    with service("none", tmp_path / "service.log") as (url, pid):
        (tmp_path / "pid").write_text(str(pid))
        with agent(write(tmp_path, "pid_file: pid", more=AGENT)) as running:
            await asyncio.to_thread(work, url, 30, at_once=2)
            async with bot_of(tmp_path, config(url, running.url)) as bot:
                report = await diagnosed(bot, tmp_path)
                assert of_the_service(report) == []
                assert report["partial"] == {}

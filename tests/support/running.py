"""The command line and `iora serve` as real processes, beside a workspace in the test's own loop."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import runpy
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.forked import end_of, forked
from tests.support.house import House

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
NOT_PASSED_ON = {"HOST", "PORT", "LOG_LEVEL", "COLUMNS", "LINES"}

CONFIG = """\
version: 1
slack: {team: T01TEAM, channel: incidents}
targets:
  iora:
    poll: 1h
    health: {url: "URL/api/health", status: status, timeout: 2s}
    agent: {url: "URL"}
escalation:
  default: critical
  by_severity: {sev3: announce, sev4: announce}
  last_resort: ["user:U01ALICE"]
  policies:
    announce: {levels: [{after: 0s, notify: [channel]}]}
    critical: {levels: [{after: 0s, notify: [channel, "user:U01ALICE"]}]}
roles: {responder: [U01ALICE, U02BOB], commander: [U01ALICE]}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Running:
    """`iora serve`, ready; ``url`` is its HTTP side."""

    process: ForkServerProcess
    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await end_of(self.process)

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            return answer.status, await answer.text()


def settings(house: House, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a bot in a folder, with its config written there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.yaml"
    if not file.exists():
        file.write_text(CONFIG.replace("URL", house.target.url))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("IORA_", "SLACK_")) and name not in NOT_PASSED_ON
    }
    return kept | {
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": house.slack.bot_token,
        "SLACK_APP_TOKEN": house.slack.app_token,
        "SLACK_API_URL": house.slack.api_url,
        "PORT": "0",
        **more,
    }


def run(folder: Path, environ: Mapping[str, str], out: Path, err: Path, *arguments: str) -> None:
    """What the process does: ``python -m bot``, there, with this environment and these outputs."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    for number, (path, mode) in enumerate(((Path(os.devnull), "rb"), (out, "ab"), (err, "ab"))):
        with path.open(mode) as file:
            os.dup2(file.fileno(), number)
    sys.argv[1:] = arguments
    try:
        runpy.run_module("bot", run_name="__main__", alter_sys=True)
    finally:
        gc.collect()  # whatever was left open complains now


async def iora(folder: Path, environ: Mapping[str, str], *arguments: str) -> Ended:
    """Run a command to its end. No command of ours ever shows a traceback."""
    with tempfile.TemporaryDirectory(prefix="iora-output-") as written:
        out, err = Path(written, "out"), Path(written, "err")
        process = forked(run, folder, dict(environ), out, err, *arguments)
        try:
            async with asyncio.timeout(PATIENCE_S):
                code = await end_of(process)
        finally:
            process.kill()
        ended = Ended(code, _text(out), _text(err))
    assert "Traceback" not in ended.err, ended.err
    return ended


@asynccontextmanager
async def serving(house: House, folder: Path, environ: Mapping[str, str]) -> AsyncIterator[Running]:
    """`iora serve` in that folder, until it is ready; killed at the end if it is still there."""
    log = folder / "serve.log"
    with tempfile.TemporaryDirectory(prefix="iora-output-") as written:
        out = Path(written, "out")
        process = forked(run, folder, dict(environ), out, log, "serve")
        try:
            async with asyncio.timeout(PATIENCE_S):
                running = Running(process, await _address(process, out, log), log)
                while (await running.get("/readyz"))[0] != 200:
                    await asyncio.sleep(0.02)
            yield running
        finally:
            process.kill()
            await end_of(process)


async def _address(process: ForkServerProcess, out: Path, log: Path) -> str:
    """What it says in its first line, once it listens."""
    while not (said := _text(out)).endswith("\n"):
        assert process.is_alive(), said + _text(log)
        await asyncio.sleep(0.01)
    assert said.startswith("iora serve: http://"), said + _text(log)
    return said.split()[2]


def _text(file: Path) -> str:
    """What was written so far."""
    return file.read_text() if file.exists() else ""

"""The command line and `iora serve` as real processes, beside a workspace in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.house import House

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0

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

    process: asyncio.subprocess.Process
    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

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
        if not name.startswith(("IORA_", "SLACK_")) and name not in {"HOST", "PORT", "LOG_LEVEL"}
    }
    return kept | {
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": house.slack.bot_token,
        "SLACK_APP_TOKEN": house.slack.app_token,
        "SLACK_API_URL": house.slack.api_url,
        "PORT": "0",
        **more,
    }


async def iora(folder: Path, environ: Mapping[str, str], *arguments: str) -> Ended:
    """Run a command to its end. No command of ours ever shows a traceback."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=dict(environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    ended = Ended(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in ended.err, ended.err
    return ended


@asynccontextmanager
async def serving(house: House, folder: Path, environ: Mapping[str, str]) -> AsyncIterator[Running]:
    """`iora serve` in that folder, until it is ready; killed at the end if it is still there."""
    log = folder / "serve.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve"),
            cwd=folder,
            env=dict(environ),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
            assert line.startswith("iora serve: http://"), line + log.read_text()
            running = Running(process, line.split()[2], log)
            while (await running.get("/readyz"))[0] != 200:
                await asyncio.sleep(0.02)
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

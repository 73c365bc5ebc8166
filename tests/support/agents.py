"""The agent as a process of its own, for tests that meet it as the bot does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.programs import Reply, ask, child

TOKEN = "s3cret-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Agent:
    process: subprocess.Popen[str]
    url: str
    log: Path

    def get(self, path: str) -> Reply:
        return ask(self.url + path, headers=BEARER)

    def post(self, path: str) -> Reply:
        return ask(self.url + path, raw=b"", headers=BEARER)

    def part(self, name: str) -> Any:
        """The data of a part that could be read."""
        answer = self.get(f"/v1/{name}").json()
        assert answer["ok"], answer
        return answer["data"]

    def health(self) -> dict[str, object]:
        return self.get("/v1/health").json()

    def metrics(self) -> Reply:
        return self.get("/v1/metrics")

    def readings(self) -> dict[str, dict[str, object]]:
        return {one["metric"]: one for one in self.metrics().json()["readings"]}

    def value(self, metric: str) -> float:
        """0.0 while it is unknown, for waiting until it passes a bound."""
        return self.readings()[metric]["value"] or 0.0


def environ(**more: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("PORT", "HOST")}
    clean.pop("IORA_AGENT_TOKEN", None)
    return clean | more


def write(folder: Path, process: str, listen: str = "127.0.0.1:0", more: str = "") -> Path:
    path = folder / "agent.yaml"
    path.write_text(f"listen: '{listen}'\nprocess: {{{process}}}\n{more}")
    return path


@contextlib.contextmanager
def agent(path: Path, **more: str) -> Iterator[Agent]:
    variables = {"IORA_AGENT_CONFIG": str(path), "IORA_AGENT_TOKEN": TOKEN} | more
    log = path.with_name("agent.log")
    with child([sys.executable, "-m", "bot.agent"], environ(**variables), errors=log) as process:
        line = process.stdout.readline()
        assert line.startswith("agent ready: "), (line, log.read_text())
        yield Agent(process, line.split()[-1], log)

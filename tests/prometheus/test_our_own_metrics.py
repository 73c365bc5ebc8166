"""What the bot and the agent tell of themselves is what a Prometheus takes, and as its own checker wants it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

from tests.support.agents import BEARER, TOKEN, agent, write
from tests.support.house import BOB, config_for, living, standing
from tests.support.installed import installed
from tests.support.programs import ask
from tests.support.prometheus_server import prometheus


def checked(text: str) -> str:
    """What the checker has against an exposition; empty: nothing."""
    program = installed("promtool", "prometheus")
    found = subprocess.run(
        [program, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    said = found.stdout + found.stderr
    assert (found.returncode == 0) == (not said), (found.returncode, said)
    return said


async def test_the_bot_and_the_agent_are_scraped(tmp_path: Path):
    (tmp_path / "own.pid").write_text(str(os.getpid()))
    with agent(write(tmp_path, "pid_file: own.pid")) as one:
        async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
            await house.slash(BOB, "declare sev3 API slow")
            url = f"http://127.0.0.1:{bot.port}/metrics"
            for text in (
                (await asyncio.to_thread(ask, url)).text,
                (await asyncio.to_thread(ask, f"{one.url}/metrics", headers=BEARER)).text,
            ):
                assert "# TYPE iora_" in text
                assert checked(text) == ""
            urls = {"bot": url, "agent": f"{one.url}/metrics"}
            with prometheus(tmp_path, urls, bearer=TOKEN) as server:
                await server.until("up", 1, 1)
                await server.until("iora_agent_target_found", 1)

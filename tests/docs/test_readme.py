"""The README tells the truth: each of its commands is run here, as it is written there."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.model.config import Config
from tests.support.house import ALICE, House, standing

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = {"serve", "agent"}
# What a person answers to `iora init`: team, channel, responders, commanders, name, URL, use it, agent.
ANSWERS = "T01TEAM\nincidents\nU01ALICE\n\niora\n{url}/api/health\ny\n\n"
# No service has been polled ten times yet: unknown, exit 1. In a pipe, a run that wants a person ends with 1.
OTHERWISE = {
    "health": 1,
    "diagnose": 1,
    "doctor": 0,
    "run system-health-check": 1,
    "run RUN-1 done we have no such script": 1,
}


def blocks() -> list[str]:
    """The lines of the README's shell blocks, in order."""
    return [
        line.strip()
        for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]


def commands() -> list[list[str]]:
    """The words after ``.venv/bin/iora``, line by line."""
    return [shlex.split(line)[1:] for line in blocks() if line.startswith(".venv/bin/iora ")]


def test_its_shell_lines_are_of_kinds_that_are_run_somewhere():
    kinds = {line.split()[0] for line in blocks()}
    assert kinds == {"make", "export", ".venv/bin/iora"}
    assert [line for line in blocks() if line.startswith("make")] == ["make run", "make test"]


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_its_config_tour_names_every_key():
    tour = README.split("## Config", 1)[1].split("## Operate", 1)[0]
    shipped = (ROOT / "config.yaml").read_text(encoding="utf-8")
    for key in Config.model_fields:
        assert f"\n{key}:" in f"\n{shipped}"
        assert key == "version" or f"`{key}`" in tour, key


async def run(folder: Path, environ: dict[str, str], words: list[str], typed: str = "") -> str:
    """One command to its end; its output, if its exit code is the expected one."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env=environ,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate(typed.encode())
    text = said.decode()
    assert "Traceback" not in text, text
    expected = OTHERWISE.get(" ".join(words), OTHERWISE.get(words[0], 0))
    assert process.returncode == expected, f"{words}: {text}"
    return text


@asynccontextmanager
async def running(folder: Path, environ: dict[str, str], word: str) -> AsyncIterator[None]:
    """A program, until the block ends; it has said that it listens, and it ends when asked to."""
    with (folder / f"{word}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", word),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=environ,
        )
    try:
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        assert b"http://" in line, (folder / f"{word}.log").read_text()
        yield
        process.terminate()
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def environ_for(house: House) -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("IORA", "SLACK"))
    }
    return kept | {
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": house.slack.bot_token,
        "SLACK_APP_TOKEN": house.slack.app_token,
        "SLACK_API_URL": house.slack.api_url,
        "PORT": "0",
        "LOG_LEVEL": "WARNING",
    }


async def test_its_commands_do_what_it_says(tmp_path):
    written = commands()
    async with standing(tmp_path) as house:
        environ = environ_for(house)
        typed = ANSWERS.format(url=house.target.url)
        shutil.copy(ROOT / "agent.yaml", tmp_path / "agent.yaml")

        said = await run(tmp_path, environ, written.pop(0), typed)
        assert "Wrote config.yaml" in said
        for words in iter(lambda: written.pop(0), ["serve"]):
            assert await run(tmp_path, environ, words)
        async with running(tmp_path, environ, "serve"):
            await play(house, tmp_path, environ, written)
        for words in written:
            assert "incident" in await run(tmp_path, environ, words)
        assert not house.slack.rejections


async def play(
    house: House, folder: Path, environ: dict[str, str], written: list[list[str]]
) -> None:
    """The commands that the README shows while the bot runs, up to the restore."""
    while written[0] != ["restore", "data/backup.db"]:
        words = written.pop(0)
        if words[0] in PROGRAMS:
            async with running(folder, environ, words[0]):
                continue
        await run(folder, environ, words)
        if "--test-ping" in words:
            await house.until(lambda: house.pings(ALICE), "the test ping")
    card = await house.until(house.card, "the card")
    await house.until(lambda: "RESOLVED" in str(house.card().blocks), card.text)

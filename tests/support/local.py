"""`iora local` as a child process, with what it told its user."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.support.running import ROOT

PATIENCE_S = 60.0


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("IORA_", "SLACK_")) and name not in {"HOST", "PORT", "LOG_LEVEL"}
    }
    return kept | {"PYTHONPATH": str(ROOT), **more}


class Local:
    """A running `iora local`; ``page`` is what it told its user to open, ``database`` where all is kept."""

    def __init__(self, process: asyncio.subprocess.Process, page: str, database: str) -> None:
        self.process = process
        self.page = page
        self.database = database
        self.children = psutil.Process(process.pid).children(recursive=True)

    async def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    def left(self) -> list[psutil.Process]:
        """Children that are still there."""
        return [
            child
            for child in self.children
            if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        ]


@asynccontextmanager
async def local(folder: Path, **environ: str) -> AsyncIterator[Local]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "local"),
        cwd=folder,
        env=environment(**environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
            assert re.fullmatch(r"Open http://127\.0\.0\.1:\d+/\n", line), line
            hint = (await process.stdout.readline()).decode()
        found = re.search(
            r"export IORA_DATABASE_URL=(sqlite:////\S+/iora\.db); .*iora'? runbooks", hint
        )
        assert found is not None, hint
        yield Local(process, line.split()[1], found[1])
    finally:
        if process.returncode is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        await process.communicate()

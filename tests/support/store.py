"""An open database in a temporary folder, with a clock that stands still."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.store.database import Database, Tx
from tests.support.clock import ManualClock

DEADLINE_S = 20.0


@pytest.fixture
def clock() -> ManualClock:
    """Stands still until the test advances it."""
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    """An open database in the test's folder."""
    async with open_database(tmp_path / "iora.db", clock) as opened:
        yield opened


@asynccontextmanager
async def open_database(
    path: Path, clock: ManualClock, *, after_commit: Callable[[], None] | None = None
) -> AsyncIterator[Database]:
    """Open, and close at the end."""
    opened = Database(path, clock, after_commit=after_commit)
    try:
        yield opened
    finally:
        await opened.close()


async def together(database: Database, *waiting: Awaitable[object]) -> list[object]:
    """Send writes while the database's thread is busy, so that they stand in line and go as groups.

    The results in order, with what was raised in its place.
    """
    busy, go_on = threading.Event(), threading.Event()
    blocker = asyncio.ensure_future(database.read(_block, busy, go_on))
    await asyncio.to_thread(busy.wait, DEADLINE_S)
    tasks = [asyncio.ensure_future(one) for one in waiting]
    await asyncio.sleep(0)  # each task runs up to its place in the line
    go_on.set()
    async with asyncio.timeout(DEADLINE_S):
        await blocker
        return await asyncio.gather(*tasks, return_exceptions=True)


def _block(tx: Tx, busy: threading.Event, go_on: threading.Event) -> None:
    busy.set()
    assert go_on.wait(DEADLINE_S)

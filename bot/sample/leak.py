"""A real leak: memory that is mapped, touched and not given back until the leak is mended."""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import Callable
from pathlib import Path

MEGABYTE = 1_000_000
RATE = 25 * MEGABYTE  # bytes a second: over the 256 MB baseline in 10 s, over 1,024 MB in 45 s
LIMIT = 1_200 * MEGABYTE
PIECE_SECONDS = 0.2
SPARE = 400 * MEGABYTE  # left to the machine, so that a small one is not driven into its OOM killer


def available_bytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Memory that can still be had without swapping; None where the system doesn't tell."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


class Leak:
    """Grows by ``RATE * work()`` between ``start`` and ``stop``, up to ``LIMIT`` bytes."""

    def __init__(
        self, work: Callable[[], float], available: Callable[[], int | None] = available_bytes
    ) -> None:
        self._work = work
        self._available = available
        self._pieces: list[mmap.mmap] = []
        self._task: asyncio.Task[None] | None = None
        self.held = 0

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._grow(), name="leak")

    def stop(self) -> None:
        """Stop growing and give all of it back to the system."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for piece in self._pieces:
            piece.close()
        self._pieces.clear()
        self.held = 0

    async def _grow(self) -> None:
        while True:
            self.take(int(RATE * PIECE_SECONDS * self._work()))
            await asyncio.sleep(PIECE_SECONDS)

    def take(self, size: int) -> None:
        """Map ``size`` bytes and write to every page, unless a limit is reached."""
        available = self._available()
        if self.held + size > LIMIT or (available is not None and available < SPARE + size):
            return
        piece = mmap.mmap(-1, size)
        piece.write(b"\x01" * size)
        self._pieces.append(piece)
        self.held += size

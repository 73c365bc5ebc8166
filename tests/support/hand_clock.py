"""A clock that tests move by hand, for limits that are about time."""

from __future__ import annotations

import asyncio


class HandClock:
    """Seconds since the epoch; whoever sleeps wakes when the time has been moved that far."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._sleeping: list[tuple[float, asyncio.Event]] = []
        self._changed = asyncio.Event()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        awake = asyncio.Event()
        self._sleeping.append((self._now + seconds, awake))
        self._changed.set()
        await awake.wait()

    async def wait_sleepers(self, count: int) -> None:
        """Return when that many are asleep."""
        while len(self._sleeping) != count:
            self._changed.clear()
            await self._changed.wait()

    def move(self, seconds: float) -> None:
        self._now += seconds
        due = [item for item in self._sleeping if item[0] <= self._now]
        self._sleeping = [item for item in self._sleeping if item[0] > self._now]
        for _, awake in due:
            awake.set()
        self._changed.set()

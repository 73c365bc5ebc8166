"""The one clock: aware UTC, in milliseconds, anchored to the boot clock.

The wall clock is read once, when a program starts; from then on the boot clock (which counts
while the machine sleeps, and never jumps) carries it. A wall clock that is set while the bot
runs moves nothing.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What rules and services are given time by."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds of the boot clock, for durations within one program."""
        ...


class SystemClock:
    """The clock of a running program."""

    def __init__(self) -> None:
        self._anchor = time.time() - self.monotonic()

    def monotonic(self) -> float:
        return time.clock_gettime(_BOOT_CLOCK)

    def now(self) -> int:
        return round((self._anchor + self.monotonic()) * 1000)

    def drift_ms(self) -> int:
        """How far the wall clock has been moved away since the start, in milliseconds."""
        return round(time.time() * 1000) - self.now()


def at(milliseconds: int) -> datetime:
    """The aware UTC time of a stored timestamp."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)

"""The sample's only clock reads, and timestamps as the real services write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall clock in nanoseconds since the epoch, and seconds for durations."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()


def stamp(now_ns: int) -> str:
    """UTC with nine fractional digits and ``Z``, the way the real dashboard prints it."""
    seconds, fraction = divmod(now_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"

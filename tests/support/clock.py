"""A clock that tests move by hand, for rules and services that are given time."""

from __future__ import annotations

NOON = 1_750_000_000_000
"""Milliseconds since the epoch: 2025-06-15 15:06:40 UTC, a Sunday."""


class ManualClock:
    """Stands still until it is advanced. Suits ``bot.clock.Clock``."""

    def __init__(self, now: int = NOON) -> None:
        self._start = self._now = now

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since it was made; as steady as ``now``."""
        return (self._now - self._start) / 1000

    def advance(self, milliseconds: int) -> int:
        """Move on; the new ``now``."""
        assert milliseconds >= 0, "the clock of the bot never goes back"
        self._now += milliseconds
        return self._now

    def set_back(self, milliseconds: int) -> int:
        """Where it stands after a restart, when the machine's clock was ahead before; the new ``now``."""
        self._now -= milliseconds
        return self._now

"""How many requests a second somebody may send."""

from __future__ import annotations

from bot.clock import Clock


class Rate:
    """Two seconds' worth may come at once; what is over it is told when to come again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, name: str, a_second: int) -> int:
        """Seconds until one more may come; 0: it may come now, and is counted."""
        now, most = self._clock.monotonic(), 2.0 * a_second
        left, at = self._left.get(name, (most, now))
        left = min(most, left + (now - at) * a_second)
        taken = left >= 1
        self._left[name] = (left - taken, now)
        return 0 if taken else max(1, round((1 - left) / a_second))

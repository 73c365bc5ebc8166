"""When a target is polled next: more and more rarely while it does not answer."""

from __future__ import annotations

LONGEST_MS = 300_000
_MOST_TIMES = 8
_LONGEST_WAIT_MS = 600_000


def interval(poll_ms: int, silences: int, retry_after: str | None) -> int:
    """Milliseconds until the next poll, after so many polls in a row without any answer.

    The second one doubles the time, the third doubles it again, up to eight times or 5 minutes. A
    target that is busy with us (``Retry-After`` in seconds) gets the time that it asks for, up to 10 minutes.
    """
    if silences > 1:
        times = _MOST_TIMES if silences > 3 else 2 * (silences - 1)
        return max(poll_ms, min(poll_ms * times, LONGEST_MS))
    if retry_after and retry_after.isascii() and retry_after.isdigit():
        return max(poll_ms, min(int(retry_after[:9]) * 1000, _LONGEST_WAIT_MS))
    return poll_ms

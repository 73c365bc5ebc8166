"""When a target is polled next: more and more rarely while it does not answer."""

from __future__ import annotations

import zlib

LONGEST_MS = 300_000
_MOST_TIMES = 8
_LONGEST_WAIT_MS = 600_000
JITTER = 0.05
"""A poll comes earlier or later by up to this part of its time: ten polls stay within eleven times it."""


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


def shifted(wait_ms: int, target: str, now: int, *, earlier: bool = True) -> int:
    """The wait, a little longer or, where it may be, shorter: by up to ``JITTER`` of it.

    Another one for each target and each poll, so that a thousand targets that were once asked together
    don't stay in step; on average it is the wait itself, where it may come ``earlier``.
    """
    part = zlib.crc32(f"{target} {now}".encode()) / 0xFFFFFFFF
    return wait_ms + round(wait_ms * JITTER * (2 * part - 1 if earlier else part))

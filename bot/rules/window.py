"""The bot's own polls over the last minutes as readings: P95 response time and error rate.

Fewer than ``MIN_SAMPLES`` polls say nothing: the reading is unknown, with the count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.model.reading import Reading
from bot.model.units import format_duration

MIN_SAMPLES = 10
SOURCE = "bot"
METRICS = ("response_time_p95_ms", "error_rate_percent")


@dataclass(frozen=True)
class Poll:
    """One poll: how long it took (None: it got no time, such as a refused connection)."""

    at: int
    elapsed_ms: float | None
    failed: bool


def p95(values: Sequence[float]) -> float:
    """The nearest-rank 95th percentile of at least one value."""
    ranked = sorted(values)
    return ranked[math.ceil(0.95 * len(ranked)) - 1]


def readings(polls: Sequence[Poll], window: int, now: int) -> tuple[Reading, Reading]:
    """``response_time_p95_ms`` and ``error_rate_percent`` of the polls in the window (milliseconds)."""
    recent = [poll for poll in polls if now - window < poll.at <= now]
    timed = [poll.elapsed_ms for poll in recent if poll.elapsed_ms is not None]
    failed = sum(poll.failed for poll in recent)
    span = format_duration(window)
    return (
        Reading(
            metric="response_time_p95_ms",
            value=round(p95(timed), 1) if len(timed) >= MIN_SAMPLES else None,
            unit="ms",
            reason=_too_few(len(timed), "timed answers", span),
            at=now,
            source=SOURCE,
            samples=len(timed),
        ),
        Reading(
            metric="error_rate_percent",
            value=100 * failed / len(recent) if len(recent) >= MIN_SAMPLES else None,
            unit="%",
            reason=_too_few(len(recent), "polls", span),
            at=now,
            source=f"{SOURCE}, {failed} of {len(recent)} failed",
            samples=len(recent),
        ),
    )


def _too_few(count: int, what: str, span: str) -> str | None:
    if count >= MIN_SAMPLES:
        return None
    return f"{count} {what} in {span}, at least {MIN_SAMPLES} needed"

"""The health of targets as the answers and the evidence keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.config import GUIDE_BASELINES, GUIDE_CRITICAL
from bot.model.reading import Reading, Verdict
from bot.rules.verdict import Said, facts, judge
from tests.support.clock import NOON


def reading(metric: str, value: float | None, unit: str, **known: Any) -> Reading:
    """Read four seconds before ``NOON``; without a value, unknown."""
    reason = None if value is not None else "the agent did not answer"
    base: dict[str, Any] = {"source": "agent", "reason": reason, "at": NOON - 4_000}
    return Reading(metric=metric, value=value, unit=unit, **(base | known))


def health(
    *readings: Reading, target: str = "iora", word: Said | None = None, status: str | None = "ok"
) -> Mapping[str, Any]:
    """As JSON, at ``NOON``."""
    said = word or Said(Verdict.HEALTHY, 'status word "ok"', failed=False)
    return facts(judge(target, said, status, readings, GUIDE_BASELINES, GUIDE_CRITICAL, NOON))


P95 = reading("response_time_p95_ms", 910.4, "ms", source="bot", samples=40)
ERRORS = reading(
    "error_rate_percent", None, "%", source="bot", reason="4 polls in 5 min, at least 10 needed"
)
HEALTHY = health(reading("cpu_percent", 42, "%"), reading("memory_mb", 212, "MB"))
SICK = health(
    reading("cpu_percent", 96, "%"),
    reading("memory_mb", 212, "MB"),
    P95,
    ERRORS,
    reading("test_coverage_percent", 87, "%"),
)


def sick(words: str, target: str = "iora") -> Mapping[str, Any]:
    """A target that says these words wherever it may say something."""
    return health(
        reading("cpu_percent", 96, "%", source=words),
        reading("memory_mb", None, "MB", reason=words),
        reading("response_time_p95_ms", 910, "ms", samples=40, source=words),
        reading("error_rate_percent", None, "%", reason=words),
        target=target,
        word=Said(Verdict.DOWN, words, failed=True),
        status=words,
    )

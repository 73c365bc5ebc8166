"""Regressions by the guide's formula ("Performance Regression Detection"), and what every way shares.

A day's mean is held against the bound of the baseline, which is a P95; so a noisy day can hide one.
The learned baseline (``bot.rules.learned``) stands beside it.
"""

from __future__ import annotations

from typing import Literal

from bot.model.config import Config
from bot.model.regression import Change, RegressionSettings, Untold
from bot.model.sketch import Sketch
from bot.model.target import Bound
from bot.rules import sketch as sketches

Worse = Literal["higher", "lower"]
Severity = Literal["slight", "minor", "moderate", "severe"]

_SEVERITIES: tuple[tuple[float, Severity], ...] = (
    (0.25, "severe"),
    (0.15, "moderate"),
    (0.10, "minor"),
)
CRITICAL = 0.5
CLOSES_AT = 0.5
"""A regression is over when it is below this part of the threshold: one that hovers is one."""
_HIGHER = frozenset(
    {
        "response_time_p95_ms",
        "error_rate_percent",
        "memory_mb",
        "uss_mb",
        "cpu_percent",
        "cpu_core_percent",
        "threads",
        "open_files",
    }
)
_LOWER = frozenset({"overall_score", "test_coverage_percent", "throughput_rps"})
_ACTIONS = {
    "response_time": (
        "Profile API endpoints for bottlenecks",
        "Check database query performance",
        "Review caching strategy",
    ),
    "memory": (
        "Check for memory leaks",
        "Review data structure sizes",
        "Implement memory pooling",
    ),
    "cpu": (
        "Profile CPU-intensive operations",
        "Consider algorithm optimization",
        "Review parallel processing implementation",
    ),
}
_OTHER_ACTIONS = ("Profile application performance", "Review recent code changes")
_KINDS = {
    "response_time_p95_ms": "response_time",
    "memory_mb": "memory",
    "uss_mb": "memory",
    "cpu_percent": "cpu",
    "cpu_core_percent": "cpu",
}
_CRITICAL_ACTION = "Critical performance regression - immediate investigation required"


def worse_when(metric: str, config: Config) -> Worse | None:
    """On which side a metric is worse: by its bound, else by what it measures; None: nobody knows."""
    bound = config.baselines.get(metric) or config.critical.get(metric)
    if bound is not None:
        return "lower" if bound.above is not None else "higher"
    if metric in _LOWER:
        return "lower"
    return "higher" if metric in _HIGHER else None


def worse_by(now: float, before: float, worse: Worse) -> float:
    """``(now - before) / before``, with the sign turned for what falls; ``before`` is above 0."""
    change = (now - before) / before
    return change if worse == "higher" else -change


def confidence(sketch: Sketch) -> float:
    """The guide's ``1 / (1 + cv)``; 0.5 under 3 samples, and without a mean above 0 to compare with."""
    if sketch.count < 3 or sketches.mean(sketch) <= 0:
        return 0.5
    return 1 / (1 + sketches.deviation(sketch) / sketches.mean(sketch))


def by_the_guide(
    metric: str, sketch: Sketch, bound: Bound, settings: RegressionSettings
) -> Change | Untold:
    """The mean of the window's samples against the bound, which the guide calls the baseline's P95."""
    if sketch.count < settings.min_samples:
        reason = f"{sketch.count} samples, at least {settings.min_samples} are needed"
        return Untold(metric=metric, method="guide", reason=reason)
    if bound.limit <= 0:
        reason = "a baseline of 0 has no degradation"
        return Untold(metric=metric, method="guide", reason=reason)
    mean = sketches.mean(sketch)
    degradation = worse_by(mean, bound.limit, "lower" if bound.above is not None else "higher")
    return Change(
        metric=metric,
        method="guide",
        statistic="mean",
        now=mean,
        before=bound.limit,
        degradation=degradation,
        confidence=confidence(sketch),
        samples=sketch.count,
        shows=degradation > settings.threshold,
        gone=degradation <= settings.threshold * CLOSES_AT,
    )


def severity(degradation: float) -> Severity:
    """Over 25 % severe, over 15 % moderate, over 10 % minor; less counts where the threshold is lower."""
    return next((word for least, word in _SEVERITIES if degradation > least), "slight")


def recommendations(metric: str, degradation: float) -> tuple[str, ...]:
    """The guide's, by metric; over 50 % the critical one comes first."""
    first = (_CRITICAL_ACTION,) if degradation > CRITICAL else ()
    return (*first, *_ACTIONS.get(_KINDS.get(metric, ""), _OTHER_ACTIONS))

"""What is seen from outside and in the logs: no answer, errors, timeouts, slowness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.model.report import Cause, Collected, Snapshot
from bot.rules.cause import Baselines, cause, said, stable

ERRORS, TIMEOUTS = 10, 5


def down(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """It does not answer at all: whatever else is seen follows from that."""
    if it.health["verdict"] == "down":
        yield cause(
            "down",
            f"it does not answer: {it.health['reason']}",
            recommendation="Check that the process runs, listens, and is not stopped or out of memory",
        )


def logs(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The guide's bounds on errors and timeouts."""
    logs = it.data("logs") or []
    errors = sum(one.get("errors") or 0 for one in logs)
    timeouts = sum(one.get("timeouts") or 0 for one in logs)
    if errors > ERRORS:
        yield cause(
            "errors",
            f"{errors:,} errors in the logs",
            errors,
            "",
            ERRORS,
            f"High error count in logs: {errors} errors",
            _quoted(logs, "error"),
        )
    if timeouts > TIMEOUTS:
        yield cause(
            "timeouts",
            f"{timeouts:,} timeouts in the logs",
            timeouts,
            "",
            TIMEOUTS,
            f"Multiple timeouts detected: {timeouts} occurrences",
        )


def slow(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The bot's own polls say so, or the requests in the log."""
    metric = "response_time_p95_ms"
    bound = baselines.get(metric)
    if bound is None or bound.below is None:
        return
    logged = [one["p95_ms"] for one in it.data("logs") or [] if one.get("p95_ms") is not None]
    values = [(it.reading(metric), "bot"), *((value, "logs") for value in logged)]
    known = [(value, source) for value, source in values if value is not None]
    if not known:
        return
    value, source = max(known)
    if not bound.holds(value):
        yield cause(
            "slow",
            f"P95 {said(value, 'ms')} ({source})",
            value,
            "ms",
            bound.limit,
            "Profile API endpoints for bottlenecks",
            ["Check database query performance", "Review caching strategy"],
            stable=stable(before, metric, value),
        )


def error_rate(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """By the bot's own polls, or by the requests in the log."""
    metric = "error_rate_percent"
    bound = baselines.get(metric)
    if bound is None or bound.below is None:
        return
    logged = [one.get(metric) for one in it.data("logs") or []]
    known = [value for value in (it.reading(metric), *logged) if value is not None]
    if known and not bound.holds(max(known)):
        value = max(known)
        yield cause(
            "error_rate",
            f"error rate {said(value, '%')}",
            value,
            "%",
            bound.limit,
            "Review recent code changes",
            stable=stable(before, metric, value),
        )


def _quoted(logs: Sequence[Mapping[str, Any]], level: str) -> list[str]:
    """The messages that come most often, with how often."""
    counts: dict[str, int] = {}
    for source in logs:
        for line in source.get("recent") or []:
            if line.get("level") == level:
                counts[line["message"]] = counts.get(line["message"], 0) + 1
    common = sorted(counts.items(), key=lambda pair: -pair[1])[:2]
    return [f"{count} x {message[:120]}" for message, count in common]

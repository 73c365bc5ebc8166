"""The JSON of the real quality dashboard, in its exact shape.

As there, memory, CPU and disk are constants and the alerts come back every cycle under new ids: nobody
should act on them, and a bot that does is caught by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from bot.sample.clock import stamp

HOUR_NS = 3_600_000_000_000
HISTORY_HOURS = 24
CYCLE_NS = 60_000_000_000

Json = dict[str, object]


@dataclass(frozen=True)
class Quality:
    """One metric of the dashboard; ``swing`` is how far it moves around ``middle`` within a day."""

    name: str
    kind: str | dict[str, str]
    description: str
    unit: str
    middle: float
    swing: float
    baseline: float | None
    target: float | None
    threshold: float | None

    def value(self, at_ns: int) -> float:
        turn = 2 * math.pi * (at_ns % (24 * HOUR_NS)) / (24 * HOUR_NS)
        return round(self.middle + self.swing * math.sin(turn), 2)


QUALITIES = (
    Quality(
        "test_coverage", "TestCoverage", "Lines covered by tests", "%", 87.5, 0.4, 85.0, 90.0, 80.0
    ),
    Quality("memory_usage", "MemoryUsage", "Memory in use", "MB", 128.0, 0, 256.0, 200.0, 512.0),
    Quality("cpu_usage", "CpuUsage", "CPU in use", "%", 42.0, 0, 70.0, 50.0, 40.0),
    Quality("disk_usage", "DiskUsage", "Disk in use", "%", 55.0, 0, None, None, 90.0),
    Quality("api_health", {"Custom": "api_health"}, "APIs that answer", "%", 98, 1, 95, 99, 90),
    Quality("cache_hit_rate", {"Custom": "cache_hit_rate"}, "Cache hits", "%", 91, 2, 80, 95, None),
    Quality("code_quality", "CodeQuality", "Static analysis score", "score", 81, 0.5, 75, 85, 70),
)


def _entry(quality: Quality, at_ns: int) -> Json:
    return {"value": quality.value(at_ns), "timestamp": stamp(at_ns), "metadata": {}}


def _summary(quality: Quality, now_ns: int) -> Json:
    history = [_entry(quality, now_ns - hour * HOUR_NS) for hour in range(HISTORY_HOURS, 0, -1)]
    return {
        "metric_type": quality.kind,
        "name": quality.name,
        "description": quality.description,
        "unit": quality.unit,
        "current_value": _entry(quality, now_ns),
        "history": history,
        "baseline": quality.baseline,
        "target": quality.target,
        "threshold": quality.threshold,
        "trend": "Stable",
        "last_updated": stamp(now_ns),
    }


def _trend(quality: Quality, now_ns: int) -> Json:
    before, after = quality.value(now_ns - 7 * HOUR_NS), quality.value(now_ns)
    return {
        "metric_name": quality.name,
        "direction": "StronglyImproving" if quality.name == "api_health" else "Stable",
        "change_percentage": round((after - before) / before * 100, 3),
        "period_days": 7,
        "confidence": 0.95,
    }


def overall_score(now_ns: int) -> float:
    """The dashboard's own score, 0 to 100."""
    scores = [quality.value(now_ns) for quality in QUALITIES if quality.unit in ("%", "score")]
    return round(sum(scores) / len(scores), 2)


def alerts(now_ns: int) -> list[Json]:
    """The bare array of ``/api/alerts``: the same alert again every minute, under a new id."""
    cycle = now_ns // CYCLE_NS
    return [
        {
            "id": str(uuid5(NAMESPACE_URL, f"iora-sample-alert-{number}")),
            "severity": "Critical",
            "metric_type": "CpuUsage",
            "message": "cpu_usage is above its threshold",
            "details": "42 is above 40",
            "timestamp": stamp(number * CYCLE_NS),
            "acknowledged": False,
            "resolved": False,
        }
        for number in range(cycle - 2, cycle + 1)
    ]


def metrics(now_ns: int) -> Json:
    """The answer of ``/api/metrics``."""
    return {
        "overall_score": overall_score(now_ns),
        "metrics_summary": {quality.name: _summary(quality, now_ns) for quality in QUALITIES},
        "alerts": alerts(now_ns),
        "trends": {quality.name: _trend(quality, now_ns) for quality in QUALITIES},
        "last_updated": stamp(now_ns),
    }


def scorecard(now_ns: int) -> Json:
    """The answer of ``/api/scorecard``."""
    return {
        "overall_score": overall_score(now_ns),
        "category_scores": {quality.name: quality.value(now_ns) for quality in QUALITIES},
        "trend_summary": {"improving": 1, "stable": len(QUALITIES) - 1, "declining": 0},
        "critical_issues": ["cpu_usage is above its threshold"],
        "top_recommendations": [
            {
                "priority": "High",
                "category": "Testing",
                "description": "Cover the error paths of the oracle client",
                "expected_impact": "Coverage up by 2 %",
                "implementation_effort": "Medium",
                "timeframe": {"secs": 604_800, "nanos": 0},
                "prerequisites": [],
            }
        ],
        "generated_at": stamp(now_ns),
    }

"""What changed since a target was last healthy, biggest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from bot.model.report import Change, Snapshot
from bot.model.units import METRIC_UNITS, format_value
from bot.rules.verdict import title

# Smaller values and smaller steps than these are noise, whatever their ratio.
_NOISE = {"ms": 20.0, "%": 5.0, "MB": 20.0, "": 4.0}
_NOISE_OF = {"error_rate_percent": 0.5, "threads": 4.0, "open_files": 10.0}
_LEFT_OUT = {"uptime_s", "open_files_limit"}
_FACTOR = 1.25


def values(readings: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """The known values of a health's readings, by metric."""
    return {
        str(one["metric"]): float(one["value"])
        for one in readings
        if isinstance(one["value"], int | float)
    }


def changes(before: Snapshot, now: Mapping[str, float]) -> tuple[Change, ...]:
    """What is another quarter of itself or more; a restart is told by an uptime that fell."""
    found = [
        Change(metric=metric, before=old, after=now[metric], unit=METRIC_UNITS.get(metric, ""))
        for metric, old in before.values.items()
        if metric in now and metric not in _LEFT_OUT and _size(metric, old, now[metric]) > 0
    ]
    found.sort(key=lambda one: -_size(one.metric, one.before, one.after))
    old_uptime, uptime = before.values.get("uptime_s"), now.get("uptime_s")
    if old_uptime is not None and uptime is not None and uptime < old_uptime:
        found.insert(0, Change(metric="uptime_s", before=old_uptime, after=uptime, unit="s"))
    return tuple(found)


def wording(change: Change) -> str:
    """``P95 84 -> 910 ms``, ``threads 12 -> 480``, ``restarted 40 s ago``."""
    if change.metric == "uptime_s":
        return f"restarted {format_value(change.after, 's')} ago"
    after = format_value(change.after, change.unit)
    return f"{title(change.metric)} {format_value(change.before, '')} -> {after}"


def facts(before: Snapshot | None, now: Mapping[str, float]) -> dict[str, object] | None:
    """As JSON, with the time of the snapshot; None where none was ever kept."""
    if before is None:
        return None
    return {
        "since": before.at,
        "changes": [
            {
                "metric": one.metric,
                "before": one.before,
                "after": one.after,
                "unit": one.unit,
                "text": wording(one),
            }
            for one in changes(before, now)
        ],
    }


def _size(metric: str, before: float, after: float) -> float:
    """How big a change is, in doublings or halvings; 0 for noise."""
    noise = _NOISE_OF.get(metric, _NOISE.get(METRIC_UNITS.get(metric, ""), 1.0))
    if abs(after - before) < noise:
        return 0.0
    size = abs(log2(max(after, noise) / max(before, noise)))
    return size if size >= log2(_FACTOR) else 0.0

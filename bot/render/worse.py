"""How much worse a metric is, in words: the same in messages, timelines and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.units import format_duration, format_value
from bot.rules.verdict import title

Facts = Mapping[str, Any]
_THAN = {"guide": "than its baseline", "learned": "than usual"}
_LITTLE = 0.005
_TIMES = 10  # from here on nobody reads percent


def entry(facts: Facts) -> str:
    """``Regression on iora: P95 is 22 % worse than usual.``, or that it is over."""
    if facts["what"] == "over":
        return f"The regression of {title(facts['metric'])} on {facts['target']} is over."
    return f"Regression on {facts['target']}: {worst(facts)}."


def worst(facts: Facts) -> str:
    """``P95 is 22 % worse than usual``, by the way that says it most."""
    first = facts["changes"][0]
    than = _THAN[first["method"]]
    return f"{title(facts['metric'])} is {by(first['degradation'])} {than}"


def line(change: Facts, unit: str, window: int) -> str:
    """Which way of telling it is, with both figures; ``window`` (ms) is that of the guide's formula."""
    now, before = format_value(change["now"], unit), format_value(change["before"], unit)
    much, sure = by(change["degradation"]), f"confidence {change['confidence']:.2f}"
    if change["method"] == "guide":
        return (
            f"By the guide's formula: mean of {format_duration(window)} {now}, baseline {before}: {much}"
            f" ({sure}, {change['samples']:,} samples)"
        )
    name = {"mean": "mean", "p95": "P95"}[change["statistic"]]
    left_out = change["left_out"]
    beside = f"; {left_out} not, the learned window doesn't have them" if left_out else ""
    return (
        f"By the learned baseline: {name} of an hour {now}, usual at that hour {before}: {much}"
        f" ({sure}, {change['hours']} hours compared{beside})"
    )


def by(degradation: float) -> str:
    """``22 % worse``, ``3 % better``, ``247 times worse``."""
    if abs(degradation) < _LITTLE:
        return "the same"
    if degradation >= _TIMES:
        return f"{degradation:,.0f} times worse"
    return f"{abs(degradation) * 100:,.0f} % {'worse' if degradation > 0 else 'better'}"

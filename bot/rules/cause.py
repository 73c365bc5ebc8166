"""How a finding is made: its words, its bound, and whether it is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.model.report import Cause, Snapshot
from bot.model.target import Bound
from bot.model.units import format_value

Baselines = Mapping[str, Bound]


def cause(
    kind: str,
    text: str,
    value: float | None = None,
    unit: str = "",
    bound: float | None = None,
    recommendation: str = "",
    evidence: Sequence[str] = (),
    *,
    stable: bool = False,
) -> Cause:
    """``text`` gets the bound behind it."""
    found = Cause(
        kind=kind,
        text=text,
        value=value,
        unit=unit,
        bound=bound,
        recommendation=recommendation,
        evidence=tuple(evidence),
        stable=stable,
    )
    return replace(found, text=f"{text}, {_bounded(found)}") if bound is not None else found


def _bounded(cause: Cause) -> str:
    side = "under" if cause.kind == "idle_pool" else "over"
    return f"{side} {said(cause.bound or 0, cause.unit if cause.unit != '%' else '')}"


def exploded(
    value: float,
    before: Snapshot | None,
    metric: str,
    absolute: float | None,
    factor: float,
    step: float,
) -> bool:
    """Many times as many as then; where nothing is known of then, more than the absolute bound.

    One that always had many is not exploding.
    """
    healthy = before.values.get(metric) if before else None
    if healthy is not None:
        grown = value >= healthy * factor and value >= healthy + step
        return grown or (absolute is not None and value > absolute and value > healthy * 2)
    return absolute is not None and value > absolute


def then(before: Snapshot | None, metric: str, factor: float) -> float | None:
    """So many times the value of when all was well, if that is known."""
    healthy = before.values.get(metric) if before else None
    return healthy * factor if healthy else None


def stable(before: Snapshot | None, metric: str, value: float) -> bool:
    """Whether it was within a tenth of this when all was well."""
    healthy = before.values.get(metric) if before else None
    return healthy is not None and value <= healthy * 1.1


def first(data: Any, *path: str, or_else: float | None) -> float | None:
    """The number at the path; where there is none, the other one."""
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, int | float) else or_else


def known(*values: float | None) -> float | None:
    """The first that is known."""
    return next((value for value in values if value is not None), None)


def said(value: float, unit: str) -> str:
    """A value as findings write it."""
    return format_value(value, unit)

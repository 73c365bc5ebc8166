"""Which readings a post-mortem shows: a chart of each metric that broke a bound, a line on the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bot.model.chart import Chart, Limit, Mark, Point
from bot.model.config import Config
from bot.model.postmortem import READINGS, Line, Record, Series
from bot.model.run import Progress
from bot.model.step import ActionStep
from bot.model.units import format_duration, format_value, unit_of
from bot.rules import charted
from bot.rules.names import moment
from bot.rules.verdict import title

BEFORE_MS, AFTER_MS = 1_800_000, 900_000
_PRUNED_MS = 3_900_000  # old readings go an hour at a time


class Breach(NamedTuple):
    """The worst reading of a metric that broke a bound, and the bound."""

    target: str
    metric: str
    worst: Point
    limit: Limit


class Picture(NamedTuple):
    """The charts, critical bounds first; what is said beside them; and what they show."""

    charts: tuple[Chart, ...]
    lines: tuple[Line, ...]
    breaches: tuple[Breach, ...]


def window(started_at: int, resolved_at: int | None, now: int) -> tuple[int, int]:
    """From half an hour before the impact to a quarter of an hour after the end, or to now."""
    return started_at - BEFORE_MS, min(now, (resolved_at or now) + AFTER_MS)


def metrics(config: Config) -> tuple[str, ...]:
    """Those that can break a bound."""
    return tuple(name for name in {**config.critical, **config.baselines} if limits(config, name))


def limits(config: Config, metric: str) -> tuple[Limit, ...]:
    """The bounds that count, the critical one first."""
    found = charted.bounds(config, metric)[::-1]
    return tuple(limit for limit in found if not limit.bound.informative)


def pictured(record: Record, config: Config) -> Picture:
    """What is shown of the readings that are kept."""
    found = [(one, breach(one, config)) for one in record.series]
    broken = sorted(
        ((one, worst) for one, worst in found if worst is not None),
        key=lambda pair: pair[1].limit.name != "critical",
    )
    kept = [one for one, worst in found if worst is None and one.points]
    return Picture(
        tuple(_chart(record, config, one) for one, _ in broken),
        tuple(_lines(record, kept)),
        tuple(worst for _, worst in broken),
    )


def breach(series: Series, config: Config) -> Breach | None:
    """The reading that is furthest beyond the worst bound that is broken; None: all are within."""
    for limit in limits(config, series.metric):
        beyond = [
            point
            for point in series.points
            if point.known and point.value is not None and limit.broken_by(point.value)
        ]
        if beyond:
            worst = max(beyond, key=lambda point: _distance(point, limit))
            return Breach(series.target, series.metric, worst, limit)
    return None


def said(one: Breach) -> str:
    """``CPU of iora to 96 % at 2026-01-01 03:12:00 UTC (critical: under 90)``."""
    unit = unit_of(one.metric)
    assert one.worst.value is not None
    bound = one.limit.bound
    value = format_value(one.worst.value, unit)
    limit = f"{one.limit.name}: {bound.direction} {format_value(bound.limit, '')}"
    return f"{title(one.metric)} of {one.target} to {value} at {moment(one.worst.at)} ({limit})"


def _distance(point: Point, limit: Limit) -> float:
    assert point.value is not None
    return abs(point.value - limit.bound.limit)


def _chart(record: Record, config: Config, series: Series) -> Chart:
    return charted.chart(
        config,
        series,
        record.start,
        record.end,
        limits=limits(config, series.metric)[::-1],
        spans=charted.spans([record.incident]),
        marks=(*_marks(record), *record.marks.get(series.target, ())),
    )


def _marks(record: Record) -> Iterator[Mark]:
    incident = record.incident
    known = (
        ("declared", incident.declared_at),
        ("acknowledged", incident.acknowledged_at),
        ("mitigated", incident.mitigated_at),
        ("resolved", incident.resolved_at),
    )
    seen: set[int] = set()
    for label, at in reversed(known):  # what a later status brought along is no moment of its own
        if at is not None and at not in seen:
            seen.add(at)
            yield Mark(at, label)
    for progress in record.runs:
        yield from _actions(progress)


def _actions(progress: Progress) -> Iterator[Mark]:
    for step in progress.steps:
        definition = progress.definition(step)
        if isinstance(definition, ActionStep) and step.started_at is not None:
            undone = "undo " if step.undoes is not None else ""
            yield Mark(step.started_at, f"{undone}{definition.action}")


def _lines(record: Record, within: list[Series]) -> Iterator[Line]:
    first = min((series.points[0].at for series in record.series if series.points), default=None)
    if first is None and record.incident.targets and record.end < record.kept_since:
        yield Line(f"The readings are no longer kept: {_kept(record)}.", READINGS)
    elif first is not None and record.start < record.kept_since - _PRUNED_MS < first:
        text = f"Readings before {moment(first)} are no longer kept: {_kept(record)}."
        yield Line(text, READINGS)
    for one in within:
        yield Line(_within(one), READINGS)


def _kept(record: Record) -> str:
    return f"raw ones are for {format_duration(record.now - record.kept_since)}"


def _within(series: Series) -> str:
    called = title(series.metric)
    name = f"{called[:1].upper()}{called[1:]} of {series.target}"
    known = [point.value for point in series.points if point.known and point.value is not None]
    if not known:
        return f"{name} could not be read: all {len(series.points)} readings are unknown."
    unit = unit_of(series.metric)
    lowest, highest = format_value(min(known), unit), format_value(max(known), unit)
    unknown = len(series.points) - len(known)
    rest = f", {unknown} more unknown" if unknown else ""
    return f"{name} stayed within its bounds: {lowest} to {highest} in {len(known)} readings{rest}."

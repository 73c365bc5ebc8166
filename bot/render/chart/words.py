"""A chart in words: for people who can't see it, and for places that can't show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.model.chart import Chart, Limit, Point, Trace
from bot.render.chart.axis import moment, said, window
from bot.rules import verdict
from bot.text import cut, without_controls

ALT_TEXT = 2_000  # Slack's limit for an image's alt_text
_MARKS = 6
_LABEL, _TITLE = 60, 200


@dataclass(frozen=True)
class _Breach:
    """From the first reading beyond a limit to the first one within it again, if any came."""

    start: int
    end: int | None


def words(chart: Chart) -> str:
    """What the chart shows, in a few plain sentences, at most as long as Slack's alt text."""
    points = chart.within()
    when = window(chart.start, chart.end)
    sentences = [f"{heading(chart)} from {when}: {summary(chart)}", *_limits(chart, points)]
    if any(point.known for point in points):
        sentences += _unknown(points)
    sentences += [_trace(chart, trace) for trace in chart.traces]
    sentences += _marks(chart)
    return cut(" ".join(f"{sentence}." for sentence in sentences), ALT_TEXT)


def _trace(chart: Chart, trace: Trace) -> str:
    """What a second line says: where it is, and which limits it breaks."""
    alone, name = replace(chart, points=trace.points), one_line(trace.name)
    name = name[:1].upper() + name[1:]
    if trace.expected:
        return f"{name}: {_from_to(alone)}"
    parts = [f"{name}: {summary(alone)}", *_limits(alone, alone.within())]
    return "; ".join([parts[0], *(part[:1].lower() + part[1:] for part in parts[1:])])


def _from_to(chart: Chart) -> str:
    known = [_value(point) for point in chart.within() if point.known]
    if not known:
        return "not known for these hours"
    low, high = said(min(known), chart.unit), said(max(known), chart.unit)
    return low if low == high else f"{low} to {high}"


def heading(chart: Chart) -> str:
    """The chart's title, or its metric as people say it."""
    title = one_line(chart.title, _TITLE) or one_line(verdict.title(chart.metric), _TITLE)
    return title[:1].upper() + title[1:]


def summary(chart: Chart) -> str:
    """First, last, highest and lowest reading, or that there is none."""
    points = chart.within()
    known = [point for point in points if point.known]
    if not known:
        return _nothing(points)
    low, high = min(known, key=_value), max(known, key=_value)
    if len(known) == 1:
        return f"{_said(chart, high)} at {_moments(chart)(high.at)}, the only reading"
    if low.value == high.value:
        return f"{_said(chart, high)} in all {len(known):,} readings"
    when = _moments(chart)
    return (
        f"{_said(chart, known[0])} at first, {_said(chart, known[-1])} at last, "
        f"highest {_said(chart, high)} at {when(high.at)}, "
        f"lowest {_said(chart, low)} at {when(low.at)}"
    )


def one_line(text: str, limit: int = _LABEL) -> str:
    """A label as one line of signs that can be seen and kept."""
    seen = "".join(sign for sign in without_controls(text) if sign not in "\ufffe\uffff")
    return cut(" ".join(seen.split()), limit)


def limit_name(limit: Limit, unit: str) -> str:
    """``baseline (under 500 ms)``."""
    return f"{one_line(limit.name)} ({limit.bound.direction} {said(limit.bound.limit, unit)})"


def _nothing(points: Sequence[Point]) -> str:
    if not points:
        return "no readings"
    if len(points) == 1:
        return "one reading, and it is unknown"
    return f"{len(points):,} readings, all unknown"


def _limits(chart: Chart, points: Sequence[Point]) -> list[str]:
    known = [point for point in points if point.known]
    if not known:
        return []
    texts = [
        f"{limit_name(limit, chart.unit)} {_kept(chart, limit, known)}"
        for limit in chart.limits
        if not limit.bound.informative
    ]
    together = "; ".join(texts)
    return [together[0].upper() + together[1:]] if together else []


def _kept(chart: Chart, limit: Limit, known: Sequence[Point]) -> str:
    when = _moments(chart)
    breaches = _breaches(limit, known)
    if not breaches:
        return "kept"
    first, last = breaches[0], breaches[-1]
    ended = "still at the end" if last.end is None else f"kept again from {when(last.end)}"
    if len(breaches) > 1:
        return f"broken {len(breaches)} times, first at {when(first.start)}, {ended}"
    if last.end is None and first.start == known[0].at:
        return "broken throughout"
    return f"broken at {when(first.start)}, {ended}"


def _breaches(limit: Limit, known: Sequence[Point]) -> list[_Breach]:
    found: list[_Breach] = []
    start: int | None = None
    for point in known:
        broken = limit.broken_by(_value(point))
        if broken and start is None:
            start = point.at
        elif not broken and start is not None:
            found.append(_Breach(start, point.at))
            start = None
    return found if start is None else [*found, _Breach(start, None)]


def _unknown(points: Sequence[Point]) -> list[str]:
    unknown = sum(not point.known for point in points)
    if not unknown:
        return []
    return [f"{unknown:,} of {len(points):,} readings {'is' if unknown == 1 else 'are'} unknown"]


def _marks(chart: Chart) -> list[str]:
    marks, when = chart.marked(), _moments(chart)
    if not marks:
        return []
    texts = [f"{one_line(mark.label)} at {when(mark.at)}" for mark in marks[:_MARKS]]
    if len(marks) > _MARKS:
        texts.append(f"and {len(marks) - _MARKS:,} more")
    return [f"Marked: {', '.join(texts)}"]


def _moments(chart: Chart) -> Callable[[int], str]:
    return moment(chart.start, chart.end)


def _said(chart: Chart, point: Point) -> str:
    return said(_value(point), chart.unit)


def _value(point: Point) -> float:
    assert point.value is not None
    return point.value

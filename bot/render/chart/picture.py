"""Draws a chart on a sheet, in the one style of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from math import cos, pi, sin

from bot.model.chart import Chart, Limit
from bot.render.chart import axis
from bot.render.chart.flags import Flag, placed
from bot.render.chart.frame import Form, Place, Plot, Shown, apart, box
from bot.render.chart.sheet import Sheet, fitting, measure
from bot.render.chart.words import heading, one_line, summary

INK, SMALL, POLE, GRID, LINE = "#1b2530", "#4a5866", "#7b8794", "#e3e8ee", "#1f5fa8"
THIN = "#5b8cc4"
BASELINE, CRITICAL = "#b35c00", "#b3261e"
_TITLE, _TEXT, _NAME = 1.2, 0.9, 0.85  # sizes of text, in em
_HEAD, _FOOT, _ROW = 3.9, 3.6, 1.25  # heights, in em
_ROWS = 4  # of names above the plot
_LONGEST = 24  # signs of a name
_DOTTED = 40  # as few readings are shown one by one


def draw(chart: Chart, on: Sheet, form: Form) -> None:
    """Draw it all; the sheet is cleared first."""
    on.clear(form.width, form.height)
    shown = Shown.of(chart)
    plot = _plot(chart, shown, form)
    marks = _marked(chart, plot)
    flags = _flags(marks, form)
    rows = max((flag.row + 1 for flag in flags), default=0)
    plot = replace(plot, top=plot.top - rows * _ROW * form.em)
    _heading(on, chart, form)
    _shades(on, chart, shown, plot)
    _values(on, shown, plot, form)
    _times(on, chart, plot, form)
    _window(on, chart, form, hidden=len(marks) - len(flags))
    _marks(on, flags, [x for x, _ in marks], plot, form)
    _limits(on, shown, plot, form)
    _readings(on, shown, plot, form)
    _limit_names(on, chart, shown, plot, form)
    if not shown.runs:
        middle = ((plot.left + plot.right) / 2, (plot.bottom + plot.top) / 2)
        on.text(middle, summary(chart).capitalize(), _TITLE * form.em, SMALL, side="center")


def _plot(chart: Chart, shown: Shown, form: Form) -> Plot:
    """As large as the texts around it let it be; names of marks take their room later."""
    em = form.em
    values = [measure(label, _TEXT * em) for _, label in shown.ticks]
    limits = [
        max(measure(name, _NAME * em, bold=True), measure(value, _NAME * em))
        for name, value in (_two_lines(limit, chart.unit, shown) for limit in chart.limits)
    ]
    half_a_time = measure("00:00:00", _TEXT * em) / 2
    start, end = chart.start, chart.end
    if end <= start:
        start, end = start - 30_000, start + 30_000
    return Plot(
        left=0.5 * em + max(half_a_time, em + max(values, default=0.0)),
        right=form.width - 0.5 * em - max(half_a_time, em + max(limits, default=0.0)),
        bottom=_FOOT * em,
        top=form.height - _HEAD * em,
        start=start,
        end=end,
        low=shown.low,
        high=shown.high,
    )


def _marked(chart: Chart, plot: Plot) -> list[tuple[float, str]]:
    """Where spans begin and marks are, with their names."""
    spans = [(start, label) for start, _, label in chart.spanned()]
    marks = [(mark.at, mark.label) for mark in chart.marked()]
    return [(plot.x(at), one_line(label, _LONGEST)) for at, label in spans + marks]


def _flags(marks: Sequence[tuple[float, str]], form: Form) -> list[Flag]:
    """In as few rows as show the most names."""
    em = form.em

    def wide(name: str) -> float:
        return measure(name, _NAME * em)

    ways = [placed(marks, wide, form.width - em, 0.7 * em, rows) for rows in range(1, _ROWS + 1)]
    return max(ways, key=len)


def _heading(on: Sheet, chart: Chart, form: Form) -> None:
    em, room = form.em, form.width - 2 * form.em
    title = fitting(heading(chart), _TITLE * em, room, bold=True)
    on.text((em, form.height - 1.7 * em), title, _TITLE * em, INK, bold=True)
    if not any(point.known for point in chart.within()):
        return
    # Whole parts, as many as there is room for.
    parts = summary(chart).split(", ")
    while len(parts) > 1 and measure(", ".join(parts), _TEXT * em) > room:
        parts.pop()
    text = fitting(", ".join(parts), _TEXT * em, room)
    on.text((em, form.height - 3.05 * em), text, _TEXT * em, SMALL)


def _shades(on: Sheet, chart: Chart, shown: Shown, plot: Plot) -> None:
    """The time of spans, and the side beyond each limit."""
    for start, end, _ in chart.spanned():
        left, right = plot.x(start), max(plot.x(end), plot.x(start) + 1)
        span = box(left, right, plot.bottom, plot.top)
        on.areas([span], SMALL, name="chart-span", alpha=0.1)
    for limit in shown.limits:
        if limit.bound.informative:
            continue
        edge = plot.top if limit.bound.direction == "under" else plot.bottom
        bottom, top = sorted((plot.y(limit.bound.limit), edge))
        side = box(plot.left, plot.right, bottom, top)
        on.areas([side], _colour(limit), name="chart-beyond", alpha=0.07)


def _values(on: Sheet, shown: Shown, plot: Plot, form: Form) -> None:
    size = _TEXT * form.em
    for value, label in shown.ticks:
        y = plot.y(value)
        on.lines([[(plot.left, y), (plot.right, y)]], GRID, 0.8, name="chart-grid")
        on.text((plot.left - 0.5 * form.em, y - 0.35 * size), label, size, SMALL, side="right")


def _times(on: Sheet, chart: Chart, plot: Plot, form: Form) -> None:
    em, size = form.em, _TEXT * form.em
    line = [(plot.left, plot.bottom), (plot.right, plot.bottom)]
    on.lines([line], SMALL, 1, name="chart-axis")
    if chart.end <= chart.start:
        return
    for at, label in _time_ticks(chart, plot, size):
        x = plot.x(at)
        tick = [(x, plot.bottom), (x, plot.bottom - 0.3 * em)]
        on.lines([tick], SMALL, 1, name="chart-axis")
        on.text((x, plot.bottom - 1.3 * em), label, size, SMALL, side="center")


def _time_ticks(chart: Chart, plot: Plot, size: float) -> list[tuple[int, str]]:
    """As many as stand side by side with room between them."""
    for most in range(9, 1, -1):
        ticks = axis.time_ticks(chart.start, chart.end, most)
        widest = max((measure(label, size) for _, label in ticks), default=0.0)
        if len(ticks) < 2 or plot.x(ticks[1][0]) - plot.x(ticks[0][0]) > widest + 1.5 * size:
            return ticks
    return axis.time_ticks(chart.start, chart.end, 1)


def _window(on: Sheet, chart: Chart, form: Form, *, hidden: int) -> None:
    em, size = form.em, _TEXT * form.em
    text = axis.window(chart.start, chart.end)
    on.text((form.width - em, 0.8 * em), text, size, SMALL, side="right")
    notes = [
        f"{'dashed' if trace.expected else 'thin'}: {one_line(trace.name)}"
        for trace in chart.traces
    ]
    notes += [f"{hidden} more mark{'s' * (hidden > 1)}"] if hidden else []
    if notes:
        room = form.width - 3 * em - measure(text, size)
        on.text((em, 0.8 * em), fitting("; ".join(notes), size, room), size, SMALL)


def _marks(
    on: Sheet, flags: Sequence[Flag], poles: Sequence[float], plot: Plot, form: Form
) -> None:
    em = form.em
    on.lines([[(x, plot.bottom), (x, plot.top)] for x in poles], POLE, 0.8, name="chart-mark")
    for flag in flags:
        y = plot.top + (0.45 + _ROW * flag.row) * em
        on.lines([[(flag.x, plot.top), (flag.x, y + 0.6 * em)]], POLE, 0.8, name="chart-mark")
        on.text((flag.left, y), flag.text, _NAME * em, INK)


def _limits(on: Sheet, shown: Shown, plot: Plot, form: Form) -> None:
    for limit in shown.limits:
        y = plot.y(limit.bound.limit)
        line = [(plot.left, y), (plot.right, y)]
        dashes = (2.0, 1.5) if _critical(limit) else (5.0, 2.5)
        on.lines([line], _colour(limit), 0.12 * form.em, name="chart-limit", dashes=dashes)


def _readings(on: Sheet, shown: Shown, plot: Plot, form: Form) -> None:
    """The line; thicker and with pointers where it breaks a limit, so that it needs no colours."""
    em = form.em
    thin = [plot.places(run) for run in shown.thin if len(run) > 1]
    on.lines(thin, THIN, 0.08 * em, name="chart-thin")
    dashed = [plot.places(run) for run in shown.dashed if len(run) > 1]
    on.lines(dashed, SMALL, 0.08 * em, name="chart-expected", dashes=(4.0, 3.0))
    lines = [plot.places(run) for run in shown.runs if len(run) > 1]
    on.lines(lines, LINE, 0.16 * em, name="chart-line")
    few = sum(map(len, shown.runs)) <= _DOTTED
    dots = [point for run in shown.runs if few or len(run) == 1 for point in run]
    on.areas([_dot(place, 0.22 * em) for place in plot.places(dots)], LINE, name="chart-dot")
    for limit in shown.limits:
        parts = map(plot.places, shown.broken(limit))
        on.lines(parts, _colour(limit), 0.3 * em, name="chart-broken")
    for limit in shown.limits:
        pointers = map(_pointer(limit, 0.42 * em), _pointed(shown, limit, plot, 1.6 * em))
        on.areas(pointers, _colour(limit), name="chart-pointer")


def _pointed(shown: Shown, limit: Limit, plot: Plot, room: float) -> list[Place]:
    """The failing readings, of those that are too near to each other the worst."""
    bound = plot.y(limit.bound.limit)
    groups = groupby(plot.places(shown.failing(limit)), key=lambda place: place[0] // room)
    return [max(group, key=lambda place: abs(place[1] - bound)) for _, group in groups]


def _limit_names(on: Sheet, chart: Chart, shown: Shown, plot: Plot, form: Form) -> None:
    em, size, x = form.em, _NAME * form.em, plot.right + 0.5 * form.em
    found = sorted(chart.limits, key=lambda limit: limit.bound.limit)
    wanted = [max(plot.bottom, min(plot.y(limit.bound.limit), plot.top)) for limit in found]
    for limit, y in zip(found, apart(wanted, 2.3 * em, plot.top - 0.9 * em), strict=True):
        name, value = _two_lines(limit, chart.unit, shown)
        on.text((x, y + 0.15 * em), name, size, _colour(limit), bold=True)
        on.text((x, y - 0.9 * em), value, size, _colour(limit))


def _two_lines(limit: Limit, unit: str, shown: Shown) -> tuple[str, str]:
    """A limit's name, with the pointer where there is one to explain; its value, or where it is."""
    name, value = one_line(limit.name, 12), axis.said(limit.bound.limit, unit)
    if limit in shown.far:
        return name, f"{value} {'↑' if limit.bound.limit > shown.high else '↓'}"
    if shown.failing(limit):
        return f"{'▲' if limit.bound.direction == 'under' else '▼'} {name}", value
    return name, value


def _critical(limit: Limit) -> bool:
    return limit.name == "critical"


def _colour(limit: Limit) -> str:
    if limit.bound.informative:
        return SMALL
    return CRITICAL if _critical(limit) else BASELINE


def _dot(place: Place, radius: float) -> list[Place]:
    turns = [pi * number / 6 for number in range(12)]
    return [(place[0] + radius * cos(turn), place[1] + radius * sin(turn)) for turn in turns]


def _pointer(limit: Limit, size: float) -> Callable[[Place], list[Place]]:
    """A triangle that points away from where the readings should be."""
    up = size if limit.bound.direction == "under" else -size
    return lambda place: [
        (place[0], place[1] + up),
        (place[0] + size, place[1] - 0.7 * up),
        (place[0] - size, place[1] - 0.7 * up),
    ]

"""Draws a chart on a sheet, in the one style of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin

from bot.model.chart import Chart, Limit
from bot.render.chart import axis, flags, sheet
from bot.render.chart.series import Run, beyond, runs
from bot.render.chart.sheet import Place, Sheet
from bot.render.chart.words import one_line, summary

INK, SMALL, GRID, LINE = "#1b2530", "#4a5866", "#e3e8ee", "#1f5fa8"
BASELINE, CRITICAL = "#b35c00", "#b3261e"
_ROWS = 3  # of names above the plot
_NAME = 24
_DOTTED = 40  # as few readings are shown one by one
_POINTED = 60  # as many broken ones are
_ROUND = 12


@dataclass(frozen=True)
class Form:
    """How large a chart is, in points; ``em`` is the size of its text."""

    width: float
    height: float
    em: float


@dataclass(frozen=True)
class Shown:
    """What of a chart is to be drawn."""

    runs: list[Run]
    limits: list[Limit]
    far: list[Limit]
    low: float
    high: float
    ticks: list[tuple[float, str]]

    @classmethod
    def of(cls, chart: Chart) -> Shown:
        """The readings thinned out, and the range of values that suits them."""
        found = [
            [(at, axis.drawable(value)) for at, value in run]
            for run in runs(chart.within(), chart.joined_within)
        ]
        values = [value for run in found for _, value in run]
        limits = [limit for limit in chart.limits if axis.near(limit, values)]
        far = [limit for limit in chart.limits if limit not in limits]
        bounds = [limit.bound.limit for limit in limits]
        low, high = axis.value_range(values + bounds, chart.unit)
        ticks = axis.value_ticks(low, high, chart.unit) if values or bounds else []
        return cls(found, limits, far, low, high, ticks)


@dataclass(frozen=True)
class Plot:
    """Where the plot is on the sheet, and what its edges stand for."""

    left: float
    right: float
    bottom: float
    top: float
    start: float
    end: float
    low: float
    high: float

    def x(self, at: float) -> float:
        """Where a time is, in points."""
        return self.left + (at - self.start) / (self.end - self.start) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Where a value is, in points."""
        return self.bottom + (value - self.low) / (self.high - self.low) * (self.top - self.bottom)

    def places(self, run: Run) -> list[Place]:
        """A run's places."""
        return [(self.x(at), self.y(value)) for at, value in run]

    def box(self, left: float, right: float, bottom: float, top: float) -> list[Place]:
        """A rectangle's corners."""
        return [(left, bottom), (right, bottom), (right, top), (left, top)]


def draw(chart: Chart, on: Sheet, form: Form) -> None:
    """Draw it all; the sheet is cleared first."""
    on.clear(form.width, form.height)
    shown = Shown.of(chart)
    plot = _plot(chart, shown, form)
    names, poles = _names(chart, plot, form)
    rows = max((flag.row + 1 for flag in names), default=0)
    plot = _with_top(plot, form.height - (3.4 + 1.25 * rows) * form.em)
    _heading(on, chart, form)
    _spans(on, chart, plot)
    _shades(on, shown, plot)
    _values(on, shown, plot, form)
    _times(on, chart, plot, form, hidden=len(poles) - len(names))
    _marks(on, names, poles, plot, form)
    _limits(on, shown, plot, form)
    _readings(on, shown, plot, form)
    _limit_names(on, chart, shown, plot, form)
    if not shown.runs:
        middle = ((plot.left + plot.right) / 2, (plot.bottom + plot.top) / 2)
        on.text(middle, summary(chart).capitalize(), 1.2 * form.em, SMALL, side="center")


def _plot(chart: Chart, shown: Shown, form: Form) -> Plot:
    em = form.em
    labels = [sheet.measure(label, 0.9 * em) for _, label in shown.ticks]
    names = [
        sheet.measure(line, 0.85 * em)
        for limit in chart.limits
        for line in _two_lines(limit, chart.unit, shown)
    ]
    start, end = chart.start, chart.end
    if end <= start:
        start, end = start - 30_000, start + 30_000
    return Plot(
        left=(1.5 + (0 if labels else 0.5)) * em + max(labels, default=0.0),
        right=form.width - (1.5 * em + max(names, default=0.5 * em)),
        bottom=3.6 * em,
        top=form.height - 3.4 * em,
        start=start,
        end=end,
        low=shown.low,
        high=shown.high,
    )


def _with_top(plot: Plot, top: float) -> Plot:
    return Plot(plot.left, plot.right, plot.bottom, top, plot.start, plot.end, plot.low, plot.high)


def _heading(on: Sheet, chart: Chart, form: Form) -> None:
    em, room = form.em, form.width - 2 * form.em
    title = _fitting(one_line(chart.title, 200), 1.2 * em, room, bold=True)
    on.text((em, form.height - 1.7 * em), title, 1.2 * em, INK, bold=True)
    if any(point.known for point in chart.within()):
        text = _fitting(summary(chart), 0.9 * em, room)
        on.text((em, form.height - 3.0 * em), text, 0.9 * em, SMALL)


def _spans(on: Sheet, chart: Chart, plot: Plot) -> None:
    boxes = [
        plot.box(plot.x(start), max(plot.x(end), plot.x(start) + 1), plot.bottom, plot.top)
        for start, end, _ in chart.spanned()
    ]
    on.areas(boxes, SMALL, name="chart-span", alpha=0.1)


def _shades(on: Sheet, shown: Shown, plot: Plot) -> None:
    for limit in shown.limits:
        if limit.bound.informative:
            continue
        edge = plot.top if limit.bound.direction == "under" else plot.bottom
        box = plot.box(plot.left, plot.right, *sorted((plot.y(limit.bound.limit), edge)))
        on.areas([box], _colour(limit), name="chart-beyond", alpha=0.07)


def _values(on: Sheet, shown: Shown, plot: Plot, form: Form) -> None:
    size = 0.9 * form.em
    for value, label in shown.ticks:
        y = plot.y(value)
        on.lines([[(plot.left, y), (plot.right, y)]], GRID, 0.8, name="chart-grid")
        on.text((plot.left - 0.5 * form.em, y - 0.35 * size), label, size, SMALL, side="right")


def _times(on: Sheet, chart: Chart, plot: Plot, form: Form, *, hidden: int) -> None:
    em, size = form.em, 0.9 * form.em
    on.lines([[(plot.left, plot.bottom), (plot.right, plot.bottom)]], SMALL, 1, name="chart-axis")
    if chart.end > chart.start:
        most = int((plot.right - plot.left) / (1.7 * sheet.measure("00:00", size)))
        for at, label in axis.time_ticks(chart.start, chart.end, max(1, most)):
            x = plot.x(at)
            on.lines([[(x, plot.bottom), (x, plot.bottom - 0.3 * em)]], SMALL, 1, name="chart-axis")
            on.text((x, plot.bottom - 1.3 * em), label, size, SMALL, side="center")
    window = axis.window(chart.start, chart.end)
    on.text((form.width - em, 0.8 * em), window, size, SMALL, side="right")
    if hidden:
        on.text((em, 0.8 * em), f"{hidden} more marks", size, SMALL)


def _names(chart: Chart, plot: Plot, form: Form) -> tuple[list[flags.Flag], list[float]]:
    """The names that find room above the plot, and where all the poles are."""
    marks = [(plot.x(start), one_line(label, _NAME)) for start, _, label in chart.spanned()]
    marks += [(plot.x(mark.at), one_line(mark.label, _NAME)) for mark in chart.marked()]

    def wide(text: str) -> float:
        return sheet.measure(text, 0.85 * form.em)

    em = form.em
    names = flags.placed(marks, wide, edge=form.width - em, room=0.7 * em, rows=_ROWS)
    return names, [x for x, _ in marks]


def _marks(
    on: Sheet, names: Sequence[flags.Flag], poles: Sequence[float], plot: Plot, form: Form
) -> None:
    em = form.em
    on.lines([[(x, plot.bottom), (x, plot.top)] for x in poles], SMALL, 0.9, name="chart-mark")
    for flag in names:
        y = plot.top + (0.45 + 1.25 * flag.row) * em
        on.lines([[(flag.x, plot.top), (flag.x, y + 0.6 * em)]], SMALL, 0.9, name="chart-mark")
        on.text((flag.left, y), flag.text, 0.85 * em, INK)


def _limits(on: Sheet, shown: Shown, plot: Plot, form: Form) -> None:
    for limit in shown.limits:
        y = plot.y(limit.bound.limit)
        line = [(plot.left, y), (plot.right, y)]
        dashes = (2.0, 1.5) if _critical(limit) else (5.0, 2.5)
        on.lines([line], _colour(limit), 0.12 * form.em, name="chart-limit", dashes=dashes)


def _readings(on: Sheet, shown: Shown, plot: Plot, form: Form) -> None:
    """The line; thicker and with pointers where it breaks a limit, so that it needs no colours."""
    em = form.em
    lines = [run for run in shown.runs if len(run) > 1]
    on.lines(map(plot.places, lines), LINE, 0.16 * em, name="chart-line")
    few = sum(map(len, shown.runs)) <= _DOTTED
    dots = [point for run in shown.runs if few or len(run) == 1 for point in run]
    on.areas([_dot(place, 0.22 * em) for place in plot.places(dots)], LINE, name="chart-dot")
    for limit in shown.limits:
        parts = [part for run in lines for part in beyond(run, limit)]
        on.lines(map(plot.places, parts), _colour(limit), 0.3 * em, name="chart-broken")
    for limit, points in _broken(shown):
        sign = _pointer(limit, 0.42 * em)
        on.areas(map(sign, plot.places(points)), _colour(limit), name="chart-pointer")


def _broken(shown: Shown) -> list[tuple[Limit, Run]]:
    """The readings to point at, each for the gravest limit that it breaks; the worst of many."""
    found: list[tuple[Limit, Run]] = []
    for number, limit in enumerate(shown.limits):
        graver = shown.limits[number + 1 :]
        points = [
            point
            for run in shown.runs
            for point in run
            if limit.broken_by(point[1]) and not any(one.broken_by(point[1]) for one in graver)
        ]
        if len(points) > _POINTED:
            points = _worst(shown.runs, limit)
        found.append((limit, points))
    return found


def _worst(found: Sequence[Run], limit: Limit) -> Run:
    """The worst reading of each breach, of the worst breaches."""

    def beyond_by(point: tuple[float, float]) -> float:
        return abs(point[1] - limit.bound.limit)

    worst = [max(part, key=beyond_by) for run in found for part in beyond(run, limit)]
    return sorted(sorted(worst, key=beyond_by)[-_POINTED:])


def _limit_names(on: Sheet, chart: Chart, shown: Shown, plot: Plot, form: Form) -> None:
    em, size = form.em, 0.85 * form.em
    found = sorted(chart.limits, key=lambda limit: limit.bound.limit)
    wanted = [max(plot.bottom, min(plot.y(limit.bound.limit), plot.top)) for limit in found]
    heights = _apart(wanted, 2.3 * em, plot.top)
    for limit, y in zip(found, heights, strict=True):
        name, value = _two_lines(limit, chart.unit, shown)
        x = plot.right + 0.5 * em
        on.text((x, y + 0.15 * em), name, size, _colour(limit), bold=True)
        on.text((x, y - 0.9 * em), value, size, _colour(limit))


def _two_lines(limit: Limit, unit: str, shown: Shown) -> tuple[str, str]:
    name, value = one_line(limit.name, 12), axis.said(limit.bound.limit, unit)
    if limit in shown.far:
        value += " ↑" if limit.bound.limit > shown.high else " ↓"
    elif any(point for one, points in _broken(shown) if one is limit for point in points):
        name = f"{'▲' if limit.bound.direction == 'under' else '▼'} {name}"
    return name, value


def _apart(wanted: Sequence[float], room: float, top: float) -> list[float]:
    """Heights from the lowest up, moved so that there is room between them, below ``top``."""
    found = list(wanted)
    for number in range(1, len(found)):
        found[number] = max(found[number], found[number - 1] + room)
    for number in reversed(range(len(found))):
        above = found[number + 1] - room if number + 1 < len(found) else top
        found[number] = min(found[number], above)
    return found


def _fitting(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """As much of a text as there is room for."""
    if sheet.measure(text, size, bold=bold) <= room:
        return text
    while text and sheet.measure(f"{text}…", size, bold=bold) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _critical(limit: Limit) -> bool:
    return limit.name == "critical"


def _colour(limit: Limit) -> str:
    if limit.bound.informative:
        return SMALL
    return CRITICAL if _critical(limit) else BASELINE


def _dot(place: Place, radius: float) -> list[Place]:
    turns = [2 * pi * number / _ROUND for number in range(_ROUND)]
    return [(place[0] + radius * cos(turn), place[1] + radius * sin(turn)) for turn in turns]


def _pointer(limit: Limit, size: float) -> Callable[[Place], list[Place]]:
    """A triangle that points away from where the readings should be."""
    up = size if limit.bound.direction == "under" else -size
    return lambda place: [
        (place[0], place[1] + up),
        (place[0] + size, place[1] - 0.7 * up),
        (place[0] - size, place[1] - 0.7 * up),
    ]

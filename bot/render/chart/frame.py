"""What of a chart is drawn, and where on the sheet: all in points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.model.chart import Chart, Limit
from bot.render.chart import axis
from bot.render.chart.series import Run, beyond, runs

Place = tuple[float, float]


@dataclass(frozen=True)
class Form:
    """How large a chart is, in points; ``em`` is the size of its text."""

    width: float
    height: float
    em: float


@dataclass(frozen=True)
class Shown:
    """The readings to draw, the limits near them, the ones too far away, and the values to show.

    ``thin``: the lines beside that of the readings; ``dashed``: those of what is expected.
    """

    runs: list[Run]
    thin: list[Run]
    dashed: list[Run]
    limits: list[Limit]
    far: list[Limit]
    low: float
    high: float
    ticks: list[tuple[float, str]]

    @classmethod
    def of(cls, chart: Chart) -> Shown:
        """The readings thinned out, and the range of values that suits them."""
        found = _drawable(runs(chart.within(), chart.joined_within))
        thin, dashed = (_traced(chart, expected=expected) for expected in (False, True))
        values = [value for run in (*found, *thin, *dashed) for _, value in run]
        limits = axis.near(chart.limits, values)
        bounds = [axis.drawable(limit.bound.limit) for limit in limits]
        low, high = axis.value_range(values + bounds, chart.unit)
        return cls(
            runs=found,
            thin=thin,
            dashed=dashed,
            limits=limits,
            far=[limit for limit in chart.limits if limit not in limits],
            low=low,
            high=high,
            ticks=axis.value_ticks(low, high, chart.unit) if values or bounds else [],
        )

    def broken(self, limit: Limit) -> Iterator[Run]:
        """The parts of the line that break a limit."""
        for run in self.runs:
            if len(run) > 1:
                yield from beyond(run, limit)

    def failing(self, limit: Limit) -> list[tuple[float, float]]:
        """The readings that break a limit and none that is graver; the graver come later."""
        graver = self.limits[self.limits.index(limit) + 1 :]
        return [
            (at, value)
            for run in self.runs
            for at, value in run
            if limit.broken_by(value) and not any(one.broken_by(value) for one in graver)
        ]


def _traced(chart: Chart, *, expected: bool) -> list[Run]:
    return [
        run
        for trace in chart.traces
        if trace.expected is expected
        for run in _drawable(runs(trace.points, trace.joined_within))
    ]


def _drawable(found: Sequence[Run]) -> list[Run]:
    return [[(at, axis.drawable(value)) for at, value in run] for run in found]


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
        """Where a time is."""
        return self.left + (at - self.start) / (self.end - self.start) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Where a value is."""
        return self.bottom + (value - self.low) / (self.high - self.low) * (self.top - self.bottom)

    def places(self, run: Run) -> list[Place]:
        """Where a run's readings are."""
        return [(self.x(at), self.y(value)) for at, value in run]


def box(left: float, right: float, bottom: float, top: float) -> list[Place]:
    """A rectangle's corners."""
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def apart(wanted: Sequence[float], room: float, top: float) -> list[float]:
    """Heights, the lowest first, moved so that there is room between them and none is above ``top``."""
    found = list(wanted)
    for number in range(1, len(found)):
        found[number] = max(found[number], found[number - 1] + room)
    for number in reversed(range(len(found))):
        above = found[number + 1] - room if number + 1 < len(found) else top
        found[number] = min(found[number], above)
    return found

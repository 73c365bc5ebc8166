"""One metric over time, as it is to be drawn: readings, bounds, and what happened meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.target import Bound


@dataclass(frozen=True)
class Point:
    """A reading; ``at`` in milliseconds since the epoch, ``value`` None where it is unknown."""

    at: int
    value: float | None

    @property
    def known(self) -> bool:
        """Whether there is a number: what is not finite is no reading either."""
        return self.value is not None and math.isfinite(self.value)


@dataclass(frozen=True)
class Limit:
    """A bound by what it is called: ``baseline``, ``critical``. An informative one is only shown."""

    name: str
    bound: Bound

    def broken_by(self, value: float) -> bool:
        """Whether a value counts as beyond it."""
        return not self.bound.informative and not self.bound.holds(value)


@dataclass(frozen=True)
class Span:
    """A stretch of time with a name, such as an incident; without an ``end`` it goes on."""

    start: int
    end: int | None
    label: str


@dataclass(frozen=True)
class Mark:
    """A moment with a short name: ``deploy``, ``declared``, ``acknowledged``, ``resolved``."""

    at: int
    label: str


@dataclass(frozen=True)
class Trace:
    """A second line of the same metric, thinner, by its name: ``hourly P95``; in order of time.

    ``expected``: not what was read, but what is usual. ``joined_within`` as the chart's.
    """

    name: str
    points: tuple[Point, ...]
    joined_within: int | None = None
    expected: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A metric's readings from ``start`` to ``end`` (milliseconds), in any order.

    Points further apart than ``joined_within`` (milliseconds) are not joined: nobody looked in between.
    Without a ``title`` the metric's name is its heading. Limits: the graver come later. Titles and labels
    are drawn as plain text; whoever makes the chart redacts them.
    """

    metric: str
    unit: str
    start: int
    end: int
    points: tuple[Point, ...]
    title: str = ""
    limits: tuple[Limit, ...] = ()
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    traces: tuple[Trace, ...] = ()
    joined_within: int | None = None

    def within(self) -> list[Point]:
        """The points of the window, in order of time."""
        inside = [point for point in self.points if self.start <= point.at <= self.end]
        return sorted(inside, key=lambda point: point.at)

    def marked(self) -> list[Mark]:
        """The marks of the window, in order of time."""
        inside = [mark for mark in self.marks if self.start <= mark.at <= self.end]
        return sorted(inside, key=lambda mark: mark.at)

    def spanned(self) -> Iterator[tuple[int, int, str]]:
        """From when to when each span covers the window, with its label."""
        for span in self.spans:
            start = max(self.start, span.start)
            end = self.end if span.end is None else min(self.end, span.end)
            if start <= end:
                yield start, end, span.label

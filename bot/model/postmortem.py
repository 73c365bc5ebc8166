"""The draft of a post-mortem: the record that it is made from, what is said of it, what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.model.chart import Chart, Mark, Point
from bot.model.incident import Entry, Incident
from bot.model.overview import Ping
from bot.model.run import Progress

INCIDENT, PINGS, READINGS = "the incident", "pings", "readings"
"""Sources of sentences, beside entries, runs and their steps."""


class Series(NamedTuple):
    """The readings of a metric that are kept, in order of time."""

    target: str
    metric: str
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that a draft may tell, read in one transaction at ``now``.

    ``start`` and ``end`` are the window of the readings; raw ones from before ``kept_since`` are gone.
    ``marks``: what happened to a target meanwhile. Times are milliseconds since the epoch.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    pings: tuple[Ping, ...]
    runs: tuple[Progress, ...]
    series: tuple[Series, ...]
    start: int
    end: int
    kept_since: int
    now: int
    marks: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)


class Line(NamedTuple):
    """One sentence, and where in the record it is from. With an ``entry``, its sentence is the text."""

    text: str
    source: str
    entry: Entry | None = None

    @classmethod
    def of(cls, entry: Entry) -> Line:
        """An entry of the timeline, in its own words."""
        return cls("", place_of(entry), entry)


def place_of(entry: Entry) -> str:
    """How a draft refers to an entry."""
    return f"timeline {entry.seq}"


class Length(NamedTuple):
    """One of the durations, in milliseconds; None: the record doesn't say. ``note``: what it leaves out."""

    name: str
    took: int | None
    start: int
    end: int | None
    note: str = ""


class Measure(NamedTuple):
    """A reading of the evidence against its bound, in words."""

    target: str
    metric: str
    value: str
    bound: str
    result: str


class StepLine(NamedTuple):
    """A step of a run and what came of it."""

    number: int
    title: str
    kind: str
    result: str
    by: str
    took: int | None
    text: str


@dataclass(frozen=True, kw_only=True)
class RunAccount:
    """A run in words, with its steps."""

    sentence: str
    source: str
    steps: tuple[StepLine, ...]


class FollowUp(NamedTuple):
    """Something that is still to be done. ``owner`` is empty where the record names nobody."""

    line: Line
    owner: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the draft says, section by section; an empty one says that nothing is recorded."""

    incident: Incident
    at: int
    summary: tuple[Line, ...]
    impact: tuple[Line, ...]
    durations: tuple[Length, ...]
    entries: tuple[Entry, ...]
    evidence: tuple[Measure, ...]
    charts: tuple[Chart, ...]
    readings: tuple[Line, ...]
    runs: tuple[RunAccount, ...]
    worked: tuple[Line, ...]
    failed: tuple[Line, ...]
    follow_ups: tuple[FollowUp, ...]
    questions: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was written. ``files`` are paths within the data folder, the Markdown first.

    ``kept``: an edited draft that was found, and left as it is; None where there was none.
    """

    incident: str
    name: str
    files: tuple[str, ...]
    kept: str | None
    sections: int
    entries: int
    charts: int
    live: bool

"""Who is on call, as people write it: schedules, their layers and rotations; and the overrides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from bot.model.calendar import Day, Every, Handoff, Hours, Timezone, Weekdays, handoff_of, hours_of
from bot.model.person import Person
from bot.model.record import Written

ANCHOR = date(2024, 1, 1)
"""A Monday: where turns are counted from without ``start``, the same after every restart."""


class Rotation(Written):
    """People in turns. The first person's turn begins at the first handoff since ``start``.

    With a ``start``, nobody is on call before that; without one, turns are counted from ``ANCHOR``, both
    ways. A handoff is a time on the wall clock, so turns are counted in days, not in hours.
    """

    people: tuple[Person, ...] = Field(max_length=100)
    handoff: Handoff = "09:00"
    every: Every = 7
    start: Day | None = None

    @model_validator(mode="after")
    def _weekday_stays(self) -> Self:
        if handoff_of(self.handoff)[0] is not None and self.every % 7:
            raise ValueError(
                "handoff: expected a time without a weekday, as every is no number of weeks"
            )
        return self

    @property
    def minute(self) -> int:
        """When on the wall clock it hands over, in minutes since midnight."""
        return handoff_of(self.handoff)[1]

    @cached_property
    def first_day(self) -> date:
        """The day of the first handoff: of ``start`` or later, on the weekday that is named."""
        since = self.start or ANCHOR
        weekday = handoff_of(self.handoff)[0]
        return since if weekday is None else since + timedelta((weekday - since.weekday()) % 7)


class Layer(Written):
    """A rotation, and when it covers: on ``weekdays`` only, within ``hours`` only.

    Hours that end before they begin go over midnight, and belong to the day on which they begin.
    """

    rotation: Rotation
    hours: Hours = "00:00-00:00"
    weekdays: Weekdays = Field((0, 1, 2, 3, 4, 5, 6), min_length=1)

    @cached_property
    def begin(self) -> int:
        """When a day's cover begins, in minutes since midnight."""
        return hours_of(self.hours)[0]

    @cached_property
    def end(self) -> int:
        """When it ends, in minutes since midnight; where that is not after ``begin``: the next day's."""
        return hours_of(self.hours)[1]

    @property
    def always(self) -> bool:
        """Whether nothing restricts it."""
        return self.begin == self.end and len(self.weekdays) == 7


class Schedule(Written):
    """Who is on call: one ``rotation``, or ``layers`` of which the last one that covers counts."""

    timezone: Timezone
    rotation: Rotation | None = None
    layers: tuple[Layer, ...] = Field((), max_length=20)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.rotation is None) == (not self.layers):
            raise ValueError("expected either a rotation or layers")
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.timezone)

    @cached_property
    def covers(self) -> tuple[Layer, ...]:
        """The layers; a rotation alone is one that always covers."""
        return (Layer(rotation=self.rotation),) if self.rotation else self.layers


@dataclass(frozen=True, kw_only=True)
class Override:
    """Somebody is on call in place of whom the layers name. Times in milliseconds since the epoch.

    One that was taken back ended at ``ended_at``, which may be before it began.
    """

    id: int
    schedule: str
    person: str
    since: int
    until: int
    made_by: str
    made_at: int
    ended_by: str | None = None
    ended_at: int | None = None

    @property
    def end(self) -> int:
        """When it ceases to count."""
        return self.until if self.ended_at is None else min(self.until, self.ended_at)


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Who is on call over a stretch of time; ``person`` None: nobody, a gap.

    ``since``, ``until``: when somebody else was or will be, in milliseconds since the epoch; None where
    that is more than a year away. ``because``: ``rotation``, ``layer 2``, ``override`` or ``nobody``, at
    the moment that was asked about.
    """

    person: str | None
    since: int | None
    until: int | None
    because: str

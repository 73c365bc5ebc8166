"""What is not to be told: silences that people make, and windows of maintenance that the config names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bot.model.calendar import TimeOfDay, Weekdays, weekday_names
from bot.model.policy import WorkingHours
from bot.model.record import shaped
from bot.model.target import Name

LONGEST_MS = 86_400_000
"""How long one silence may last: what is to be quiet for longer belongs into the config, or is to be mended."""
EVERYTHING: tuple[str, ...] = ()
"""In place of targets: all that there are."""

Reason = Annotated[str, shaped(r"\S(?:.{0,198}\S)?", "a reason of at most 200 characters")]


class Window(WorkingHours):
    """Maintenance that comes round again; without ``targets`` it is on all of them.

    One that ends before it begins goes over midnight, and belongs to the day on which it begins; one that
    ends when it begins lasts for a day.
    """

    name: Name
    reason: Reason
    targets: tuple[str, ...] = Field(
        EVERYTHING, min_length=1, description="all of them, where it is left out"
    )
    days: Weekdays = Field((0, 1, 2, 3, 4, 5, 6), min_length=1)
    begin: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")

    @property
    def for_ever(self) -> bool:
        """Whether it never ends."""
        return len(self.days) == 7 and self.begin == self.end

    def __str__(self) -> str:
        days = "daily" if len(self.days) == 7 else weekday_names(self.days)
        return f"{days} {self.begin}-{self.end} {self.timezone}"


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Somebody said that targets are not to be told of for a while. Times in milliseconds since the epoch."""

    id: int
    targets: tuple[str, ...]
    reason: str
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
class Muted:
    """Why something is not told now. ``until`` in milliseconds since the epoch.

    ``by``: the actor who made the silence, or ``bot`` for a window of the config. ``name`` is what people
    call it (``silence 3``, ``maintenance backup``); ``key`` tells apart the rounds of a window too.
    """

    reason: str
    until: int
    by: str
    name: str
    key: str


def covers(targets: tuple[str, ...], target: str) -> bool:
    """Whether one that is on these targets is on a target."""
    return not targets or target in targets

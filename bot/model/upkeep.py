"""How the bot looks after itself: the sign of life that it gives, its backups, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bot.model.record import Written
from bot.model.units import Duration
from bot.model.way import PrivateUrl


def _beat(every: int) -> int:
    if not 10_000 <= every <= 86_400_000:
        raise ValueError("expected between 10s and 1d")
    return every


def _folder(name: str) -> str:
    if name.startswith("-") or "\0" in name:
        raise ValueError("expected a folder such as backups")
    return name


class Heartbeat(Written):
    """A dead man's switch: somebody else raises the alarm when these requests stay away."""

    url: PrivateUrl
    every: Annotated[Duration, AfterValidator(_beat)] = 60_000


class Backups(Written):
    """Copies of the database, made while the bot runs; each is checked. ``keep: 0``: none are made."""

    every: Duration = 21_600_000
    keep: int = Field(8, ge=0, le=1_000)
    folder: Annotated[str, AfterValidator(_folder)] = Field(
        "backups", min_length=1, max_length=500, description="beside the database, or elsewhere"
    )

    @model_validator(mode="after")
    def _not_all_the_time(self) -> Self:
        if self.every < 60_000:
            raise ValueError("every: expected at least 1m")
        return self


def _a_day(raw: int) -> int:
    if raw < 86_400_000:
        raise ValueError("expected at least 24h, for charts and drafts show them")
    return raw


class Samples(Written):
    """How long what was measured is kept: each value, and the statistics of each hour."""

    raw: Annotated[Duration, AfterValidator(_a_day)] = 86_400_000
    hours: Duration = 7_776_000_000

    @model_validator(mode="after")
    def _longer_than_raw(self) -> Self:
        if self.hours < self.raw:
            raise ValueError("hours: expected at least as long as raw")
        return self


@dataclass(frozen=True)
class Upkeep:
    """What the bot knows of itself beside the store: counts since the start, unless they say more.

    ``paged``: pages that arrived, by way. ``late``: timers and messages that are over a minute late.
    ``backup_at``: when the newest copy was made, in milliseconds since the epoch.
    """

    paged: Mapping[str, int]
    unrecorded: int
    sockets: int
    late: tuple[int, int]
    alarms: int
    clock_jumps: int
    backups_made: int
    backups_failed: int
    backup_at: int | None
    heartbeats: int

"""Who is told, after how long: policies, their levels and destinations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bot.model.calendar import TimeOfDay, Timezone, Weekdays, weekday_names
from bot.model.condition import ConditionText
from bot.model.incident import Severity
from bot.model.person import PERSON, PERSON_SHAPE
from bot.model.record import Written
from bot.model.target import Name
from bot.model.units import Duration

NAMED = ("group", "oncall", "role")
"""The kinds of destinations that name something of the config."""


class Destination(NamedTuple):
    """``channel``, ``user:U02BOB``, ``group:engineering`` and so on, taken apart."""

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Raises ``ValueError`` with what was expected."""
        kind, _, name = text.partition(":")
        if text == "channel":
            return cls("channel", "")
        if kind == "user" and PERSON.match(name):
            return cls(kind, name)
        if kind in NAMED and name:
            return cls(kind, name)
        raise ValueError(
            "expected channel, user:U... (a member id), group:NAME, oncall:SCHEDULE or role:NAME"
        )


def _destination(text: str) -> str:
    Destination.parse(text)
    return text


DestinationText = Annotated[
    str,
    AfterValidator(_destination),
    Field(
        json_schema_extra={
            "pattern": f"^(?:channel|user:{PERSON_SHAPE}|(?:{'|'.join(NAMED)}):.+)$",
            "examples": ["channel", "user:U02BOB", "group:engineering"],
        }
    ),
]


class Level(Written):
    """Tell ``notify`` when the incident is still open ``after`` its declaration.

    ``when``: only once a fresh reading of a target meets it, from that time on. ``after_acknowledge``: an
    acknowledgement doesn't stop it, but whoever acknowledged is asked first; ``from: acknowledged`` counts
    from there, and so is never stopped by it. ``reason``: a template of what those who are told read.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    after: Duration
    begins: Literal["declared", "acknowledged"] = Field("declared", alias="from")
    when: ConditionText | None = None
    notify: tuple[DestinationText, ...] = Field(min_length=1, max_length=50)
    reason: str | None = Field(None, min_length=1, max_length=500)
    after_acknowledge: bool = False

    @property
    def survives(self) -> bool:
        """Whether an acknowledgement leaves it as it is."""
        return self.after_acknowledge or self.begins == "acknowledged"

    @property
    def plain(self) -> bool:
        """Whether its time alone decides, while nobody has acknowledged."""
        return self.when is None and self.begins == "declared"

    @property
    def pings_people(self) -> bool:
        """Whether it tells more than the channel."""
        return any(text != "channel" for text in self.notify)

    @property
    def asked(self) -> str:
        """Its condition as it was written; empty without one."""
        return self.when.text if self.when is not None else ""


class Repeat(Written):
    """After the last level, tell everyone who was told so far again."""

    every: Duration = 900_000
    times: int = Field(3, ge=0, le=100)

    @model_validator(mode="after")
    def _not_a_storm(self) -> Self:
        if self.every < 1_000:
            raise ValueError("every: expected at least 1s")
        return self


class WorkingHours(Written):
    """When levels may fire: outside these hours they wait until the next ones begin.

    Hours that end before they begin go over midnight, and belong to the day on which they begin.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    timezone: Timezone
    days: Weekdays = Field((0, 1, 2, 3, 4), min_length=1)
    begin: TimeOfDay = Field("09:00", alias="from")
    end: TimeOfDay = Field("17:00", alias="to")

    @cached_property
    def zone(self) -> ZoneInfo:
        """Whose wall clock counts."""
        return ZoneInfo(self.timezone)

    def __str__(self) -> str:
        return f"{weekday_names(self.days)} {self.begin}-{self.end} {self.timezone}"


class Policy(Written):
    """Levels in the order in which they fire; ``no_data_after``: how long a reading may be lost."""

    levels: tuple[Level, ...] = Field(min_length=1, max_length=20)
    repeat: Repeat = Repeat()
    hours: WorkingHours | None = None
    no_data_after: Duration = 300_000

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for begins in ("declared", "acknowledged"):
            times = [level.after for level in self.levels if level.begins == begins]
            if times != sorted(times):
                raise ValueError(
                    "levels: expected each level at the time of the one before or later"
                )
        return self

    @classmethod
    def from_pinned(cls, pinned: Mapping[str, Any]) -> Self:
        """The policy that was pinned to an incident when it was declared."""
        return cls._parsed(json.dumps(pinned))

    @classmethod
    @lru_cache(maxsize=64)
    def _parsed(cls, pinned: str) -> Self:
        """Incidents share few policies, and every look at an incident asks for its own."""
        return cls.model_validate_json(pinned)

    @property
    def pings_people(self) -> bool:
        """A policy that only announces in the channel ends there, silently."""
        return any(level.pings_people for level in self.levels)


class Escalation(Written):
    """Which policy an incident follows, and whom to tell when everything else failed.

    ``idle``: how long whoever acknowledged a sev1 or sev2 may do nothing before they are asked.
    """

    default: Name
    default_severity: Severity = Severity.SEV2
    by_severity: dict[Severity, Name] = {}
    idle: Duration = 1_800_000
    last_resort: tuple[DestinationText, ...] = ()
    policies: dict[Name, Policy] = Field(min_length=1)

    @model_validator(mode="after")
    def _not_a_nag(self) -> Self:
        if self.idle < 60_000:
            raise ValueError("idle: expected at least 1m")
        return self

    @cached_property
    def metrics(self) -> frozenset[str]:
        """The first part of every name that conditions speak of: metrics, and what needs no source."""
        levels = (level for policy in self.policies.values() for level in policy.levels)
        asked = (level.when for level in levels if level.when is not None)
        return frozenset(name.split(".")[0] for one in asked for name, _ in one.names)

    def policy_name(self, severity: Severity) -> str:
        """The policy that an incident of this severity follows."""
        return self.by_severity.get(severity, self.default)

    def destinations(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every destination with its path in the file, for the checks of names."""
        for at, text in enumerate(self.last_resort):
            yield ("last_resort", at), text
        for name, policy in self.policies.items():
            for number, level in enumerate(policy.levels):
                for at, text in enumerate(level.notify):
                    yield ("policies", name, "levels", number, "notify", at), text

"""Who is told, after how long: policies, their levels and destinations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

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
    """Tell ``notify`` when the incident is still open ``after`` its declaration."""

    after: Duration
    notify: tuple[DestinationText, ...] = Field(min_length=1)


class Repeat(Written):
    """After the last level, tell everyone who was told so far again."""

    every: Duration = 900_000
    times: int = Field(3, ge=0, le=100)

    @model_validator(mode="after")
    def _not_a_storm(self) -> Self:
        if self.every < 1_000:
            raise ValueError("every: expected at least 1s")
        return self


class Policy(Written):
    """Levels in the order in which they fire."""

    levels: tuple[Level, ...] = Field(min_length=1, max_length=20)
    repeat: Repeat = Repeat()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for earlier, later in zip(self.levels, self.levels[1:], strict=False):
            if later.after < earlier.after:
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
        return any(text != "channel" for level in self.levels for text in level.notify)


class Escalation(Written):
    """Which policy an incident follows, and whom to tell when everything else failed."""

    default: Name
    default_severity: Severity = Severity.SEV2
    by_severity: dict[Severity, Name] = {}
    last_resort: tuple[DestinationText, ...] = ()
    policies: dict[Name, Policy] = Field(min_length=1)

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

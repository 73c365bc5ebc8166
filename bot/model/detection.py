"""The rules by which the bot notices by itself: a condition that holds for a while on a target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from bot.model.condition import ConditionText
from bot.model.incident import Severity
from bot.model.record import Written
from bot.model.target import Name
from bot.model.units import DURATION_PATTERN, Duration, duration_text, parse_duration

OFF = "off"
Opens = Literal["suggest", "declare"]


def _or_off(value: object) -> int | None:
    if value is None or value == OFF:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(str(error).replace("expected ", "expected off, or ")) from None


def _text(value: int | None) -> str:
    return OFF if value is None else duration_text(value)


DurationOrOff = Annotated[
    int | None,
    BeforeValidator(
        _or_off,
        json_schema_input_type=Annotated[
            str, Field(pattern=f"^(?:off|{DURATION_PATTERN})$", examples=["5m", OFF])
        ],
    ),
    PlainSerializer(_text, return_type=str),
]
"""Milliseconds, or None for ``off``."""


class Rule(Written):
    """What is to be found, and what becomes of it.

    ``open``: a finding is suggested in the channel, or declares an incident. ``clear_for``: so long must
    the readings be back to normal. ``unknown_for``: data that is lost for longer is a finding too, which
    ``unknown`` suggests or declares. ``reopen_within``: what comes back sooner is the same incident.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    name: Name
    when: ConditionText
    lasts: Duration = Field(120_000, alias="for")
    clear_for: Duration = 300_000
    severity: Severity | None = Field(None, description="default: escalation.default_severity")
    policy: Name | None = Field(None, description="default: that of the severity")
    runbook: Name | None = None
    targets: tuple[Name, ...] = Field((), description="default: all")
    opens: Opens = Field("suggest", alias="open")
    reopen_within: Duration = 1_800_000
    unknown_for: DurationOrOff = 300_000
    unknown: Opens = "suggest"

    def watches(self, target: str) -> bool:
        """Whether it is asked of a target."""
        return not self.targets or target in self.targets


Rules = Annotated[tuple[Rule, ...], Field(max_length=200)]


def metrics_of(rules: Iterable[Rule]) -> frozenset[str]:
    """The first part of every name that the rules speak of: metrics, and what needs no source."""
    return frozenset(name.split(".")[0] for rule in rules for name, _ in rule.when.names)

"""A runbook: a procedure that people write in YAML, as frozen records."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, Self

from pydantic import Field, model_validator

from bot.model.condition import ConditionText
from bot.model.record import Written
from bot.model.step import Step
from bot.model.target import Name
from bot.model.units import Duration, parse_duration


class Input(Written):
    """What a run asks for before it starts, so that "5 minutes" is no fixed number.

    One without a default must be given; the ``target`` is the incident's, or the only one there is.
    """

    type: Literal["target", "text", "number", "duration", "choice"]
    title: str = ""
    default: str | float | None = None
    choices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _default_suits(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("expected choices for an input of type choice, and only there")
        if self.default is None:
            return self
        if (self.type == "number") != isinstance(self.default, float):
            raise ValueError(f"default: expected a {self.type}")
        if self.type == "choice" and self.default not in self.choices:
            raise ValueError(f"default: expected one of {', '.join(self.choices)}")
        if self.type == "duration":
            _duration_default(self.default)
        return self


def _duration_default(default: str | float) -> None:
    try:
        parse_duration(default)
    except ValueError as error:
        raise ValueError(f"default: {error}") from None


class Defaults(Written):
    """What holds for every step that doesn't say otherwise."""

    timeout: Duration = Field(60_000, description="of steps that the bot does itself")
    on_failure: Literal["stop", "continue", "escalate"] = "stop"


class Triggers(Written):
    """When a runbook is offered, beside by its name. ``incident.opened``: then it starts by itself."""

    manual: bool = Field(True, description="whether people may start it")
    opened: ConditionText | None = Field(
        None, alias="incident.opened", description="starts by itself where this holds at a declare"
    )
    symptoms: tuple[ConditionText, ...] = Field(
        (), max_length=20, description="conditions on readings: each that holds ranks it higher"
    )


class Runbook(Written):
    """The whole file."""

    format: Literal["runbook/v1"] = Field(alias="schema")
    id: Name
    title: str = Field(min_length=1, max_length=150)
    version: int = Field(ge=1)
    description: str = Field("", max_length=2_000)
    trial: bool = Field(False, description="it is only ever previewed, never run")
    triggers: Triggers = Triggers()
    inputs: dict[Name, Input] = Field({}, max_length=10)
    defaults: Defaults = Defaults()
    run_timeout: Duration = 14_400_000
    steps: tuple[Step, ...] = Field(min_length=1, max_length=60)

    @classmethod
    def from_pinned(cls, pinned: str) -> Self:
        """The runbook that was pinned to a run when it started, from its JSON."""
        return cls._parsed(pinned)

    @classmethod
    @lru_cache(maxsize=64)
    def _parsed(cls, pinned: str) -> Self:
        """Every look at a run asks for its runbook."""
        return cls.model_validate_json(pinned)

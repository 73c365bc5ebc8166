"""A runbook: a procedure that people write in YAML, as frozen records.

The kinds of steps that this version offers are ``check`` and ``checklist``.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.model.record import Written
from bot.model.target import Name
from bot.model.units import Duration, parse_duration

ON_FAILURE = ("stop", "continue", "escalate")


class Input(Written):
    """What a run asks for before it starts, so that "5 minutes" is no fixed number."""

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

    timeout: Duration = 60_000
    on_failure: str = "stop"


class Item(Written):
    """One line that a person ticks."""

    text: str = Field(min_length=1, max_length=1000)
    note: bool = Field(False, description="a note is asked for")
    owner: bool = Field(False, description="somebody must take it")


class BaseStep(Written):
    """What every kind of step has. ``text`` says what a person does, and why."""

    id: Name
    title: str = Field(min_length=1, max_length=150)
    text: str = ""
    timeout: Duration | None = None
    on_failure: str | None = Field(None, description="stop, continue, escalate or a later step")
    always: bool = Field(False, description="also when an earlier step stopped the run")


class CheckStep(BaseStep):
    """Reads a target's health, or its metrics against the bounds."""

    kind: Literal["check"]
    of: Literal["health", "baselines"] = "health"


class ChecklistStep(BaseStep):
    """A person does it and ticks it."""

    kind: Literal["checklist"]
    items: tuple[Item, ...] = Field(min_length=1, max_length=20)
    remind: Duration | None = None


Step = Annotated[CheckStep | ChecklistStep, Field(discriminator="kind")]


class Runbook(Written):
    """The whole file."""

    format: Literal["runbook/v1"] = Field(alias="schema")
    id: Name
    title: str = Field(min_length=1, max_length=150)
    version: int = Field(ge=1)
    description: str = ""
    triggers: tuple[Literal["manual"], ...] = ("manual",)
    inputs: dict[Name, Input] = {}
    defaults: Defaults = Defaults()
    run_timeout: Duration = 14_400_000
    steps: tuple[Step, ...] = Field(min_length=1, max_length=100)

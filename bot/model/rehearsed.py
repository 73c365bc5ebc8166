"""Readings over time as people write them, to rehearse an escalation with."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from bot.model.record import Written
from bot.model.target import Name
from bot.model.units import Duration


class ReadingsAt(Written):
    """From ``at`` after the declaration on: metrics, each a number in its own unit, or ``unknown``."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[
        Name, Annotated[float, Field(allow_inf_nan=False)] | Literal["unknown"]
    ]

    at: Duration

    @property
    def values(self) -> dict[str, float | None]:
        """Each metric's value; None where it is unknown."""
        given = self.__pydantic_extra__
        return {name: None if value == "unknown" else float(value) for name, value in given.items()}


class Readings(Written):
    """A file of them, in order; what is not said again stays as it was."""

    readings: tuple[ReadingsAt, ...] = Field(min_length=1, max_length=1_000)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [one.at for one in self.readings]
        if times != sorted(times):
            raise ValueError("readings: expected each at the time of the one before or later")
        return self

    def at(self, after: int) -> dict[str, float | None]:
        """What is known of each metric so long after the declaration, in milliseconds."""
        found: dict[str, float | None] = {}
        for one in self.readings:
            if one.at <= after:
                found |= one.values
        return found

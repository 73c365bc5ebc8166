"""A runbook's data before it counts as one: what its checks look up, whatever else is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.files.problem import Loc
from bot.files.tree import Data, each
from bot.model.condition import Condition, parse
from bot.model.step import ON_FAILURE
from bot.model.units import parse_duration

MOST_STEPS = 60
"""As the schema allows: a longer list is told by the schema alone."""


@dataclass(frozen=True)
class DraftStep:
    """A step as far as it can be told: ``id`` and ``kind`` are empty where there is none."""

    number: int
    data: dict[str, Data]

    @property
    def id(self) -> str:
        return _text(self.data.get("id"))

    @property
    def kind(self) -> str:
        return _text(self.data.get("kind"))

    @property
    def always(self) -> bool:
        return self.data.get("always") is True

    def at(self, *path: str | int) -> Loc:
        """The place of something in it."""
        return ("steps", self.number, *path)


@dataclass(frozen=True)
class Asked:
    """A condition that can be read, and where: in a step, or in a trigger."""

    at: Loc
    condition: Condition
    where: Literal["step", "opened", "symptoms"]
    step: DraftStep | None = None


@dataclass(frozen=True)
class Draft:
    """The whole file's data."""

    data: Data

    def get(self, *path: str) -> Data:
        """What stands at a path of keys; None where nothing does."""
        return next((value for _, value in each(self.data, *path)), None)

    @cached_property
    def steps(self) -> tuple[DraftStep, ...]:
        """None, where there are more than a runbook may have."""
        found = tuple(each(self.data, "steps", None))
        if len(found) > MOST_STEPS:
            return ()
        return tuple(
            DraftStep(number, one) for number, (_, one) in enumerate(found) if isinstance(one, dict)
        )

    @cached_property
    def by_id(self) -> dict[str, DraftStep]:
        """Each step by its id; of two with the same, the first."""
        return {step.id: step for step in reversed(self.steps) if step.id}

    def before(self, step: DraftStep) -> tuple[str, ...]:
        """The ids of the earlier steps, in order."""
        return tuple(one.id for one in self.steps if one.number < step.number and one.id)

    @cached_property
    def inputs(self) -> dict[str, dict[str, Data]]:
        """What each input says of itself."""
        return {
            str(loc[-1]): one
            for loc, one in each(self.data, "inputs", None)
            if isinstance(one, dict)
        }

    def inputs_of(self, kind: str) -> tuple[str, ...]:
        """The names of the inputs of one type."""
        return tuple(name for name, one in self.inputs.items() if one.get("type") == kind)

    def way(self, step: DraftStep) -> str:
        """Where it goes on when the step failed, or nobody knows: a word, or a later step's id."""
        default = _text(self.get("defaults", "on_failure"))
        return _text(step.data.get("on_failure")) or default or ON_FAILURE[0]

    def length(self, value: Data) -> int | None:
        """A duration in milliseconds, of an input its default; None where it can't be told."""
        if isinstance(value, str) and value.startswith("inputs."):
            value = self.inputs.get(value.removeprefix("inputs."), {}).get("default")
        try:
            return parse_duration(value)
        except ValueError:
            return None

    @cached_property
    def conditions(self) -> tuple[Asked, ...]:
        """Every condition that can be read; the schema tells of the others."""
        return (
            *_read(self.data, ("triggers", "incident.opened"), "opened"),
            *_read(self.data, ("triggers", "symptoms", None), "symptoms"),
            *(asked for step in self.steps for asked in _of_step(step)),
        )

    def templates(self) -> Iterator[tuple[DraftStep, Loc, str]]:
        """Every text that is a template."""
        for step in self.steps:
            for key in ("text", "message", "issue"):
                source = step.data.get(key)
                if isinstance(source, str):
                    yield step, step.at(key), source


def _of_step(step: DraftStep) -> Iterator[Asked]:
    for path in (("when",), ("that",), ("verify", "that"), ("causes", None, "when")):
        for asked in _read(step.data, path, "step"):
            yield Asked(step.at(*asked.at), asked.condition, "step", step)


def _read(
    data: Data, path: tuple[str | None, ...], where: Literal["step", "opened", "symptoms"]
) -> Iterator[Asked]:
    for at, text in each(data, *path):
        try:
            condition = parse(text) if isinstance(text, str) else None
        except ValueError:
            continue
        if condition is not None:
            yield Asked(at, condition, where)


def _text(value: Data) -> str:
    return value if isinstance(value, str) else ""

"""Conditions: one small language for triggers, steps, levels and rules.

``cpu_percent > 90 and not incident.severity == sev4``. The grammar is in ``grammar``, the names
in ``operand``, the tree in ``node``; whether a condition holds is decided in the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import Field, PlainSerializer, PlainValidator

from bot.model.grammar import LENGTH, LEVELS, ConditionError, tree
from bot.model.node import And, Literal, Node, Not, Or, Test, Unknown
from bot.model.operand import STEP_STATES, WEEKDAYS, change_of

__all__ = [
    "LENGTH",
    "LEVELS",
    "STEP_STATES",
    "WEEKDAYS",
    "And",
    "Condition",
    "ConditionError",
    "ConditionText",
    "Literal",
    "Mention",
    "Node",
    "Not",
    "Or",
    "Test",
    "Unknown",
    "change_of",
    "parse",
]


class Mention(NamedTuple):
    """A name in a condition's text, and where it stands."""

    name: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.name)


@dataclass(frozen=True)
class Condition:
    """A condition as it was written, and its tree."""

    text: str
    root: Node

    def __str__(self) -> str:
        return str(self.root)

    @cached_property
    def names(self) -> tuple[Mention, ...]:
        """Every name in it, in order, as often as it is there."""
        return tuple(_mentions(self.root))


def parse(text: str) -> Condition:
    """Read a condition of at most 1,000 characters and 20 levels; raises ``ConditionError``."""
    return Condition(text, tree(text))


def _mentions(node: Node) -> Iterator[Mention]:
    match node:
        case Or(parts) | And(parts):
            for part in parts:
                yield from _mentions(part)
        case Not(part):
            yield from _mentions(part)
        case Unknown(name):
            yield Mention(name, node.name_start)
        case Test(name):
            yield Mention(name, node.start)


def _condition(value: object) -> Condition:
    if isinstance(value, Condition):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a condition such as cpu_percent > 90")
    return parse(value)


def _text(condition: Condition) -> str:
    return condition.text


ConditionText = Annotated[
    Condition,
    PlainValidator(
        _condition,
        json_schema_input_type=Annotated[
            str, Field(min_length=1, max_length=LENGTH, examples=["cpu_percent > 90"])
        ],
    ),
    PlainSerializer(_text, return_type=str),
]
"""In a record that people write: a text there, a ``Condition`` here."""

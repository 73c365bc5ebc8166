"""Whether a condition holds: no, unknown or yes, with the readings that decided it.

Kleene's logic over no < unknown < yes: ``and`` is the minimum, ``or`` the maximum, ``not`` turns
the order around. So no data is never a yes and never a no, except where the rest decides alone.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from bot.model.condition import And, Condition, Literal, Node, Not, Or, Test, Unknown
from bot.model.operand import Quantity, factor
from bot.model.units import format_duration
from bot.rules.known import NOT_MEASURED, Known, Values, label, shown

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

_JUST_NOW_MS = 1_000


class Truth(IntEnum):
    """In the order of Kleene's logic."""

    NO = 0
    UNKNOWN = 1
    YES = 2


@dataclass(frozen=True)
class Judged:
    """A truth, and ``because``: what decided it, in plain words (not escaped)."""

    truth: Truth
    because: tuple[str, ...] = ()


def evaluate(condition: Condition, values: Values, now: int) -> Judged:
    """The condition asked of one set of values; a name that isn't in it is unknown.

    ``now`` (milliseconds since the epoch) only says how old a reading is.
    """
    judged = _judge(condition.root, values, now)
    return Judged(judged.truth, tuple(dict.fromkeys(judged.because)))


def any_target(
    condition: Condition, targets: Mapping[str, Values], shared: Values, now: int
) -> Judged:
    """A trigger: yes when any target meets the whole condition, no when none does.

    ``shared`` is what is the same for all targets, such as the incident and the time; without
    targets the condition is asked of that alone.
    """
    if not targets:
        return evaluate(condition, shared, now)
    asked = {
        name: evaluate(condition, {**shared, **values}, now) for name, values in targets.items()
    }
    truth = max(one.truth for one in asked.values())
    reasons = [
        reason if len(asked) == 1 else f"{name}: {reason}"
        for name, one in asked.items()
        if one.truth is truth
        for reason in one.because
    ]
    return Judged(truth, tuple(reasons))


def _judge(node: Node, values: Values, now: int) -> Judged:
    match node:
        case Or(parts):
            return _combined([_judge(part, values, now) for part in parts], max)
        case And(parts):
            return _combined([_judge(part, values, now) for part in parts], min)
        case Not(part):
            judged = _judge(part, values, now)
            return Judged(Truth(Truth.YES - judged.truth), judged.because)
        case Unknown(name):
            return _is_unknown(name, values.get(name, NOT_MEASURED), now)
        case Test():
            return _tested(node, values.get(node.name, NOT_MEASURED), now)


def _combined(parts: list[Judged], choose: Callable[[list[Truth]], Truth]) -> Judged:
    """What decided are the parts that are as the whole: one yes of an ``or``, all of its noes."""
    truth = choose([part.truth for part in parts])
    reasons = [reason for part in parts if part.truth is truth for reason in part.because]
    return Judged(truth, tuple(reasons))


def _is_unknown(name: str, known: Known, now: int) -> Judged:
    if _missing(known):
        return Judged(Truth.YES, (_why_unknown(name, known),))
    return Judged(Truth.NO, (f"{label(name)} {shown(name, known)}{_origin(known, now)}",))


def _tested(test: Test, known: Known, now: int) -> Judged:
    literal = test.literal
    if _missing(known):
        return Judged(Truth.UNKNOWN, (_why_unknown(test.name, known),))
    value = known.value
    if isinstance(value, str) and isinstance(literal.value, str):
        met = (value == literal.value) is (test.op == "==")
        differs = "" if value == literal.value else f", not {literal.value}"
        said = f"{label(test.name)} is {value}{differs}"
    elif (
        isinstance(value, float | int)
        and isinstance(literal.value, float)
        and _comparable(test.name, known, literal)
    ):
        met = _COMPARE[test.op](value, literal.value)
        limit = f" {test.op} {literal}" if met else f", not {test.op} {literal}"
        said = f"{label(test.name)} {shown(test.name, known)}{limit}"
    else:
        found = f"{label(test.name)} is {shown(test.name, known)}"
        return Judged(Truth.UNKNOWN, (f"{found}: it can't be compared with {literal}",))
    return Judged(Truth.YES if met else Truth.NO, (f"{said}{_origin(known, now)}",))


def _comparable(name: str, known: Known, literal: Literal) -> bool:
    """Only of an input the unit isn't known before it has a value."""
    if not name.startswith("inputs."):
        return True
    return factor(Quantity(known.unit, needs_unit=known.unit == "ms"), literal.unit) is not None


def _missing(known: Known) -> bool:
    return known.value is None or (isinstance(known.value, float) and math.isnan(known.value))


def _why_unknown(name: str, known: Known) -> str:
    return f"{label(name)} unknown: {known.reason or 'no reason given'}"


def _origin(known: Known, now: int) -> str:
    """``(agent, 4 s ago)``: the source and the age, as far as there is one; of what was just read, none."""
    parts = [known.source] if known.source else []
    if known.at is not None and now - known.at >= _JUST_NOW_MS:
        parts.append(f"{format_duration(now - known.at)} ago")
    return f" ({', '.join(parts)})" if parts else ""

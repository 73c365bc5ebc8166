"""The names that a condition may speak of, and what each is compared with.

Metric names are open (a config adds its own), so a metric that nobody measures is not refused
here: who knows the config looks at ``Condition.names``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.model.incident import Severity, Status
from bot.model.nearest import listed
from bot.model.reading import Verdict
from bot.model.units import METRIC_UNITS, parse_duration, unit_of

STEP_STATES = ("ok", "failed", "skipped", "unknown")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DURATIONS = {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7}
SIZES = {"MB": 1.0, "GB": 1e3}
UNITS = ("%", *DURATIONS, *SIZES)

_CHANGE = "change_"
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Quantity:
    """A number in ``unit``. ``needs_unit``: a bare number says nothing to a person."""

    unit: str
    needs_unit: bool = False


@dataclass(frozen=True)
class Hour:
    """A whole hour of the day."""


@dataclass(frozen=True)
class Words:
    """One of these words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Open:
    """Its type isn't known here: a number, a duration, a word or a text."""


Kind = Quantity | Hour | Words | Open

_FIXED: dict[str, Kind] = {
    "incident.age": Quantity("ms", needs_unit=True),
    "incident.severity": Words(tuple(Severity)),
    "incident.status": Words(tuple(Status)),
    "time.hour": Hour(),
    "time.weekday": Words(WEEKDAYS),
}
FAMILIAR = (*_FIXED, *METRIC_UNITS, "verdict")
"""Names that a misspelt one is compared with."""


def kind_of(name: str) -> Kind:
    """What a name is compared with; raises ``ValueError`` with what was expected instead."""
    first, *rest = name.split(".")
    match first, rest:
        case (("incident" | "time"), _):
            if name in _FIXED:
                return _FIXED[name]
            raise ValueError(listed(fixed for fixed in _FIXED if fixed.startswith(first)))
        case "inputs", _:
            if len(rest) == 1 and _NAME.fullmatch(rest[0]):
                return Open()
            raise ValueError("inputs.NAME")
        case "steps", _:
            if len(rest) == 2 and _NAME.fullmatch(rest[0]):
                return Words(STEP_STATES) if rest[1] == "state" else _of_target(rest[1])
            raise ValueError("steps.ID.state or steps.ID.METRIC")
    if change_of(name) is not None:
        return Quantity(unit_of(first))
    if rest:
        raise ValueError("METRIC.change_5m, incident., time., inputs. or steps.ID.")
    return _of_target(name)


def change_of(name: str) -> tuple[str, int] | None:
    """``cpu_percent.change_5m`` as the metric and the time in ms; ``None`` for another name."""
    metric, _, suffix = name.partition(".")
    if not suffix.startswith(_CHANGE) or not _METRIC.fullmatch(metric):
        return None
    try:
        over = parse_duration(suffix.removeprefix(_CHANGE))
    except ValueError:
        return None
    return (metric, over) if over else None


def expected_of(kind: Kind) -> str:
    """What a name of this kind is compared with, in words."""
    match kind:
        case Words(words):
            return listed(words)
        case Hour():
            return "a whole hour from 0 to 23"
        case Quantity("ms", needs_unit=True):
            return "a duration such as 5m"
        case Quantity(unit):
            return f"a number in {unit}" if unit else "a number without a unit"
        case Open():
            return "a number, a word or 'text'"


def factor(kind: Kind, unit: str) -> float | None:
    """What a number with ``unit`` is multiplied by for this kind; ``None``: it doesn't suit."""
    match kind:
        case Open():
            return DURATIONS.get(unit) or SIZES.get(unit) or 1.0
        case Quantity(own, needs_unit):
            if not unit:
                return None if needs_unit else 1.0
            for table in (DURATIONS, SIZES, {"%": 1.0}):
                if own in table and unit in table:
                    return table[unit] / table[own]
            return None
        case Hour():
            return None if unit else 1.0
        case Words():
            return None


def _of_target(name: str) -> Kind:
    if name == "verdict":
        return Words(tuple(Verdict))
    if not _METRIC.fullmatch(name):
        raise ValueError("a metric's name in lower case, such as cpu_percent")
    return Quantity(unit_of(name))

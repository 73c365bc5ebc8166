"""The conditions in the config: they name metrics that there are, and could hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot.files.problem import Fault, Loc
from bot.files.tree import Data, each, shorten
from bot.model.condition import Condition, parse
from bot.model.nearest import nearest
from bot.model.units import METRIC_UNITS
from bot.rules.possible import can_hold

_ASIDE = frozenset({"incident", "time", "verdict", "steps", "inputs"})


@dataclass(frozen=True)
class Asking:
    """Who asks a condition: ``a level is asked without a run``, so not of these names; else it is dead."""

    without: str
    never: Collection[str]
    dead: str


def faults(data: Data, path: tuple[str | None, ...], asking: Asking) -> Iterator[Fault]:
    """What is wrong with the conditions at a path; the schema tells of those that can't be read."""
    known = metrics(data)
    for at, text in each(data, *path):
        condition = _parsed(text)
        if condition is not None:
            yield from _names(at, condition, known, asking)
            if not can_hold(condition, {}):
                yield Fault(at=at, text=f"this can never hold: {asking.dead}")


def metrics(data: Data) -> frozenset[str]:
    """Every metric that can be read: the known ones, and those that the file names."""
    given = each(data, "targets", None, "metrics", None, "values", None)
    return frozenset(METRIC_UNITS).union(str(loc[-1]) for loc, _ in given)


def _names(at: Loc, condition: Condition, known: frozenset[str], asking: Asking) -> Iterator[Fault]:
    for name, start in condition.names:
        first = name.split(".")[0]
        if first in asking.never:
            said = f"{asking.without}, so it can't speak of {first}"
            yield Fault(at=at, text=said, inside=start)
        elif first not in _ASIDE and first not in known:
            near = nearest(first, known)
            fix = "" if near else "name it in the values of a target's metrics"
            said = f"no metric is called '{shorten(first)}'"
            yield Fault(at=at, text=said, near=near, fix=fix, inside=start)


def _parsed(text: Data) -> Condition | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None

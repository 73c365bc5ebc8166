"""What the levels of a policy speak of: metrics in their conditions, values in their reasons."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files.problem import Fault
from bot.files.tree import Data, each, shorten
from bot.model.condition import Condition, parse
from bot.model.nearest import nearest
from bot.model.units import METRIC_UNITS
from bot.rules.possible import can_hold
from bot.template import check

_LEVELS = ("escalation", "policies", None, "levels", None)
_ASIDE = frozenset({"incident", "time", "verdict"})
_INCIDENT = ("key", "title", "severity", "status", "impact", "age")
_ABOUT = frozenset({"target", *(f"incident.{name}" for name in _INCIDENT)})


def conditions(data: Data) -> Iterator[Fault]:
    """The conditions of levels name metrics that there are, and could hold."""
    known = _metrics(data)
    for at, text in each(data, *_LEVELS, "when"):
        condition = _parsed(text)
        if condition is None:  # the schema tells why
            continue
        for name, start in condition.names:
            first = name.split(".")[0]
            if first in {"steps", "inputs"}:
                said = f"a level is asked without a run, so it can't speak of {first}"
                yield Fault(at=at, text=said, inside=start)
            elif first not in _ASIDE and first not in known:
                near = nearest(first, known)
                fix = "" if near else "name it in the values of a target's metrics"
                said = f"no metric is called '{shorten(first)}'"
                yield Fault(at=at, text=said, near=near, fix=fix, inside=start)
        if not can_hold(condition, {}):
            yield Fault(at=at, text="this can never hold: the level would never fire")


def reasons(data: Data) -> Iterator[Fault]:
    """The reasons of levels are templates that can be read, and name what there is."""
    known = _ABOUT | {f"readings.{metric}" for metric in _metrics(data)}
    for at, source in each(data, *_LEVELS, "reason"):
        problem = check(source, known) if isinstance(source, str) else None
        if problem is not None:
            yield Fault(
                at=at,
                text=problem.text,
                expected=problem.expected,
                near=problem.near,
                inside=problem.offset,
            )


def _metrics(data: Data) -> frozenset[str]:
    given = each(data, "targets", None, "metrics", None, "values", None)
    return frozenset(METRIC_UNITS).union(str(loc[-1]) for loc, _ in given)


def _parsed(text: Data) -> Condition | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None

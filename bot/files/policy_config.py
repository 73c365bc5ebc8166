"""What the levels of a policy speak of: metrics in their conditions, values in their reasons."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files import condition_config
from bot.files.condition_config import Asking, metrics
from bot.files.problem import Fault
from bot.files.tree import Data, each
from bot.template import check

_LEVELS = ("escalation", "policies", None, "levels", None)
_LEVEL = Asking(
    "a level is asked without a run",
    frozenset({"steps", "inputs"}),
    "the level would never fire",
)
_INCIDENT = ("key", "title", "severity", "status", "impact", "age")
_ABOUT = frozenset({"target", *(f"incident.{name}" for name in _INCIDENT)})


def conditions(data: Data) -> Iterator[Fault]:
    """The conditions of levels name metrics that there are, and could hold."""
    yield from condition_config.faults(data, (*_LEVELS, "when"), _LEVEL)


def reasons(data: Data) -> Iterator[Fault]:
    """The reasons of levels are templates that can be read, and name what there is."""
    known = _ABOUT | {f"readings.{metric}" for metric in metrics(data)}
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

"""What the rules of detection speak of, beside what every condition does."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.files import condition_config
from bot.files.condition_config import Asking
from bot.files.problem import Fault
from bot.files.tree import Data, each
from bot.model.nearest import nearest

_RULE = Asking(
    "a rule is asked without an incident or a run",
    frozenset({"incident", "steps", "inputs"}),
    "the rule would never fire",
)


def conditions(data: Data) -> Iterator[Fault]:
    """The conditions of rules name metrics that there are, and could hold."""
    yield from condition_config.faults(data, ("detection", None, "when"), _RULE)


def names(data: Data) -> Iterator[Fault]:
    """Each rule has a name of its own: by it an incident is found again."""
    seen: set[str] = set()
    for at, name in each(data, "detection", None, "name"):
        if isinstance(name, str) and name in seen:
            yield Fault(at=at, text="another rule has this name", expected="each name once")
        seen.add(str(name))


def runbooks(data: Data, known: Collection[str], folder: str) -> Iterator[Fault]:
    """The runbooks that rules name are there, whether they can be used or not."""
    for at, name in each(data, "detection", None, "runbook"):
        if isinstance(name, str) and name not in known:
            near = nearest(name, known)
            fix = "" if near else f"add it to {folder}"
            yield Fault(at=at, text="there is no runbook of this name", near=near, fix=fix)

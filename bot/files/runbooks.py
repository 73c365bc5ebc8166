"""``runbooks/*.yaml``: read, with their steps checked against each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.errors import ConfigError
from bot.files.document import Check, load
from bot.files.problem import Fault
from bot.files.tree import Data, each, shorten
from bot.model.nearest import listed, nearest
from bot.model.runbook import Runbook
from bot.model.step import ON_FAILURE

_LATER = ("collect", "probe", "analyze", "action", "notify", "wait_for", "advise", "postmortem")


def load_runbooks(folder: Path) -> dict[str, Runbook]:
    """Every runbook of a folder by its id; a folder that isn't there holds none.

    Raises ``ConfigError`` with the problems of all files.
    """
    runbooks: dict[str, Runbook] = {}
    problems: list[object] = []
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            runbook = load(path, Runbook, None, _called(path.stem), _step_ids, _ways_on, _kinds)
        except ConfigError as error:
            problems += error.problems
        else:
            runbooks[runbook.id] = runbook
    if problems:
        raise ConfigError(tuple(problems))
    return runbooks


def _called(stem: str) -> Check:
    """A runbook is found by its file's name, so the two must agree."""

    def check(data: Data) -> Iterator[Fault]:
        for loc, name in each(data, "id"):
            if isinstance(name, str) and name != stem:
                text = f"got text '{shorten(name)}'"
                yield Fault(at=loc, text=text, expected=f"the file's name, {shorten(stem)}")

    return check


def _step_ids(data: Data) -> Iterator[Fault]:
    seen: set[str] = set()
    for loc, name in each(data, "steps", None, "id"):
        if isinstance(name, str) and name in seen:
            yield Fault(at=loc, text=f"an earlier step has the id '{shorten(name)}' too")
        if isinstance(name, str):
            seen.add(name)


def _ways_on(data: Data) -> Iterator[Fault]:
    order = {loc[1]: name for loc, name in each(data, "steps", None, "id")}
    for loc, way in each(data, "steps", None, "on_failure"):
        later = [
            name
            for number, name in order.items()
            if isinstance(name, str) and isinstance(number, int) and number > _number(loc[1])
        ]
        yield from _way(loc, way, (*ON_FAILURE, *later), "or a later step's id")
    for loc, way in each(data, "defaults", "on_failure"):
        yield from _way(loc, way, ON_FAILURE, "")


def _way(
    loc: tuple[str | int, ...], way: Data, known: tuple[str, ...], also: str
) -> Iterator[Fault]:
    if isinstance(way, str) and way not in known:
        expected = f"{', '.join(ON_FAILURE)} {also}" if also else listed(ON_FAILURE)
        text = f"got text '{shorten(way)}'"
        yield Fault(at=loc, text=text, expected=expected, near=nearest(way, known))


def _number(step: str | int) -> int:
    return step if isinstance(step, int) else -1


def _kinds(data: Data) -> Iterator[Fault]:
    for loc, kind in each(data, "steps", None, "kind"):
        if kind in _LATER:
            text = f"steps of the kind {kind} are not offered by this version"
            yield Fault(at=loc, text=text, expected="check or checklist")

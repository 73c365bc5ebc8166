"""``config.yaml``: read, its names checked against each other, and what is allowed but unwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import jmespath
from jmespath.exceptions import JMESPathError

from bot.files.document import load, load_text
from bot.files.problem import Fault, Loc, nearest
from bot.files.tree import Data, each, shorten
from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.units import METRIC_UNITS

_EXPRESSION_LIMIT = 200
"""Characters of a JMESPath expression: its parser recurses."""


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the file; raises ``ConfigError`` with every problem, in file order."""
    return load(path, Config, environ, *CHECKS)


def load_config_text(text: str, name: str, environ: Mapping[str, str]) -> Config:
    """As ``load_config``, for a text that is not in a file yet."""
    return load_text(text, name, Config, environ, *CHECKS)


def _policies(data: Data) -> Iterator[Fault]:
    known = _keys(data, "escalation", "policies")
    used = (*each(data, "escalation", "default"), *each(data, "escalation", "by_severity", None))
    yield from _undefined(used, known, "policy", "add it below escalation.policies")


def _groups(data: Data) -> Iterator[Fault]:
    known = _keys(data, "groups")
    levels = each(data, "escalation", "policies", None, "levels", None, "notify", None)
    used = (
        (loc, text.removeprefix("group:"))
        for loc, text in (*levels, *each(data, "escalation", "last_resort", None))
        if isinstance(text, str) and text.startswith("group:") and text != "group:"
    )
    yield from _undefined(used, known, "group", "add it below groups")


def _metrics(data: Data) -> Iterator[Fault]:
    for table in ("baselines", "critical"):
        for loc, _ in each(data, table, None):
            name = str(loc[-1])
            if name not in METRIC_UNITS:
                yield Fault(
                    at=loc,
                    text=f"no metric is called '{shorten(name)}'",
                    near=nearest(name, METRIC_UNITS),
                    on_key=True,
                )


def _targets(data: Data) -> Iterator[Fault]:
    for loc, _ in each(data, "targets", None):
        if loc[-1] in set(Severity):
            text = f"a target can't be called {loc[-1]}: in a declare that word is a severity"
            yield Fault(at=loc, text=text, on_key=True)
    for loc, expression in each(data, "targets", None, "health", "status"):
        if isinstance(expression, str) and not _is_jmespath(expression):
            expected = "a path into the JSON answer such as status or data.status"
            yield Fault(at=loc, text="not a JMESPath expression", expected=expected)


CHECKS = (_policies, _groups, _metrics, _targets)


def _is_jmespath(expression: str) -> bool:
    if len(expression) > _EXPRESSION_LIMIT:
        return False
    try:
        jmespath.compile(expression)
    except JMESPathError:
        return False
    return True


def _keys(data: Data, *path: str) -> tuple[str, ...]:
    return tuple(str(loc[-1]) for loc, _ in each(data, *path, None))


def _undefined(
    used: Iterable[tuple[Loc, Data]], known: tuple[str, ...], noun: str, fix: str
) -> Iterator[Fault]:
    for loc, name in used:
        if isinstance(name, str) and name not in known:
            near = nearest(name, known)
            yield Fault(
                at=loc,
                text=f"there is no {noun} of this name",
                near=near,
                fix="" if near else fix,
            )

"""``config.yaml``: read, its names checked against each other, and what is allowed but unwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from bot.files import (
    detection_config,
    intake_config,
    maintenance_config,
    policy_config,
    promql_config,
)
from bot.files.document import load, load_text
from bot.files.expression import is_jmespath, no_jmespath
from bot.files.problem import Fault, Loc
from bot.files.runbooks import names_in
from bot.files.tree import Data, each, shorten
from bot.model.auth import HmacKey
from bot.model.config import Config, Role
from bot.model.incident import Severity
from bot.model.nearest import listed, nearest
from bot.model.units import METRIC_UNITS
from bot.model.way import SLACK

_AGES = {
    "text": (
        "nothing says how old a line of text is",
        "add at: with the name of the line that holds the time",
    ),
    "promql": (
        "a query's answer has the time of the query",
        "add at: with the time of the sample, such as timestamp(up)",
    ),
}
"""Formats whose values have no time beside them: what is wrong then, and what to do."""

_JSON_PATH = "a path into the JSON answer such as"


def load_config(path: Path, environ: Mapping[str, str], runbooks: Path | None = None) -> Config:
    """Read and check the file; raises ``ConfigError`` with every problem, in file order.

    ``runbooks``: the folder in which those that it names must be.
    """
    if runbooks is None:
        return load(path, Config, environ, *CHECKS)
    known, folder = names_in(runbooks), str(runbooks)

    def named(data: Data) -> Iterator[Fault]:
        yield from detection_config.runbooks(data, known, folder)
        yield from intake_config.runbooks(data, known, folder)

    return load(path, Config, environ, *CHECKS, named)


def load_config_text(text: str, name: str, environ: Mapping[str, str]) -> Config:
    """As ``load_config``, for a text that is not in a file yet."""
    return load_text(text, name, Config, environ, *CHECKS)


def _policies(data: Data) -> Iterator[Fault]:
    known = _keys(data, "escalation", "policies")
    used = (
        *each(data, "escalation", "default"),
        *each(data, "escalation", "by_severity", None),
        *each(data, "detection", None, "policy"),
    )
    yield from _undefined(used, known, "policy", "add it below escalation.policies")


def _destinations(data: Data) -> Iterator[Fault]:
    """The groups, schedules and roles that are to be told something."""
    levels = each(data, "escalation", "policies", None, "levels", None, "notify", None)
    used = (*levels, *each(data, "escalation", "last_resort", None))
    tables = {
        "group": (_keys(data, "groups"), "group", "add it below groups"),
        "oncall": (_keys(data, "oncall"), "schedule", "add it below oncall"),
        "role": (get_args(Role), "role", f"there are: {listed(get_args(Role))}"),
    }
    for kind, (known, noun, fix) in tables.items():
        named = (
            (loc, text.removeprefix(f"{kind}:"))
            for loc, text in used
            if isinstance(text, str) and text.startswith(f"{kind}:") and text != f"{kind}:"
        )
        yield from _undefined(named, known, noun, fix)


def _bounds(data: Data) -> Iterator[Fault]:
    given = {
        str(loc[-1]) for loc, _ in each(data, "targets", None, "metrics", None, "values", None)
    }
    known = given | METRIC_UNITS.keys()
    for table in ("baselines", "critical"):
        for loc, _ in each(data, table, None):
            name = str(loc[-1])
            if name not in known:
                near = nearest(name, known)
                fix = "" if near else "or name it in the values of a target's metrics"
                text = f"no metric is called '{shorten(name)}'"
                yield Fault(at=loc, text=text, near=near, fix=fix, on_key=True)


def _targets(data: Data) -> Iterator[Fault]:
    for loc, _ in each(data, "targets", None):
        if loc[-1] in set(Severity):
            text = f"a target can't be called {loc[-1]}: in a declare that word is a severity"
            yield Fault(at=loc, text=text, on_key=True)
    for loc, expression in each(data, "targets", None, "health", "status"):
        if isinstance(expression, str) and not is_jmespath(expression):
            yield no_jmespath(loc, f"{_JSON_PATH} status or data.status")


def _watched(data: Data) -> Iterator[Fault]:
    used = each(data, "detection", None, "targets", None)
    yield from _undefined(used, _keys(data, "targets"), "target", "add it below targets")


def _actions(data: Data) -> Iterator[Fault]:
    for loc, actions in each(data, "targets", None, "actions"):
        known = _keys(actions)
        for at, undo in each(actions, None, "undo"):
            where = (*loc, *at)
            if undo == at[0]:
                fix = "name another action, or leave undo out"
                yield Fault(at=where, text="an action can't undo itself", fix=fix)
                continue
            others = tuple(name for name in known if name != at[0])
            yield from _undefined(
                [(where, undo)], others, "action", f"add it below {loc[1]}'s actions"
            )


def _signed_twice(data: Data) -> Iterator[Fault]:
    """A header of an action may not stand where the target's ``auth`` is sent."""
    for loc, target in each(data, "targets", None):
        taken = _signed_with(target)
        for at, _ in each(target, "actions", None, "headers", None):
            if str(at[-1]).lower() == taken:
                text = f"the target's auth sends {shorten(str(at[-1]))} already"
                fix = "remove it here, or auth: of the target"
                yield Fault(at=(*loc, *at), text=text, fix=fix, on_key=True)


def _signed_with(target: Data) -> str | None:
    """The header that the target's ``auth`` sends, in lower case."""
    if any(True for _ in each(target, "auth", "bearer")):
        return "authorization"
    for _, key in each(target, "auth", "hmac_sha256"):
        header = key.get("header") if isinstance(key, dict) else None
        return str(header or HmacKey.model_fields["header"].default).lower()
    return None


def _relays(data: Data) -> Iterator[Fault]:
    for loc, target in each(data, "targets", None):
        if isinstance(target, dict) and "agent" not in target:
            path = tuple(map(str, loc))
            used = (
                *each(data, *path, "health", "relay"),
                *each(data, *path, "metrics", None, "relay"),
            )
            for at, _ in used:
                text = "a relay is a service of the target's agent, and it has none"
                rest = "remove it" if at[2] == "health" else "give a url"
                fix = f"add agent: to the target, or {rest}"
                yield Fault(at=at, text=text, fix=fix)


def _sources(data: Data) -> Iterator[Fault]:
    for loc, source in each(data, "targets", None, "metrics", None):
        kind = source.get("format", "json") if isinstance(source, dict) else None
        for at, value in each(source, "values", None):
            yield from _value((*loc, *at), value, kind)


def _value(loc: Loc, value: Data, kind: Data) -> Iterator[Fault]:
    """What a value's keys mean in its source's format."""
    keys = value if isinstance(value, dict) else {}
    places = [(loc, value), *(((*loc, key), keys.get(key)) for key in ("path", "at"))]
    for at, place in places:
        if kind == "json" and isinstance(place, str) and not is_jmespath(place):
            yield no_jmespath(at, f"{_JSON_PATH} overall_score or data.uptime_sec")
    if "labels" in keys and kind == "promql":
        text = "labels are part of the expression in promql"
        fix = 'write them there, such as up{job="api"}'
        yield Fault(at=(*loc, "labels"), text=text, fix=fix, on_key=True)
    elif "labels" in keys and kind != "prometheus":
        text = f"lines have labels in the prometheus format, this source is {kind}"
        yield Fault(at=(*loc, "labels"), text=text, on_key=True)
    if "max_age" in keys and "at" not in keys and kind in _AGES:
        text, fix = _AGES[str(kind)]
        yield Fault(at=(*loc, "max_age"), text=text, fix=fix, on_key=True)


def _ways(data: Data) -> Iterator[Fault]:
    for loc, kind in each(data, "ways", None, "kind"):
        if loc[1] == SLACK:
            yield Fault(
                at=loc[:2], text="slack is built in; give this way another name", on_key=True
            )
        if kind == "email" and find_spec("aiosmtplib") is None:
            fix = "pip install 'iora-bot[email]'"
            yield Fault(at=loc, text="the extra email is not installed", fix=fix)


def _people(data: Data) -> Iterator[Fault]:
    """The ways of people: there, each once, and with the address that mail needs."""
    kinds = {str(loc[1]): kind for loc, kind in each(data, "ways", None, "kind")}
    known = (SLACK, *_keys(data, "ways"))
    for loc, person in each(data, "people", None):
        used = [((*loc, *at), name) for at, name in each(person, "ways", None)]
        yield from _undefined(used, known, "way", "add it below ways")
        for number, (at, name) in enumerate(used):
            if any(name == other for _, other in used[:number]):
                yield Fault(at=at, text="named twice", expected="each way once")
            elif kinds.get(str(name)) == "email" and not any(True for _ in each(person, "email")):
                text = f"no address of {loc[1]} is known"
                yield Fault(at=at, text=text, fix="add email: beside ways")


def _pagerduty_users(data: Data) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for loc, user in each(data, "people", None, "pagerduty"):
        if isinstance(user, str) and user in seen:
            yield Fault(at=loc, text=f"the PagerDuty user of {seen[user]} already")
        seen.setdefault(str(user), str(loc[1]))


CHECKS = (
    _policies,
    _destinations,
    _bounds,
    _targets,
    _actions,
    _signed_twice,
    _relays,
    _sources,
    promql_config.labels,
    _ways,
    _people,
    _pagerduty_users,
    _watched,
    policy_config.conditions,
    policy_config.reasons,
    detection_config.conditions,
    detection_config.names,
    *intake_config.CHECKS,
    maintenance_config.windows,
)


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

"""What a runbook names of the config: targets, destinations and metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from bot.files.draft import Draft
from bot.files.problem import Fault, Loc
from bot.files.tree import each, shorten
from bot.model.config import Config, Role
from bot.model.nearest import listed, nearest
from bot.model.units import METRIC_UNITS

_ASIDE = frozenset({"incident", "inputs", "time", "verdict"})


def metrics_of(config: Config) -> frozenset[str]:
    """Every metric that can be read: the known ones, and those that the config names."""
    sources = (source for target in config.targets.values() for source in target.metrics)
    return frozenset(METRIC_UNITS).union(*(source.values for source in sources))


def targets(draft: Draft, config: Config) -> Iterator[Fault]:
    """A target that is named, in a step or as the default of an input."""
    for step in draft.steps:
        for at, name in each(step.data, "target"):
            if isinstance(name, str) and not name.startswith("inputs."):
                yield from _target(step.at(*at), name, config)
    for name, one in draft.inputs.items():
        default = one.get("default")
        if one.get("type") == "target" and isinstance(default, str):
            yield from _target(("inputs", name, "default"), default, config)


def _target(at: Loc, name: str, config: Config) -> Iterator[Fault]:
    if name not in config.targets:
        near = nearest(name, config.targets)
        fix = "" if near else "add it below targets in the config"
        yield Fault(at=at, text="there is no target of this name", near=near, fix=fix)


def destinations(draft: Draft, config: Config) -> Iterator[Fault]:
    """The groups, schedules and roles that a message goes to."""
    tables: dict[str, tuple[Collection[str], str, str]] = {
        "group": (config.groups, "group", "add it below groups in the config"),
        "oncall": (config.oncall, "schedule", "add it below oncall in the config"),
        "role": (get_args(Role), "role", f"there are: {listed(get_args(Role))}"),
    }
    for step in draft.steps:
        for at, text in each(step.data, "to", None):
            kind, _, name = text.partition(":") if isinstance(text, str) else ("", "", "")
            known, noun, fix = tables.get(kind, ((), "", ""))
            if noun and name and name not in known:
                near = nearest(name, known)
                what = f"there is no {noun} of this name"
                yield Fault(at=step.at(*at), text=what, near=near, fix="" if near else fix)


def metrics(draft: Draft, known: frozenset[str]) -> Iterator[Fault]:
    """The metrics of conditions and bounds."""
    for asked in draft.conditions:
        for mention in asked.condition.names:
            metric, start = _metric(mention.name)
            if metric and metric not in known:
                yield _no_metric(asked.at, metric, known, inside=mention.start + start)
    for step in draft.steps:
        for at, _ in each(step.data, "bounds", None):
            if (name := str(at[-1])) not in known:
                yield _no_metric(step.at(*at), name, known, on_key=True)


def _metric(name: str) -> tuple[str, int]:
    """The metric that a name of a condition speaks of, if any, and where in it that stands."""
    first, *rest = name.split(".")
    if first == "steps":
        metric = rest[1]
        return ("", 0) if metric in {"state", "verdict"} else (metric, len(name) - len(metric))
    return ("", 0) if first in _ASIDE else (first, 0)


def _no_metric(
    at: Loc, name: str, known: frozenset[str], *, inside: int | None = None, on_key: bool = False
) -> Fault:
    near = nearest(name, known)
    fix = "" if near else "name it in the values of a target's metrics"
    text = f"no metric is called '{shorten(name)}'"
    return Fault(at=at, text=text, near=near, fix=fix, on_key=on_key, inside=inside)


def check(draft: Draft, config: Config) -> Iterator[Fault]:
    """All of it."""
    yield from targets(draft, config)
    yield from destinations(draft, config)
    yield from metrics(draft, metrics_of(config))

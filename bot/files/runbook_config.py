"""What a runbook names of the config: targets, groups and metrics."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files.draft import Draft
from bot.files.problem import Fault, Loc
from bot.files.tree import each, shorten
from bot.model.config import Config
from bot.model.nearest import nearest
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


def groups(draft: Draft, config: Config) -> Iterator[Fault]:
    """The groups that a message goes to."""
    for step in draft.steps:
        for at, text in each(step.data, "to", None):
            kind, _, name = text.partition(":") if isinstance(text, str) else ("", "", "")
            if kind == "group" and name and name not in config.groups:
                near = nearest(name, config.groups)
                fix = "" if near else "add it below groups in the config"
                at_it = step.at(*at)
                yield Fault(at=at_it, text="there is no group of this name", near=near, fix=fix)


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
    yield from groups(draft, config)
    yield from metrics(draft, metrics_of(config))

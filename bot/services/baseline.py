"""The healthy window of a target: learned when somebody says so, and shown beside the bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.model.answer import Answer, Refusal
from bot.model.command import LearnBaseline
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.nearest import nearest
from bot.model.regression import HOUR_MS, Change, Learned, LearnedWindow
from bot.model.units import format_duration, unit_of
from bot.rules import access, learned, regression
from bot.services.incidents import Asked
from bot.services.regression import KIND, changes
from bot.store import incidents, timers
from bot.store import learned as windows
from bot.store.database import Database, Tx
from bot.store.samples import metrics
from bot.store.sketches import hour_of, hours
from bot.text import outside

DEFAULT_MS = 24 * HOUR_MS
LONGEST_MS = 31 * 24 * HOUR_MS
_NAMED = 5  # incidents that a refusal names


@dataclass(frozen=True)
class _Wanted:
    """A window that may be learned: whole hours, and the metrics that there are."""

    target: str
    first: int
    last: int
    metrics: tuple[str, ...]


async def learn(
    database: Database, config: Config, command: LearnBaseline, asked: Asked
) -> Answer | Refusal:
    """Keep the hours of a window as what is usual from now on; what was learned before stays kept.

    It is read a metric at a time, so that nobody's commit waits for a month of hours.
    """
    wanted = await database.read(_wanted, config, command, asked)
    if isinstance(wanted, Refusal):
        return wanted
    found: dict[str, Learned] = {}
    full = 0
    for metric in wanted.metrics:
        hours, usual = await database.read(_figures, config, wanted, metric)
        full = max(full, hours)
        if usual is not None:
            found[metric] = usual
    if not found:
        return _too_little(full, wanted, config, f"at least {learned.LEAST_HOURS} are needed")
    if full * 2 * HOUR_MS < wanted.last - wanted.first and not command.anyway:
        return _too_little(full, wanted, config, "that is less than half of it", anyway=True)
    return await database.write(_keep, wanted, found, asked)


def beside(tx: Tx, config: Config, health: Facts) -> Facts:
    """A target's health with what was learned of it, and how the last hours compare."""
    target = health["target"]
    window = windows.newest(tx, target)
    said = changes(tx, config, target, window)
    flat = [
        {**asdict(one), "unit": unit_of(one.metric), "told": isinstance(one, Change)}
        for some in said.values()
        for one in some
    ]
    known = None if window is None else _facts(tx, window)
    beside = {"learned": known, "compared": flat, "window": config.regression.window}
    return {**health, **beside}


def _facts(tx: Tx, window: LearnedWindow) -> dict[str, Any]:
    return {
        "target": window.target,
        "first": window.first,
        "last": window.last,
        "learned_by": window.learned_by,
        "learned_at": window.learned_at,
        "timezone": next(iter(window.metrics.values())).timezone,
        "metrics": [_usual(metric, one) for metric, one in sorted(window.metrics.items())],
        "earlier": windows.count(tx, window.target) - 1,
    }


def _usual(metric: str, one: Learned) -> dict[str, Any]:
    """A metric as it was learned: how many hours of the day, and between which means and P95s."""
    means = [hour.mean for hour in one.hours.values()]
    p95s = [hour.p95 for hour in one.hours.values()]
    return {
        "metric": metric,
        "unit": unit_of(metric),
        "hours": len(one.hours),
        "samples": sum(hour.count for hour in one.hours.values()),
        "mean": [min(means), max(means)],
        "p95": [min(p95s), max(p95s)],
    }


def _wanted(tx: Tx, config: Config, command: LearnBaseline, asked: Asked) -> _Wanted | Refusal:
    refused = _refused(config, command, asked)
    if refused is not None:
        return refused
    first, last = _window(command, tx.now)
    unwise = None if command.anyway else _incident(tx, command.target, first, last)
    wrong = _wrong(first, last, tx.now) or unwise
    if wrong is not None:
        return wrong
    known = (one for one in metrics(tx, command.target) if regression.worse_when(one, config))
    return _Wanted(command.target, first, last, tuple(known))


def _refused(config: Config, command: LearnBaseline, asked: Asked) -> Refusal | None:
    if command.target not in config.targets:
        near = nearest(command.target, config.targets)
        hint = f"Did you mean `{near}`?" if near else f"There are: {', '.join(config.targets)}."
        return Refusal(f"There is no target `{outside(command.target, 40)}`.", hint)
    return access.refuse_without_role(config, asked.actor, "say what is usual")


def _window(command: LearnBaseline, now: int) -> tuple[int, int]:
    """Whole hours: the last ones, or those within the times that were named."""
    if command.first is not None and command.last is not None:
        return -(-command.first // HOUR_MS) * HOUR_MS, hour_of(command.last)
    last = hour_of(now)
    return hour_of(last - (command.length or DEFAULT_MS)), last


def _wrong(first: int, last: int, now: int) -> Refusal | None:
    if last > now:
        return Refusal("The window isn't over yet.", "Name one that is.")
    if last - first < learned.LEAST_HOURS * HOUR_MS:
        least = f"{learned.LEAST_HOURS} h"
        return Refusal(f"A window has at least {least}, whole hours.", "24h, or better 7d.")
    if last - first > LONGEST_MS:
        return Refusal("A window has at most 31 days.", "Name a shorter one.")
    return None


def _incident(tx: Tx, target: str, first: int, last: int) -> Refusal | None:
    found = incidents.on_target(tx, target, first, last)
    if not found:
        return None
    named = ", ".join(one.key for one in found[:_NAMED])
    more = len(found) - _NAMED
    said = f"{named} and {more} more were" if more > 0 else f"{named} was"
    said = f"{named} were" if 1 < len(found) <= _NAMED else said
    reason = f"{said} open on {target} in that window, so it was not healthy all the time."
    return Refusal(reason, "Name another window, or add `anyway`.")


def _figures(tx: Tx, config: Config, wanted: _Wanted, metric: str) -> tuple[int, Learned | None]:
    """How many hours of a metric have enough samples, and what is learned of them."""
    settings = config.regression
    found = hours(tx, wanted.target, metric, wanted.first, wanted.last - 1)
    read = {one.at: one.sketch for one in found}
    full = sum(one.count >= settings.min_samples for one in read.values())
    return full, learned.learn(metric, read, settings)


def _keep(tx: Tx, wanted: _Wanted, found: Mapping[str, Learned], asked: Asked) -> Answer:
    made = windows.add(tx, wanted.target, wanted.first, wanted.last, found, asked.actor.text)
    timers.move(tx, KIND, wanted.target, tx.now)  # what was worse than before may be usual now
    return Answer(kind="learned", facts=_facts(tx, made))


def _too_little(
    full: int, wanted: _Wanted, config: Config, why: str, *, anyway: bool = False
) -> Refusal:
    of = format_duration(wanted.last - wanted.first)
    samples = config.regression.min_samples
    reason = f"Of those {of} only {full} h have {samples} samples or more: {why}."
    fix = "Name another window, or add `anyway`." if anyway else "Name a window with more data."
    return Refusal(reason, fix)

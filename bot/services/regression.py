"""What is worse than it was: looked for again and again, told once, told anew as it moves, and closed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.model.actor import BOT
from bot.model.book import Books
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.regression import HOUR_MS, Change, LearnedWindow, Regression, Untold
from bot.model.timer import Timer
from bot.model.units import format_duration, unit_of
from bot.rules import learned, regression
from bot.rules import sketch as sketches
from bot.services.silences import muting, note_muted
from bot.store import incidents, outbox, regressions, timers
from bot.store import learned as windows
from bot.store.database import Tx
from bot.store.samples import metrics
from bot.store.sketches import SETTLED_MS, hour_of, hours

KIND = "regression"
EVERY_MS = 300_000
MOVED = 0.05
"""The message is drawn again when a degradation is so much more or less than the one that it shows."""
RUNBOOK = "performance-regression"
Said = Mapping[str, Sequence[Change | Untold]]
"""What each way of telling says of each metric."""


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload: a look for each target; of one that is gone nothing stays open.

    One that is planned later than that was planned by a clock that was ahead.
    """
    for name in set(timers.armed(tx, KIND)) - set(config.targets):
        timers.remove(tx, KIND, name)
    for name in config.targets:
        planned = timers.due_of(tx, KIND, name)
        if planned is None or planned > tx.now + EVERY_MS:
            timers.arm(tx, KIND, name, tx.now + round(random.random() * EVERY_MS))  # noqa: S311
    for one in regressions.live(tx):
        if one.target not in config.targets:
            _close(tx, one, "the target is not watched any more")


def work(tx: Tx, timer: Timer, config: Config, books: Books) -> None:
    """Look at a target, and come back."""
    if timers.fire(tx, timer) and timer.subject in config.targets:
        timers.arm(tx, KIND, timer.subject, tx.now + EVERY_MS)
        look(tx, config, books, timer.subject)


def look(tx: Tx, config: Config, books: Books, target: str) -> None:
    """Open what shows, revise what lasts, close what is gone."""
    window = windows.newest(tx, target)
    said = changes(tx, config, target, window)
    known = {one.metric: one for one in regressions.live(tx, target)}
    for metric in dict.fromkeys((*known, *said)):
        before = known.get(metric)
        lasting = _lasting(said.get(metric, ()), before, window)
        if before is None and lasting:
            _open(tx, config, books, target, metric, lasting, window)
        elif before is not None and not lasting:
            _close(tx, before, _why(said.get(metric), before, window))
        elif before is not None and _unread(tx, config, before, said[metric]):
            span = format_duration(config.regression.window)
            _close(tx, before, f"nothing was read of it for {span}, so nobody can tell any more")
        elif before is not None:
            _go_on(tx, config, before, lasting, window)


def changes(tx: Tx, config: Config, target: str, window: LearnedWindow | None) -> Said:
    """What the guide's formula says of each bound, and the learned window of each of its metrics."""
    newest = hour_of(tx.now - SETTLED_MS) - HOUR_MS
    since = round((tx.now - config.regression.window) / HOUR_MS) * HOUR_MS
    oldest = min(since, newest - (learned.LOOKS_BACK - 1) * HOUR_MS)
    found: dict[str, list[Change | Untold]] = {}
    for metric in metrics(tx, target):
        bound = config.baselines.get(metric)
        usual = window.metrics.get(metric) if window is not None else None
        worse = regression.worse_when(metric, config)
        if worse is None or (bound is None and usual is None):
            continue
        read = {one.at: one.sketch for one in hours(tx, target, metric, oldest, tx.now)}
        some = found.setdefault(metric, [])
        if usual is not None:
            some.append(learned.compare(metric, usual, read, newest, worse, config.regression))
        if bound is not None:
            whole = sketches.merged(one for at, one in read.items() if at >= since)
            some.append(regression.by_the_guide(metric, whole, bound, config.regression))
    return found


def _lasting(
    said: Sequence[Change | Untold], before: Regression | None, window: LearnedWindow | None
) -> list[Facts]:
    """The ways that tell of it now, or told of it and don't say yet that it is gone; as facts."""
    told = {one["method"]: one for one in before.facts["changes"]} if before else {}
    if before is not None and _learned_anew(before, window):
        told.pop("learned", None)
    lasting: list[Facts] = []
    for one in said:
        shown = told.get(one.method)
        if isinstance(one, Change) and (one.shows or (shown is not None and not one.gone)):
            lasting.append(asdict(one))
        elif isinstance(one, Untold) and shown is not None:
            lasting.append(shown)  # nothing is known now, so it is not gone
    return lasting


def _unread(tx: Tx, config: Config, before: Regression, said: Sequence[Change | Untold]) -> bool:
    """Whether nothing can be told of it, and will not be: perhaps nobody measures it any more."""
    if any(isinstance(one, Change) for one in said):
        return False
    since = tx.now - config.regression.window
    return not hours(tx, before.target, before.metric, since, tx.now)


def _learned_anew(before: Regression, window: LearnedWindow | None) -> bool:
    known: int | None = before.facts["learned"]
    return known != (window.id if window is not None else None)


def _open(
    tx: Tx,
    config: Config,
    books: Books,
    target: str,
    metric: str,
    lasting: Sequence[Facts],
    window: LearnedWindow | None,
) -> None:
    facts = {
        "target": target,
        "metric": metric,
        "unit": unit_of(metric),
        "window": config.regression.window,
        "began": tx.now,
        "runbook": RUNBOOK if RUNBOOK in books else None,
        **_facts(tx, metric, lasting, window),
    }
    found = regressions.add(tx, target, metric, _method(lasting), facts)
    _tell(tx, config, found)
    _note(tx, found.facts, "began")


def _go_on(
    tx: Tx,
    config: Config,
    before: Regression,
    lasting: Sequence[Facts],
    window: LearnedWindow | None,
) -> None:
    if _moved(before, lasting) or _learned_anew(before, window):
        facts = {**before.facts, **_facts(tx, before.metric, lasting, window)}
        regressions.revise(tx, before.id, _method(lasting), facts)
        _redraw(tx, before, facts)
    if before.announced_at is None:
        again = next(one for one in regressions.live(tx, before.target) if one.id == before.id)
        _tell(tx, config, again)


def _moved(before: Regression, lasting: Sequence[Facts]) -> bool:
    """Whether another way speaks, or the figures are noticeably others."""
    shown = {one["method"]: one["degradation"] for one in before.facts["changes"]}
    now = {one["method"]: one["degradation"] for one in lasting}
    return shown.keys() != now.keys() or any(
        abs(now[method] - shown[method]) >= MOVED for method in now
    )


def _close(tx: Tx, before: Regression, why: str) -> None:
    facts = {**before.facts, "at": tx.now, "closed": {"at": tx.now, "why": why}}
    regressions.close(tx, before.id, facts)
    _redraw(tx, before, facts)
    _note(tx, facts, "over")


def _why(
    said: Sequence[Change | Untold] | None, before: Regression, window: LearnedWindow | None
) -> str:
    if before.method != "guide" and _learned_anew(before, window):
        return "a new baseline was learned"
    return "" if said else "it is not held against anything any more"


def _tell(tx: Tx, config: Config, found: Regression) -> None:
    """Once, in the channel; what is silenced is told when the silence is over, if it lasts."""
    muted = muting(tx, config, (found.target,), tx.now)
    if muted is not None:
        note_muted(tx, muted, f"regression of {found.metric}", found.target)
        return
    outbox.add(tx, _key(found), KIND, f"channel:{config.slack.channel}", found.facts)
    regressions.announced(tx, found.id)


def _redraw(tx: Tx, found: Regression, facts: Facts) -> None:
    message = outbox.by_key(tx, _key(found))
    if message is not None:
        outbox.set_facts(tx, message.id, facts)


def _key(found: Regression) -> str:
    return f"regression:{found.id}"


def _note(tx: Tx, facts: Facts, what: str) -> None:
    """On the timeline of the newest incident that is open on the target."""
    incident = incidents.newest_live_of(tx, facts["target"])
    if incident is not None:
        known = ("target", "metric", "unit", "changes", "severity")
        entry: dict[str, Any] = {"what": what, **{name: facts[name] for name in known}}
        incidents.add_entry(tx, incident, BOT, KIND, entry)


def _facts(
    tx: Tx, metric: str, lasting: Sequence[Facts], window: LearnedWindow | None
) -> dict[str, Any]:
    """What the message shows of it now; the ways in the order in which they say it most."""
    ordered = sorted(lasting, key=lambda one: -one["degradation"])
    worst = ordered[0]["degradation"]
    return {
        "at": tx.now,
        "changes": ordered,
        "severity": regression.severity(worst),
        "do": list(regression.recommendations(metric, worst)),
        "learned": window.id if window is not None else None,
        "learned_at": window.learned_at if window is not None else None,
        "learned_by": window.learned_by if window is not None else None,
    }


def _method(lasting: Sequence[Facts]) -> str:
    methods = {one["method"] for one in lasting}
    return "both" if len(methods) > 1 else methods.pop()

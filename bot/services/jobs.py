"""Jobs that must report: each has a timer, and one that stays away is an alert as any other.

The watch begins when the config names the job, so that one that never reports at all is found too.
"""

from __future__ import annotations

from dataclasses import replace

from bot.model.alert import HEARTBEATS, Alert
from bot.model.config import Config
from bot.model.intake import Job
from bot.model.timer import Timer
from bot.rules import job as rules
from bot.rules.job import Awaited
from bot.services import intake
from bot.store import alerts, jobs, timers
from bot.store.database import Tx

KIND, ALIVE = "job", "alive"
ALIVE_EVERY_MS = 15_000


def report(tx: Tx, config: Config, name: str) -> None:
    """A job reported: it is awaited anew, and was it missed, that is over."""
    job, before = config.intake.heartbeats.get(name), jobs.get(tx, name)
    if job is None:  # a reload took it away while its report came in
        return
    known = Awaited(name, tx.now, tx.now)
    jobs.keep(tx, known)
    timers.arm(tx, KIND, name, rules.due_at(job, known))
    if before is not None and before.missed:
        intake.receive(tx, config, [_over(name, tx.now)])


def miss(tx: Tx, timer: Timer, config: Config) -> None:
    """It is time: if nothing came, that is an alert, which is repeated until something comes."""
    if not timers.fire(tx, timer):
        return
    job, known = config.intake.heartbeats.get(timer.subject), jobs.get(tx, timer.subject)
    if job is None or known is None:
        return
    due = rules.due_at(job, known)
    if due > tx.now:
        timers.arm(tx, KIND, known.name, due)
        return
    jobs.keep(tx, replace(known, missed=True))
    intake.receive(tx, config, [_missed(job, known, tx.now)])
    timers.arm(tx, KIND, known.name, tx.now + job.every)


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload: who is awaited, with what the bot's own absence means for them."""
    wanted = config.intake.heartbeats
    for name in {*timers.armed(tx, KIND), *(one.name for one in jobs.every(tx))} - wanted.keys():
        _forget(tx, name)
    gone = jobs.alive(tx)
    for name, job in wanted.items():
        known = rules.by_our_clock(job, jobs.get(tx, name) or Awaited(name, tx.now), tx.now)
        if gone is not None and tx.now - gone > ALIVE_EVERY_MS * 2 and not known.missed:
            known = rules.after_absence(job, known, gone, tx.now)
        jobs.keep(tx, known)
        planned = timers.due_of(tx, KIND, name)
        if not known.missed or planned is None or planned > tx.now + job.every:
            timers.arm(tx, KIND, name, max(rules.due_at(job, known), tx.now))
    jobs.live(tx)
    timers.arm(tx, ALIVE, "", tx.now + ALIVE_EVERY_MS)


def live_on(tx: Tx, timer: Timer) -> None:
    """Note that the bot is there, and forget old alerts meanwhile."""
    if timers.fire(tx, timer):
        jobs.live(tx)
        alerts.forget(tx, tx.now - alerts.KEPT_MS)
        for group_id in alerts.forget_silent(tx, tx.now - alerts.SILENT_MS):
            intake.look_soon(tx, group_id, tx.now)
        timers.arm(tx, ALIVE, "", tx.now + ALIVE_EVERY_MS)


def _forget(tx: Tx, name: str) -> None:
    """Nobody awaits it any more, so that nobody misses it either."""
    intake.drop(tx, HEARTBEATS, name)
    timers.remove(tx, KIND, name)
    jobs.forget(tx, name)


def _missed(job: Job, known: Awaited, now: int) -> Alert:
    return replace(
        _over(known.name, min(rules.due_at(job, known) - job.grace, now)),
        firing=True,
        severity=job.severity,
        target=job.target or "",
        summary=rules.words(job, known, now),
    )


def _over(name: str, since: int) -> Alert:
    label = {HEARTBEATS: name}
    return Alert(
        source=HEARTBEATS,
        fingerprint=name,
        title=f"{name} has not reported",
        firing=False,
        since=since,
        group=tuple(label.items()),
        labels=label,
    )

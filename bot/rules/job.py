"""When a job that must report is missed, and what the bot's own absence does to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.model.intake import Job
from bot.model.units import format_duration

SHORT_MS = 60_000
"""A restart: whoever can't report for so short a time tries again."""


@dataclass(frozen=True)
class Awaited:
    """What is known of a job. Times in milliseconds since the epoch.

    ``awaited_at``: from when ``every`` and ``grace`` count: its last report, or the time at which the
    config named it first. ``excused``: a report was given up for lost, as the bot was away.
    """

    name: str
    awaited_at: int
    heard_at: int | None = None
    excused: bool = False
    missed: bool = False


def due_at(job: Job, known: Awaited) -> int:
    """When it is missed, if nothing comes."""
    return known.awaited_at + job.every + job.grace


def by_our_clock(job: Job, known: Awaited, now: int) -> Awaited:
    """The same where the clock was ahead when it was noted: it is awaited from now on, not from then."""
    if known.awaited_at <= now + job.grace:
        return known
    return replace(known, awaited_at=now, heard_at=known.heard_at and min(known.heard_at, now))


def after_absence(job: Job, known: Awaited, gone: int, back: int) -> Awaited:
    """What is known after the bot was away from ``gone`` to ``back``.

    A report that was due just then may have come to a closed door: nobody knows, so it is awaited
    once more, at its next turn; only once in a row, so that a bot that is away every night hides
    nothing. What was not due then is not touched, but for the grace that follows the return.
    """
    due = due_at(job, known)
    may_have_come = gone < due and back > due - 2 * job.grace
    turns = 0
    if may_have_come and back - gone > SHORT_MS and not (known.excused or known.missed):
        turns = 1
    if job.every <= back - gone:  # it reports so often that it does so again right away
        turns = max(turns, (back - known.awaited_at) // job.every)
    awaited = known.awaited_at + turns * job.every
    earliest = back + job.grace - job.every - job.grace
    return replace(known, awaited_at=max(awaited, earliest), excused=known.excused or turns > 0)


def words(job: Job, known: Awaited, now: int) -> str:
    """Why it is missed, in a sentence's end."""
    last = (
        f"last heard {format_duration(now - known.heard_at)} ago"
        if known.heard_at is not None
        else "never heard so far"
    )
    away = (
        "; a report before that may have been lost while the bot was away" if known.excused else ""
    )
    return f"expected every {format_duration(job.every)}, {last}{away}"

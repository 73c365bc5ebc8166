"""What the intake has heard, source by source: for whoever asks whether it works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.alert import HEARTBEATS
from bot.model.config import Config
from bot.model.intake import AlertSource
from bot.model.units import format_duration
from bot.rules.alert import counted
from bot.rules.job import due_at
from bot.store import alerts, jobs
from bot.store.database import Tx


@dataclass(frozen=True)
class Heard:
    """``fix`` empty: nothing is to be done."""

    what: str
    fix: str = ""


def heard(tx: Tx, config: Config) -> list[Heard]:
    """A line a source, a line a job."""
    return [*_sources(tx, config), *_jobs(tx, config)]


def _sources(tx: Tx, config: Config) -> Iterator[Heard]:
    last, firing = alerts.heard(tx), alerts.firing_by_source(tx)
    for name, source in config.intake.sources.items():
        at = last.get(name)
        if at is None:
            fix = f"let it send something: see README, Config, and intake.sources.{name}"
            yield Heard(f"intake {name}: never heard", fix)
        else:
            ago = format_duration(tx.now - at)
            count = counted(firing.get(name, 0), 0)
            fires = f", {count}" if isinstance(source, AlertSource) else ""
            yield Heard(f"intake {name}: heard {ago} ago{fires}")


def _jobs(tx: Tx, config: Config) -> Iterator[Heard]:
    for name, job in config.intake.heartbeats.items():
        known = jobs.get(tx, name)
        if known is None:
            continue
        ago = (
            f"heard {format_duration(tx.now - known.heard_at)} ago"
            if known.heard_at
            else "never heard"
        )
        if known.missed:
            yield Heard(f"{HEARTBEATS} {name}: {ago}, missed", "see why the job does not report")
        else:
            left = format_duration(due_at(job, known) - tx.now)
            away = ", a report may have been lost while the bot was away" if known.excused else ""
            yield Heard(f"{HEARTBEATS} {name}: {ago}, missed in {left} if it stays away{away}")

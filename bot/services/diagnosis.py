"""Collects what is to be known of a target, and makes a diagnostic report of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.clock import Clock
from bot.collect import diagnostics
from bot.collect.diagnostics import Progress
from bot.http import Client
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.reading import Health
from bot.model.report import Collected, Part, Report, Snapshot, Wanted
from bot.rules import report, verdict
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store import incidents, reports
from bot.store.database import Database, Tx
from bot.text import redact, redacted

log = logging.getLogger(__name__)

WITHIN_MS = 15_000
_ODD = {
    "agent": Part(name="agent", data=None, error="its answers can't be understood: see the log")
}


class Diagnosis:
    """Measures a target and asks its agent at once; what is late or fails leaves the rest."""

    def __init__(
        self, database: Database, client: Client, monitoring: Monitoring, live: Live, clock: Clock
    ) -> None:
        self._database = database
        self._client = client
        self._monitoring = monitoring
        self._live = live
        self._clock = clock

    def new_id(self) -> str:
        """An id that no other report has: the second, and 48 random bits."""
        return f"diag_{self._clock.now() // 1000}_{secrets.token_hex(6)}"

    async def report(
        self, wanted: Wanted, *, within_ms: int = WITHIN_MS, progress: Progress | None = None
    ) -> Report:
        """The report of a target that the config names; there within the time in any case."""
        config = self._live.config
        collected = await self._collected(wanted.target, within_ms, progress or _silent)
        known = await self._database.read(_known, wanted)
        try:
            return await asyncio.to_thread(_assembled, wanted, collected, known, config)
        except (LookupError, TypeError, ValueError, AttributeError):
            log.exception("an agent's answers can't be understood: %s", wanted.target)
            without = replace(collected, parts=_ODD)
            return await asyncio.to_thread(_assembled, wanted, without, known, config)

    async def _collected(self, name: str, within_ms: int, progress: Progress) -> Collected:
        """The bot's own measurement is one part, beside those of the agent."""
        source = self._live.config.targets[name].agent
        count = _Count(progress)

        async def measure() -> Health:
            (health,) = await self._monitoring.refresh((name,), within_ms)
            await count.measured()
            return health

        health, parts = await asyncio.gather(
            measure(), diagnostics.diagnose(self._client, source, within_ms, count.of_agent)
        )
        return Collected(
            target=name, at=self._clock.now(), health=verdict.facts(health), parts=parts
        )


class _Count:
    """Adds the bot's own measurement to the parts that the agent gave."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._own, self._done, self._total = 0, 0, 0

    async def measured(self) -> None:
        """The bot has measured."""
        self._own = 1
        await self._tell()

    async def of_agent(self, done: int, total: int) -> None:
        """So many of so many of the agent's parts are there."""
        self._done, self._total = done, total
        await self._tell()

    async def _tell(self) -> None:
        await self._progress(self._own + self._done, 1 + self._total)


async def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def _known(tx: Tx, wanted: Wanted) -> tuple[Snapshot | None, Incident | None, Sequence[Incident]]:
    incident = incidents.get(tx, wanted.incident) if wanted.incident is not None else None
    return reports.snapshot(tx, wanted.target), incident, incidents.live(tx, report.RELATED_AMONG)


def _assembled(
    wanted: Wanted,
    collected: Collected,
    known: tuple[Snapshot | None, Incident | None, Sequence[Incident]],
    config: Config,
) -> Report:
    """Redacted first: nothing that is kept or shown was ever another text."""
    before, incident, live = known
    emails = config.reports.emails == "redact"
    clean = Collected(
        target=collected.target,
        at=collected.at,
        health=redacted(dict(collected.health), emails=emails),
        parts={
            name: replace(
                part,
                data=redacted(part.data, emails=emails),
                error=None if part.error is None else redact(part.error, emails=emails),
            )
            for name, part in collected.parts.items()
        },
    )
    said = replace(wanted, description=redact(wanted.description, emails=emails))
    emergency = report.emergency(incident, clean, live) if incident is not None else None
    return report.assemble(said, clean, before, config.baselines, emergency)

"""Keeps a target's readings each time it is healthy, to say later what changed since."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.incident import Facts
from bot.model.reading import Health, Verdict
from bot.model.report import Snapshot
from bot.rules import changes, verdict
from bot.store import reports
from bot.store.database import Database, Tx


class Healthy:
    """Asks the database only when a target's last snapshot is old enough."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, int] = {}

    async def keep(self, healths: Sequence[Health]) -> None:
        """Keep the readings of those that are healthy."""
        due = [health for health in healths if self._is_due(health)]
        if due:
            await self._database.write(_keep, due)
            self._kept |= {health.target: health.at for health in due}

    def _is_due(self, health: Health) -> bool:
        if health.verdict is not Verdict.HEALTHY:
            return False
        last = self._kept.get(health.target)
        return last is None or health.at - last >= reports.SNAPSHOT_EVERY_MS


def compared(tx: Tx, healths: Sequence[Health]) -> list[Facts]:
    """Each target's health as JSON; one that is not healthy with what changed since it was."""
    return [_compared(tx, health) for health in healths]


def _compared(tx: Tx, health: Health) -> Facts:
    facts = verdict.facts(health)
    if health.verdict is Verdict.HEALTHY:
        return facts
    known = {one.metric: one.value for one in health.readings if one.value is not None}
    return facts | {"changed": changes.facts(reports.snapshot(tx, health.target), known)}


def _keep(tx: Tx, healths: Sequence[Health]) -> None:
    for health in healths:
        known = {one.metric: one.value for one in health.readings if one.value is not None}
        reports.keep_snapshot(tx, Snapshot(target=health.target, at=health.at, values=known))

"""The readings of an incident's targets at its declaration, kept before anyone restarts anything."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.actor import BOT
from bot.model.incident import Facts
from bot.model.timer import Timer
from bot.services.incidents import add_reply
from bot.store import incidents, outbox, timers
from bot.store.database import Tx


def wanted(tx: Tx, incident_id: int) -> tuple[str, ...]:
    """The targets whose readings are evidence for the incident."""
    incident = incidents.get(tx, incident_id)
    return incident.targets if incident else ()


def keep(tx: Tx, timer: Timer, healths: Sequence[Facts]) -> None:
    """Put what was measured on the timeline, the card and into the thread, once."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    incident = incidents.get(tx, timer.incident_id)
    if incident is None:
        return
    seq = incidents.add_entry(tx, incident.id, BOT, "evidence", {"healths": list(healths)})
    outbox.revise(tx, incident.id, ("card", "ping"))
    add_reply(tx, incident, seq)

"""What people do about an incident beside Slack."""

from __future__ import annotations

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import Acknowledge, OnIt
from bot.model.config import Config
from bot.model.incident import Incident, Status
from bot.services.incidents import Asked, Done, change
from bot.store import incidents
from bot.store.database import Tx

_CLOCKS_APART_MS = 60_000


def acknowledge(
    tx: Tx, config: Config, incident_id: int, actor: Actor, at: int
) -> Done | Refusal | None:
    """Somebody acknowledged it elsewhere, at a time. None: nothing is to be done about it any more.

    An acknowledgement of the time before a reopening is none, however late it arrives; our clock and
    theirs may be a minute apart. Where somebody has acknowledged, but others were told since, as nothing
    was done, it says that this one is on it.
    """
    incident = incidents.get(tx, incident_id)
    if incident is None or at < incident.opened_at - _CLOCKS_APART_MS:
        return None
    if incident.status is Status.OPEN:
        return change(tx, config, Acknowledge(incident=incident_id, take_over=True), Asked(actor))
    if _waits_again(tx, incident, at):
        return change(tx, config, OnIt(incident=incident_id), Asked(actor))
    return None


def _waits_again(tx: Tx, incident: Incident, at: int) -> bool:
    """Whether others were told by that time, and nobody did anything since they were."""
    told = incidents.newest_of_kind(tx, incident.id, "escalation")
    active = incidents.newest_by_a_person(tx, incident.id)
    if incident.status is not Status.ACKNOWLEDGED or told is None or active is None:
        return False
    return active.seq < told.seq and at >= told.at - _CLOCKS_APART_MS

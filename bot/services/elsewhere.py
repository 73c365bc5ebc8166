"""What people do about an incident beside Slack."""

from __future__ import annotations

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import Acknowledge
from bot.model.config import Config
from bot.model.incident import Status
from bot.services.incidents import Asked, Done, change
from bot.store import incidents
from bot.store.database import Tx

_CLOCKS_APART_MS = 60_000


def acknowledge(
    tx: Tx, config: Config, incident_id: int, actor: Actor, at: int
) -> Done | Refusal | None:
    """Somebody acknowledged it elsewhere, at a time. None: nothing is to be done about it any more.

    An acknowledgement of the time before a reopening is none, however late it arrives; our clock and
    theirs may be a minute apart.
    """
    incident = incidents.get(tx, incident_id)
    if incident is None or incident.status is not Status.OPEN:
        return None
    if at < incident.opened_at - _CLOCKS_APART_MS:
        return None
    return change(tx, config, Acknowledge(incident=incident_id, take_over=True), Asked(actor))

"""What of an incident waits while it is silenced."""

from __future__ import annotations

from bot.model.incident import Entry
from bot.model.message import State
from bot.store import incidents
from bot.store.database import Tx


def note(tx: Tx, incident_id: int) -> Entry | None:
    """The entry that says that it is silenced; None where that is over, or never was."""
    entries = incidents.timeline(tx, incident_id, ("silenced", "unsilenced"))
    return entries[-1] if entries and entries[-1].kind == "silenced" else None


def take_back(tx: Tx, incident_id: int) -> int:
    """Withdraw the pings that nobody has got; how many.

    What may be there already stays: it is looked up, and goes by no other way meanwhile.
    """
    tx.run(
        """UPDATE outbox SET passed_on = 1
        WHERE incident_id = :id AND kind = 'ping' AND ts IS NULL AND state IN ('sending', 'unsure')""",
        id=incident_id,
    )
    return tx.run(
        """UPDATE outbox SET state = :withdrawn, delivered = revision, passed_on = 1, error = 'silenced'
        WHERE incident_id = :id AND kind = 'ping' AND ts IS NULL AND (state = 'waiting' OR (
            state = 'digested' AND parent_id IN (
                SELECT id FROM outbox WHERE kind = 'digest' AND ts IS NULL)))""",
        id=incident_id,
        withdrawn=State.WITHDRAWN,
    )

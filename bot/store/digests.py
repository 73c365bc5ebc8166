"""Which messages of the outbox stand in another one: pages in a digest, late replies in the first of them."""

from __future__ import annotations

from bot.model.digest import SHOWN, Digest
from bot.model.message import Message, State
from bot.store import incidents, outbox
from bot.store.database import Tx
from bot.store.outbox import COLUMNS, message_of

_WAITING = """FROM outbox WHERE destination = :destination AND kind = 'ping' AND page = 1
    AND state = 'waiting' AND ts IS NULL AND delivered < revision"""


def waiting(tx: Tx, destination: str, at_most: int) -> list[Message]:
    """The pings that nobody has tried to send there yet, or that were certainly not taken."""
    rows = tx.all(
        f"SELECT id {_WAITING} ORDER BY id LIMIT :limit", destination=destination, limit=at_most
    )
    found = (outbox.get(tx, row["id"]) for row in rows)
    return [message for message in found if message is not None]


def more_than(tx: Tx, destination: str, number: int) -> bool:
    """Whether more pings than that wait for one destination."""
    rows = tx.all(f"SELECT id {_WAITING} LIMIT :limit", destination=destination, limit=number + 1)
    return len(rows) > number


def recent(tx: Tx, destination: str, since: int) -> Message | None:
    """The newest digest of a destination, if it is still to be sent, or was sent since a time."""
    row = tx.one(
        """SELECT id FROM outbox WHERE destination = :destination AND kind = 'digest'
        AND state NOT IN ('refused', 'withdrawn') AND (sent_at IS NULL OR sent_at >= :since)
        ORDER BY id DESC LIMIT 1""",
        destination=destination,
        since=since,
    )
    return outbox.get(tx, row["id"]) if row else None


def put_in(tx: Tx, digest_id: int, message: Message) -> None:
    """Let a ping stand in the digest."""
    tx.run(
        """UPDATE outbox SET state = 'digested', parent_id = :digest, delivered = revision,
        passed_on = 1, error = NULL WHERE id = :id""",
        digest=digest_id,
        id=message.id,
    )


def taken_out(tx: Tx, digest_id: int, error: str) -> list[Message]:
    """The digest was refused, and so was all that stands in it."""
    tx.run(
        """UPDATE outbox SET state = :state, error = :error
        WHERE parent_id = :digest AND state = 'digested'""",
        state=State.REFUSED,
        error=error,
        digest=digest_id,
    )
    rows = tx.all(
        "SELECT id FROM outbox WHERE parent_id = :digest AND kind = 'ping' ORDER BY id",
        digest=digest_id,
    )
    found = (outbox.get(tx, row["id"]) for row in rows)
    return [message for message in found if message is not None]


def listed_incidents(tx: Tx, digest_id: int) -> list[int]:
    """The incidents that it is about."""
    rows = tx.all(
        "SELECT DISTINCT incident_id FROM outbox WHERE parent_id = :digest AND state = 'digested'",
        digest=digest_id,
    )
    return [row["incident_id"] for row in rows]


def read(tx: Tx, digest_id: int) -> Digest:
    """As it is now; those that are open first, and of these the most severe."""
    rows = tx.all(
        """SELECT i.id, i.status FROM incidents i WHERE i.id IN
            (SELECT incident_id FROM outbox WHERE parent_id = :digest AND state = 'digested')
        ORDER BY i.status <> 'open', i.severity, i.id""",
        digest=digest_id,
    )
    first = (incidents.get(tx, row["id"]) for row in rows[:SHOWN])
    return Digest(
        listed=len(rows),
        asking=sum(row["status"] == "open" for row in rows),
        first=tuple(one for one in first if one is not None),
        resolved=all(row["status"] == "resolved" for row in rows),
    )


def waiting_behind(tx: Tx, message: Message) -> list[Message]:
    """The later replies of the same thread that were certainly not taken yet, in order."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM outbox WHERE incident_id = :incident_id AND kind = 'entry'
        AND parent_id = :parent_id AND id > :id AND state = 'waiting' AND ts IS NULL ORDER BY id""",
        incident_id=message.incident_id,
        parent_id=message.parent_id,
        id=message.id,
    )
    return [message_of(row) for row in rows]

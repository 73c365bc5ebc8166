"""The pages of the outbox: which of them somebody still has to get, and by which way."""

from __future__ import annotations

from bot.model.message import Message
from bot.store.database import Tx
from bot.store.outbox import COLUMNS, message_of


def to_pass_on(tx: Tx, until: int) -> list[Message]:
    """The pages that nobody has got, wanted since before a time, and not passed on yet."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM outbox
        WHERE page = 1 AND ts IS NULL AND passed_on = 0 AND wanted_at <= :until
          AND kind IN ('ping', 'digest') AND state IN ('waiting', 'sending', 'unsure')
        ORDER BY id LIMIT 100""",
        until=until,
    )
    return [message_of(row) for row in rows]


def passed_on(tx: Tx, message_id: int) -> None:
    """Whether there is a next way or not: nobody looks for one again."""
    tx.run("UPDATE outbox SET passed_on = 1 WHERE id = :id", id=message_id)


def pages_due(tx: Tx, at_most: int) -> list[Message]:
    """The pages that certainly nobody has got, and that are due."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM outbox WHERE page = 1 AND ts IS NULL AND state = 'waiting'
        AND kind IN ('ping', 'digest') AND delivered < revision AND due_at <= :now
        ORDER BY id LIMIT :limit""",
        now=tx.now,
        limit=at_most,
    )
    return [message_of(row) for row in rows]


def told_later(tx: Tx, message: Message) -> list[Message]:
    """The later pages about the same incident that are at the same place already."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM outbox WHERE incident_id = :incident_id AND kind = :kind
        AND destination = :destination AND id > :id AND ts IS NOT NULL""",
        incident_id=message.incident_id,
        kind=message.kind,
        destination=message.destination,
        id=message.id,
    )
    return [message_of(row) for row in rows]


def superseded(tx: Tx, message: Message) -> bool:
    """Whether a later message of the same kind tells the same place of the same incident."""
    return bool(
        tx.all(
            """SELECT id FROM outbox WHERE incident_id = :incident_id AND kind = :kind
            AND destination = :destination AND id > :id AND state NOT IN ('refused', 'withdrawn')""",
            incident_id=message.incident_id,
            kind=message.kind,
            destination=message.destination,
            id=message.id,
        )
    )


def standing_in(tx: Tx, message: Message) -> Message | None:
    """The next later one of its kind for the same place of the same incident that certainly nobody has."""
    row = tx.one(
        f"""SELECT {COLUMNS} FROM outbox WHERE incident_id = :incident_id AND kind = :kind
        AND destination = :destination AND id > :id AND state = 'waiting' AND ts IS NULL
        ORDER BY id LIMIT 1""",
        incident_id=message.incident_id,
        kind=message.kind,
        destination=message.destination,
        id=message.id,
    )
    return message_of(row) if row else None


def forget(tx: Tx, kind: str) -> None:
    """Drop what was sent of a kind that nobody looks at again."""
    tx.run("DELETE FROM outbox WHERE kind = :kind AND delivered >= revision", kind=kind)

"""The outbox: messages that should exist outside, and how far each has got.

``revision`` is wanted, ``delivered`` is there. A row without ``ts`` is posted, one with it is edited.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from bot.model.incident import Facts
from bot.model.message import Message, State
from bot.store.database import Row, Tx

COLUMNS = (
    "id, key, kind, incident_id, destination, via, parent_id, page, facts, revision, delivered, state,"
    " due_at, sending_at, lookup_failed_at, attempts, channel, ts, sent_at, error, wanted_at, passed_on"
)

RECONCILES_MS = 600_000
"""For so long after a start on a restored database, what is added about its incidents is looked up first."""
NOT_STARTED = 2**62
"""``restores.at`` until the bot has started on what was restored."""
_WANTED_ANEW = """revision = revision + 1,
    due_at = CASE WHEN state <> 'unsure' AND due_at > :now THEN :now ELSE due_at END,
    wanted_at = CASE WHEN delivered = revision THEN :now ELSE wanted_at END"""
_READY = """FROM outbox o LEFT JOIN outbox p ON p.id = o.parent_id
    WHERE o.delivered < o.revision AND o.due_at <= :now
      AND (:edits = 1 OR o.ts IS NULL)
      AND (o.parent_id IS NULL OR o.ts IS NOT NULL OR (
        (p.ts IS NOT NULL OR p.state IN ('refused', 'withdrawn')) AND NOT EXISTS (
          SELECT 1 FROM outbox earlier
          WHERE earlier.incident_id = o.incident_id AND earlier.parent_id = o.parent_id
            AND earlier.id < o.id AND earlier.ts IS NULL
            AND earlier.state IN ('waiting', 'sending', 'unsure'))))"""


def add(
    tx: Tx,
    key: str,
    kind: str,
    destination: str,
    facts: Facts,
    *,
    incident_id: int | None = None,
    parent_id: int | None = None,
    page: bool = False,
    via: str = "slack",
) -> int | None:
    """A message that should exist. The key is unique: None if it was added before.

    Soon after a restore it may be there already, since the backup was taken: then it is unsure at first,
    and may have been sent at any time since its incident was declared.
    """
    row = tx.one(
        """INSERT INTO outbox
            (key, kind, incident_id, destination, via, parent_id, page, facts, due_at, wanted_at,
             state, sending_at)
        SELECT :key, :kind, :incident_id, :destination, :via, :parent_id, :page, :facts, :now, :now,
            CASE WHEN lost THEN 'unsure' ELSE 'waiting' END,
            CASE WHEN lost THEN (SELECT declared_at FROM incidents WHERE id = :incident_id) END
        FROM (SELECT EXISTS (SELECT 1 FROM restores
            WHERE at > :now - :reconciles AND last_incident >= :incident_id) AS lost)
        WHERE true
        ON CONFLICT (key) DO NOTHING RETURNING id""",
        key=key,
        kind=kind,
        incident_id=incident_id,
        destination=destination,
        via=via,
        parent_id=parent_id,
        page=int(page),
        facts=json.dumps(facts),
        now=tx.now,
        reconciles=RECONCILES_MS,
    )
    return row["id"] if row else None


def revise(tx: Tx, incident_id: int, kinds: Collection[str]) -> None:
    """Draw an incident's messages of these kinds again: the cards, the copies of a ping.

    An unsure one keeps its time: looked up before its attempt is over, it would be sent twice.
    """
    for kind in kinds:
        tx.run(
            f"""UPDATE outbox SET {_WANTED_ANEW}
            WHERE incident_id = :incident_id AND kind = :kind
              AND state NOT IN ('refused', 'withdrawn', 'digested')""",
            incident_id=incident_id,
            kind=kind,
            now=tx.now,
        )
    if "ping" in kinds:
        _revise_digests(tx, incident_id)


def _revise_digests(tx: Tx, incident_id: int) -> None:
    """The digests in which the incident stands, with their copies by other ways."""
    tx.run(
        f"""UPDATE outbox SET {_WANTED_ANEW}
        WHERE state NOT IN ('refused', 'withdrawn') AND id IN (
            SELECT copy.id FROM outbox listed
            JOIN outbox digest ON digest.id = listed.parent_id
            JOIN outbox copy ON copy.key = digest.key
                OR (copy.key > digest.key || ':' AND copy.key < digest.key || ';')
            WHERE listed.incident_id = :incident_id AND listed.state = 'digested')""",
        incident_id=incident_id,
        now=tx.now,
    )


def set_facts(tx: Tx, message_id: int, facts: Facts) -> None:
    """Draw a message again, from other facts; an unsure one keeps its time, as with ``revise``."""
    tx.run(
        f"""UPDATE outbox SET facts = :facts, {_WANTED_ANEW}
        WHERE id = :id AND state NOT IN ('refused', 'withdrawn')""",
        id=message_id,
        facts=json.dumps(facts),
        now=tx.now,
    )


def redirect(tx: Tx, message_id: int, destination: str) -> None:
    """Its place can't be reached: it goes to another one, with what hangs on it."""
    tx.run(
        """UPDATE outbox SET destination = :destination, state = 'waiting', delivered = 0,
        due_at = :now, wanted_at = :now, attempts = 0, error = NULL
        WHERE ts IS NULL AND (id = :id OR parent_id = :id)""",
        id=message_id,
        destination=destination,
        now=tx.now,
    )


def get(tx: Tx, message_id: int) -> Message | None:
    """One message, or None."""
    row = tx.one(f"SELECT {COLUMNS} FROM outbox WHERE id = :id", id=message_id)
    return message_of(row) if row else None


def by_key(tx: Tx, key: str) -> Message | None:
    """The message of a key, or None."""
    row = tx.one(f"SELECT {COLUMNS} FROM outbox WHERE key = :key", key=key)
    return message_of(row) if row else None


def with_prefix(tx: Tx, prefix: str, since: str = "") -> list[Message]:
    """The messages whose keys begin like this, oldest first; those that sort after ``since`` behind it."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM outbox WHERE key >= :first AND key < :last ORDER BY id",
        first=f"{prefix}{since}",
        last=f"{prefix}\U0010ffff",
    )
    return [message_of(row) for row in rows]


def at(tx: Tx, channels: Collection[str], ts: str) -> Message | None:
    """The message that is there in Slack: by one of its conversation's ids, and its ``ts``."""
    rows = tx.all(f"SELECT {COLUMNS} FROM outbox WHERE ts = :ts", ts=ts)
    return next((message_of(row) for row in rows if row["channel"] in channels), None)


def of_incident(tx: Tx, incident_id: int, kind: str) -> list[Message]:
    """An incident's messages of one kind, oldest first."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM outbox WHERE incident_id = :incident_id AND kind = :kind ORDER BY id",
        incident_id=incident_id,
        kind=kind,
    )
    return [message_of(row) for row in rows]


def due_destinations(tx: Tx, edits: bool = True) -> list[str]:
    """Where something could go now; ``edits`` False: of what is to be posted.

    From one destination of the index to the next, however many messages wait at each.
    """
    rows = tx.all(
        f"""WITH RECURSIVE waiting (destination) AS (
            SELECT MIN(destination) FROM outbox WHERE delivered < revision
            UNION ALL
            SELECT (SELECT MIN(destination) FROM outbox
                WHERE delivered < revision AND destination > waiting.destination)
            FROM waiting WHERE waiting.destination IS NOT NULL)
        SELECT destination FROM waiting WHERE destination IS NOT NULL
          AND EXISTS (SELECT 1 {_READY} AND o.destination = waiting.destination)""",
        now=tx.now,
        edits=int(edits),
    )
    return [row["destination"] for row in rows]


def head(tx: Tx, destination: str, edits: bool = True) -> Message | None:
    """What goes next to a destination: pages before edits and the rest, then as they were wanted.

    A reply waits until its parent is there, and until the replies before it are known to be there or
    not; if the parent never will be, it goes on its own.
    """
    columns = ", ".join(f"o.{name.strip()}" for name in COLUMNS.split(","))
    row = tx.one(
        f"""SELECT {columns} {_READY} AND o.destination = :destination
        ORDER BY o.page = 1 AND o.ts IS NULL DESC, o.wanted_at, o.id LIMIT 1""",
        destination=destination,
        edits=int(edits),
        now=tx.now,
    )
    return message_of(row) if row else None


def sending(tx: Tx, message_id: int) -> None:
    """About to be sent: from here on, until the outcome is known, it may be there."""
    tx.run(
        """UPDATE outbox SET state = CASE WHEN ts IS NULL THEN 'sending' ELSE state END,
        sending_at = :now, attempts = attempts + 1 WHERE id = :id""",
        id=message_id,
        now=tx.now,
    )


def sent(tx: Tx, message_id: int, revision: int, channel: str, ts: str) -> None:
    """It is there, as drawn for ``revision``."""
    tx.run(
        """UPDATE outbox SET state = 'sent', delivered = :revision, channel = :channel, ts = :ts,
        sent_at = COALESCE(sent_at, :now), attempts = 0, lookup_failed_at = NULL, error = NULL
        WHERE id = :id""",
        id=message_id,
        revision=revision,
        channel=channel,
        ts=ts,
        now=tx.now,
    )


def later(tx: Tx, message_id: int, due_at: int, error: str) -> None:
    """It was certainly not taken; it is tried again at ``due_at``."""
    tx.run(
        """UPDATE outbox SET state = CASE WHEN ts IS NULL THEN 'waiting' ELSE state END,
        due_at = :due_at, error = :error WHERE id = :id""",
        id=message_id,
        due_at=due_at,
        error=error,
    )


def put_off(tx: Tx, message_id: int, due_at: int, error: str) -> None:
    """Come back to it at ``due_at``, whatever is known about it."""
    tx.run(
        "UPDATE outbox SET due_at = :due_at, error = :error WHERE id = :id",
        id=message_id,
        due_at=due_at,
        error=error,
    )


def unsure(tx: Tx, message_id: int, limit_ms: int, error: str) -> None:
    """Nobody knows; it is looked up when its attempt must be over, ``limit_ms`` after it began."""
    tx.run(
        """UPDATE outbox SET state = 'unsure', lookup_failed_at = NULL,
        due_at = sending_at + :limit, error = :error WHERE id = :id""",
        id=message_id,
        limit=limit_ms,
        error=error,
    )


def not_looked_up(tx: Tx, message_id: int, due_at: int, error: str) -> None:
    """The look-up was not to be had; it is tried again at ``due_at``."""
    tx.run(
        """UPDATE outbox SET lookup_failed_at = COALESCE(lookup_failed_at, :now),
        due_at = :due_at, error = :error WHERE id = :id""",
        id=message_id,
        due_at=due_at,
        error=error,
        now=tx.now,
    )


def absent(tx: Tx, message_id: int) -> None:
    """The look-up did not find it: it may be sent again, now."""
    tx.run(
        "UPDATE outbox SET state = 'waiting', due_at = :now, lookup_failed_at = NULL WHERE id = :id",
        id=message_id,
        now=tx.now,
    )


def close(tx: Tx, message_id: int, state: State, error: str | None) -> None:
    """It won't be there: refused by the other side, or not wanted any more."""
    tx.run(
        """UPDATE outbox SET state = :state, delivered = revision, error = :error, passed_on = 1
        WHERE id = :id""",
        id=message_id,
        state=state,
        error=error,
    )


def there_as_wanted(tx: Tx, message_id: int) -> None:
    """Nothing has to be told: where it is there already it need not change, elsewhere nobody waits."""
    tx.run("UPDATE outbox SET delivered = revision, error = NULL WHERE id = :id", id=message_id)


def note(tx: Tx, message_id: int, facts: Facts) -> None:
    """Keep what is known about a message by now, without drawing it again."""
    tx.run(
        "UPDATE outbox SET facts = :facts WHERE id = :id", id=message_id, facts=json.dumps(facts)
    )


def post_anew(tx: Tx, message_id: int) -> None:
    """The message is gone outside (someone deleted it): post it again."""
    tx.run(
        """UPDATE outbox SET ts = NULL, channel = NULL, state = 'waiting', delivered = 0, due_at = :now,
        wanted_at = :now WHERE id = :id""",
        id=message_id,
        now=tx.now,
    )


def recover(tx: Tx, limit_ms: int) -> int:
    """At a start: what was being sent is unsure, once its attempt must be over.

    What waits is due now at the latest: the machine's clock may have been set back meanwhile.
    """
    tx.run("UPDATE restores SET at = :now WHERE at = :never", now=tx.now, never=NOT_STARTED)
    tx.run("UPDATE outbox SET lookup_failed_at = NULL WHERE state = 'unsure'")
    tx.run(
        """UPDATE outbox SET due_at = :now + CASE WHEN state = 'unsure' THEN :limit ELSE 0 END
        WHERE delivered < revision AND state <> 'sending'
          AND due_at > :now + CASE WHEN state = 'unsure' THEN :limit ELSE 0 END""",
        limit=limit_ms,
        now=tx.now,
    )
    return tx.run(
        """UPDATE outbox SET state = 'unsure', due_at = MIN(sending_at, :now) + :limit,
        error = 'the bot stopped while it was sent' WHERE state = 'sending'""",
        limit=limit_ms,
        now=tx.now,
    )


def retry_refused_cards(tx: Tx, channel: str | None = None) -> int:
    """After a start or a reload: what was missing outside may be there now; how many cards.

    The cards of incidents that live, with the replies that were refused after them; to ``channel``,
    where the config names another one by now.
    """
    refused = tx.all(
        """SELECT id, incident_id FROM outbox
        WHERE kind = 'card' AND state = 'refused' AND incident_id IN
            (SELECT id FROM incidents WHERE status <> 'resolved')"""
    )
    for row in refused:
        tx.run(
            """UPDATE outbox SET state = 'waiting', delivered = 0, due_at = :now, attempts = 0,
            destination = COALESCE(:destination, destination)
            WHERE state = 'refused' AND (id = :id OR parent_id = :id)""",
            id=row["id"],
            destination=f"channel:{channel}" if channel else None,
            now=tx.now,
        )
        if channel:
            tx.run(
                "UPDATE incidents SET channel = :channel WHERE id = :id",
                channel=channel,
                id=row["incident_id"],
            )
    return len(refused)


def refused_since(tx: Tx, at: int) -> list[Message]:
    """What the other side would not take, of the messages due since a time."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM outbox WHERE state = 'refused' AND due_at >= :at ORDER BY id", at=at
    )
    return [message_of(row) for row in rows]


def next_due(tx: Tx) -> int | None:
    """When the soonest message is due, in milliseconds since the epoch."""
    row = tx.one("SELECT due_at FROM outbox WHERE delivered < revision ORDER BY due_at LIMIT 1")
    return row["due_at"] if row else None


def waiting(tx: Tx) -> int:
    """How many messages are not there yet."""
    row = tx.one("SELECT COUNT(*) AS n FROM outbox WHERE delivered < revision")
    assert row is not None
    count: int = row["n"]
    return count


def message_of(row: Row) -> Message:
    """A row with all of ``COLUMNS`` as a record."""
    facts: Facts = json.loads(row["facts"])
    values = dict(zip(row.keys(), row, strict=True))
    values |= {"facts": facts, "page": bool(row["page"]), "state": State(row["state"])}
    values["passed_on"] = bool(row["passed_on"])
    return Message(**values)

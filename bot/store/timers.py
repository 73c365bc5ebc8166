"""Timers in the store. Claiming moves ``due_at`` by the lease; firing deletes the row."""

from __future__ import annotations

import json

from bot.model.incident import Facts
from bot.model.timer import Timer
from bot.store.database import Row, Tx

LEASE_MS = 30_000


def arm(
    tx: Tx,
    kind: str,
    subject: str,
    due_at: int,
    *,
    incident_id: int | None = None,
    **detail: object,
) -> None:
    """Make the timer due at ``due_at``; one that is armed already is moved."""
    tx.run(
        """INSERT INTO timers (kind, subject, incident_id, due_at, detail)
        VALUES (:kind, :subject, :incident_id, :due_at, :detail)
        ON CONFLICT (kind, subject) DO UPDATE
        SET due_at = excluded.due_at, detail = excluded.detail, claim = timers.claim + 1, attempts = 0""",
        kind=kind,
        subject=subject,
        incident_id=incident_id,
        due_at=due_at,
        detail=json.dumps(detail),
    )


def move(tx: Tx, kind: str, subject: str, due_at: int) -> bool:
    """Make a timer due at another time; False where none is armed."""
    return (
        tx.run(
            """UPDATE timers SET due_at = :due_at, claim = claim + 1, attempts = 0
            WHERE kind = :kind AND subject = :subject""",
            kind=kind,
            subject=subject,
            due_at=due_at,
        )
        == 1
    )


def claim(tx: Tx, limit: int, kind: str | None = None, but: str | None = None) -> list[Timer]:
    """Take what is due, oldest first; with a kind, of that kind only; ``but``: of any other kind.

    Whoever crashes loses the claim when the lease runs out.
    """
    if limit <= 0:
        return []
    due = tx.all(
        """SELECT id FROM timers WHERE due_at <= :now
            AND (:kind IS NULL OR kind = :kind) AND (:but IS NULL OR kind <> :but)
        ORDER BY due_at, id LIMIT :limit""",
        now=tx.now,
        limit=limit,
        kind=kind,
        but=but,
    )
    # One statement each, for RETURNING has no order; the claim's due_at is the lease already.
    return [_claim(tx, row["id"]) for row in due]


def fire(tx: Tx, timer: Timer) -> bool:
    """Delete the timer, if the claim is still ours; False: someone else fired or moved it."""
    return (
        tx.run(
            "DELETE FROM timers WHERE id = :id AND claim = :claim", id=timer.id, claim=timer.claim
        )
        == 1
    )


def disarm(tx: Tx, kind: str, incident_id: int) -> int:
    """Remove an incident's timers of one kind; how many there were."""
    return tx.run(
        "DELETE FROM timers WHERE incident_id = :incident_id AND kind = :kind",
        incident_id=incident_id,
        kind=kind,
    )


def hasten(tx: Tx, kind: str, incident_id: int) -> int:
    """Make an incident's timers of one kind due now; how many were moved."""
    return tx.run(
        """UPDATE timers SET due_at = :now, claim = claim + 1
        WHERE incident_id = :incident_id AND kind = :kind AND due_at > :now""",
        incident_id=incident_id,
        kind=kind,
        now=tx.now,
    )


def armed(tx: Tx, kind: str) -> list[str]:
    """The subjects of every armed timer of a kind."""
    return [
        row["subject"] for row in tx.all("SELECT subject FROM timers WHERE kind = :kind", kind=kind)
    ]


def due_of(tx: Tx, kind: str, subject: str) -> int | None:
    """When one timer is due, or None where it is not armed."""
    row = tx.one(
        "SELECT due_at FROM timers WHERE kind = :kind AND subject = :subject",
        kind=kind,
        subject=subject,
    )
    return row["due_at"] if row else None


def is_claimed(tx: Tx, kind: str, subject: str) -> bool:
    """Whether somebody is about to fire it; what is committed before that is seen then."""
    return bool(
        tx.all(
            "SELECT id FROM timers WHERE kind = :kind AND subject = :subject AND attempts > 0",
            kind=kind,
            subject=subject,
        )
    )


def remove(tx: Tx, kind: str, subject: str) -> None:
    """Forget a timer, whether it is claimed or not."""
    tx.run(
        "DELETE FROM timers WHERE kind = :kind AND subject = :subject", kind=kind, subject=subject
    )


def of_incident(tx: Tx, kind: str, incident_id: int) -> list[Timer]:
    """An incident's armed timers of one kind, soonest first."""
    rows = tx.all(
        """SELECT id, kind, subject, incident_id, due_at, claim, attempts, detail FROM timers
        WHERE incident_id = :incident_id AND kind = :kind ORDER BY due_at, id""",
        incident_id=incident_id,
        kind=kind,
    )
    return [_timer(row) for row in rows]


def next_due(tx: Tx, kind: str | None = None, but: str | None = None) -> int | None:
    """When the soonest timer (of a kind, or ``but`` of any other) is due, in milliseconds since the epoch."""
    row = tx.one(
        """SELECT due_at FROM timers
        WHERE (:kind IS NULL OR kind = :kind) AND (:but IS NULL OR kind <> :but)
        ORDER BY due_at LIMIT 1""",
        kind=kind,
        but=but,
    )
    return row["due_at"] if row else None


def any_due(tx: Tx, kind: str) -> bool:
    """Whether a timer of this kind is due."""
    return bool(
        tx.all(
            "SELECT id FROM timers WHERE due_at <= :now AND kind = :kind LIMIT 1",
            now=tx.now,
            kind=kind,
        )
    )


def release_claims(tx: Tx) -> int:
    """At the start: nobody else can be working on them, so what was claimed is due again now."""
    return tx.run(
        "UPDATE timers SET due_at = :now WHERE attempts > 0 AND due_at > :now", now=tx.now
    )


def _claim(tx: Tx, timer_id: int) -> Timer:
    row = tx.all(
        """UPDATE timers SET claim = claim + 1, attempts = attempts + 1, due_at = :until
        WHERE id = :id
        RETURNING id, kind, subject, incident_id, due_at, claim, attempts, detail""",
        id=timer_id,
        until=tx.now + LEASE_MS,
    )[0]
    return _timer(row)


def _timer(row: Row) -> Timer:
    detail: Facts = json.loads(row["detail"])
    return Timer(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        incident_id=row["incident_id"],
        due_at=row["due_at"],
        claim=row["claim"],
        attempts=row["attempts"],
        detail=detail,
    )

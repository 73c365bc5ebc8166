"""What should have happened by now."""

from __future__ import annotations

from bot.store.database import Tx


def timers(tx: Tx, before: int, claims: int) -> tuple[int, int]:
    """How many timers were due before a time, or were claimed that often in vain; when the oldest was due.

    A claim moves a timer by its lease, so one that fails again and again is never late by its time.
    """
    row = tx.one(
        """SELECT COUNT(*) AS n, COALESCE(MIN(due_at), :before) AS oldest FROM timers
        WHERE due_at <= :before OR attempts >= :claims""",
        before=before,
        claims=claims,
    )
    assert row is not None
    return row["n"], min(row["oldest"], before)


def newest(tx: Tx) -> int:
    """When the newest entry about an incident that lives was made; 0 where there is none."""
    row = tx.one(
        """SELECT COALESCE(MAX(at), 0) AS at FROM timeline
        WHERE incident_id IN (SELECT id FROM incidents WHERE status <> 'resolved')"""
    )
    assert row is not None
    at: int = row["at"]
    return at


def messages(tx: Tx, before: int) -> tuple[int, int]:
    """How many messages have been wanted since before a time, and since when the oldest has been."""
    row = tx.one(
        """SELECT COUNT(*) AS n, COALESCE(MIN(wanted_at), :before) AS oldest FROM outbox
        WHERE delivered < revision AND wanted_at <= :before""",
        before=before,
    )
    assert row is not None
    return row["n"], row["oldest"]

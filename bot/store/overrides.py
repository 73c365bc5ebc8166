"""Overrides of who is on call. Those that are over, or were taken back, stay for the record."""

from __future__ import annotations

from bot.model.schedule import Override
from bot.store.database import Row, Tx

COLUMNS = "id, schedule, person, since, until, made_by, made_at, ended_by, ended_at"


def add(tx: Tx, schedule: str, person: str, since: int, until: int, made_by: str) -> Override:
    """Put somebody on call between two times."""
    row = tx.one(
        f"""INSERT INTO overrides (schedule, person, since, until, made_by, made_at)
        VALUES (:schedule, :person, :since, :until, :made_by, :now) RETURNING {COLUMNS}""",
        schedule=schedule,
        person=person,
        since=since,
        until=until,
        made_by=made_by,
        now=tx.now,
    )
    assert row is not None
    return _override(row)


def end(tx: Tx, override: Override, ended_by: str) -> None:
    """Take one back: it ceases to count now, or never begins."""
    tx.run(
        "UPDATE overrides SET ended_by = :ended_by, ended_at = :now WHERE id = :id AND ended_at IS NULL",
        id=override.id,
        ended_by=ended_by,
        now=tx.now,
    )


def since(tx: Tx, at: int) -> list[Override]:
    """Those that count at a time or later, of every schedule, the oldest first."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM overrides
        WHERE until > :at AND (ended_at IS NULL OR (ended_at > since AND ended_at > :at))
        ORDER BY id""",
        at=at,
    )
    return [_override(row) for row in rows]


def made_since(tx: Tx, schedule: str, made_by: str, at: int) -> list[Override]:
    """What one actor made for a schedule since a time, and nobody took back; the newest first."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM overrides
        WHERE schedule = :schedule AND made_by = :made_by AND made_at >= :at AND ended_at IS NULL
        ORDER BY id DESC""",
        schedule=schedule,
        made_by=made_by,
        at=at,
    )
    return [_override(row) for row in rows]


def _override(row: Row) -> Override:
    return Override(**dict(zip(row.keys(), row, strict=True)))

"""Overrides of who is on call. Those that are over, or were taken back, stay for the record."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StoreError
from bot.model.schedule import Override
from bot.store.database import Row, Tx

COLUMNS = "id, schedule, person, since, until, made_by, made_at, ended_by, ended_at"
_SINCE = f"""SELECT {COLUMNS} FROM overrides
    WHERE until > :at AND (ended_at IS NULL OR (ended_at > since AND ended_at > :at))
    ORDER BY id"""


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
    return [_override(row) for row in tx.all(_SINCE, at=at)]


def beside(path: Path, at: int) -> list[Override]:
    """The same for a program that does not own the file, whether a bot runs or not; raises ``StoreError``.

    Without a file, or with one from before there were overrides, there are none.
    """
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
            reader.row_factory = sqlite3.Row
            if not reader.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'overrides'"
            ).fetchall():
                return []
            return [_override(row) for row in reader.execute(_SINCE, {"at": at})]
    except sqlite3.Error as error:
        raise StoreError(f"{path}: the overrides can't be read: {error}") from None


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

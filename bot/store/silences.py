"""Silences, and what was muted. A silence that is over stays for the record."""

from __future__ import annotations

import json

from bot.model.silence import Silence
from bot.store.database import Row, Tx

COLUMNS = "id, targets, reason, since, until, made_by, made_at, ended_by, ended_at"


def add(tx: Tx, targets: tuple[str, ...], reason: str, until: int, made_by: str) -> Silence:
    """One that begins now."""
    row = tx.one(
        f"""INSERT INTO silences (targets, reason, since, until, made_by, made_at)
        VALUES (:targets, :reason, :now, :until, :made_by, :now) RETURNING {COLUMNS}""",
        targets=json.dumps(targets),
        reason=reason,
        until=until,
        made_by=made_by,
        now=tx.now,
    )
    assert row is not None
    return _silence(row)


def get(tx: Tx, silence_id: int) -> Silence | None:
    """One silence, or None."""
    row = tx.one(f"SELECT {COLUMNS} FROM silences WHERE id = :id", id=silence_id)
    return _silence(row) if row else None


def running(tx: Tx, at: int) -> list[Silence]:
    """Those that count at a time, the oldest first."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM silences
        WHERE until > :at AND since <= :at AND (ended_at IS NULL OR ended_at > :at) ORDER BY id""",
        at=at,
    )
    return [_silence(row) for row in rows]


def made_since(tx: Tx, made_by: str, at: int) -> list[Silence]:
    """What one actor made since a time, and nobody ended; the newest first."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM silences
        WHERE until > :at AND made_by = :made_by AND made_at >= :at AND ended_at IS NULL
        ORDER BY id DESC""",
        made_by=made_by,
        at=at,
    )
    return [_silence(row) for row in rows]


def end(tx: Tx, silence_id: int, ended_by: str) -> None:
    """It ceases to count now."""
    tx.run(
        "UPDATE silences SET ended_by = :ended_by, ended_at = :now WHERE id = :id AND ended_at IS NULL",
        id=silence_id,
        ended_by=ended_by,
        now=tx.now,
    )


def mute(tx: Tx, key: str, what: str, target: str) -> None:
    """Keep that something was found and not told; once, however often it is found."""
    tx.run(
        """INSERT INTO muted (silence, target, what, at) VALUES (:key, :target, :what, :now)
        ON CONFLICT (silence, target, what) DO NOTHING""",
        key=key,
        target=target,
        what=what,
        now=tx.now,
    )


def muted(tx: Tx, key: str) -> list[tuple[str, str]]:
    """What was found and not told: target and what, in the order in which they were found first."""
    rows = tx.all("SELECT target, what FROM muted WHERE silence = :key ORDER BY at, what", key=key)
    return [(row["target"], row["what"]) for row in rows]


def forget_muted(tx: Tx, before: int) -> None:
    """Drop what was muted before a time: it has been told."""
    tx.run("DELETE FROM muted WHERE at < :before", before=before)


def _silence(row: Row) -> Silence:
    values = dict(zip(row.keys(), row, strict=True))
    return Silence(**values | {"targets": tuple(json.loads(row["targets"]))})

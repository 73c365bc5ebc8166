"""Jobs that must report, in the store; and when the bot itself was there last."""

from __future__ import annotations

from bot.rules.job import Awaited
from bot.store.database import Row, Tx


def get(tx: Tx, name: str) -> Awaited | None:
    """One job, or None."""
    row = tx.one(
        "SELECT name, awaited_at, heard_at, excused, missed FROM jobs WHERE name = :name", name=name
    )
    return _job(row) if row else None


def every(tx: Tx) -> list[Awaited]:
    """All of them, by name."""
    rows = tx.all("SELECT name, awaited_at, heard_at, excused, missed FROM jobs ORDER BY name")
    return [_job(row) for row in rows]


def keep(tx: Tx, job: Awaited) -> None:
    """Store what is known of a job."""
    tx.run(
        """INSERT INTO jobs (name, awaited_at, heard_at, excused, missed)
        VALUES (:name, :awaited_at, :heard_at, :excused, :missed)
        ON CONFLICT (name) DO UPDATE SET awaited_at = excluded.awaited_at,
            heard_at = excluded.heard_at, excused = excluded.excused, missed = excluded.missed""",
        name=job.name,
        awaited_at=job.awaited_at,
        heard_at=job.heard_at,
        excused=int(job.excused),
        missed=int(job.missed),
    )


def forget(tx: Tx, name: str) -> None:
    """The config names it no more."""
    tx.run("DELETE FROM jobs WHERE name = :name", name=name)


def alive(tx: Tx) -> int | None:
    """When the bot was there last, in milliseconds since the epoch; None at the very first start."""
    row = tx.one("SELECT at FROM alive WHERE id = 1")
    return row["at"] if row else None


def live(tx: Tx) -> None:
    """The bot is there now."""
    tx.run(
        """INSERT INTO alive (id, at) VALUES (1, :now)
        ON CONFLICT (id) DO UPDATE SET at = excluded.at""",
        now=tx.now,
    )


def _job(row: Row) -> Awaited:
    return Awaited(
        row["name"], row["awaited_at"], row["heard_at"], bool(row["excused"]), bool(row["missed"])
    )

"""What was measured, as raw samples by target and metric."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.database import Tx

NEAR_MS = 600_000


@dataclass(frozen=True)
class Sample:
    """A value at a time; ``reason`` says why it failed or is not known."""

    at: int
    value: float | None
    reason: str | None


def add(tx: Tx, target: str, metric: str, sample: Sample) -> None:
    """Keep a sample; a second one of the same millisecond replaces the first."""
    tx.run(
        """INSERT INTO series (target, metric) VALUES (:target, :metric)
        ON CONFLICT (target, metric) DO NOTHING""",
        target=target,
        metric=metric,
    )
    tx.run(
        """INSERT INTO samples (series_id, at, value, reason)
        SELECT id, :at, :value, :reason FROM series WHERE target = :target AND metric = :metric
        ON CONFLICT (series_id, at) DO UPDATE SET value = excluded.value, reason = excluded.reason""",
        target=target,
        metric=metric,
        at=sample.at,
        value=sample.value,
        reason=sample.reason,
    )


def since(tx: Tx, target: str, metric: str, at: int) -> list[Sample]:
    """The samples after a time, in order."""
    rows = tx.all(
        """SELECT at, value, reason FROM samples
        WHERE series_id = (SELECT id FROM series WHERE target = :target AND metric = :metric)
          AND at > :at ORDER BY at""",
        target=target,
        metric=metric,
        at=at,
    )
    return [Sample(row["at"], row["value"], row["reason"]) for row in rows]


def between(tx: Tx, target: str, metric: str, first: int, last: int) -> list[Sample]:
    """The samples from ``first`` to ``last``, both included, in order."""
    rows = tx.all(
        """SELECT at, value, reason FROM samples
        WHERE series_id = (SELECT id FROM series WHERE target = :target AND metric = :metric)
          AND at BETWEEN :first AND :last ORDER BY at""",
        target=target,
        metric=metric,
        first=first,
        last=last,
    )
    return [Sample(row["at"], row["value"], row["reason"]) for row in rows]


def newest(tx: Tx, target: str, metric: str) -> Sample | None:
    """The newest sample that is kept."""
    row = tx.one(
        """SELECT at, value, reason FROM samples
        WHERE series_id = (SELECT id FROM series WHERE target = :target AND metric = :metric)
        ORDER BY at DESC LIMIT 1""",
        target=target,
        metric=metric,
    )
    return Sample(row["at"], row["value"], row["reason"]) if row else None


def last_before(tx: Tx, target: str, metric: str, at: int) -> Sample | None:
    """The newest sample at or before a time; None where nothing was measured within ten minutes of it."""
    row = tx.one(
        """SELECT at, value, reason FROM samples
        WHERE series_id = (SELECT id FROM series WHERE target = :target AND metric = :metric)
          AND at <= :at AND at > :oldest ORDER BY at DESC LIMIT 1""",
        target=target,
        metric=metric,
        at=at,
        oldest=at - NEAR_MS,
    )
    return Sample(row["at"], row["value"], row["reason"]) if row else None


def forget(tx: Tx, before: int) -> int:
    """Remove samples older than a time; how many."""
    return sum(
        tx.run(
            "DELETE FROM samples WHERE series_id = :id AND at < :before",
            id=row["id"],
            before=before,
        )
        for row in tx.all("SELECT id FROM series")
    )

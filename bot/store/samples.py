"""What was measured, as raw samples by target and metric."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.store import sketches
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
    add_all(tx, target, [(metric, sample)])


def add_all(tx: Tx, target: str, measured: Iterable[tuple[str, Sample]]) -> None:
    """Keep what was measured of a target, each with its metric.

    A sample that is so late that its hour has a sketch already goes into that too.
    """
    known = {
        row["metric"]: (row["id"], row["rolled"])
        for row in tx.all(
            """SELECT metric, id,
                (SELECT max(hour) FROM sketches WHERE series_id = series.id) AS rolled
            FROM series WHERE target = :target""",
            target=target,
        )
    }
    for metric, sample in measured:
        series_id, rolled = known.get(metric) or (_new(tx, target, metric), None)
        known[metric] = series_id, rolled
        if rolled is None or sample.at >= rolled + sketches.HOUR_MS:
            _keep(tx, series_id, sample)
        elif not sketches.late(tx, series_id, sample.at, sample.value):
            _keep(tx, series_id, sample)
            sketches.make(tx, series_id, sketches.hour_of(sample.at))


def _new(tx: Tx, target: str, metric: str) -> int:
    found: int = tx.all(
        "INSERT INTO series (target, metric) VALUES (:target, :metric) RETURNING id",
        target=target,
        metric=metric,
    )[0]["id"]
    return found


def _keep(tx: Tx, series_id: int, sample: Sample) -> None:
    tx.run(
        """INSERT INTO samples (series_id, at, value, reason)
        VALUES (:id, :at, :value, :reason)
        ON CONFLICT (series_id, at) DO UPDATE SET value = excluded.value, reason = excluded.reason""",
        id=series_id,
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


def metrics(tx: Tx, target: str) -> list[str]:
    """The metrics of a target that were ever measured and are still kept, in order of their names."""
    rows = tx.all("SELECT metric FROM series WHERE target = :target ORDER BY metric", target=target)
    return [row["metric"] for row in rows]


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

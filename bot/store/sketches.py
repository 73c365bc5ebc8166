"""Hours of samples as sketches: made from the raw ones once an hour is over, and kept for longer.

An hour of a series is rolled up whole, its hours one after the other, so that the newest one that has
a sketch tells which hours have none yet. Raw samples go an hour at a time, and only those whose hour
has its sketch; each step is one transaction, so that nothing is lost or counted twice by a crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.model.sketch import Buckets, Sketch
from bot.rules import sketch as statistics
from bot.store.database import Row, Tx

HOUR_MS = 3_600_000
SETTLED_MS = 300_000
"""An hour is rolled up this long after its end: a poll that began in it may still be under way."""
SERIES_AT_ONCE, ROWS_AT_ONCE, COUNTED_AT_ONCE = 100, 2_000, 20
"""How much one transaction looks at and changes: some milliseconds."""


@dataclass(frozen=True, slots=True)
class Hour:
    """``at`` is its start in UTC, in milliseconds since the epoch."""

    at: int
    sketch: Sketch


@dataclass(frozen=True)
class Held:
    """How much is kept of some series; ``last`` is the highest id among them."""

    last: int
    series: int
    samples: int
    hours: int


def hour_of(at: int) -> int:
    """The start of the hour that a time is in."""
    return at - at % HOUR_MS


def hours(tx: Tx, target: str, metric: str, first_ms: int, last_ms: int) -> list[Hour]:
    """The hours from that of ``first_ms`` to that of ``last_ms``, each whole, in order.

    Those in which no value is known are left out. What has no sketch yet is made from raw samples.
    """
    series = tx.one(
        """SELECT id FROM series WHERE target = :target AND metric = :metric""",
        target=target,
        metric=metric,
    )
    if series is None:
        return []
    first, last = hour_of(first_ms), hour_of(last_ms)
    rolled = tx.all(
        """SELECT hour, count, sum, squares, min, max, buckets FROM sketches
        WHERE series_id = :id AND hour BETWEEN :first AND :last ORDER BY hour""",
        id=series["id"],
        first=first,
        last=last,
    )
    begins = max(first, next_hour(tx, series["id"]))
    found = [*map(_hour, rolled), *_from_raw(tx, series["id"], begins, last + HOUR_MS)]
    return [hour for hour in found if hour.sketch.count]


def lows(
    tx: Tx, target: str, metric: str, first_ms: int, last_ms: int, at_most: float
) -> list[int]:
    """The starts of the hours in a sketch whose least value is no more than that, in order."""
    rows = tx.all(
        """SELECT hour FROM sketches
        WHERE series_id = (SELECT id FROM series WHERE target = :target AND metric = :metric)
          AND hour BETWEEN :first AND :last AND count > 0 AND min <= :most ORDER BY hour""",
        target=target,
        metric=metric,
        first=hour_of(first_ms),
        last=hour_of(last_ms),
        most=at_most,
    )
    return [row["hour"] for row in rows]


def next_hour(tx: Tx, series_id: int) -> int:
    """The first hour of a series that can't have a sketch yet; 0 where it has none at all."""
    newest = _newest(tx, series_id)
    return 0 if newest is None else newest + HOUR_MS


def late(tx: Tx, series_id: int, at: int, value: float | None) -> bool:
    """Put a sample straight into its hour's sketch, where the raw ones are gone; False where they aren't."""
    hour = hour_of(at)
    if _raw(tx, series_id, hour, hour + HOUR_MS):
        return False
    row = tx.one(
        """SELECT hour, count, sum, squares, min, max, buckets FROM sketches
        WHERE series_id = :id AND hour = :hour""",
        id=series_id,
        hour=hour,
    )
    if row is None:
        return False
    added = statistics.of([] if value is None else [value])
    _keep(tx, series_id, hour, statistics.merged([_hour(row).sketch, added]))
    return True


def make(tx: Tx, series_id: int, hour: int) -> int:
    """Make an hour's sketch, anew where there is one, from all its raw samples; how many there are."""
    raw = _raw(tx, series_id, hour, hour + HOUR_MS)
    _keep(tx, series_id, hour, _sketch(raw))
    return len(raw)


def portion(tx: Tx, after: int, raw_ms: int, hours_ms: int) -> int | None:
    """Roll up what is over and forget what is old, of some series: those with an id over ``after``.

    What to go on after; None where that was all. Raw samples are kept for at least ``raw_ms``.
    """
    left = ROWS_AT_ONCE
    last: int | None = None
    for row in tx.all(
        "SELECT id FROM series WHERE id > :after ORDER BY id LIMIT :limit",
        after=after,
        limit=SERIES_AT_ONCE,
    ):
        series_id: int = row["id"]
        while touched := _step(tx, series_id, raw_ms, hours_ms):
            left -= touched
            if left <= 0:
                return series_id - 1  # there may be more of this one
        last = series_id
    return last


def held(tx: Tx, after: int) -> Held | None:
    """How much is kept of the next few series; None where there is none with an id over ``after``.

    A few at a time, for counting a day's samples of a thousand targets takes a while.
    """
    rows = tx.all(
        """SELECT id, (SELECT count(*) FROM samples WHERE series_id = series.id) AS samples,
            (SELECT count(*) FROM sketches WHERE series_id = series.id) AS hours
        FROM series WHERE id > :after ORDER BY id LIMIT :limit""",
        after=after,
        limit=COUNTED_AT_ONCE,
    )
    if not rows:
        return None
    samples, hours = (sum(row[name] for row in rows) for name in ("samples", "hours"))
    return Held(rows[-1]["id"], len(rows), samples, hours)


def _step(tx: Tx, series_id: int, raw_ms: int, hours_ms: int) -> int:
    """One hour rolled up, or one forgotten; how many rows that were, 0 where nothing is to be done."""
    return (
        _roll(tx, series_id, hour_of(tx.now - SETTLED_MS))
        or _forget_raw(tx, series_id, hour_of(tx.now - raw_ms))
        or _forget_hours(tx, series_id, hour_of(tx.now - hours_ms))
        or _forget_series(tx, series_id)
    )


def _roll(tx: Tx, series_id: int, before: int) -> int:
    oldest = _oldest(tx, series_id, next_hour(tx, series_id))
    if oldest is None or oldest >= before:
        return 0
    return make(tx, series_id, hour_of(oldest))


def _forget_raw(tx: Tx, series_id: int, before: int) -> int:
    oldest = _oldest(tx, series_id, 0)
    if oldest is None or oldest >= min(before, next_hour(tx, series_id)):
        return 0
    return tx.run(
        "DELETE FROM samples WHERE series_id = :id AND at < :until",
        id=series_id,
        until=hour_of(oldest) + HOUR_MS,
    )


def _forget_hours(tx: Tx, series_id: int, before: int) -> int:
    return tx.run(
        "DELETE FROM sketches WHERE series_id = :id AND hour < :before", id=series_id, before=before
    )


def _forget_series(tx: Tx, series_id: int) -> int:
    """Of a target or a metric that is long gone."""
    if _newest(tx, series_id) is not None or _oldest(tx, series_id, 0) is not None:
        return 0
    return tx.run("DELETE FROM series WHERE id = :id", id=series_id)


def _newest(tx: Tx, series_id: int) -> int | None:
    row = tx.one("SELECT max(hour) AS hour FROM sketches WHERE series_id = :id", id=series_id)
    return row["hour"] if row else None


def _oldest(tx: Tx, series_id: int, since: int) -> int | None:
    row = tx.one(
        "SELECT min(at) AS at FROM samples WHERE series_id = :id AND at >= :since",
        id=series_id,
        since=since,
    )
    return row["at"] if row else None


def _raw(tx: Tx, series_id: int, first: int, end: int) -> list[Row]:
    return tx.all(
        """SELECT value FROM samples
        WHERE series_id = :id AND at >= :first AND at < :end ORDER BY at""",
        id=series_id,
        first=first,
        end=end,
    )


def _from_raw(tx: Tx, series_id: int, first: int, end: int) -> Iterator[Hour]:
    while (oldest := _oldest(tx, series_id, first)) is not None and oldest < end:
        hour = hour_of(oldest)
        first = hour + HOUR_MS
        yield Hour(hour, _sketch(_raw(tx, series_id, hour, first)))


def _sketch(rows: Iterable[Row]) -> Sketch:
    return statistics.of([value for (value,) in rows if value is not None])


def _keep(tx: Tx, series_id: int, hour: int, sketch: Sketch) -> None:
    tx.run(
        """INSERT INTO sketches (series_id, hour, count, sum, squares, min, max, buckets)
        VALUES (:id, :hour, :count, :sum, :squares, :min, :max, :buckets)
        ON CONFLICT (series_id, hour) DO UPDATE SET count = excluded.count, sum = excluded.sum,
            squares = excluded.squares, min = excluded.min, max = excluded.max,
            buckets = excluded.buckets""",
        id=series_id,
        hour=hour,
        count=sketch.count,
        sum=sketch.sum,
        squares=sketch.squares,
        min=sketch.min,
        max=sketch.max,
        buckets=sketch.buckets.text(),
    )


def _hour(row: Row) -> Hour:
    return Hour(
        row["hour"],
        Sketch(
            count=row["count"],
            sum=row["sum"],
            squares=row["squares"],
            min=row["min"],
            max=row["max"],
            buckets=Buckets.parse(row["buckets"]),
        ),
    )

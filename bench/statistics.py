"""The check of the last 24 h over a million samples: by merged sketches, and the same in plain SQL.

Mean, standard deviation and P95 of a hundred series. SQL's P95 is exact; how far ours is from it is a
figure of its own. The newest hour isn't over, so ours makes its part from raw samples.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from bench.pairs import WARM_UP, in_blocks, take_turns
from bench.table import Line, microseconds
from bot.clock import SystemClock
from bot.rules.sketch import deviation, mean, merged, quantile
from bot.store import sketches
from bot.store.database import Database, Tx
from bot.store.sketches import HOUR_MS

SERIES, EACH = 100, 10_000
DAY_MS = 24 * HOUR_MS
ROUNDS = 10
WARM = 2
AIM, ERROR_AIM = 40, 1.0
METRIC = "response_time_p95_ms"


class Figures(NamedTuple):
    """Of one series."""

    mean: float
    deviation: float
    p95: float


async def measure(folder: Path) -> AsyncIterator[Line]:
    """How many times faster, and the worst P95 of all series."""
    path, clock = folder / "statistics.db", SystemClock()
    await Database(path, clock).close()  # makes the tables
    # Half of the newest hour has passed; that of the roll-up is later, so that the others are over.
    now = sketches.hour_of(clock.now()) - HOUR_MS // 2
    first = sketches.hour_of(now - DAY_MS)
    _fill(path, first, now)
    database = Database(path, clock)
    ours: dict[int, Figures] = {}
    exact: dict[int, Figures] = {}
    await database.write(_roll_up, sketches.hour_of(now))

    async def by_sketches(number: int) -> None:
        ours.update(await database.read(_by_sketches, first, now))

    async def by_sql(number: int) -> None:
        if number >= WARM_UP - WARM:
            exact.update(await database.read(_by_sql, first))

    try:
        took = await take_turns(ROUNDS, by_sketches, by_sql)
    finally:
        await database.close()
    yield _speed(*took)
    yield _error(ours, exact)


def _fill(path: Path, first: int, now: int) -> None:
    """Latencies as services have them: skewed, each series of its own height, slower by day."""
    dice = random.Random(1)
    every = (now - first) / EACH
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO series (id, target, metric) VALUES (?, ?, ?)",
            [(one, f"service-{one}", METRIC) for one in range(1, SERIES + 1)],
        )
        for one in range(1, SERIES + 1):
            height, width = dice.uniform(1, 7), dice.uniform(0.2, 0.6)
            rows = []
            for number in range(EACH):
                at = first + round(number * every)
                busy = 0.2 * math.sin(2 * math.pi * at / DAY_MS)
                rows.append((one, at, dice.lognormvariate(height + busy, width)))
            connection.executemany(
                "INSERT INTO samples (series_id, at, value) VALUES (?, ?, ?)", rows
            )


def _roll_up(tx: Tx, before: int) -> None:
    """Every hour that is over: all but the newest."""
    for one in range(1, SERIES + 1):
        row = tx.one("SELECT min(at) AS at FROM samples WHERE series_id = :id", id=one)
        assert row is not None
        for hour in range(sketches.hour_of(row["at"]), before, HOUR_MS):
            sketches.make(tx, one, hour)


def _by_sketches(tx: Tx, first: int, now: int) -> dict[int, Figures]:
    found = {}
    for one in range(1, SERIES + 1):
        hours = sketches.hours(tx, f"service-{one}", METRIC, first, now)
        day = merged(hour.sketch for hour in hours)
        found[one] = Figures(mean(day), deviation(day), quantile(day, 0.95))
    return found


def _by_sql(tx: Tx, first: int) -> dict[int, Figures]:
    """The nearest-rank P95 by a window function; the rest by plain aggregates."""
    rows = tx.all(
        """SELECT series_id, avg(value) AS mean, avg(value * value) AS squares,
            min(value) FILTER (WHERE rank >= 0.95 * count) AS p95
        FROM (
            SELECT series_id, value,
                row_number() OVER (PARTITION BY series_id ORDER BY value) AS rank,
                count(*) OVER (PARTITION BY series_id) AS count
            FROM samples WHERE at >= :first AND value IS NOT NULL
        ) GROUP BY series_id""",
        first=first,
    )
    return {
        row["series_id"]: Figures(
            row["mean"], math.sqrt(row["squares"] - row["mean"] ** 2), row["p95"]
        )
        for row in rows
    }


def _speed(mine: list[float], sql: list[float]) -> Line:
    ratio, (low, high) = in_blocks(lambda a, b: b / a, mine, sql)
    return Line(
        what=f"the 24 h check of {SERIES * EACH:,} samples",
        ours=f"sketches {microseconds(in_blocks(float, mine)[0])}",
        beside=f"SQL {microseconds(in_blocks(float, sql)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times faster",
        aim=AIM,
        at_least=True,
    )


def _error(ours: dict[int, Figures], exact: dict[int, Figures]) -> Line:
    """The worst of all series; the mean and the deviation are exact, and held against SQL's here."""
    for one, figures in exact.items():
        assert math.isclose(ours[one].mean, figures.mean, rel_tol=1e-9)
        assert math.isclose(ours[one].deviation, figures.deviation, rel_tol=1e-6)
    off = [100 * abs(ours[one].p95 / exact[one].p95 - 1) for one in exact]
    worst = max(range(len(off)), key=off.__getitem__) + 1
    return Line(
        what="its P95, the worst of them",
        ours=f"{ours[worst].p95:.2f} ms",
        beside=f"exact {exact[worst].p95:.2f} ms",
        result=max(off),
        low=min(off),
        high=max(off),
        unit="%",
        aim=ERROR_AIM,
    )

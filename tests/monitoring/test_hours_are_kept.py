"""What a running bot measured becomes hours by itself, also where it was down when they were over."""

from __future__ import annotations

import asyncio

from bot.store import samples, sketches, timers
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.house import config_for, living, standing
from tests.support.targets import target

HOUR_MS = sketches.HOUR_MS


def measured(tx: Tx, hours: int) -> None:
    """A value a minute of a target that is polled no more."""
    first = sketches.hour_of(tx.now) - hours * HOUR_MS
    for number in range(60 * hours):
        samples.add(tx, "gone", "cpu_percent", Sample(first + number * 60_000, 50.0, None))


def kept(tx: Tx) -> tuple[int, int]:
    """Raw values, and hours."""
    row = tx.one(
        """SELECT (SELECT count(*) FROM samples WHERE series_id = series.id) AS raw,
            (SELECT count(*) FROM sketches WHERE series_id = series.id) AS hours
        FROM series WHERE target = 'gone'"""
    )
    return (row["raw"], row["hours"]) if row else (0, 0)


async def until(database: Database, raw: int, hours: int) -> None:
    async with asyncio.timeout(60):
        while await database.read(kept) != (raw, hours):
            await asyncio.sleep(0.01)


async def test_hours_are_rolled_up_and_old_values_go_by_the_config(tmp_path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(
            house.target,
            targets={"api": target(f"{house.target.url}/api/health")},
            samples={"raw": "24h", "hours": "48h"},
        )
        async with living(house, config) as bot:
            await bot.database.write(measured, 3)
        house.advance(2 * HOUR_MS)  # nobody runs meanwhile
        async with living(house, config) as bot:
            await until(bot.database, 180, 3)
            house.advance(25 * HOUR_MS)
            await until(bot.database, 0, 3)
            house.advance(49 * HOUR_MS)
            await until(bot.database, 0, 0)
            assert await bot.database.read(timers.armed, "prune") == [""]

"""Hours of samples: rolled up once, whole, from raw samples that may then go; what comes late is not lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from bot.model.upkeep import Samples
from bot.rules import sketch
from bot.store import samples, sketches
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from bot.store.sketches import HOUR_MS, SETTLED_MS, Hour
from tests.support.clock import ManualClock
from tests.support.forked import end_of, forked
from tests.support.retention import pruned
from tests.support.store import open_database

DAY_MS = 24 * HOUR_MS
START = sketches.hour_of(1_750_000_000_000)
MINUTE = 60_000


@pytest.fixture
def clock() -> ManualClock:
    """At the start of an hour."""
    return ManualClock(START)


def measured(tx: Tx, first: int, count: int, every: int = MINUTE, target: str = "iora") -> None:
    """Values that are no two the same, one every ``every`` ms."""
    for number in range(count):
        at = first + number * every
        samples.add(tx, target, "cpu_percent", Sample(at, value(at), None))


def value(at: int) -> float:
    return 10.0 + at % 7_777 / 100


async def hours(database: Database, first: int = 0, last: int = START + 400 * DAY_MS) -> list[Hour]:
    return await database.read(sketches.hours, "iora", "cpu_percent", first, last)


def rolled(tx: Tx) -> int:
    return tx.all("SELECT count(*) AS n FROM sketches")[0]["n"]


def raw(tx: Tx) -> int:
    return tx.all("SELECT count(*) AS n FROM samples")[0]["n"]


def known(tx: Tx) -> int:
    return tx.all("SELECT count(*) AS n FROM series")[0]["n"]


def expected(first: int, count: int, every: int = MINUTE) -> list[Hour]:
    by_hour: dict[int, list[float]] = {}
    for at in range(first, first + count * every, every):
        by_hour.setdefault(sketches.hour_of(at), []).append(value(at))
    return [Hour(at, sketch.of(values)) for at, values in by_hour.items()]


async def test_an_hour_is_the_sketch_of_its_values_whether_it_is_rolled_up_or_not(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START, 150)
    clock.advance(2 * HOUR_MS + SETTLED_MS)
    wanted = expected(START, 150)
    assert await hours(database) == wanted
    await pruned(database)
    assert await database.read(rolled) == 2  # the third isn't over
    assert await hours(database) == wanted


async def test_an_hour_waits_for_polls_that_are_under_way_before_it_is_rolled_up(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START, 60)
    clock.advance(HOUR_MS + SETTLED_MS - 1)
    await pruned(database)
    assert await database.read(rolled) == 0
    clock.advance(1)
    await pruned(database)
    assert await database.read(rolled) == 1


async def test_a_window_is_of_whole_hours(database: Database, clock: ManualClock) -> None:
    await database.write(measured, START, 300)
    clock.advance(3 * HOUR_MS)
    await pruned(database)
    found = await hours(database, START + 90 * MINUTE, START + 200 * MINUTE)
    assert found == expected(START, 300)[1:4]


async def test_a_series_that_was_never_measured_has_no_hours(database: Database) -> None:
    assert await hours(database) == []


async def test_an_hour_in_which_nothing_was_known_is_left_out(
    database: Database, clock: ManualClock
) -> None:
    await database.write(samples.add, "iora", "cpu_percent", Sample(START, None, "no answer"))
    await database.write(measured, START + HOUR_MS, 5)
    for _ in range(2):
        assert [hour.at for hour in await hours(database)] == [START + HOUR_MS]
        clock.advance(DAY_MS)
        await pruned(database)


async def test_raw_samples_go_after_a_day_and_their_hours_stay(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START, 180)
    wanted = expected(START, 180)
    clock.advance(DAY_MS + HOUR_MS + MINUTE)
    await pruned(database)
    assert await database.read(raw) == 120
    clock.advance(DAY_MS)
    await pruned(database)
    assert await database.read(raw) == 0
    assert await hours(database) == wanted


async def test_how_long_is_kept_is_configured(database: Database, clock: ManualClock) -> None:
    keep = Samples(raw="2d", hours="4d")
    await database.write(measured, START, 60)
    for days, raws, sketched in ((1, 60, 1), (2, 60, 1), (3, 0, 1), (4, 0, 1), (5, 0, 0)):
        clock.advance(START + days * DAY_MS + HOUR_MS - 1 - clock.now())
        await pruned(database, keep)
        found = (await database.read(raw), await database.read(rolled))
        assert found == (raws, sketched), f"after {days} d"


async def test_a_series_that_is_long_gone_is_forgotten(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START, 60)
    clock.advance(91 * DAY_MS)
    await pruned(database)
    assert await database.read(known) == 0
    await database.write(measured, clock.now(), 1)
    assert [hour.sketch.count for hour in await hours(database)] == [1]


async def test_a_late_sample_of_an_hour_that_is_rolled_up_is_in_it_once(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START, 60)
    clock.advance(3 * HOUR_MS)
    await pruned(database)
    for _ in range(2):  # the second time it replaces itself
        late = Sample(START + 90_500, 99.0, None)
        await database.write(samples.add, "iora", "cpu_percent", late)
    await pruned(database)
    (hour,) = await hours(database)
    assert hour.sketch == sketch.of([*(value(START + n * MINUTE) for n in range(60)), 99.0])


async def test_a_late_sample_is_not_lost_where_the_raw_ones_are_gone(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START, 60)
    clock.advance(2 * DAY_MS)
    await pruned(database)
    late = Sample(START + 90_500, 99.0, None)
    await database.write(samples.add, "iora", "cpu_percent", late)
    await database.write(samples.add, "iora", "cpu_percent", Sample(START + 1, None, "unknown"))
    await pruned(database)
    (hour,) = await hours(database)
    assert (hour.sketch.count, hour.sketch.max) == (61, 99.0)
    assert await database.read(raw) == 0


async def test_a_late_sample_of_an_hour_that_had_none_makes_it(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START + 2 * HOUR_MS, 60)
    clock.advance(4 * HOUR_MS)
    await pruned(database)
    await database.write(measured, START, 1)
    assert [hour.at for hour in await hours(database)] == [START, START + 2 * HOUR_MS]


async def test_after_a_clock_that_was_ahead_nothing_is_lost(
    database: Database, clock: ManualClock
) -> None:
    await database.write(measured, START + 5 * HOUR_MS, 1)
    clock.advance(7 * HOUR_MS)
    await pruned(database)
    await database.write(measured, START, 600)  # five hours of them lie before the newest sketch
    await pruned(database)
    assert sum(hour.sketch.count for hour in await hours(database)) == 600


async def test_one_portion_is_small(database: Database, clock: ManualClock) -> None:
    for number in range(30):
        await database.write(measured, START, 360, 10_000, f"target-{number}")
    clock.advance(2 * DAY_MS)
    portions = await pruned(database)
    assert portions >= 30 * 360 * 2 / (sketches.ROWS_AT_ONCE + 360)
    assert await database.read(raw) == 0
    assert await database.read(rolled) == 30


async def test_what_is_held_is_counted_a_few_series_at_a_time(
    database: Database, clock: ManualClock
) -> None:
    for number in range(45):
        await database.write(measured, START, 90, MINUTE, f"target-{number}")
    clock.advance(HOUR_MS + SETTLED_MS)
    await pruned(database)
    found, after = [], 0
    while (held := await database.read(sketches.held, after)) is not None:
        found.append((held.series, held.samples, held.hours))
        after = held.last
    assert found == [(20, 1800, 20), (20, 1800, 20), (5, 450, 5)]


def prune_and_die(path: str, now: int) -> None:
    """Rolls up or forgets one hour, and is killed right after that was committed."""
    asyncio.run(_prune_and_die(Path(path), now))


async def _prune_and_die(path: Path, now: int) -> None:
    def committed() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    sketches.ROWS_AT_ONCE = 1
    async with open_database(path, ManualClock(now), after_commit=committed) as database:
        await pruned(database)


async def test_no_hour_is_lost_or_counted_twice_by_a_kill_after_any_commit(tmp_path: Path) -> None:
    path, clock = tmp_path / "iora.db", ManualClock(START)
    async with open_database(path, clock) as database:
        await database.write(measured, START, 240)
    now = clock.advance(DAY_MS + 3 * HOUR_MS)
    steps = []
    while (60, 4) not in steps:
        assert await end_of(forked(prune_and_die, str(path), now)) == -signal.SIGKILL
        async with open_database(path, clock) as database:
            assert await hours(database) == expected(START, 240)
            steps.append((await database.read(raw), await database.read(rolled)))
    assert steps == [(240, 1), (240, 2), (240, 3), (240, 4), (180, 4), (120, 4), (60, 4)]


async def test_the_file_stops_growing(database: Database, clock: ManualClock) -> None:
    keep = Samples(raw="24h", hours="7d")
    dice = random.Random(3)
    sizes = []
    for _ in range(5 * 7):
        for _ in range(4):
            await database.write(six_hours, dice.random())
            clock.advance(6 * HOUR_MS)
            await pruned(database, keep)
        sizes.append(await database.read(size))
    weeks = [max(sizes[first : first + 7]) for first in range(0, 35, 7)]
    assert weeks[2] <= weeks[1] * 1.05
    assert weeks[4] <= weeks[2] * 1.02


def six_hours(tx: Tx, seed: float) -> None:
    dice = random.Random(seed)
    for number in range(72):
        for target in ("iora", "worker", "gateway"):
            sample = Sample(tx.now + number * 5 * MINUTE, dice.lognormvariate(4, 0.5), None)
            samples.add(tx, target, "response_time_p95_ms", sample)


def size(tx: Tx) -> int:
    return tx.all("PRAGMA page_count")[0][0]

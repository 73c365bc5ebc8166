"""When targets are polled next after a start or a reload of the config."""

from __future__ import annotations

import pytest

from bot.rules.pace import JITTER
from bot.services import due
from bot.store import timers
from bot.store.database import Database
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.targets import target

SECOND, HOUR = 1_000, 3_600_000
URL = "http://127.0.0.1:8080/health"


def polled(every: str, *names: str):
    return config(targets={name: target(URL) | {"poll": every} for name in names or ("iora",)})


async def due_of(database: Database, name: str = "iora") -> int | None:
    return await database.read(timers.due_of, "poll", name)


async def test_a_target_that_is_to_be_polled_more_often_does_not_wait_as_long_as_before(
    database, clock
):
    await database.write(due.schedule, polled("1h"))
    await database.write(timers.move, "poll", "iora", clock.now() + HOUR)
    await database.write(due.schedule, polled("30s"))
    assert await due_of(database) == clock.now(), (
        "a mended URL of a dead target is asked at once, too"
    )


@pytest.mark.parametrize("ahead", [0, 10 * SECOND, 31 * SECOND])
async def test_one_that_is_polled_soon_stays_as_it_is(
    database: Database, clock: ManualClock, ahead: int
):
    await database.write(due.schedule, polled("30s"))
    planned = clock.now() + ahead
    await database.write(timers.move, "poll", "iora", planned)
    await database.write(due.schedule, polled("30s"))
    assert await due_of(database) == planned


@pytest.mark.parametrize("kind", ["prune", "reserve"])
async def test_what_comes_round_does_not_wait_for_a_clock_that_was_ahead(database, clock, kind):
    await database.write(due.schedule, polled("30s"))
    first = await database.read(timers.due_of, kind, "")
    clock.set_back(HOUR)
    await database.write(due.schedule, polled("30s"))
    assert await database.read(timers.due_of, kind, "") == first - HOUR


async def test_many_are_spread_over_the_time_between_polls(database, clock):
    names = [f"service-{number}" for number in range(100)]
    for every in ("1h", "1m"):  # new, and polled more often than before
        await database.write(due.schedule, polled(every, *names))
        length = {"1h": HOUR, "1m": 60 * SECOND}[every]
        ahead = [await due_of(database, name) - clock.now() for name in names]
        assert 0 <= min(ahead) <= max(ahead) <= length * (1 + JITTER)
        assert len(set(ahead)) > 50


async def test_one_that_left_the_config_is_polled_no_more(database):
    await database.write(due.schedule, polled("30s", "iora", "worker"))
    await database.write(due.schedule, polled("30s", "worker"))
    assert await due_of(database) is None

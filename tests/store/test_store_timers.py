"""Timers: claimed with a lease, fired once, moved when armed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model.timer import Timer
from bot.store import timers
from bot.store.database import Database, Tx
from bot.store.timers import LEASE_MS
from tests.support.clock import NOON, ManualClock
from tests.support.store import open_database

DAY = 86_400_000


def arm(tx: Tx, subject: str, due_at: int) -> None:
    timers.arm(tx, "level", subject, due_at)


def arm_for(tx: Tx, subject: str, due_at: int, incident_id: int, stage: str) -> None:
    timers.arm(tx, "level", subject, due_at, incident_id=incident_id, stage=stage)


def add_incident(tx: Tx) -> None:
    tx.run(
        """INSERT INTO incidents (title, severity, status, policy, declared_by, channel, started_at,
        declared_at, opened_at) VALUES ('t', 'sev2', 'open', '{}', 'bot', 'incidents', 1, 1, 1)"""
    )


async def claim(database: Database, limit: int = 64) -> list[Timer]:
    return await database.write(timers.claim, limit)


async def test_a_timer_is_claimed_when_it_is_due_and_not_a_millisecond_before(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "one", clock.now() + 100)
    clock.advance(99)
    assert await claim(database) == []
    clock.advance(1)
    assert [timer.subject for timer in await claim(database)] == ["one"]


async def test_claiming_moves_the_timer_by_the_lease(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "one", clock.now())
    (claimed,) = await claim(database)
    assert claimed.due_at == clock.now() + LEASE_MS == await database.read(timers.next_due)
    assert claimed.attempts == 1
    assert await claim(database) == [], "nobody else gets it meanwhile"


async def test_a_claim_fires_once(database: Database, clock: ManualClock) -> None:
    await database.write(arm, "one", clock.now())
    (claimed,) = await claim(database)
    assert await database.write(timers.fire, claimed)
    assert not await database.write(timers.fire, claimed)
    clock.advance(10 * LEASE_MS)
    assert await claim(database) == []


async def test_a_claim_whose_lease_ran_out_is_given_to_the_next_and_can_not_fire_any_more(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "one", clock.now())
    (lost,) = await claim(database)
    clock.advance(LEASE_MS - 1)
    assert await claim(database) == []
    clock.advance(1)
    (again,) = await claim(database)
    assert again.attempts == 2
    assert not await database.write(timers.fire, lost)
    assert await database.write(timers.fire, again)


async def test_arming_again_moves_the_timer_and_invalidates_a_claim(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "one", clock.now())
    (claimed,) = await claim(database)
    await database.write(arm, "one", clock.now() + 500)
    assert not await database.write(timers.fire, claimed)
    assert await database.read(timers.next_due) == clock.now() + 500
    clock.advance(500)
    (again,) = await claim(database)
    assert again.attempts == 1, "counted anew"


async def test_a_timer_that_was_fired_and_armed_anew_is_not_fired_by_the_old_claim(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "one", clock.now())
    (claimed,) = await claim(database)
    assert await database.write(timers.fire, claimed)
    await database.write(arm, "one", clock.now())
    assert not await database.write(timers.fire, claimed)


async def test_what_is_due_is_claimed_oldest_first(database: Database, clock: ManualClock) -> None:
    """Also where it was armed in another order."""
    for subject, due in (("late", 30), ("first", 10), ("second", 20), ("also second", 20)):
        await database.write(arm, subject, clock.now() + due)
    clock.advance(1_000)
    assert [timer.subject for timer in await claim(database)] == [
        "first",
        "second",
        "also second",
        "late",
    ]


async def test_of_more_than_the_limit_the_oldest_are_claimed(
    database: Database, clock: ManualClock
) -> None:
    for number in range(10):
        await database.write(arm, str(number), clock.now() - number)
    claimed = [timer.subject for _ in range(4) for timer in await claim(database, 3)]
    assert claimed == ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"]


async def test_after_a_start_what_was_claimed_is_due_at_once(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "claimed", clock.now())
    await database.write(arm, "in 10 s", clock.now() + 10_000)
    await claim(database)
    clock.advance(1_000)
    assert await database.write(timers.release_claims) == 1
    assert [timer.subject for timer in await claim(database)] == ["claimed"]


async def test_a_clock_that_was_set_back_before_a_restart_holds_no_claim(tmp_path: Path) -> None:
    async with open_database(tmp_path / "iora.db", ManualClock(NOON)) as before:
        await before.write(arm, "claimed", NOON)
        await claim(before)
    async with open_database(tmp_path / "iora.db", ManualClock(NOON - DAY)) as after:
        await after.write(timers.release_claims)
        assert [timer.subject for timer in await claim(after)] == ["claimed"]


async def test_one_timer_a_kind_and_subject_with_the_latest_detail(
    database: Database, clock: ManualClock
) -> None:
    await database.write(add_incident)
    await database.write(arm_for, "1", clock.now(), 1, "level")
    await database.write(arm_for, "1", clock.now(), 1, "repeat")
    (only,) = await claim(database)
    assert (only.detail, only.incident_id) == ({"stage": "repeat"}, 1)


async def test_disarming_takes_an_incidents_timers_of_one_kind_and_their_claims(
    database: Database, clock: ManualClock
) -> None:
    await database.write(add_incident)
    await database.write(arm_for, "1", clock.now(), 1, "level")
    await database.write(arm, "another", clock.now())
    claimed = {timer.subject: timer for timer in await claim(database)}
    assert await database.write(timers.disarm, "level", 1) == 1
    assert not await database.write(timers.fire, claimed["1"])
    assert await database.write(timers.fire, claimed["another"])


@pytest.mark.parametrize("due", [-5, 0, 5_000])
async def test_next_due_is_the_soonest(database: Database, clock: ManualClock, due: int) -> None:
    assert await database.read(timers.next_due) is None
    await database.write(arm, "later", clock.now() + 60_000)
    await database.write(arm, "soonest", clock.now() + due)
    assert await database.read(timers.next_due) == clock.now() + due


async def test_a_removed_timer_is_gone_claimed_or_not(
    database: Database, clock: ManualClock
) -> None:
    await database.write(arm, "one", clock.now())
    (claimed,) = await claim(database)
    await database.write(timers.remove, "level", "one")
    assert not await database.write(timers.fire, claimed)
    assert await database.read(timers.armed, "level") == []

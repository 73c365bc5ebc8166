"""What the bot finds by itself: one open incident for each thing, however often it is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.answer import Refusal
from bot.model.command import Reopen, Resolve
from bot.model.found import Found
from bot.model.incident import Severity, Status
from bot.services import found, incidents
from bot.services.incidents import Done
from bot.store import incidents as stored
from bot.store.database import Database
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.incidents import alice
from tests.support.store import together
from tests.support.story import Story

MINUTE = 60_000


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


def hot(clock: ManualClock, **changes: object) -> Found:
    known = Found(
        key="rule:cpu-critical:iora",
        title="iora: CPU 96 %",
        severity=Severity.SEV1,
        targets=("iora",),
        since=clock.now() - 2 * MINUTE,
        because=("CPU 96 % > 90",),
        runbook="high-cpu-usage",
        reopen_within=30 * MINUTE,
    )
    return replace(known, **changes)


async def declare(database: Database, what: Found) -> Done:
    return await database.write(found.declare, config(), what)


async def resolve(database: Database, number: int) -> None:
    over = Resolve(incident=number, text="looked at by hand", anyway=True)
    await database.write(incidents.change, config(), over, incidents.Asked(alice))


async def reopen(database: Database, number: int) -> Done | Refusal:
    asked = incidents.Asked(alice)
    return await database.write(incidents.change, config(), Reopen(incident=number), asked)


async def test_it_is_declared_with_what_was_seen_and_since_when(
    story: Story, database: Database, clock: ManualClock
) -> None:
    done = await declare(database, hot(clock))
    assert (done.kind, done.fresh) == ("declared", True)
    assert done.incident.declared_at - done.incident.started_at == 2 * MINUTE
    assert done.incident.time_to_detect == 2 * MINUTE
    (declared,) = await story.timeline()
    assert declared.actor == "bot"
    assert declared.facts["because"] == ["CPU 96 % > 90"]
    assert declared.facts["runbook"] == "high-cpu-usage"
    assert {timer.kind for timer in await story.claim()} == {"level", "collect"}
    assert len(await story.messages("card")) == 1


async def test_what_is_open_already_is_the_same_incident(
    database: Database, clock: ManualClock
) -> None:
    first = await declare(database, hot(clock))
    again = await declare(database, hot(clock, title="iora: CPU 99 %"))
    assert (again.incident.id, again.fresh) == (first.incident.id, False)
    other = await declare(database, hot(clock, key="rule:cpu-critical:worker"))
    assert other.incident.id != first.incident.id


async def test_many_that_find_it_in_the_same_moment_open_one(
    database: Database, clock: ManualClock
) -> None:
    done = await together(database, *(declare(database, hot(clock)) for _ in range(20)))
    made = [one for one in done if isinstance(one, Done)]
    assert (len(made), {one.incident.id for one in made}) == (20, {1})
    assert [one.fresh for one in made].count(True) == 1


@pytest.mark.parametrize(("after", "kind"), [(30, "reopened"), (31, "declared")])
async def test_what_comes_back_soon_reopens_its_incident(
    story: Story, database: Database, clock: ManualClock, after: int, kind: str
) -> None:
    first = (await declare(database, hot(clock))).incident
    await resolve(database, first.id)
    clock.advance(after * MINUTE)
    done = await declare(database, hot(clock))
    assert done.kind == kind
    assert done.incident.status is Status.OPEN
    assert (done.incident.id == first.id) is (kind == "reopened")
    if kind == "reopened":
        (back,) = [one for one in await story.timeline() if one.kind == "reopened"]
        assert back.facts["text"] == "it is back: CPU 96 % > 90"


async def test_a_policy_of_its_own_goes_before_that_of_the_severity(
    database: Database, clock: ManualClock
) -> None:
    done = await declare(database, hot(clock, policy="announce"))
    assert done.incident.policy["name"] == "announce"
    assert (await database.read(stored.newest_of_rule, hot(clock).key)) == done.incident


async def test_an_older_one_is_not_reopened_beside_the_one_that_is_open(
    database: Database, clock: ManualClock
) -> None:
    await declare(database, hot(clock))
    await resolve(database, 1)
    clock.advance(60 * MINUTE)
    await declare(database, hot(clock))
    refused = await reopen(database, 1)
    assert isinstance(refused, Refusal)
    assert refused.reason == "INC-2 is open for the same thing."


async def test_what_comes_back_belongs_to_the_older_one_where_that_is_open_again(
    database: Database, clock: ManualClock
) -> None:
    for number in (1, 2):
        await declare(database, hot(clock))
        await resolve(database, number)
        clock.advance(60 * MINUTE)
    await reopen(database, 1)
    done = await declare(database, hot(clock))
    assert (done.incident.id, done.fresh) == (1, False)

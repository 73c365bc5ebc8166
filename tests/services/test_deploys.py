"""Deploys that the bot is told of: kept once, and told where an incident may come from them."""

from __future__ import annotations

import pytest

from bot.model.actor import BOT
from bot.model.answer import Refusal
from bot.model.command import Resolve
from bot.model.deploy import Deploy
from bot.render.card import card
from bot.render.entry import sentence
from bot.services import deploys, incidents
from bot.services.overview import overview
from bot.store import deploys as stored
from bot.store import incidents as stored_incidents
from bot.store import outbox
from bot.store.database import Database
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.incidents import alice
from tests.support.story import Story

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
CI = "cli:ci"


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


async def deploy(
    database: Database,
    clock: ManualClock,
    title: str = "v1.2.3",
    ago: int = 0,
    target: str = "iora",
) -> Deploy | Refusal:
    at = clock.now() - ago
    return await database.write(deploys.record, config(), target, at, title, CI)


async def kept(database: Database, clock: ManualClock) -> list[Deploy]:
    return await database.read(stored.between, "iora", 0, clock.now())


async def entries(database: Database, incident: int = 1) -> list[str]:
    found = await database.read(stored_incidents.timeline, incident, ("deployed",))
    assert {entry.actor for entry in found} <= {BOT}
    return [sentence(entry) for entry in found]


async def test_it_is_kept_with_its_target_its_time_and_who_told_of_it(database, clock):
    await deploy(database, clock, "v1.2.3 (abc1234)")
    assert await kept(database, clock) == [Deploy("iora", clock.now(), "v1.2.3 (abc1234)", CI)]


async def test_one_that_is_told_again_within_a_minute_is_the_same(database, clock):
    first = await deploy(database, clock)
    clock.advance(50 * SECOND)
    assert await deploy(database, clock) == first
    clock.advance(20 * SECOND)
    assert await deploy(database, clock) != first
    assert len(await kept(database, clock)) == 2


async def test_another_title_within_a_minute_is_another_deploy(database, clock):
    await deploy(database, clock, "v1")
    await deploy(database, clock, "v2")
    assert [one.title for one in await kept(database, clock)] == ["v1", "v2"]


async def test_a_secret_in_its_title_is_not_kept(database, clock):
    await deploy(database, clock, "token=hunter2hunter2")
    (one,) = await kept(database, clock)
    assert "hunter2" not in one.title


async def test_a_machine_whose_clock_is_ahead_deploys_now(database, clock):
    done = await deploy(database, clock, ago=-4 * MINUTE)
    assert done == Deploy("iora", clock.now(), "v1.2.3", CI)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ago": -6 * MINUTE}, "can't be in the future"),
        ({"target": "irao"}, "Did you mean `iora`?"),
        ({"target": "zebra"}, "There are: iora"),
    ],
)
async def test_what_can_not_be_is_refused(database, clock, changes, words):
    refused = await deploy(database, clock, **changes)
    assert isinstance(refused, Refusal)
    assert words in str(refused)
    assert await kept(database, clock) == []


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (0, ["Deployed 0 s before: v1.2.3 on iora by ci (command line)."]),
        (12 * MINUTE, ["Deployed 12 min before: v1.2.3 on iora by ci (command line)."]),
        (HOUR, ["Deployed 60 min before: v1.2.3 on iora by ci (command line)."]),
        (HOUR + SECOND, []),
    ],
)
async def test_an_incident_within_an_hour_after_it_says_so(story, database, clock, ago, said):
    await deploy(database, clock, ago=ago)
    await story.declare(targets=("iora",))
    assert await entries(database) == said


async def test_the_card_says_so_in_one_line_and_in_its_text(story, database, clock):
    await deploy(database, clock, "<!channel> v1.2.3")
    clock.advance(12 * MINUTE)
    await story.declare(targets=("iora",))
    seen = await database.read(overview, config(), 1)
    assert seen is not None
    drawn = card(seen)
    assert (
        "Deployed 12 min before: &lt;!channel&gt; v1.2.3 on iora by ci (command line)" in drawn.text
    )
    assert any("Deployed 12 min before" in str(block) for block in drawn.blocks)


async def test_one_without_a_name_is_told_by_its_target(story, database, clock):
    await deploy(database, clock, "", ago=MINUTE)
    await story.declare(targets=("iora",))
    assert await entries(database) == ["Deployed 60 s before: iora by ci (command line)."]


async def test_a_deploy_during_an_incident_is_in_its_thread(story, database, clock):
    await story.declare(targets=("iora",))
    clock.advance(5 * MINUTE)
    await deploy(database, clock, "v1.2.2")
    assert await entries(database) == ["Deployed meanwhile: v1.2.2 on iora by ci (command line)."]
    (entry,) = await database.read(stored_incidents.timeline, 1, ("deployed",))
    assert await database.read(outbox.by_key, f"entry:1:{entry.seq}") is not None


async def test_one_that_is_told_late_still_reaches_the_incident_that_came_after_it(
    story, database, clock
):
    await story.declare(targets=("iora",))
    clock.advance(MINUTE)
    await deploy(database, clock, ago=6 * MINUTE)
    assert await entries(database) == [
        "Deployed 5 min before: v1.2.3 on iora by ci (command line)."
    ]


async def test_it_is_no_sign_that_a_person_is_on_it(story, database, clock):
    await story.declare(targets=("iora",))
    await deploy(database, clock)
    newest = await database.read(stored_incidents.newest_by_a_person, 1)
    assert newest is not None
    assert newest.seq == 1  # the declaration
    found = await database.read(stored_incidents.timeline, 1, ("deployed",))
    assert [entry.by_a_person for entry in found] == [False]


async def test_a_resolved_incident_hears_of_nothing(story, database, clock):
    await story.declare(targets=("iora",))
    over = Resolve(incident=1, text="looked at by hand", anyway=True)
    await database.write(incidents.change, config(), over, incidents.Asked(alice))
    clock.advance(1)
    await deploy(database, clock)
    assert await entries(database) == []


async def test_deploys_from_before_a_time_are_forgotten(database, clock):
    await deploy(database, clock, "old", ago=2 * HOUR)
    await deploy(database, clock, "new")
    assert await database.write(stored.forget, clock.now() - HOUR) == 1
    assert [one.title for one in await kept(database, clock)] == ["new"]

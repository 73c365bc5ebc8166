"""What is measured before a level is decided on, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.timer import Timer
from bot.rules import verdict
from bot.services import escalation
from bot.services.escalation import Wanted
from bot.services.monitoring import _wanted
from bot.store import samples
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.clock import ManualClock
from tests.support.configs import ALICE, config
from tests.support.health import reading
from tests.support.story import Story

MINUTE = 60_000


def asking(condition: str) -> Config:
    levels = [
        {"after": "0s", "notify": ["channel"]},
        {"after": "5m", "when": condition, "notify": [f"user:{ALICE}"]},
    ]
    return config(critical={"levels": levels})


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


async def due(story: Story) -> Timer:
    await story.go_on(0)
    (timer,) = await story.levels()
    story.clock.advance(timer.due_at - story.clock.now())
    return timer


async def test_the_targets_of_the_incident_and_the_changes_that_are_asked_for(
    story: Story,
) -> None:
    story.config = asking("cpu_percent.change_5m > 10 and memory_mb > 1")
    await story.declare(targets=("iora", "worker"))
    timer = await due(story)
    found = await story.database.read(escalation.wanted, timer, story.config)
    assert found == Wanted(("iora", "worker"), ("cpu_percent.change_5m",))


async def test_nothing_before_the_time_of_a_condition(story: Story) -> None:
    story.config = asking("cpu_percent > 10")
    await story.declare(targets=("iora",))
    (timer,) = await story.levels()
    assert await story.database.read(escalation.wanted, timer, story.config) is None


async def test_nothing_without_conditions(story: Story) -> None:
    await story.declare(targets=("iora",), severity=Severity.SEV2)
    timer = await due(story)
    assert await story.database.read(escalation.wanted, timer, story.config) is None


def _keep(tx: Tx, at: int, value: float) -> None:
    samples.add(tx, "iora", "cpu_percent", Sample(at, value, None))


async def test_a_change_is_counted_from_the_sample_of_that_time(story: Story) -> None:
    now = story.clock.now()
    await story.database.write(_keep, now - 5 * MINUTE - 1_000, 20.0)
    await story.database.write(_keep, now - MINUTE, 50.0)
    found = Wanted(("iora",), ("cpu_percent.change_5m",))
    measured = replace(
        verdict.not_watched("iora", now), readings=(reading("cpu_percent", 96.0, "%"),)
    )
    values = (await story.database.read(escalation.seen, found, [measured]))["iora"]
    assert values["cpu_percent.change_5m"].value == 76.0


async def test_a_target_that_a_reload_took_away_has_no_readings(story: Story) -> None:
    found = Wanted(("gone",), ())
    assert await story.database.read(escalation.seen, found, []) == {"gone": {}}


def test_what_only_a_level_asks_for_is_wanted_of_the_agent() -> None:
    """So that it is unknown while the agent is away, and not unmeasured."""
    assert "threads" not in _wanted(config())
    assert "threads" in _wanted(asking("threads > 500"))

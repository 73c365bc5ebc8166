"""A regression is told once, told anew as it moves, and closed; a healthy window is learned on a word."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.attempt import Attempt
from bot.model.command import Declare, LearnBaseline, Resolve, SetSilence
from bot.model.message import Message
from bot.model.regression import Regression
from bot.render.message import draw
from bot.services import baseline, incidents, regression, silencing
from bot.services.incidents import Asked
from bot.store import incidents as stored
from bot.store import learned, outbox, regressions, timers
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.incidents import alice, mallory
from tests.support.measured import measured

HOUR, MINUTE = 3_600_000, 60_000
METRIC = "response_time_p95_ms"
CONFIG = config()
BOOKS: dict[str, Any] = {"performance-regression": None}


class Watched:
    """iora, an hour at a time; it is always six minutes past the hour."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.clock = database, clock
        clock.advance(HOUR - clock.now() % HOUR + 6 * MINUTE)

    async def measure(self, value: float, hours: int) -> None:
        """Let hours pass with values around one."""
        values = [value * factor for factor in (0.97, 1.03, 1.0, 0.98, 1.02, 1.0)] * 2
        first = self.clock.now() - 6 * MINUTE
        found = {first + at * HOUR: values for at in range(hours)}
        await measured(self.database, "iora", METRIC, found)
        self.clock.advance(hours * HOUR)

    async def pass_hours(self, value: float, hours: int) -> None:
        for _ in range(hours):
            await self.measure(value, 1)
            await self.look()

    async def look(self, settings=CONFIG) -> None:
        await self.database.write(regression.look, settings, BOOKS, "iora")

    async def learn(self, by: Actor = alice, **fields: Any) -> Answer | Refusal:
        command = LearnBaseline(target="iora", **fields)
        return await baseline.learn(self.database, CONFIG, command, Asked(by))

    async def live(self) -> list[Regression]:
        return await self.database.read(regressions.live)

    async def messages(self) -> list[Message]:
        return await self.database.read(outbox.with_prefix, "regression:")


@pytest.fixture
def iora(database: Database, clock: ManualClock) -> Watched:
    return Watched(database, clock)


def words(message: Message) -> str:
    drawn = draw(Attempt(message, "post", None, None, None))
    return drawn.text


async def test_a_slower_service_is_told_of_once_and_again_only_when_the_figure_moves(iora):
    await iora.measure(100, 24)
    assert isinstance(await iora.learn(), Answer)
    await iora.pass_hours(100, 6)
    assert await iora.messages() == []

    await iora.pass_hours(130, 6)
    (message,) = await iora.messages()
    assert message.destination == "channel:incidents"
    assert message.revision == 1
    text = words(message)
    assert "Regression on iora: P95 is 30 % worse than usual (severe)" in text
    assert "By the learned baseline: mean of an hour 130 ms, usual at that hour 100 ms" in text
    assert "Profile API endpoints for bottlenecks" in text

    await iora.pass_hours(131, 3)
    assert (await iora.messages())[0].revision == 1
    await iora.pass_hours(170, 6)
    (message,) = await iora.messages()
    assert message.revision > 1
    assert "70 % worse" in words(message)
    assert "Critical performance regression" in words(message)


async def test_it_is_closed_when_it_is_gone_and_a_new_one_is_another_message(iora):
    await iora.measure(100, 24)
    await iora.learn()
    await iora.pass_hours(130, 8)
    await iora.pass_hours(100, 4)
    assert await iora.live() == []
    (message,) = await iora.messages()
    assert "Over: the regression of P95 on iora, after" in words(message)
    await iora.pass_hours(130, 8)
    assert len(await iora.messages()) == 2


async def test_both_ways_of_telling_are_one_regression_that_says_who_spoke(iora):
    await iora.measure(450, 24)
    await iora.learn()
    await iora.pass_hours(900, 12)
    (found,) = await iora.live()
    assert found.method == "both"
    text = words((await iora.messages())[0])
    assert "By the guide's formula: mean of 24 h" in text
    assert "By the learned baseline" in text


async def test_without_a_learned_window_the_guides_formula_speaks_alone(iora):
    await iora.pass_hours(600, 3)
    (found,) = await iora.live()
    assert found.method == "guide"
    text = words((await iora.messages())[0])
    assert "P95 is 20 % worse than its baseline (moderate)" in text
    assert "mean of 24 h 600 ms, baseline 500 ms" in text


async def test_what_can_not_be_read_any_more_is_not_gone(iora):
    await iora.measure(100, 24)
    await iora.learn()
    await iora.pass_hours(130, 8)
    iora.clock.advance(20 * HOUR)
    await iora.look()
    assert len(await iora.live()) == 1


async def test_what_was_not_read_for_the_whole_window_is_closed_and_says_so(iora):
    await iora.measure(100, 24)
    await iora.learn()
    await iora.pass_hours(130, 8)
    iora.clock.advance(26 * HOUR)
    await iora.look()
    assert await iora.live() == []
    (message,) = await iora.messages()
    assert "nothing was read of it for 24 h, so nobody can tell any more" in words(message)
    await iora.look()
    assert await iora.live() == []


async def test_learning_another_window_by_which_it_is_worse_too_changes_nothing_but_who_learned(
    iora,
):
    first = iora.clock.now() - 6 * MINUTE
    await iora.measure(100, 24)
    await iora.learn()
    await iora.pass_hours(130, 8)
    await iora.learn(first=first, last=first + 24 * HOUR)
    await iora.pass_hours(131, 1)
    await iora.pass_hours(108, 12)  # neither worse by more than the threshold nor below half of it
    (found,) = await iora.live()
    assert found.facts["learned"] == 2


async def test_learning_what_is_usual_now_closes_what_was_worse_than_before(iora):
    await iora.measure(100, 24)
    await iora.learn()
    await iora.pass_hours(130, 24)
    assert isinstance(await iora.learn(), Answer)
    await iora.look()
    assert await iora.live() == []
    (message,) = await iora.messages()
    assert "a new baseline was learned" in words(message)
    assert await iora.database.read(learned.count, "iora") == 2


async def test_a_silence_mutes_it_until_the_silence_is_over(iora):
    await iora.measure(100, 24)
    await iora.learn()
    silence = SetSilence(targets=("iora",), reason="deploys", length=10 * HOUR)
    await iora.database.write(silencing.set_silence, CONFIG, silence, Asked(alice))
    await iora.pass_hours(130, 8)
    assert len(await iora.live()) == 1
    assert await iora.messages() == []
    await iora.pass_hours(130, 4)
    assert len(await iora.messages()) == 1


async def test_an_open_incident_of_the_target_has_it_on_its_timeline(iora):
    await iora.measure(100, 24)
    await iora.learn()
    declare = Declare(title="API slow", targets=("iora",))
    await iora.database.write(incidents.declare, CONFIG, declare, Asked(alice))
    await iora.pass_hours(130, 8)
    await iora.pass_hours(100, 4)
    entries = await iora.database.read(stored.timeline, 1, ("regression",))
    assert [one.facts["what"] for one in entries] == ["began", "over"]


async def test_a_metric_that_is_held_against_nothing_any_more_is_closed(iora):
    await iora.pass_hours(600, 3)
    await iora.look(config(baselines={"cpu_percent": {"below": 70}}))
    assert await iora.live() == []


async def test_a_target_that_left_the_config_is_closed_and_looked_at_no_more(iora):
    await iora.database.write(regression.schedule, CONFIG)
    assert await iora.database.read(timers.armed, regression.KIND) == ["iora", "worker"]
    await iora.pass_hours(600, 3)
    targets = {"worker": {"health": {"url": "http://127.0.0.1:7070/healthz"}}}
    await iora.database.write(regression.schedule, config(targets=targets))
    assert await iora.database.read(timers.armed, regression.KIND) == ["worker"]
    assert await iora.live() == []
    assert "not watched any more" in words((await iora.messages())[0])


async def test_a_look_that_a_clock_planned_that_was_ahead_comes_all_the_same(iora, clock):
    await iora.database.write(regression.schedule, CONFIG)
    clock.set_back(100 * HOUR)
    await iora.database.write(regression.schedule, CONFIG)
    planned = await iora.database.read(timers.due_of, regression.KIND, "iora")
    assert planned <= clock.now() + regression.EVERY_MS


async def test_a_look_comes_back_and_one_whose_claim_was_lost_does_nothing(iora):
    await iora.measure(600, 3)
    await iora.database.write(regression.schedule, CONFIG)
    iora.clock.advance(regression.EVERY_MS)
    claimed = await iora.database.write(timers.claim, 64, regression.KIND)
    timer = next(one for one in claimed if one.subject == "iora")
    await iora.database.write(regression.work, timer, CONFIG, BOOKS)
    await iora.database.write(regression.work, timer, CONFIG, BOOKS)
    assert len(await iora.messages()) == 1
    due = await iora.database.read(timers.due_of, regression.KIND, "iora")
    assert due == iora.clock.now() + regression.EVERY_MS


async def test_it_is_learned_with_who_and_when_and_only_by_those_who_have_a_role(iora):
    await iora.measure(100, 24)
    refused = await iora.learn(by=mallory)
    assert isinstance(refused, Refusal)
    assert refused.reason == "You may not say what is usual."
    given = await iora.learn()
    assert isinstance(given, Answer)
    assert given.facts["learned_by"] == alice.text
    assert given.facts["learned_at"] == iora.clock.now()
    (usual,) = given.facts["metrics"]
    assert (usual["metric"], usual["hours"], usual["samples"]) == (METRIC, 24, 288)


async def test_a_window_with_too_little_data_is_refused_with_the_reason(iora):
    iora.clock.advance(24 * HOUR)
    refused = await iora.learn()
    assert isinstance(refused, Refusal)
    assert "only 0 h have 10 samples or more: at least 6 are needed" in refused.reason
    await iora.measure(100, 8)
    half = await iora.learn()
    assert isinstance(half, Refusal)
    assert "that is less than half of it" in half.reason
    assert isinstance(await iora.learn(anyway=True), Answer)


async def test_a_window_with_an_incident_is_refused_unless_anyway(iora):
    await iora.measure(100, 20)
    declare = Declare(title="API slow", targets=("iora",))
    await iora.database.write(incidents.declare, CONFIG, declare, Asked(alice))
    await iora.database.write(
        incidents.change, CONFIG, Resolve(incident=1, text="ok"), Asked(alice)
    )
    await iora.measure(100, 4)
    refused = await iora.learn()
    assert isinstance(refused, Refusal)
    assert refused.reason.startswith("INC-1 was open on iora in that window")
    assert isinstance(await iora.learn(anyway=True), Answer)


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        ({"length": HOUR}, "at least 6 h"),
        ({"length": 40 * 24 * HOUR}, "at most 31 days"),
        ({"first": 1_750_000_000_000, "last": 1_999_999_999_999}, "isn't over yet"),
    ],
)
async def test_a_window_that_can_not_be(iora, window, reason):
    refused = await iora.learn(**window)
    assert isinstance(refused, Refusal)
    assert reason in refused.reason


async def test_the_answer_to_baseline_shows_who_learned_and_how_the_last_hours_compare(iora):
    await iora.measure(100, 24)
    shown = await iora.database.read(_beside)
    assert shown["learned"] is None
    await iora.learn()
    await iora.measure(130, 8)
    shown = await iora.database.read(_beside)
    assert shown["learned"]["learned_by"] == alice.text
    by = {one["method"]: one for one in shown["compared"]}
    assert by["learned"]["degradation"] == pytest.approx(0.3, abs=0.02)
    assert by["guide"]["degradation"] < 0


def _beside(tx: Tx) -> Any:
    return baseline.beside(tx, CONFIG, {"target": "iora"})

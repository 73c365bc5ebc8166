"""Resolving is challenged while the last readings still fail, and goes on with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.model.answer import Challenge, Refusal
from bot.model.command import Mitigate, Reopen, Resolve
from bot.model.incident import Status
from bot.model.reading import Verdict
from bot.rules.detection import Hold, Phase
from bot.rules.hold import NOTHING, Held
from bot.services.incidents import Done
from bot.services.monitoring import SAID
from bot.store import holds, samples
from bot.store import incidents as stored
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.incidents import bob, mallory
from tests.support.story import Story

SECOND = 1_000
PLAIN = Resolve()
ANYWAY = Resolve(text="the sensor is broken", anyway=True)


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


def _polled(tx: Tx, target: str, verdict: Verdict, reason: str, values: dict[str, Any]) -> None:
    samples.add(tx, target, SAID, Sample(tx.now, verdict.rank, reason))
    for metric, value in values.items():
        said = None if value is not None else "the agent gave no answer"
        samples.add(tx, target, metric, Sample(tx.now, value, said))


async def polled(
    story: Story,
    target: str = "iora",
    verdict: Verdict = Verdict.HEALTHY,
    reason: str = 'status word "ok"',
    **values: float | None,
) -> None:
    """As a poll leaves it."""
    known = {"cpu_percent": 12.0, "memory_mb": 120.0} | values
    await story.database.write(_polled, target, verdict, reason, known)


async def challenged(story: Story, command: Resolve = PLAIN) -> Challenge:
    given = await story.try_change(command)
    assert isinstance(given, Challenge), given
    return given


async def test_a_target_that_is_well_again_is_resolved_without_a_word(story, clock):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    clock.advance(30 * SECOND)
    await polled(story)
    done = await story.change(Resolve(text="rolled back"))
    assert done.incident.status is Status.RESOLVED
    (entry,) = await story.timeline("resolved")
    assert "failing" not in entry.facts


async def test_while_it_fails_nothing_is_resolved_and_the_question_says_what_against_which_bound(
    story, clock
):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    clock.advance(4 * SECOND)
    asked = await challenged(story)
    assert str(asked) == (
        "INC-1 is not resolved yet: iora CPU 96 % (critical above 90), read 4 s ago. "
        "Resolving it anyway takes a reason: `/iora resolve INC-1 anyway REASON`."
    )
    assert (asked.label, asked.action, asked.value) == (
        "Resolve anyway",
        "iora:incident:resolve",
        "INC-1",
    )
    assert (await story.incident()).status is Status.OPEN
    assert [entry.kind for entry in await story.timeline()] == ["declared"]


async def test_a_rule_that_still_holds_counts_where_no_baseline_is_broken(story, clock):
    """Its metric may have no baseline; and resolved while it holds, it would not be told again."""
    await story.declare(targets=("iora",))
    await polled(story)
    found = Hold(
        rule="low-traffic",
        target="iora",
        phase=Phase.FOUND,
        yes=Held(clock.now() - 180 * SECOND, clock.now()),
        incident=1,
    )
    await story.database.write(holds.keep, found)
    asked = await challenged(story)
    assert "iora: the rule low-traffic still holds, for 3 min." in asked.reason
    await polled(story, cpu_percent=96.0)
    assert "low-traffic" not in (await challenged(story)).reason, "what is broken says it better"
    await polled(story)
    over = replace(found, yes=NOTHING, no=Held(clock.now(), clock.now()))
    await story.database.write(holds.keep, over)
    await story.change(PLAIN)


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (Phase.FOUND, "iora: whether the rule low-traffic still holds is not known."),
        (Phase.LOST, "iora: data that the rule low-traffic asks for is lost."),
    ],
)
async def test_a_rule_that_can_not_be_asked_is_not_over(story, phase, said):
    """Its metric may have no baseline that would be unknown."""
    await story.declare(targets=("iora",))
    await polled(story)
    lost = Hold(
        rule="low-traffic",
        target="iora",
        data=phase is Phase.LOST,
        phase=phase,
        incident=1,
    )
    await story.database.write(holds.keep, lost)
    assert said in (await challenged(story)).reason


async def test_with_a_reason_it_is_resolved_and_both_are_kept(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    done = await story.change(ANYWAY)
    assert done.incident.status is Status.RESOLVED
    (entry,) = await story.timeline("resolved")
    assert entry.facts["text"] == "the sensor is broken"
    assert entry.facts["failing"] == ["iora CPU 96 % (critical above 90), read 0 s ago"]


async def test_anyway_without_a_reason_is_asked_for_it(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    asked = await challenged(story, Resolve(anyway=True))
    assert "Say why all the same" in asked.remedy


async def test_anyway_where_all_is_well_is_a_plain_resolve(story):
    await story.declare(targets=("iora",))
    await polled(story)
    await story.change(ANYWAY)
    (entry,) = await story.timeline("resolved")
    assert "failing" not in entry.facts


async def test_what_was_written_already_comes_back_with_the_question(story):
    await story.declare(targets=("iora",))
    await polled(story, verdict=Verdict.DOWN, reason="refused from here and on its own host")
    asked = await challenged(story, Resolve(text="rolled back"))
    assert (asked.incident, asked.text) == (1, "rolled back")
    assert asked.failing == ("iora is DOWN: refused from here and on its own host, read 0 s ago",)


async def test_no_data_is_no_recovery(story, clock):
    await story.declare(targets=("iora",))
    assert (await challenged(story)).failing == ("iora is UNKNOWN: it was not read yet",)
    await polled(story, cpu_percent=None)
    assert (await challenged(story)).failing == (
        "iora CPU unknown: the agent gave no answer, read 0 s ago",
    )
    await polled(story)
    clock.advance(5 * 60 * SECOND)
    (line,) = (await challenged(story)).failing
    assert line.startswith("iora is UNKNOWN: nothing was read for 5 min, it was HEALTHY then")


async def test_every_target_is_looked_at(story):
    await story.declare(targets=("iora", "worker"))
    await polled(story)
    await polled(story, "worker", verdict=Verdict.UNHEALTHY, reason="HTTP 500")
    asked = await challenged(story)
    assert asked.failing == ("worker is UNHEALTHY: HTTP 500, read 0 s ago",)


async def test_a_value_of_a_source_that_the_config_dropped_speaks_against_nothing(story):
    await story.declare(targets=("worker",))  # has no agent
    await polled(story, "worker", cpu_percent=96.0)
    await story.change(Resolve())


async def test_a_target_that_the_config_dropped_speaks_against_nothing(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    worker = config().targets["worker"].model_dump(mode="json", exclude_none=True)
    story.config = config(targets={"worker": worker})
    await story.change(Resolve())


async def test_who_may_not_is_refused_before_any_question(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    refused = await story.try_change(ANYWAY, by=mallory)
    assert isinstance(refused, Refusal)
    assert not isinstance(refused, Challenge)
    assert refused.reason == "You may not resolve INC-1."


async def test_what_is_resolved_already_is_said_and_not_asked_about(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    await story.change(ANYWAY, by=bob)
    refused = await story.try_change(Resolve(incident=1))
    assert not isinstance(refused, Done | Challenge)
    assert "INC-1 is resolved already" in refused.reason


async def test_only_resolving_is_asked_about(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    await story.change(Mitigate())
    await story.change(Reopen(incident=1))


async def test_an_incident_without_targets_is_not_asked_about(story):
    await story.declare()
    await story.change(Resolve())


def _make_drill(tx: Tx) -> None:
    stored.update(tx, 1, {"drill": 1})


async def test_a_drill_is_not_asked_about(story):
    await story.declare(targets=("iora",))
    await polled(story, cpu_percent=96.0)
    await story.database.write(_make_drill)
    await story.change(Resolve())


async def test_markup_of_a_target_is_text_in_the_question(story):
    await story.declare(targets=("iora",))
    await polled(story, verdict=Verdict.UNHEALTHY, reason='status word "<!channel> *x*"')
    asked = await challenged(story)
    assert "&lt;!channel&gt;" in asked.reason
    assert "<!channel>" not in asked.reason

"""Levels that fire: who is told, once, whatever happens in between."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.model.command import Acknowledge, Escalate, Resolve, SetSeverity
from bot.model.incident import Severity
from bot.model.message import Message, State
from bot.rules.known import Known
from bot.services import escalation, evidence
from bot.services.sending import begin
from bot.store import outbox, reports
from bot.store.database import Database, Tx
from bot.store.timers import LEASE_MS
from tests.support.clock import ManualClock
from tests.support.configs import ALICE, BOB, config, policy
from tests.support.incidents import alice
from tests.support.reports import report
from tests.support.store import open_database
from tests.support.story import Story

MINUTE, HOUR = 60_000, 3_600_000
CAROL = "U05CAROL"


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


def refuse(tx: Tx, message: Message, reason: str) -> None:
    """As the delivery does when a destination can't receive."""
    outbox.close(tx, message.id, State.REFUSED, reason)
    escalation.unreached(tx, message, reason)


async def facts(story: Story) -> list[tuple[str, int, list[str]]]:
    """Stage, number and people of everything that fired."""
    return [
        (entry.facts["stage"], entry.facts["number"], entry.facts["people"])
        for entry in await story.timeline("escalation")
    ]


async def test_the_story_of_an_incident_that_nobody_answers(story: Story) -> None:
    await story.declare()
    await story.go_on(4 * HOUR)
    assert await facts(story) == [
        ("level", 0, [ALICE]),
        ("level", 1, [ALICE, BOB]),
        ("level", 2, [BOB]),
        ("repeat", 0, [ALICE, BOB]),
        ("repeat", 1, [ALICE, BOB]),
        ("repeat", 2, [ALICE, BOB]),
        ("last_resort", 0, [ALICE]),
        ("last_resort", 1, [ALICE]),
        ("last_resort", 2, [ALICE]),
    ]
    minutes = [
        (entry.at - (await story.incident()).declared_at) / MINUTE
        for entry in await story.timeline("escalation")
    ]
    assert minutes == [0, 5, 15, 30, 45, 60, 75, 135, 195]


async def test_a_level_writes_its_entry_its_pings_and_the_next_timer(
    story: Story, clock: ManualClock
) -> None:
    await story.declare()
    await story.fire()
    (entry,) = await story.timeline("escalation")
    assert entry.facts["notify"] == ["channel", f"user:{ALICE}"]
    (ping,) = await story.messages("ping")
    assert (ping.destination, ping.page) == (f"user:{ALICE}", True)
    assert ping.facts["entry"] == entry.seq
    assert ping.facts["reason"] == "declared"
    (following,) = await story.levels()
    assert following.due_at == clock.now() + 5 * MINUTE


async def test_somebody_in_two_destinations_of_a_level_is_pinged_once(story: Story) -> None:
    story.config = config(critical=policy(("0s", [f"user:{BOB}", "group:engineering"])))
    await story.declare()
    await story.fire()
    assert await story.paged() == [BOB, ALICE]


async def test_after_a_long_absence_overdue_levels_are_one_ping_a_person(
    story: Story, clock: ManualClock
) -> None:
    await story.declare()
    clock.advance(20 * MINUTE)
    await story.fire()
    assert await story.paged() == [ALICE, BOB]
    (entry,) = await story.timeline("escalation")
    assert entry.facts["levels"] == [0, 1, 2]
    assert entry.facts["reason"] == "open for 20 min, nobody has acknowledged"


async def test_a_claim_that_was_lost_fires_nothing(story: Story, clock: ManualClock) -> None:
    await story.declare()
    (lost,) = await story.claim()
    clock.advance(LEASE_MS)
    await story.fire()
    await story.database.write(escalation.fire, lost, story.config)
    assert await story.paged() == [ALICE]
    assert len(await story.timeline("escalation")) == 1


async def test_the_same_timer_fired_twice_fires_once(story: Story) -> None:
    await story.declare()
    (timer,) = await story.claim()
    for _ in range(2):
        await story.database.write(escalation.fire, timer, story.config)
    assert await story.paged() == [ALICE]


async def test_the_card_tells_the_channel_at_first_and_replies_do_later(story: Story) -> None:
    story.config = config(
        critical=policy(("0s", ["channel"]), ("5m", ["channel", f"user:{BOB}"]), times=0)
    )
    await story.declare()
    await story.go_on(0)
    assert await story.messages("entry") == []
    await story.go_on(5 * MINUTE)
    (reply,) = await story.messages("entry")
    assert reply.facts["broadcast"] is True
    await story.go_on(15 * MINUTE)
    assert len(await story.messages("entry")) == 2, "the last resort is said in the channel too"


async def test_an_empty_group_is_said_and_the_next_level_goes_at_once(story: Story) -> None:
    story.config = config(
        critical=policy(("0s", ["group:engineering"]), ("1h", [f"user:{BOB}"])),
    )
    await story.declare()
    story.config = config(critical=policy(("0s", ["channel"])), groups={"other": [ALICE]})
    await story.go_on(0)
    first, second = await story.timeline("escalation")
    assert first.facts["nobody"] == ["group:engineering"]
    assert second.facts["people"] == [BOB]


async def test_a_gap_wakes_the_next_level_at_once_although_the_channel_was_told(
    story: Story,
) -> None:
    gap = {"timezone": "UTC", "rotation": {"people": []}}
    story.config = config(
        critical=policy(("0s", ["channel", "oncall:primary"]), ("15m", [f"user:{BOB}"])),
        oncall={"primary": gap},
    )
    await story.declare()
    await story.go_on(0)
    first, second = await story.timeline("escalation")
    assert (first.facts["nobody"], first.facts["people"]) == (["oncall:primary"], [])
    assert second.facts["people"] == [BOB]
    assert second.at == first.at


async def test_people_are_those_of_the_config_when_the_level_fires(story: Story) -> None:
    await story.declare()
    await story.go_on(0)
    story.config = config(groups={"engineering": [CAROL]})
    await story.go_on(5 * MINUTE)
    assert await story.paged() == [ALICE, CAROL]


async def test_an_incident_that_only_announces_ends_silently(story: Story) -> None:
    await story.declare(severity=Severity.SEV3)
    await story.go_on(24 * HOUR)
    assert await facts(story) == [("level", 0, [])]
    assert await story.levels() == []
    assert await story.messages("ping") == []


async def test_a_worse_severity_tells_those_who_were_not_told_and_goes_on_from_there(
    story: Story,
) -> None:
    await story.declare(severity=Severity.SEV3)
    await story.go_on(6 * MINUTE)
    await story.change(SetSeverity(severity=Severity.SEV1))
    await story.go_on(0)
    assert await story.paged() == [ALICE, BOB], "levels 1 and 2 are overdue, in one ping each"
    await story.go_on(9 * MINUTE)
    assert await story.paged() == [ALICE, BOB, BOB]


async def test_another_severity_does_not_fire_again_what_has_fired(story: Story) -> None:
    story.config = config(
        escalation={
            "by_severity": {"sev1": "other"},
            "policies": {
                "critical": policy(("0s", [f"user:{ALICE}"]), ("5m", [f"user:{BOB}"])),
                "other": policy(("0s", [f"user:{ALICE}"]), ("10m", [f"user:{CAROL}"])),
            },
        },
    )
    await story.declare()
    await story.go_on(6 * MINUTE)
    await story.change(SetSeverity(severity=Severity.SEV1))
    await story.go_on(5 * MINUTE)
    assert await story.paged() == [ALICE, BOB, CAROL]


async def test_a_milder_severity_ends_the_pings(story: Story) -> None:
    await story.declare()
    await story.go_on(0)
    await story.change(SetSeverity(severity=Severity.SEV4))
    await story.go_on(24 * HOUR)
    assert await story.paged() == [ALICE]
    assert await story.levels() == []


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param((SetSeverity(severity=Severity.SEV1), Escalate()), id="severity, then call"),
        pytest.param((Escalate(), SetSeverity(severity=Severity.SEV1)), id="call, then severity"),
    ],
)
async def test_a_call_for_the_next_level_is_kept_beside_another_severity_in_the_same_second(
    story: Story, commands: tuple[SetSeverity | Escalate, ...]
) -> None:
    await story.declare()
    await story.fire()
    for command in commands:
        await story.change(command)
    while await story.fire():
        pass
    assert await facts(story) == [("level", 0, [ALICE]), ("level", 1, [ALICE, BOB])]


async def test_a_call_where_the_new_policy_tells_nobody_new_reaches_the_last_resort(
    story: Story,
) -> None:
    await story.declare()
    await story.fire()
    await story.change(SetSeverity(severity=Severity.SEV4))
    await story.change(Escalate())
    while await story.fire():
        pass
    assert (await facts(story))[-1] == ("last_resort", 0, [ALICE])


async def test_escalating_tells_the_next_level_now_and_each_level_once(story: Story) -> None:
    await story.declare()
    await story.go_on(MINUTE)
    await story.change(Escalate())
    await story.go_on(0)
    assert await story.paged() == [ALICE, ALICE, BOB]
    await story.go_on(13 * MINUTE)
    assert len(await story.paged()) == 3, "the second level does not fire again on its time"
    await story.go_on(MINUTE)
    assert await story.paged() == [ALICE, ALICE, BOB, BOB]


async def test_an_acknowledger_who_escalates_brings_the_next_level_once(story: Story) -> None:
    await story.declare()
    await story.go_on(MINUTE)
    await story.change(Acknowledge())
    for expected in ([ALICE, BOB], [BOB], [ALICE]):
        before = len(await story.paged())
        await story.change(Escalate())
        await story.go_on(20 * MINUTE)
        assert (await story.paged())[before:] == expected, "level 1, level 2, the last resort"


async def test_escalating_what_only_announces_tells_the_last_resort(story: Story) -> None:
    await story.declare(severity=Severity.SEV3)
    await story.go_on(MINUTE)
    await story.change(Escalate())
    await story.go_on(0)
    assert await story.paged() == [ALICE]


async def test_escalating_what_only_announces_without_a_last_resort_is_said_in_the_channel(
    story: Story,
) -> None:
    story.config = config(escalation={"last_resort": []})
    await story.declare(severity=Severity.SEV3)
    await story.go_on(MINUTE)
    await story.change(Escalate())
    await story.go_on(0)
    replies = await story.messages("entry")
    assert [reply.facts["broadcast"] for reply in replies] == [False, True]


async def test_a_level_that_reaches_nobody_goes_to_the_next_at_once(story: Story) -> None:
    await story.declare()
    await story.go_on(0)
    (ping,) = await story.messages("ping")
    await story.database.write(refuse, ping, "user_not_found")
    await story.go_on(0)
    assert await story.paged() == [ALICE, ALICE, BOB]
    (said,) = await story.timeline("unreached")
    assert said.facts == {"person": ALICE, "way": "slack", "reason": "user_not_found"}


async def test_a_level_that_reaches_one_of_two_goes_on_in_its_time(story: Story) -> None:
    story.config = config(critical=policy(("0s", ["group:engineering"]), ("5m", [f"user:{CAROL}"])))
    await story.declare()
    await story.go_on(0)
    first, second = await story.messages("ping")
    await story.database.write(refuse, first, "user_disabled")
    await story.go_on(MINUTE)
    assert await story.paged() == [ALICE, BOB]
    await story.database.write(refuse, second, "user_disabled")
    await story.go_on(0)
    assert await story.paged() == [ALICE, BOB, CAROL]


async def test_when_nobody_at_all_can_receive_it_comes_to_rest_at_the_last_resort(
    story: Story,
) -> None:
    await story.declare()
    for _ in range(30):
        await story.go_on(0)
        for ping in await story.messages("ping"):
            if ping.state is State.WAITING:
                await story.database.write(refuse, ping, "user_not_found")
    stages = [stage for stage, _, _ in await facts(story)]
    assert stages == ["level", "level", "level", "repeat", "repeat", "repeat", "last_resort"]
    (following,) = await story.levels()
    assert following.due_at == story.clock.now() + HOUR


async def test_an_unreachable_person_hurries_nothing_once_somebody_answered(story: Story) -> None:
    await story.declare()
    await story.go_on(0)
    (ping,) = await story.messages("ping")
    await story.change(Acknowledge(), by=alice)
    await story.database.write(refuse, ping, "user_not_found")
    await story.go_on(29 * MINUTE)
    assert await story.paged() == [ALICE]


async def test_a_page_that_stands_in_for_an_earlier_one_that_never_went_says_its_reason_too(
    story: Story, clock: ManualClock
) -> None:
    hot = {"after": "5m", "when": "cpu_percent > 90", "reason": "Critical CPU usage"}
    levels = [
        {"after": "0s", "notify": ["channel"]},
        {**hot, "notify": [f"user:{BOB}"]},
        {"after": "15m", "notify": [f"user:{BOB}"]},
    ]
    story.config = config(critical={"levels": levels})
    await story.declare(targets=("iora",))
    await story.go_on(0)
    clock.advance(5 * MINUTE)
    (timer,) = [one for one in await story.claim() if one.kind == "level"]
    read = {"iora": {"cpu_percent": Known(96.0, "%")}}
    await story.database.write(escalation.fire, timer, story.config, read)
    clock.advance(10 * MINUTE)
    await story.fire()
    attempt = await story.database.write(begin, f"user:{BOB}", story.config)
    assert attempt is not None
    assert attempt.message.facts["reason"] == (
        "Critical CPU usage; open for 15 min, nobody has acknowledged"
    )
    assert attempt.message.facts["levels"] == [1, 2]
    assert attempt.message.facts["because"] == ["CPU 96 % > 90"]
    first, second = await story.messages("ping")
    assert (first.state, second.facts) == (State.WITHDRAWN, attempt.message.facts)


async def test_an_answer_takes_back_the_hurry_of_a_level_that_reached_nobody(story: Story) -> None:
    await story.declare()
    await story.go_on(0)
    (ping,) = await story.messages("ping")
    await story.database.write(refuse, ping, "user_not_found")
    await story.change(Acknowledge(), by=alice)
    await story.go_on(29 * MINUTE)
    assert await story.paged() == [ALICE]


async def test_a_hurry_after_an_answer_that_came_to_nothing_does_not_say_that_somebody_called(
    story: Story,
) -> None:
    await story.declare()
    await story.go_on(0)
    await story.change(Acknowledge(), by=alice)
    await story.go_on(36 * MINUTE)
    pings = (await story.messages("ping"))[1:]
    for ping in pings:
        await story.database.write(refuse, ping, "user_not_found")
    await story.go_on(0)
    told = (await story.messages("ping"))[-1]
    assert len(await story.messages("ping")) > 1 + len(pings)
    assert (told.facts["called"], told.facts["unanswered"]) == (False, True)


async def test_a_call_that_reaches_nobody_stays_one_for_the_next_level(story: Story) -> None:
    levels = ("0s", [f"user:{ALICE}"]), ("5m", [f"user:{BOB}"]), ("15m", [f"user:{CAROL}"])
    story.config = config(critical=policy(*levels))
    await story.declare()
    await story.go_on(0)
    await story.change(Acknowledge(), by=alice)
    await story.change(Escalate(), by=alice)
    await story.go_on(0)
    ping = (await story.messages("ping"))[-1]
    await story.database.write(refuse, ping, "user_not_found")
    await story.go_on(0)
    assert await story.paged() == [ALICE, BOB, CAROL]
    assert (await story.messages("ping"))[-1].facts["called"] is True


async def test_a_call_to_an_empty_group_stays_one_for_the_next_level(story: Story) -> None:
    levels = ("0s", [f"user:{ALICE}"]), ("5m", ["group:engineering"]), ("15m", [f"user:{CAROL}"])
    story.config = config(critical=policy(*levels))
    await story.declare()
    await story.go_on(0)
    story.config = config(critical=policy(("0s", ["channel"])), groups={"other": [ALICE]})
    await story.change(Acknowledge(), by=alice)
    await story.change(Escalate(), by=alice)
    await story.go_on(0)
    assert await story.paged() == [ALICE, CAROL]
    assert (await story.messages("ping"))[-1].facts["called"] is True
    assert (await story.timeline("escalation"))[-1].facts["reason"] == "asked for by a person"


async def test_evidence_is_kept_once_shown_on_the_card_and_told_in_the_thread(
    story: Story,
) -> None:
    await story.declare(targets=("iora",))
    (collect,) = [timer for timer in await story.claim() if timer.kind == "collect"]
    (before,) = await story.messages("card")
    assert await story.database.read(evidence.wanted, 1) == ("iora",)
    made = report(**{"snapshot.resources.cpu_percent": 96.0})
    for _ in range(2):
        await story.database.write(evidence.keep, collect, [made], story.config, {})
    (kept,) = await story.timeline("evidence")
    assert kept.actor == "bot"
    assert kept.facts["healths"] == [made.details["health"]]
    (one,) = kept.facts["reports"]
    assert (one["id"], one["finding"]) == (made.id, "CPU 96 % of all cores, over 80")
    assert await story.database.read(reports.get, made.id) == made
    (file,) = await story.messages("file")
    assert file.parent_id == before.id
    (card,) = await story.messages("card")
    assert card.revision == before.revision + 1
    (reply,) = await story.messages("entry")
    assert reply.facts == {"seq": kept.seq, "broadcast": False}


async def test_the_overview_says_who_is_next_and_what_became_of_each_ping(story: Story) -> None:
    await story.declare()
    await story.go_on(0)
    (ping,) = await story.messages("ping")
    await story.deliver(ping)
    seen = await story.seen()
    assert [(one.person, one.state) for one in seen.pings] == [(ALICE, State.SENT)]
    assert seen.upcoming is not None
    assert seen.upcoming.people == (ALICE, BOB)
    assert seen.upcoming.due_at == story.clock.now() + 5 * MINUTE
    await story.change(Resolve())
    assert (await story.seen()).upcoming is None


TOLD = st.lists(
    st.sampled_from(["channel", f"user:{ALICE}", f"user:{BOB}", f"user:{CAROL}"]),
    min_size=1,
    max_size=2,
    unique=True,
)


@limits(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    seconds=st.lists(st.integers(0, 900), min_size=1, max_size=5).map(sorted),
    told=st.lists(TOLD, min_size=5, max_size=5),
    crashes=st.lists(st.tuples(st.booleans(), st.integers(0, 400_000)), max_size=12),
)
def test_whenever_it_crashes_every_level_tells_everyone_of_it_exactly_once(
    seconds: list[int], told: list[list[str]], crashes: list[tuple[bool, int]]
) -> None:
    """A crash is a claim that nobody fires, and time that passes."""
    levels = [(f"{second}s", notify) for second, notify in zip(seconds, told, strict=False)]
    wanted = config(critical=policy(*levels, every="1h"))

    async def play(path: Path) -> None:
        clock = ManualClock()
        async with open_database(path, clock) as database:
            story = Story(database, clock, wanted)
            await story.declare()
            for claims_first, away in crashes:
                if claims_first:
                    await story.claim()
                clock.advance(away)
                await story.fire()
            clock.advance(LEASE_MS)
            await story.go_on(15 * MINUTE)
            entries = [
                entry
                for entry in await story.timeline("escalation")
                if entry.facts["stage"] == "level"
            ]
            fired = [level for entry in entries for level in entry.facts["levels"]]
            assert fired == list(range(len(levels)))
            pings = await story.messages("ping")
            for entry in entries:
                people = {
                    text.removeprefix("user:")
                    for level in entry.facts["levels"]
                    for text in told[level]
                    if text != "channel"
                }
                sent = [ping.facts["person"] for ping in pings if ping.facts["entry"] == entry.seq]
                assert sorted(sent) == sorted(people)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "iora.db"))

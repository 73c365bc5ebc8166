"""What the bot opened by itself waits while it is silenced; what a person has to do with doesn't."""

from __future__ import annotations

import pytest

from bot.model.command import Acknowledge, Mitigate, Note, OnIncident
from bot.model.found import Found
from bot.model.incident import Severity
from bot.model.message import State
from bot.model.silence import Silence
from bot.services import found, sending, silenced
from bot.store import incidents as stored
from bot.store import outbox, silences
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.configs import ALICE, BOB, config, policy
from tests.support.incidents import alice, bob
from tests.support.story import Story

MINUTE = 60_000


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


async def finds(story: Story, *targets: str) -> int:
    """The bot declares by itself; the incident's number."""
    what = Found(
        key="rule:cpu-critical:iora",
        title="iora: CPU 96 %",
        severity=Severity.SEV1,
        targets=targets or ("iora",),
        since=story.clock.now(),
    )
    done = await story.database.write(found.declare, story.config, what)
    return done.incident.id


async def silence(story: Story, *targets: str, minutes: int = 30) -> Silence:
    return await story.database.write(_silence, story, targets or ("iora",), minutes)


def _silence(tx: Tx, story: Story, targets: tuple[str, ...], minutes: int) -> Silence:
    made = silences.add(tx, targets, "deploy", tx.now + minutes * MINUTE, bob.text)
    silenced.look(tx, story.config)
    return made


async def fired(story: Story) -> list[float]:
    """After how many minutes each level was told."""
    begin = (await story.incident()).declared_at
    return [(one.at - begin) / MINUTE for one in await story.timeline("escalation")]


async def test_nobody_is_pinged_while_it_is_silenced(story: Story) -> None:
    await silence(story)
    await finds(story)
    await story.go_on(29 * MINUTE)
    assert await story.paged() == []
    (said,) = await story.timeline("silenced")
    assert (said.actor, said.facts["by"], said.facts["reason"]) == ("bot", bob.text, "deploy")
    assert (await story.seen()).upcoming is None


async def test_it_goes_on_from_the_end_of_the_silence(story: Story) -> None:
    await silence(story)
    await finds(story)
    await story.go_on(36 * MINUTE)
    assert await fired(story) == [30, 35], "the first level then, the second five minutes later"
    assert (await story.timeline("escalation"))[0].facts["reason"] == "the silence is over"
    (over,) = await story.timeline("unsilenced")
    assert over.facts["reason"] == "deploy"


async def test_whoever_was_told_before_the_silence_is_told_again_after_it(story: Story) -> None:
    await finds(story)
    await story.go_on(2 * MINUTE)
    await silence(story)
    await story.go_on(31 * MINUTE)
    assert await fired(story) == [0, 32]
    assert await story.paged() == [ALICE, ALICE]


async def test_a_ping_that_nobody_has_got_is_withdrawn_and_goes_no_other_way(story: Story) -> None:
    await finds(story)
    await story.fire()
    await silence(story)
    (ping,) = await story.messages("ping")
    assert (ping.state, ping.error, ping.passed_on) == (State.WITHDRAWN, "silenced", True)


@pytest.mark.parametrize("told", [["channel", f"user:{BOB}"], ["group:engineering"]], ids=str)
async def test_a_level_that_calls_people_in_the_thread_is_not_told_there_any_more(
    story: Story, told: list[str]
) -> None:
    called = policy(("0s", ["channel"]), ("5m", told))
    story.config = config(critical=called)
    await finds(story)
    await story.go_on(5 * MINUTE)
    await silence(story)
    (reply,) = await story.messages("entry")
    assert (reply.state, reply.error) == (State.WITHDRAWN, "silenced")
    assert await fired(story) == [0, 5], "the timeline keeps it"
    await story.go_on(30 * MINUTE)
    assert [one.state for one in await story.messages("entry")] == [State.WITHDRAWN]
    await story.go_on(5 * MINUTE)
    assert [one.state for one in await story.messages("entry")][1:] == [State.WAITING]


async def test_a_ping_that_may_be_there_is_looked_up_and_not_sent_again(story: Story) -> None:
    await finds(story)
    await story.fire()
    (ping,) = await story.messages("ping")
    await story.database.write(outbox.sending, ping.id)
    await story.database.write(outbox.unsure, ping.id, 0, "no answer")
    await silence(story)
    attempt = await story.database.write(sending.begin, ping.destination, story.config)
    assert attempt is not None
    assert attempt.what == "look up"
    await story.database.write(outbox.absent, ping.id)
    assert await story.database.write(sending.begin, ping.destination, story.config) is None
    (ping,) = await story.messages("ping")
    assert ping.state is State.WITHDRAWN


async def test_what_a_person_declared_is_never_silenced(story: Story) -> None:
    await silence(story)
    await story.declare(targets=("iora",))
    await story.go_on(6 * MINUTE)
    assert await fired(story) == [0, 5]
    assert await story.timeline("silenced") == []


@pytest.mark.parametrize("word", [Note(incident=1, text="I see it"), Acknowledge(incident=1)])
async def test_what_a_person_took_before_is_not_silenced(story: Story, word: OnIncident) -> None:
    await finds(story)
    await story.fire()
    await story.change(word, by=alice)
    await silence(story)
    assert await story.timeline("silenced") == []
    assert (await story.seen()).silenced is None


async def test_a_note_takes_it_out_of_the_silence_and_it_goes_on_at_once(story: Story) -> None:
    await silence(story)
    await finds(story)
    await story.go_on(10 * MINUTE)
    await story.change(Note(incident=1, text="that is no deploy"), by=alice)
    await story.go_on(6 * MINUTE)
    assert await fired(story) == [10, 15]
    (over,) = await story.timeline("unsilenced")
    assert over.facts["by"] == alice.text


async def test_who_only_looks_into_it_takes_it_out_of_no_silence(story: Story) -> None:
    """The card says what the timer does: it waits."""
    await silence(story)
    await finds(story)
    await story.go_on(10 * MINUTE)
    facts = {"report": "R-1", "target": "iora", "finding": "CPU 96 %"}
    await story.database.write(stored.add_entry, 1, alice.text, "diagnosed", facts)
    seen = await story.seen()
    assert (seen.silenced is not None, seen.upcoming) == (True, None)
    await story.go_on(21 * MINUTE)
    assert await fired(story) == [30]


async def test_an_acknowledgement_in_the_silence_stops_it_for_good(story: Story) -> None:
    await silence(story)
    await finds(story)
    await story.go_on(MINUTE)
    await story.change(Acknowledge(incident=1), by=alice)
    await story.go_on(29 * MINUTE)
    assert await story.paged() == []
    assert (await story.seen()).silenced is None


async def test_what_is_mitigated_in_the_silence_pings_nobody_afterwards(story: Story) -> None:
    await silence(story)
    await finds(story)
    await story.go_on(MINUTE)
    await story.change(Mitigate(incident=1), by=alice)
    await story.go_on(40 * MINUTE)
    assert await story.paged() == []


async def test_what_was_mitigated_and_comes_back_in_a_silence_waits_for_its_end(
    story: Story,
) -> None:
    number = await finds(story)
    await story.go_on(MINUTE)
    await story.change(Mitigate(incident=number), by=alice)
    await silence(story, minutes=30)
    await story.go_on(MINUTE)
    before = await story.paged()
    await story.database.write(
        found.reopen, story.config, await story.incident(), ("CPU 96 % > 90",)
    )
    await story.go_on(28 * MINUTE)
    assert await story.paged() == before
    await story.go_on(2 * MINUTE)
    assert len(await story.paged()) > len(before)


async def test_one_target_that_is_not_silenced_is_enough_to_ping(story: Story) -> None:
    await silence(story, "worker")
    await finds(story, "iora", "worker")
    await story.go_on(MINUTE)
    assert await story.paged() == [ALICE]


async def test_a_silence_that_is_ended_early_lets_it_go_on_at_once(story: Story) -> None:
    made = await silence(story)
    await finds(story)
    await story.go_on(3 * MINUTE)
    await story.database.write(_end, story, made)
    await story.go_on(MINUTE)
    assert await fired(story) == [3]


def _end(tx: Tx, story: Story, made: Silence) -> None:
    silences.end(tx, made.id, bob.text)
    silenced.look(tx, story.config)


async def test_a_second_silence_makes_it_wait_for_longer(story: Story) -> None:
    await silence(story, minutes=10)
    await finds(story)
    await story.go_on(5 * MINUTE)
    await silence(story, minutes=30)
    await story.go_on(29 * MINUTE)
    assert await story.paged() == []
    await story.go_on(2 * MINUTE)
    assert await fired(story) == [35]


async def test_a_window_of_maintenance_makes_it_wait(
    database: Database, clock: ManualClock
) -> None:
    begin = (clock.now() // MINUTE) % 1_440
    end = begin + 60
    window = {
        "name": "backup",
        "timezone": "UTC",
        "reason": "nightly backup",
        "from": f"{begin // 60:02}:{begin % 60:02}",
        "to": f"{end // 60 % 24:02}:{end % 60:02}",
    }
    story = Story(database, clock, config(maintenance=[window]))
    await finds(story)
    await story.go_on(59 * MINUTE)
    assert await story.paged() == []
    (said,) = await story.timeline("silenced")
    assert (said.facts["by"], said.facts["name"]) == ("bot", "maintenance backup")
    await story.go_on(7 * MINUTE)
    assert await story.paged() == [ALICE, ALICE, BOB]


async def test_another_way_is_told_that_it_is_over_so_that_it_may_be_paged_anew(
    database: Database, clock: ManualClock
) -> None:
    hook = {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": "a secret"}
    ways = {"ways": {"hook": hook}, "people": {ALICE: {"ways": ["hook"]}}}
    story = Story(database, clock, config(**ways))
    await finds(story)
    await story.fire()
    (ping,) = await story.messages("ping")
    await story.deliver(ping)
    await silence(story)
    attempt = await database.write(sending.begin, ping.destination, story.config)
    assert attempt is not None
    assert (attempt.what, attempt.event) == ("edit", "resolved")
    await story.go_on(31 * MINUTE)
    again = (await story.messages("ping"))[-1]
    assert again.id != ping.id
    assert (again.via, again.state) == ("hook", State.WAITING)

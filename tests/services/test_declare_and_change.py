"""Declaring an incident, and what people do to it: all of it in one transaction each."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import (
    Acknowledge,
    Assign,
    Escalate,
    Incidents,
    Mitigate,
    Note,
    OnIncident,
    Reopen,
    Resolve,
    SetSeverity,
    Update,
)
from bot.model.incident import Incident, Severity, Status
from bot.services import incidents
from bot.services.incidents import Asked
from bot.services.listing import listing
from bot.store import incidents as stored
from bot.store import outbox
from bot.store.database import Database, Row, Tx
from tests.support.clock import ManualClock
from tests.support.configs import ALICE, BOB, MALLORY, TEAM, config, policy
from tests.support.incidents import alice, bob, mallory
from tests.support.store import together
from tests.support.story import Story

MINUTE = 60_000
guest = Actor.slack(TEAM, "U08GUEST", guest=True)


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


def everything(tx: Tx) -> dict[str, int]:
    tables = ("incidents", "incident_targets", "timeline", "timers", "outbox")
    return {name: tx.all(f"SELECT COUNT(*) FROM {name}")[0][0] for name in tables}


async def test_declaring_writes_the_incident_its_entry_its_timers_and_its_card(
    story: Story, clock: ManualClock
) -> None:
    done = await story.declare(targets=("iora",))
    assert (done.fresh, done.incident.key) == (True, "INC-1")
    (declared,) = await story.timeline()
    assert (declared.kind, declared.actor) == ("declared", alice.text)
    assert declared.facts == {"title": "API slow", "severity": "sev2", "targets": ["iora"]}
    due = {timer.kind: timer.due_at for timer in await story.claim()}
    assert set(due) == {"level", "collect"}
    (card,) = await story.messages("card")
    assert (card.destination, card.page) == ("channel:incidents", False)


async def test_a_declare_that_fails_at_its_end_leaves_nothing_at_all(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no card today")

    monkeypatch.setattr(outbox, "add", broken)
    with pytest.raises(RuntimeError, match="no card today"):
        await story.try_declare(targets=("iora",))
    assert set((await story.database.read(everything)).values()) == {0}


async def test_the_same_words_of_the_same_person_within_a_minute_are_one_incident(
    story: Story, clock: ManualClock
) -> None:
    await story.declare()
    clock.advance(60_000)
    again = await story.declare()
    assert (again.fresh, again.incident.key) == (False, "INC-1")
    assert (await story.database.read(everything))["outbox"] == 1
    clock.advance(1)
    assert (await story.declare()).incident.key == "INC-2"


@pytest.mark.parametrize(
    ("title", "by"), [("API slow", bob), ("API down", alice)], ids=["another person", "other words"]
)
async def test_what_differs_is_another_incident(story: Story, title: str, by: Actor) -> None:
    await story.declare()
    assert (await story.declare(title, by=by)).incident.key == "INC-2"


async def test_a_resolved_incident_is_not_given_back_for_the_same_words(story: Story) -> None:
    await story.declare()
    await story.change(Resolve())
    assert (await story.declare()).incident.key == "INC-2"


async def test_the_same_declare_twice_in_one_group_is_one_incident(story: Story) -> None:
    results = await together(story.database, story.declare(), story.declare())
    assert [result.fresh for result in results] == [True, False]  # type: ignore[attr-defined]
    assert (await story.database.read(everything))["incidents"] == 1


@pytest.mark.parametrize(
    ("severity", "kept", "followed"),
    [
        (None, "sev2", "critical"),
        (Severity.SEV1, "sev1", "critical"),
        (Severity.SEV3, "sev3", "announce"),
    ],
)
async def test_the_severity_brings_its_policy_which_is_pinned(
    story: Story, severity: Severity | None, kept: str, followed: str
) -> None:
    found = (await story.declare(severity=severity)).incident
    assert (found.severity, found.policy["name"]) == (kept, followed)
    story.config = config(critical=policy(("0s", ["user:U05CAROL"])))
    assert (await story.incident()).policy == found.policy, "a new config changes no open incident"


async def test_the_only_target_is_implied_and_of_two_none(
    database: Database, clock: ManualClock
) -> None:
    both = Story(database, clock)
    assert (await both.declare("two")).incident.targets == ()
    one = Story(
        database,
        clock,
        config(
            targets={"iora": both.config.targets["iora"].model_dump(mode="json", exclude={"agent"})}
        ),
    )
    assert (await one.declare("one")).incident.targets == ("iora",)


async def test_an_incident_without_targets_collects_nothing(story: Story) -> None:
    await story.declare()
    assert [timer.kind for timer in await story.claim()] == ["level"]


async def test_the_impact_and_its_beginning_are_kept(story: Story, clock: ManualClock) -> None:
    done = await story.declare(impact="checkout fails", started_at=clock.now() - 5 * MINUTE)
    assert done.incident == await story.incident()
    assert done.incident.impact == "checkout fails"
    assert done.incident.time_to_detect == 5 * MINUTE


async def test_the_impact_can_not_begin_in_the_future(story: Story, clock: ManualClock) -> None:
    refused = await story.try_declare(started_at=clock.now() + 1)
    assert isinstance(refused, Refusal)
    assert set((await story.database.read(everything)).values()) == {0}


async def test_guests_may_neither_declare_nor_change(story: Story) -> None:
    assert isinstance(await story.try_declare(by=guest), Refusal)
    await story.declare()
    refused = await story.try_change(Acknowledge(), by=guest)
    assert isinstance(refused, Refusal)
    assert "full members" in refused.reason
    assert (await story.incident()).status is Status.OPEN
    assert [entry.kind for entry in await story.timeline()] == ["declared", "refused"]


CHANGES: dict[str, tuple[OnIncident, str, bool]] = {
    # the command: its entry, and whether the thread hears of it
    "ack": (Acknowledge(), "acknowledged", True),
    "assign": (Assign(person=BOB), "assigned", True),
    "severity": (SetSeverity(severity=Severity.SEV1), "severity", True),
    "mitigate": (Mitigate(text="breaker"), "mitigated", True),
    "resolve": (Resolve(text="done"), "resolved", True),
    "escalate": (Escalate(), "escalated", True),
    "note": (Note(text="look"), "note", False),
    "update": (Update(impact="checkout"), "updated", False),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_an_entry_a_new_drawing_and_a_reply(story: Story, name: str) -> None:
    command, kind, heard = CHANGES[name]
    await story.declare()
    (before,) = await story.messages("card")
    done = await story.change(command)
    assert (done.kind, done.incident) == (kind, await story.incident())
    entry = (await story.timeline())[-1]
    assert (entry.kind, entry.actor) == (kind, alice.text)
    (card,) = await story.messages("card")
    assert card.revision == before.revision + 1
    replies = await story.messages("entry")
    assert [reply.facts["seq"] for reply in replies] == ([entry.seq] if heard else [])
    assert all(reply.parent_id == card.id for reply in replies)


async def test_a_refusal_is_on_the_timeline_and_changes_nothing_else(story: Story) -> None:
    await story.declare()
    before = (await story.incident(), await story.messages("card"), await story.levels())
    refused = await story.try_change(Resolve(), by=mallory)
    assert isinstance(refused, Refusal)
    assert f"<@{ALICE}>" in refused.remedy
    entry = (await story.timeline())[-1]
    assert (entry.kind, entry.actor) == ("refused", mallory.text)
    assert entry.facts == {"command": "resolve", "reason": "You may not resolve INC-1."}
    assert before == (await story.incident(), await story.messages("card"), await story.levels())


async def test_of_two_who_press_at_once_one_changes_it_and_the_other_is_told_who(
    story: Story,
) -> None:
    await story.declare()
    results = await together(
        story.database,
        story.try_change(Acknowledge(), by=bob),
        story.try_change(Acknowledge(), by=mallory),
    )
    assert isinstance(results[0], incidents.Done)
    assert isinstance(results[1], Refusal)
    assert results[1].reason == f"INC-1 is acknowledged already, by <@{BOB}>."
    assert (await story.incident()).commander == BOB
    assert len(await story.timeline("acknowledged")) == 1


@pytest.mark.parametrize(
    "command",
    [SetSeverity(severity=Severity.SEV2), Assign(person=BOB)],
    ids=["the same severity", "the same commander"],
)
async def test_whoever_acknowledged_is_not_blamed_for_what_was_so_before(
    story: Story, command: OnIncident
) -> None:
    await story.declare()
    await story.change(Assign(person=BOB))
    await story.change(Acknowledge(), by=mallory)
    refused = await story.try_change(command)
    assert isinstance(refused, Refusal)
    assert "already" in refused.reason
    assert MALLORY not in refused.reason


async def test_whoever_was_paged_or_commands_may_resolve(story: Story) -> None:
    story.config = config(
        critical=policy(("0s", [f"user:{MALLORY}"])), roles={"responder": [ALICE]}
    )
    await story.declare()
    assert isinstance(await story.try_change(Resolve(), by=mallory), Refusal)
    await story.fire()
    await story.change(Resolve(), by=mallory)
    await story.declare("another")
    await story.change(Assign(incident=2, person=BOB))
    await story.change(Resolve(incident=2), by=bob)


@pytest.mark.parametrize("command", [Acknowledge(), Mitigate(), Resolve()])
async def test_an_answer_stops_the_levels(story: Story, command: OnIncident) -> None:
    await story.declare()
    await story.fire()
    assert len(await story.levels()) == 1
    await story.change(command)
    paged = await story.paged()
    await story.go_on(29 * MINUTE)
    assert await story.paged() == paged


async def test_a_level_that_was_claimed_before_the_answer_tells_nobody(
    story: Story, clock: ManualClock
) -> None:
    await story.declare()
    await story.fire()
    clock.advance(5 * MINUTE)
    (claimed,) = [timer for timer in await story.claim() if timer.kind == "level"]
    await story.change(Acknowledge(), by=alice)
    paged = await story.paged()
    await story.database.write(_fire, claimed, story.config)
    assert await story.paged() == paged


def _fire(tx: Tx, timer: Any, settings: Any) -> None:
    from bot.services import escalation

    escalation.fire(tx, timer, settings)


async def test_reopening_starts_from_the_first_level(story: Story, clock: ManualClock) -> None:
    await story.declare()
    await story.go_on(6 * MINUTE)
    await story.change(Resolve())
    reopened_at = clock.advance(60 * MINUTE)
    await story.change(Reopen(incident=1, text="again"))
    (level,) = await story.levels()
    assert level.due_at == reopened_at
    before = len(await story.paged())
    await story.go_on(0)
    assert (await story.paged())[before:] == [ALICE]
    assert (await story.incident()).closed_ms == 60 * MINUTE


async def test_whoever_is_given_a_part_is_told_directly(story: Story) -> None:
    await story.declare()
    await story.change(Assign(person=BOB, role="scribe"), by=alice)
    (told,) = await story.messages("assigned")
    assert (told.destination, told.page) == (f"user:{BOB}", True)
    assert told.facts == {"person": BOB, "role": "scribe", "by": alice.text}


async def test_whoever_takes_a_part_is_not_told_what_they_did(story: Story) -> None:
    await story.declare()
    await story.change(Assign(person=ALICE), by=alice)
    assert await story.messages("assigned") == []


async def test_an_incident_is_found_by_its_number_or_as_the_only_one(story: Story) -> None:
    nothing = await story.try_change(Note(text="x"))
    assert isinstance(nothing, Refusal)
    assert nothing.reason == "No incident is open."
    await story.declare("first")
    assert (await story.change(Note(text="x"))).incident.id == 1
    await story.declare("second")
    which = await story.try_change(Note(text="x"))
    assert isinstance(which, Refusal)
    assert which.reason == "2 incidents are open: INC-1, INC-2."
    assert (await story.change(Note(incident=2, text="x"))).incident.id == 2
    await story.change(Resolve(incident=1))
    assert (await story.change(Note(text="x"))).incident.id == 2
    unknown = await story.try_change(Note(incident=9, text="x"))
    assert isinstance(unknown, Refusal)
    assert unknown.reason == "There is no INC-9."


async def test_of_several_the_channels_own_is_meant(story: Story) -> None:
    await story.declare("first")
    story.config = config(slack={"team": TEAM, "channel": "payments"})
    await story.declare("second")
    done = await story.try_change(Note(text="x"), channel="payments")
    assert isinstance(done, incidents.Done)
    assert done.incident.id == 2


async def test_a_hundred_presses_are_one_change(story: Story) -> None:
    await story.declare()
    presses = [story.try_change(Acknowledge(), by=(alice, bob)[n % 2]) for n in range(100)]
    results = await together(story.database, *presses)
    done = [result for result in results if isinstance(result, incidents.Done)]
    refused = [result for result in results if isinstance(result, Refusal)]
    assert (len(done), len(refused)) == (1, 99)
    assert all(f"by <@{ALICE}>" in one.reason for one in refused)
    assert len(await story.timeline("acknowledged")) == 1


async def test_in_a_storm_of_incidents_neither_a_list_nor_a_command_without_a_number_reads_them_all(
    database: Database,
) -> None:
    def storm(tx: Tx) -> None:
        policy = {"name": "x", "policy": {}}
        for number in range(600):
            title = f"storm {number}"
            stored.add(
                tx,
                title=title,
                severity=Severity.SEV3,
                policy=policy,
                declared_by=alice.text,
                channel="incidents",
                targets=(),
                started_at=tx.now,
            )

    await database.write(storm)
    read: list[str] = []
    load = stored._incident

    def counting(row: Row, targets: tuple[str, ...]) -> Incident:
        read.append(row["title"])
        return load(row, targets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "_incident", counting)
        refused = await database.write(
            incidents.change, config(), Acknowledge(), Asked(alice, frozenset())
        )
        assert refused == Refusal(
            "600 incidents are open: INC-1, INC-2, INC-3, INC-4, INC-5, INC-6, INC-7, INC-8, INC-9, "
            "INC-10.",
            "Say which one you mean.",
        )
        assert not read
        listed = await database.read(listing, Incidents(which="open"), alice)
        assert listed.facts["more"]
        assert len(read) <= 500

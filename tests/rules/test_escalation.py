"""Whom a policy tells, and when: a table of levels, and what holds for every policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.incident import Incident, Status
from bot.model.policy import Policy
from bot.rules.escalation import (
    LAST_RESORT_EVERY_MS,
    Fire,
    Next,
    Position,
    Stop,
    decide,
    first,
)
from bot.rules.oncall import Roster
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB, config, parsed_policy
from tests.support.incidents import incident

MINUTE = 60_000
POLICY = parsed_policy(
    ("0s", ["channel", f"user:{ALICE}"]),
    ("5m", ["group:engineering"]),
    ("15m", [f"user:{BOB}"]),
    every="15m",
    times=2,
)
ANNOUNCE = parsed_policy(("0s", ["channel"]))
LAST = ("user:U09BOSS",)


def at(minute: float) -> int:
    return NOON + round(minute * MINUTE)


def fire(
    minute: float, position: Position | None = None, told: Sequence[str] = (), **known: Any
) -> Fire:
    policy = known.pop("policy", POLICY)
    found = known.pop("found", incident())
    decision = decide(
        found, policy, position or Position(), told, at(minute), last_resort=LAST, **known
    )
    assert isinstance(decision, Fire), decision
    return decision


LEVEL_1, LEVEL_2 = Position("level", 1), Position("level", 2)
REPEAT_1, REPEAT_2 = Position("repeat", 0), Position("repeat", 1)
EVERYONE = ("channel", f"user:{ALICE}", "group:engineering", f"user:{BOB}")

TABLE = {
    # what is due, who was told already: who is told, which levels that was, what is next and when
    "the first level, at once": (
        fire(0),
        ("channel", f"user:{ALICE}"),
        (0,),
        Next(LEVEL_1, at(5)),
    ),
    "the second, on time": (
        fire(5, LEVEL_1),
        ("group:engineering",),
        (1,),
        Next(LEVEL_2, at(15)),
    ),
    "the last level: after it everyone is told again": (
        fire(15, LEVEL_2),
        (f"user:{BOB}",),
        (2,),
        Next(REPEAT_1, at(30)),
    ),
    "a repeat tells the people, not the channel": (
        fire(30, REPEAT_1, EVERYONE),
        (f"user:{ALICE}", "group:engineering", f"user:{BOB}"),
        (),
        Next(REPEAT_2, at(45)),
    ),
    "after the last repeat comes the last resort": (
        fire(45, REPEAT_2, EVERYONE),
        (f"user:{ALICE}", "group:engineering", f"user:{BOB}"),
        (),
        Next(Position("last_resort"), at(60)),
    ),
    "the last resort": (
        fire(60, Position("last_resort"), EVERYONE),
        LAST,
        (),
        Next(Position("last_resort", 1), at(120)),
    ),
    "and once an hour from then on": (
        fire(120, Position("last_resort", 1), (*EVERYONE, *LAST)),
        LAST,
        (),
        Next(Position("last_resort", 2), at(180)),
    ),
    "two levels overdue after a restart: told once, in one go": (
        fire(16, LEVEL_1),
        ("group:engineering", f"user:{BOB}"),
        (1, 2),
        Next(REPEAT_1, at(31)),
    ),
    "everything overdue: one go, nobody twice, and the repeats count from now": (
        fire(600),
        EVERYONE,
        (0, 1, 2),
        Next(REPEAT_1, at(615)),
    ),
    "the first overdue, the second not yet": (
        fire(3),
        ("channel", f"user:{ALICE}"),
        (0,),
        Next(LEVEL_1, at(5)),
    ),
    "asked for by a person before its time": (
        fire(1, LEVEL_1, forced=True),
        ("group:engineering",),
        (1,),
        Next(LEVEL_2, at(15)),
    ),
    "a late level does not hurry the next": (
        fire(7, LEVEL_1),
        ("group:engineering",),
        (1,),
        Next(LEVEL_2, at(15)),
    ),
    "another severity's policy: what was told is left out": (
        fire(6, told=("channel", f"user:{ALICE}"), switched=True),
        ("group:engineering",),
        (0, 1),
        Next(LEVEL_2, at(15)),
    ),
    "another severity's policy that tells nobody new": (
        fire(1, told=("channel", f"user:{ALICE}"), switched=True),
        (),
        (0,),
        Next(LEVEL_1, at(5)),
    ),
    "a policy whose first level is later: nothing yet": (
        fire(1, policy=parsed_policy(("5m", [f"user:{BOB}"]))),
        (),
        (),
        Next(Position("level", 0), at(5)),
    ),
    "without repeats the last resort follows the last level": (
        fire(0, policy=parsed_policy(("0s", [f"user:{BOB}"]), every="10m", times=0)),
        (f"user:{BOB}",),
        (0,),
        Next(Position("last_resort"), at(10)),
    ),
    "a policy that only announces ends silently": (
        fire(0, policy=ANNOUNCE),
        ("channel",),
        (0,),
        None,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_table_of_levels(case: str) -> None:
    decision, notify, levels, following = TABLE[case]
    assert decision.notify == notify
    assert decision.levels == levels
    assert decision.next == following


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED])
@pytest.mark.parametrize("position", [Position(), LEVEL_2, REPEAT_1, Position("last_resort", 3)])
def test_an_answered_incident_tells_nobody(status: Status, position: Position) -> None:
    decision = decide(incident(status), POLICY, position, EVERYONE, at(60), last_resort=LAST)
    assert decision == Stop(f"INC-7 is {status}")


def test_a_person_may_ask_for_the_next_level_after_an_acknowledgement_and_it_ends_there() -> None:
    decision = fire(3, LEVEL_1, forced=True, found=incident(Status.ACKNOWLEDGED))
    assert decision.notify == ("group:engineering",)
    assert decision.reason == "asked for by a person"
    assert decision.next is None


@pytest.mark.parametrize("position", [LEVEL_1, REPEAT_1, Position("last_resort")])
def test_after_an_acknowledgement_nobody_is_told_that_there_was_none(position: Position) -> None:
    found = incident(Status.ACKNOWLEDGED)
    decision = fire(60, position, EVERYONE, forced=True, found=found)
    assert decision.reason == "asked for by a person"


@pytest.mark.parametrize("status", [Status.MITIGATED, Status.RESOLVED])
def test_nobody_may_ask_for_a_level_once_it_is_over(status: Status) -> None:
    decision = decide(incident(status), POLICY, LEVEL_1, (), at(3), forced=True)
    assert isinstance(decision, Stop)


def test_levels_count_from_the_reopening() -> None:
    found = incident(opened_at=at(100))
    assert first(POLICY, found) == Next(Position(), at(100))
    decision = fire(100, found=found)
    assert decision.notify == ("channel", f"user:{ALICE}")
    assert decision.next == Next(LEVEL_1, at(105))


REASONS = {
    "declared": fire(0),
    "reopened": fire(100, found=incident(opened_at=at(100))),
    "open for 5 min, nobody has acknowledged": fire(5, LEVEL_1),
    "still nobody has acknowledged (repeat 1 of 2)": fire(30, REPEAT_1, EVERYONE),
    "last resort: nobody has acknowledged": fire(60, Position("last_resort"), EVERYONE),
}


@pytest.mark.parametrize("reason", REASONS)
def test_the_reason_is_told(reason: str) -> None:
    assert REASONS[reason].reason == reason


def last_resort(told: Sequence[str], configured: Sequence[str]) -> tuple[str, ...]:
    found = decide(
        incident(), POLICY, Position("last_resort"), told, at(60), last_resort=configured
    )
    assert isinstance(found, Fire)
    assert found.next == Next(Position("last_resort", 1), at(60) + LAST_RESORT_EVERY_MS)
    return found.notify


def test_without_a_last_resort_everyone_who_was_told_is_told_again() -> None:
    assert last_resort(EVERYONE, ()) == (f"user:{ALICE}", "group:engineering", f"user:{BOB}")


def test_without_anybody_at_all_the_channel_is_told_rather_than_nobody() -> None:
    """``escalate`` on an incident whose policy only announces, and no last resort in the config."""
    assert last_resort(("channel",), ()) == ("channel",)


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("channel", ()),
        (f"user:{BOB}", (BOB,)),
        ("user:U77STRANGER", ("U77STRANGER",)),
        ("group:engineering", (ALICE, BOB)),
        ("group:gone-after-a-reload", ()),
    ],
)
def test_who_is_behind_a_destination(destination: str, expected: tuple[str, ...]) -> None:
    assert Roster(config()).people(destination, NOON) == expected


# What holds for every policy, whenever the bot is away.

DESTINATIONS = ["channel", f"user:{ALICE}", f"user:{BOB}", "group:engineering", "user:U05CAROL"]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    seconds = draw(st.lists(st.integers(0, 3_600), min_size=1, max_size=6).map(sorted))
    told = st.lists(st.sampled_from(DESTINATIONS), min_size=1, max_size=3, unique=True)
    return parsed_policy(
        *((f"{second}s", draw(told)) for second in seconds),
        every=f"{draw(st.integers(1, 3_600))}s",
        times=draw(st.integers(0, 4)),
    )


@dataclass
class Run:
    """An escalation played through: what fired, when. ``late`` is how long the bot was away each time."""

    policy: Policy
    incident: Incident
    fired: list[tuple[int, Fire]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def play(self, late: Sequence[int], *, turns: int = 60) -> Run:
        due: Next | None = first(self.policy, self.incident)
        now = self.incident.opened_at
        for turn in range(turns):
            if due is None:
                break
            away = late[turn % len(late)] if late else 0
            now = max(now, due.due_at) + away
            decision = decide(
                self.incident, self.policy, due.position, self.told, now, last_resort=LAST
            )
            assert isinstance(decision, Fire)
            self.fired.append((now, decision))
            self.told += [text for text in decision.notify if text not in self.told]
            due = decision.next
            if decision.position.stage == "last_resort" and decision.position.number > 2:
                break
        return self


LATE = st.lists(st.one_of(st.just(0), st.integers(0, 7_200_000)), min_size=1, max_size=8)


@given(policies(), LATE)
def test_every_level_fires_exactly_once_in_order_and_not_early(
    policy: Policy, late: list[int]
) -> None:
    run = Run(policy, incident()).play(late)
    fired = [(now, level) for now, decision in run.fired for level in decision.levels]
    assert [level for _, level in fired] == list(range(len(policy.levels)))
    assert all(now >= NOON + policy.levels[level].after for now, level in fired)


@given(policies(), LATE)
def test_everyone_in_every_level_is_told_and_nobody_twice_in_one_go(
    policy: Policy, late: list[int]
) -> None:
    run = Run(policy, incident()).play(late)
    for _, decision in run.fired:
        wanted = {text for level in decision.levels for text in policy.levels[level].notify}
        if decision.levels:
            assert set(decision.notify) == wanted
        assert len(set(decision.notify)) == len(decision.notify)
    assert {text for level in policy.levels for text in level.notify} <= set(run.told)


@given(policies(), LATE)
def test_it_is_never_silent_until_somebody_answers_unless_it_only_announces(
    policy: Policy, late: list[int]
) -> None:
    run = Run(policy, incident()).play(late)
    if policy.pings_people:
        assert all(decision.next is not None for _, decision in run.fired)
        assert run.fired[-1][1].position == Position("last_resort", 3)
        repeats = [one for _, one in run.fired if one.position.stage == "repeat"]
        assert len(repeats) == policy.repeat.times
        assert all(one.notify for _, one in run.fired)
    else:
        assert run.fired[-1][1].next is None


@given(policies(), LATE)
def test_what_is_next_is_never_in_the_past(policy: Policy, late: list[int]) -> None:
    run = Run(policy, incident()).play(late)
    assert all(one.next.due_at >= now for now, one in run.fired if one.next)


@given(policies(), policies(), st.integers(0, 7_200_000))
def test_another_policy_tells_nobody_again_and_leaves_nobody_out_who_is_overdue(
    before: Policy, after: Policy, minute: int
) -> None:
    run = Run(before, incident()).play([], turns=2)
    now = max(run.fired[-1][0], NOON + minute)
    decision = decide(incident(), after, Position(), run.told, now, switched=True, last_resort=LAST)
    assert isinstance(decision, Fire)
    overdue = {text for level in after.levels if NOON + level.after <= now for text in level.notify}
    assert set(decision.notify) == overdue - set(run.told)

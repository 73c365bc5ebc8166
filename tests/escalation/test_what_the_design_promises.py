"""Escalation, sentence by sentence. Times are minutes after the declaration.

A line reads ``5 CAROL, DAVE: Critical CPU usage``: at minute 5 these were told, and why; or
``5 asks ALICE: ...``: whoever acknowledged is asked. BOSS is the last resort.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.model.incident import Severity, Status
from bot.rules import escalation
from bot.rules.arming import Seen
from bot.rules.known import Known
from bot.rules.levels import Case
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.escalations import (
    CAROL,
    DAVE,
    acknowledged,
    brief,
    called,
    calm,
    from_minute,
    hot,
    minute,
    noted,
    over,
    play,
    rated,
    reopened,
    shown,
    values,
    with_targets,
    written,
)
from tests.support.incidents import bob, incident

CPU = {"after": "5m", "when": "cpu_percent > 90", "notify": ["group:engineering"]}
MEMORY = {"after": "5m", "when": "memory_mb > 1024", "notify": ["group:engineering"]}
GUIDE = (
    {**CPU, "reason": "Critical CPU usage", "after_acknowledge": True},
    {**MEMORY, "reason": "Critical memory usage", "after_acknowledge": True},
)
AT_ONCE = {"notify": ["channel", f"user:{ALICE}"]}
LATER = {"after": "15m", "notify": [f"user:{BOB}"]}
ENOUGH = {"repeat": {"every": "15m", "times": 1}}
POLICY = written(AT_ONCE, *GUIDE, LATER, **ENOUGH)
PLAIN = written(AT_ONCE, {"after": "5m", "notify": ["group:engineering"]}, LATER, **ENOUGH)
ANNOUNCE = written({})
ONLY_CPU = written(AT_ONCE, CPU, repeat={"every": "1h", "times": 0})
QUIET = [f"{at:g}" for at in (0,)]


def sev(severity: str) -> Any:
    return replace(incident(), severity=Severity(severity))


STORIES = {
    # what happens: (the lines that follow, until that minute)
    "`after` counts from the declaration; a level fires once": (
        play(PLAIN, until=29),
        ["0 ALICE, channel", "5 CAROL, DAVE", "15 BOB"],
    ),
    "after a reopening, from the reopening": (
        play(PLAIN, over(7, Status.RESOLVED), reopened(100), until=106),
        ["0 ALICE, channel", "5 CAROL, DAVE", "100 ALICE, channel", "105 CAROL, DAVE"],
    ),
    "a conditional level is armed from its time on: not before, although the reading meets it": (
        play(ONLY_CPU, read=hot, until=30),
        ["0 ALICE, channel", "5 CAROL, DAVE"],
    ),
    "and fires when a fresh reading meets it": (
        play(ONLY_CPU, read=from_minute((12, values(cpu=96))), until=30),
        ["0 ALICE, channel", "12 CAROL, DAVE"],
    ),
    "what met it only before its time does not count": (
        play(ONLY_CPU, read=from_minute((0, values(cpu=96)), (4, values(cpu=20))), until=30),
        ["0 ALICE, channel"],
    ),
    "any of the incident's targets may meet it": (
        play(
            ONLY_CPU,
            read=lambda now: {"iora": values(), "worker": values(cpu=96)},
            found=with_targets("iora", "worker"),
            until=30,
        ),
        ["0 ALICE, channel", "5 CAROL, DAVE"],
    ),
    "but the whole condition is asked of one target at a time": (
        play(
            written(AT_ONCE, {**CPU, "when": "cpu_percent > 90 and memory_mb > 1024"}),
            read=lambda now: {"iora": values(memory=1_100), "worker": values(cpu=96)},
            found=with_targets("iora", "worker"),
            until=14,
        ),
        ["0 ALICE, channel"],
    ),
    "without targets it is skipped": (
        play(ONLY_CPU, read=hot, found=with_targets(), until=30),
        ["0 ALICE, channel"],
    ),
    "unless it asks for no reading at all": (
        play(
            written(AT_ONCE, {**CPU, "when": "incident.age > 7m"}), found=with_targets(), until=14
        ),
        ["0 ALICE, channel", "7.5 CAROL, DAVE"],
    ),
    "what nothing measures is never met, and never lost": (
        play(written(AT_ONCE, {**CPU, "when": "threads > 500"}), until=14),
        ["0 ALICE, channel"],
    ),
    "acknowledge stops all levels and repeats": (
        play(PLAIN, acknowledged(6), noted(30), until=59),
        ["0 ALICE, channel", "5 CAROL, DAVE"],
    ),
    "mitigate stops everything": (
        play(POLICY, over(2, Status.MITIGATED), read=hot, until=240),
        ["0 ALICE, channel"],
    ),
    "resolve stops everything": (
        play(POLICY, over(2, Status.RESOLVED), read=hot, until=240),
        ["0 ALICE, channel"],
    ),
    "mitigating after an asking stops everything too": (
        play(POLICY, acknowledged(2), over(6, Status.MITIGATED), read=hot, until=240),
        ["0 ALICE, channel", "5 asks ALICE"],
    ),
    "levels with after_acknowledge ask first, and fire 5 minutes later": (
        play(POLICY, acknowledged(2), read=hot, until=31),
        ["0 ALICE, channel", "5 asks ALICE", "10 CAROL, DAVE"],
    ),
    "unless there was activity": (
        play(POLICY, acknowledged(2), noted(7), read=hot, until=31),
        ["0 ALICE, channel", "5 asks ALICE"],
    ),
    "by anybody": (
        play(POLICY, acknowledged(2), noted(7, bob.text), read=hot, until=31),
        ["0 ALICE, channel", "5 asks ALICE"],
    ),
    "an asking that was answered is asked again only after 30 idle minutes": (
        play(POLICY, acknowledged(2), noted(7), read=hot, until=43),
        ["0 ALICE, channel", "5 asks ALICE", "37 asks ALICE", "42 BOB, CAROL, DAVE"],
    ),
    "if the reading is no longer met by then, nobody is told": (
        play(
            POLICY,
            acknowledged(2),
            read=from_minute((0, values(cpu=96)), (8, values())),
            until=31,
        ),
        ["0 ALICE, channel", "5 asks ALICE"],
    ),
    "a level from: acknowledged counts from there, and asks first as well": (
        play(
            written(AT_ONCE, {"after": "10m", "from": "acknowledged", "notify": [f"user:{BOB}"]}),
            acknowledged(3),
            until=20,
        ),
        ["0 ALICE, channel", "13 asks ALICE", "18 BOB"],
    ),
    "and never fires while nobody acknowledged": (
        play(
            written(
                AT_ONCE,
                {"after": "1m", "from": "acknowledged", "notify": [f"user:{BOB}"]},
                repeat={"every": "1h", "times": 0},
            ),
            until=59,
        ),
        ["0 ALICE, channel"],
    ),
    "who acknowledges a sev2 and does nothing for 30 minutes is asked, then it escalates again": (
        play(PLAIN, acknowledged(2), until=60),
        [
            "0 ALICE, channel",
            "32 asks ALICE",
            "37 CAROL, DAVE",
            "47 BOB",
        ],
    ),
    "of a sev1 too": (
        play(PLAIN, acknowledged(2), found=sev("sev1"), until=38),
        ["0 ALICE, channel", "32 asks ALICE", "37 CAROL, DAVE"],
    ),
    "but not of a sev3": (
        play(PLAIN, acknowledged(2), found=sev("sev3"), until=600),
        ["0 ALICE, channel"],
    ),
    "any activity resets it": (
        play(PLAIN, acknowledged(2), noted(20), noted(45), until=74),
        ["0 ALICE, channel"],
    ),
    "an answer to the asking resets it": (
        play(PLAIN, acknowledged(2), noted(34), until=63),
        ["0 ALICE, channel", "32 asks ALICE"],
    ),
    "an answer after it went on stops it, and the idle time counts anew": (
        play(PLAIN, acknowledged(2), noted(40), until=76),
        ["0 ALICE, channel", "32 asks ALICE", "37 CAROL, DAVE", "70 asks ALICE", "75 BOB"],
    ),
    "after that never silence": (
        play(PLAIN, acknowledged(2), until=210),
        [
            "0 ALICE, channel",
            "32 asks ALICE",
            "37 CAROL, DAVE",
            "47 BOB",
            "62 ALICE, CAROL, DAVE, BOB",
            "77 BOSS",
            "137 BOSS",
            "197 BOSS",
        ],
    ),
    "also where every level had fired before": (
        play(written(AT_ONCE, **ENOUGH), acknowledged(2), until=110),
        ["0 ALICE, channel", "32 asks ALICE", "37 ALICE", "52 BOSS"],
    ),
    "and where the policy only announces": (
        play(ANNOUNCE, acknowledged(2), until=98),
        ["0 channel", "32 asks ALICE", "37 BOSS", "97 BOSS"],
    ),
    "the idle time comes from the config": (
        play(PLAIN, acknowledged(2), idle=10 * 60_000, until=18),
        ["0 ALICE, channel", "12 asks ALICE", "17 CAROL, DAVE"],
    ),
    "levels that fire for the same person in one pass are one ping": (
        play(POLICY, read=hot, until=14),
        ["0 ALICE, channel", "5 CAROL, DAVE"],
    ),
    "another severity brings its policy, without firing again what has fired": (
        play(
            written(AT_ONCE, CPU, LATER, **ENOUGH),
            rated(6, "sev1", written(AT_ONCE, {**CPU, "after": "0s"}, {**LATER, "after": "5m"})),
            read=hot,
            until=14,
        ),
        ["0 ALICE, channel", "5 CAROL, DAVE", "6 BOB"],
    ),
    "what it would have told by now is told at once": (
        play(ANNOUNCE, rated(7, "sev1", PLAIN), until=29),
        ["0 channel", "7 ALICE, CAROL, DAVE", "15 BOB"],
    ),
    "a milder one ends the pings": (
        play(PLAIN, rated(7, "sev4", ANNOUNCE), until=600),
        ["0 ALICE, channel", "5 CAROL, DAVE"],
    ),
    "and its condition is asked although the old one had fired for another": (
        play(
            written(AT_ONCE, CPU),
            rated(6, "sev1", written(AT_ONCE, CPU, MEMORY)),
            read=hot,
            until=14,
        ),
        ["0 ALICE, channel", "5 CAROL, DAVE", "6 CAROL, DAVE"],
    ),
    "after the last level it repeats as configured, then the last resort, then once an hour": (
        play(PLAIN, until=180),
        [
            "0 ALICE, channel",
            "5 CAROL, DAVE",
            "15 BOB",
            "30 ALICE, CAROL, DAVE, BOB",
            "45 BOSS",
            "105 BOSS",
            "165 BOSS",
        ],
    ),
    "repeats do not wait for conditions, and conditions are asked to the end": (
        play(POLICY, read=from_minute((50, values(cpu=96))), until=60),
        [
            "0 ALICE, channel",
            "15 BOB",
            "30 ALICE, BOB",
            "45 BOSS",
            "50 CAROL, DAVE",
        ],
    ),
    "a policy that only announces ends silently": (
        play(ANNOUNCE, until=600),
        ["0 channel"],
    ),
    "until a condition of it tells people: from then on it does not end": (
        play(written({}, CPU, repeat={"every": "15m", "times": 1}), read=hot, until=40),
        ["0 channel", "5 CAROL, DAVE", "20 CAROL, DAVE", "35 BOSS"],
    ),
    "an empty group goes to the next level at once": (
        play(written({"notify": ["group:nobody"]}, LATER), until=14),
        ["0 nobody", "0 BOB"],
    ),
    "a person may call for the next level before its time": (
        play(PLAIN, called(1), until=14),
        ["0 ALICE, channel", "1 CAROL, DAVE"],
    ),
    "a call passes conditions by, while a level is left that has none": (
        play(POLICY, called(1), until=14),
        ["0 ALICE, channel", "1 BOB"],
    ),
    "then it tells those of the conditions too": (
        play(POLICY, called(1), called(2), until=14),
        ["0 ALICE, channel", "1 BOB", "2 CAROL, DAVE"],
    ),
    "an acknowledger may call as well, level by level to the last resort": (
        play(PLAIN, acknowledged(1), called(2), called(3), called(4), until=14),
        ["0 ALICE, channel", "2 CAROL, DAVE", "3 BOB", "4 BOSS"],
    ),
}


@pytest.mark.parametrize("sentence", STORIES)
def test_the_semantics(sentence: str) -> None:
    moments, expected = STORIES[sentence]
    assert brief(moments) == expected


REASONS = {
    "declared": (PLAIN, (), calm, "0 ALICE, channel: declared"),
    "the open time of a level": (
        PLAIN,
        (),
        calm,
        "5 CAROL, DAVE: open for 5 min, nobody has acknowledged",
    ),
    "both reasons of one pass": (
        POLICY,
        (),
        hot,
        "5 CAROL, DAVE: CPU 96 % > 90 (agent); memory 1,100 MB > 1024 (agent)",
    ),
    "what whoever acknowledged is asked": (
        POLICY,
        (acknowledged(2),),
        hot,
        "5 asks ALICE: CPU 96 % > 90 (agent); memory 1,100 MB > 1024 (agent)",
    ),
    "that nothing was done": (
        PLAIN,
        (acknowledged(2),),
        calm,
        "32 asks ALICE: nothing was done for 30 min",
    ),
    "why it goes on after an acknowledgement": (
        PLAIN,
        (acknowledged(2),),
        calm,
        "37 CAROL, DAVE: acknowledged, but nothing was done for 35 min",
    ),
    "a repeat": (
        PLAIN,
        (),
        calm,
        "30 ALICE, CAROL, DAVE, BOB: still nobody has acknowledged (repeat 1 of 1)",
    ),
    "the last resort": (PLAIN, (), calm, "45 BOSS: last resort: nobody has acknowledged"),
    "what a person asked for": (
        PLAIN,
        (acknowledged(1), called(2)),
        calm,
        "2 CAROL, DAVE: asked for by a person",
    ),
}


@pytest.mark.parametrize("what", REASONS)
def test_the_reason_is_told(what: str) -> None:
    policy, happenings, read, expected = REASONS[what]
    assert expected in shown(play(policy, *happenings, read=read, until=60))


def test_a_person_of_two_levels_in_one_pass_has_both_reasons_and_the_other_only_theirs() -> None:
    policy = written(
        AT_ONCE,
        {**CPU, "notify": [f"user:{CAROL}", f"user:{DAVE}"]},
        {**MEMORY, "notify": [f"user:{DAVE}"]},
    )
    (moment,) = [one for one in play(policy, read=hot, until=6) if one.at == minute(5)]
    assert moment.account is not None
    reasons = {ping.person: ping.reason for ping in moment.account.pings}
    assert reasons == {
        CAROL: "CPU 96 % > 90 (agent)",
        DAVE: "CPU 96 % > 90 (agent); memory 1,100 MB > 1024 (agent)",
    }
    assert {ping.person: ping.levels for ping in moment.account.pings} == {
        CAROL: (1,),
        DAVE: (1, 2),
    }


# Lost data.

LOST = values(cpu=None)
ON_CALL = written(
    {"notify": ["channel", "oncall:primary"]}, CPU, repeat={"every": "2h", "times": 0}
)


def test_lost_data_is_told_once_to_on_call_only_after_five_minutes() -> None:
    found = shown(play(ON_CALL, read=from_minute((0, LOST)), until=60))
    assert found == [
        "0 ALICE, channel: declared",
        "10 ALICE: CPU unknown: the agent is away; unknown for 5 min, so nobody can tell: cpu_percent > 90",
    ]


def test_data_that_comes_back_in_time_is_not_told_as_lost_and_the_time_counts_anew() -> None:
    changes = ((0, LOST), (9, values()), (11, LOST), (15, values()))
    assert brief(play(ON_CALL, read=from_minute(*changes), until=60)) == ["0 ALICE, channel"]


def test_a_level_whose_data_was_lost_still_fires_when_it_comes_back_and_meets_it() -> None:
    found = brief(play(ON_CALL, read=from_minute((0, LOST), (20, values(cpu=96))), until=60))
    assert found == ["0 ALICE, channel", "10 ALICE", "20 CAROL, DAVE"]


def test_how_long_data_may_be_lost_comes_from_the_policy() -> None:
    policy = written({"notify": ["oncall:primary"]}, CPU, no_data_after="1m")
    found = brief(play(policy, read=from_minute((0, LOST)), until=9))
    assert found == ["0 ALICE", "6 ALICE"]


def test_without_a_schedule_those_of_the_first_level_are_told_of_lost_data() -> None:
    policy = written(AT_ONCE, CPU, repeat={"every": "2h", "times": 0})
    found = brief(play(policy, read=from_minute((0, LOST)), until=60))
    assert found == ["0 ALICE, channel", "10 ALICE"]


def test_a_reading_that_settles_the_condition_makes_the_lost_one_unimportant() -> None:
    policy = written(AT_ONCE, {**CPU, "when": "cpu_percent > 90 or memory_mb > 1024"})
    read = from_minute((0, values(cpu=None, memory=1_100)))
    assert "5 CAROL, DAVE" in brief(play(policy, read=read, until=6))


def test_after_an_acknowledgement_lost_data_asks_first_too() -> None:
    policy = written({"notify": ["oncall:primary"]}, {**CPU, "after_acknowledge": True})
    read = from_minute((0, LOST))
    found = brief(play(policy, acknowledged(2), read=read, until=16))
    assert found == ["0 ALICE", "10 asks ALICE", "15 ALICE"]


def test_a_change_over_time_can_be_a_condition() -> None:
    policy = written(AT_ONCE, {**CPU, "when": "cpu_percent.change_5m > 20"})
    rose = values(**{"cpu_percent.change_5m": Known(30.0, "%", None, "agent")})
    assert "8 CAROL, DAVE" in brief(play(policy, read=from_minute((8, rose)), until=9))


# Looks.


def test_armed_conditions_are_asked_at_the_pace_of_the_polls() -> None:
    looks: list[int] = []

    def read(now: int) -> Any:
        looks.append((now - NOON) // 1_000)
        return {"iora": values()}

    play(ONLY_CPU, read=read, until=6, look_every=15_000)
    assert looks == [300, 315, 330, 345, 360]


def test_an_asking_is_followed_up_on_its_time_however_seldom_conditions_are_asked() -> None:
    found = brief(play(POLICY, acknowledged(2), read=hot, until=11, look_every=3_600_000))
    assert found == ["0 ALICE, channel", "5 asks ALICE", "10 CAROL, DAVE"]


def test_nothing_is_read_while_no_condition_is_armed() -> None:
    def read(now: int) -> Any:
        raise AssertionError("nothing is to be read")

    assert len(play(PLAIN, read=read, until=60)) == 5
    assert brief(play(ONLY_CPU, acknowledged(1), read=read, until=20)) == ["0 ALICE, channel"]


def test_one_look_that_could_not_be_made_is_made_up_for_at_once() -> None:
    case = Case(incident(), ONLY_CPU)
    assert escalation.next_at(case, {}, minute(7), looked=False) == minute(7)
    assert escalation.decide(case, Seen(), minute(7)).fire is not None  # the first level, alone


# Practice.


def test_a_drill_ends_after_its_levels_and_no_call_takes_it_further() -> None:
    drill = replace(incident(), drill=True, targets=())
    found = brief(play(PLAIN, called(20), called(21), found=drill, ends=True, until=300))
    assert found == ["0 ALICE, channel", "5 CAROL, DAVE", "15 BOB"]


# Working hours: NOON is a Sunday afternoon, 17:06 in Berlin.

HOURS = {"timezone": "Europe/Berlin", "days": "mon-fri", "from": "09:00", "to": "17:00"}
MONDAY_NINE = (15 * 60 + 53) + 1 / 3  # minutes from NOON to Monday, 09:00 in Berlin
LOW = written(AT_ONCE, {"after": "30m", "notify": [f"user:{BOB}"]}, hours=HOURS, **ENOUGH)


def at_nine(after: float) -> str:
    return f"{MONDAY_NINE + after:g}"


def test_declared_at_night_is_told_in_the_morning() -> None:
    found = play(LOW, found=sev("sev3"), until=MONDAY_NINE + 31)
    assert [(one.at - minute(MONDAY_NINE)) / 60_000 for one in found] == [0, 30]
    assert brief(found)[0].endswith("ALICE, channel")


def test_levels_beyond_the_end_of_the_hours_wait_for_the_next_ones() -> None:
    late = replace(sev("sev3"), opened_at=minute(MONDAY_NINE + 460), declared_at=NOON)
    case = Case(late, LOW)
    moments = play(LOW, found=replace(late, declared_at=late.opened_at), until=MONDAY_NINE + 1_450)
    since = [(one.at - minute(MONDAY_NINE)) / 60_000 for one in moments]
    assert since == [460, 24 * 60], "16:40 and, instead of 17:10, Tuesday at 09:00"
    assert case.opening(minute(MONDAY_NINE)) == minute(MONDAY_NINE)


def test_a_call_does_not_wait_for_the_hours() -> None:
    assert brief(play(LOW, called(5), found=sev("sev3"), until=10)) == ["5 ALICE, channel"]


def test_a_worse_severity_whose_policy_has_no_hours_tells_at_once() -> None:
    found = brief(play(LOW, rated(5, "sev1", PLAIN), found=sev("sev3"), until=6))
    assert found == ["5 ALICE, CAROL, DAVE, channel"]


def test_what_is_overdue_while_the_hours_are_closed_waits_for_the_next_ones() -> None:
    late = {"timezone": "Europe/Berlin", "days": "mon-sun", "from": "16:00", "to": "18:00"}
    case = Case(incident(), written(AT_ONCE, LATER, hours=late, **ENOUGH))
    evening, next_day = minute(100), minute(23 * 60 - 6 - 2 / 3)
    assert escalation.decide(case, Seen(), evening).fire is None
    assert escalation.next_at(case, {}, evening) == next_day
    following = escalation.following(case, evening)
    assert following is not None
    assert following.at == next_day


def test_whether_it_is_time_alone_or_a_condition_is_told_by_what_follows() -> None:
    following = escalation.following(Case(incident(), POLICY), NOON)
    assert following is not None
    assert (following.at, following.notify) == (NOON, ("channel", f"user:{ALICE}"))

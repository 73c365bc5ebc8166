"""How each step goes from its place in the line to a result, and what follows from that."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bot.model.run import RunState
from bot.store import incidents as entries
from tests.support.runs import step
from tests.support.stage import (
    HOUR,
    MINUTE,
    SECOND,
    Stage,
    alice,
    bob,
    bound,
    carol,
    settings,
    without,
)

YES = {"roles": ["responder"]}
OPEN = step("action", "open", action="circuit_breaker_open", approval=YES)
TELL = step("checklist", "tell", items=[{"text": "say it"}])
LOOK = step("collect", "look")
LAST = step("collect", "last")
HELPED = {"that": "cpu_percent < 70", "hold": "1m", "within": "5m"}


def at(*steps: Any, cpu: float | None = 50, **more: Any) -> Stage:
    """A run with an incident, gone as far as it goes by itself."""
    stage = Stage()
    stage.reads["iora"] = {"cpu_percent": cpu}
    stage.start(bound(*steps, **more), incident=stage.declare())
    return stage


# --- when


@pytest.mark.parametrize(
    ("cpu", "state", "last"),
    [(96, "started", "waiting"), (50, "skipped", "started"), (None, "asking", "waiting")],
)
def test_a_condition_decides_and_what_is_unknown_asks_a_person(
    cpu: float | None, state: str, last: str
) -> None:
    stage = at({**LOOK, "when": "cpu_percent > 90"}, LAST, cpu=cpu)
    assert stage.states() == {"look": state, "last": last}


def test_a_person_says_that_it_is_to_be_done_though_nobody_knows() -> None:
    stage = at({**LOOK, "when": "cpu_percent > 90"}, cpu=None)
    stage.accepted(bob, "do")
    assert stage.states() == {"look": "started"}
    assert stage.step("look").output["agreed_by"] == bob.text


def test_a_person_says_that_it_is_not_to_be_done() -> None:
    stage = at({**LOOK, "when": "cpu_percent > 90"}, LAST, cpu=None)
    stage.accepted(bob, "skip", "it is calm")
    assert stage.states() == {"look": "skipped", "last": "started"}


def test_an_action_whose_condition_is_unknown_still_needs_its_approval() -> None:
    stage = at({**OPEN, "when": "cpu_percent > 90"}, cpu=None)
    stage.accepted(alice, "do")
    assert stage.states() == {"open": "approving"}
    assert stage.called("open") == 0


def test_a_condition_reads_the_results_of_earlier_steps() -> None:
    stage = at(LOOK, {**LAST, "when": "steps.look.state == failed"}, TELL)
    stage.ended("failed", "no")
    assert stage.states()["last"] == "started"
    stage.ended("ok")
    again = at(LOOK, {**LAST, "when": "steps.look.state == failed"}, TELL)
    again.ended("ok")
    assert again.states()["last"] == "skipped"


# --- on_failure and always


AFTER = (
    step("collect", "two"),
    step("collect", "three"),
    {**step("collect", "end"), "always": True},
)


@pytest.mark.parametrize(
    ("way", "states", "end"),
    [
        ("continue", {"two": "started", "three": "waiting", "end": "waiting"}, None),
        ("stop", {"two": "skipped", "three": "skipped", "end": "started"}, RunState.STOPPED),
        ("escalate", {"two": "started", "three": "waiting", "end": "waiting"}, None),
        ("three", {"two": "skipped", "three": "started", "end": "waiting"}, None),
        ("end", {"two": "skipped", "three": "skipped", "end": "started"}, RunState.DONE),
    ],
)
@pytest.mark.parametrize("result", ["failed", "unknown"])
def test_what_a_failure_leads_to(
    way: str, states: dict[str, str], end: RunState | None, result: str
) -> None:
    stage = at({**LOOK, "on_failure": way}, *AFTER)
    stage.ended(result, "no luck")
    assert stage.states() == {"look": result, **states}
    if end is not None:
        stage.ended("ok")
        assert stage.run.state is end
    told = [e.facts["text"] for e in stage.timeline() if e.kind == "escalated"]
    assert told == (["RUN-1: “Look” failed: no luck"] if way == "escalate" else [])


def test_what_is_always_done_is_done_on_the_way_to_a_later_step_too() -> None:
    stage = at(
        {**LOOK, "on_failure": "three"}, {**AFTER[0], "always": True}, AFTER[1]
    )  # fmt: skip
    stage.ended("failed", "no luck")
    assert stage.states() == {"look": "failed", "two": "started", "three": "waiting"}


def test_a_run_that_stopped_says_why_it_did_first() -> None:
    stage = at({**LOOK, "on_failure": "stop"}, {**LAST, "always": True, "on_failure": "stop"})
    stage.ended("failed", "no luck")
    stage.ended("failed", "none either")
    assert stage.run.state is RunState.STOPPED
    assert stage.run.reason == "“Look” failed"


def test_a_skip_is_no_failure() -> None:
    stage = at({**TELL, "on_failure": "stop"}, LOOK)
    stage.accepted(bob, "skip", "told already")
    assert stage.states()["look"] == "started"


# --- retry


def test_what_failed_is_tried_again_after_a_wait_that_doubles() -> None:
    stage = at({**LOOK, "retry": {"attempts": 3, "backoff": "10s"}})
    begun = []
    for _ in range(3):
        begun.append(stage.now)
        stage.ended("failed", "no luck")
        stage.later(0 if not stage.armed() else max(0, stage.armed() - stage.now))  # type: ignore[operator]
    assert [later - before for before, later in itertools.pairwise(begun)] == [
        10 * SECOND,
        20 * SECOND,
    ]
    assert stage.states() == {"look": "failed"}
    assert stage.run.state is RunState.DONE
    assert len(stage.messages("step:1:0:")) == 1, "one result, whatever it took"


def test_only_what_is_asked_for_is_tried_again() -> None:
    stage = at({**LOOK, "retry": {"attempts": 3, "on": ["failed"]}})
    stage.ended("unknown", "no data")
    assert stage.states() == {"look": "unknown"}


def test_a_retry_that_nobody_approved_does_not_run() -> None:
    asked = {"roles": ["responder"], "expires": "5m", "on_expire": "fail"}
    stage = at({**LOOK, "retry": {"attempts": 3}, "approval": asked})
    stage.later(5 * MINUTE)
    assert stage.states() == {"look": "failed"}
    assert not stage.begun


def test_a_retry_runs_on_the_yes_that_was_said() -> None:
    stage = at({**LOOK, "retry": {"attempts": 2, "backoff": "1s"}, "approval": YES})
    stage.accepted(bob, "approve")
    stage.ended("failed")
    stage.later(SECOND)
    assert stage.states() == {"look": "started"}
    assert stage.under_way[0].approved


def test_after_a_crash_what_needs_a_yes_is_asked_for_anew() -> None:
    stage = at({**LOOK, "approval": YES})
    stage.accepted(bob, "approve")
    stage.crash()
    assert stage.states() == {"look": "approving"}
    stage.accepted(bob, "approve")
    assert len(stage.under_way) == 1


def test_a_probe_of_which_the_agent_wants_a_yes_asks_for_it_once() -> None:
    stage = at(step("probe", "dump", probe="heap", retry={"attempts": 2, "backoff": "1s"}))
    stage.ended("approval", "it pauses the process")
    assert stage.states() == {"dump": "approving"}
    stage.accepted(alice, "approve")
    assert stage.under_way[0].approved
    stage.ended("failed", "broken off")
    stage.later(SECOND)
    assert stage.under_way[0].approved
    stage.ended("ok")
    assert stage.states() == {"dump": "ok"}


# --- approval that nobody gives


@pytest.mark.parametrize(
    ("way", "state", "next_one"),
    [
        ("fail", "failed", "started"),
        ("skip", "skipped", "started"),
        ("escalate", "approving", "waiting"),
    ],
)
def test_what_nobody_approves(way: str, state: str, next_one: str) -> None:
    asked = {**YES, "expires": "10m", "on_expire": way}
    stage = at({**OPEN, "approval": asked}, LAST)
    stage.later(10 * MINUTE)
    assert stage.states() == {"open": state, "last": next_one}
    assert stage.called("open") == 0
    if way == "escalate":
        assert stage.step("open").attempt == 2
        assert len([e for e in stage.timeline() if e.kind == "escalated"]) == 1
        stage.later(10 * MINUTE)
        assert stage.step("open").attempt == 3
        stage.accepted(bob, "approve")
        assert stage.called("open") == 1


def test_a_yes_to_an_earlier_asking_does_not_count_for_the_next() -> None:
    asked = {**YES, "min": 2, "expires": "10m", "on_expire": "escalate"}
    stage = at({**OPEN, "approval": asked})
    stage.accepted(bob, "approve")
    stage.later(10 * MINUTE)
    stage.accepted(carol, "approve")
    assert stage.called("open") == 0
    stage.accepted(bob, "approve")
    assert stage.called("open") == 1


# --- verify and wait_for


def verified(cpu: float | None = 50, **more: Any) -> Stage:
    stage = at({**OPEN, "verify": {**HELPED, **more}}, TELL, cpu=cpu)
    stage.accepted(bob, "approve")
    stage.ended()
    return stage


def test_what_helped_for_long_enough_is_ok() -> None:
    stage = verified()
    assert stage.states()["open"] == "watching"
    stage.later(59 * SECOND)
    assert stage.states()["open"] == "watching"
    stage.later(16 * SECOND)
    assert stage.states() == {"open": "ok", "tell": "doing"}
    assert "CPU 50 % < 70" in stage.step("open").output["held"]


def test_what_did_not_help_in_time_failed() -> None:
    stage = verified(cpu=96)
    stage.later(5 * MINUTE + 15 * SECOND)
    assert stage.states()["open"] == "failed"
    assert "not within 5 min: CPU 96 %" in stage.step("open").reason


@pytest.mark.parametrize("reads", [{"cpu_percent": None}, {}])
def test_no_data_is_never_a_recovery(reads: dict[str, Any]) -> None:
    stage = verified()
    stage.reads["iora"] = reads
    stage.later(5 * MINUTE + 15 * SECOND)
    assert stage.states()["open"] == "failed"
    assert "unknown" in stage.step("open").reason


def test_a_relapse_begins_anew() -> None:
    stage = verified()
    stage.later(50 * SECOND)
    stage.reads["iora"] = {"cpu_percent": 96}
    stage.later(20 * SECOND)
    stage.reads["iora"] = {"cpu_percent": 50}
    stage.later(45 * SECOND)
    assert stage.states()["open"] == "watching"
    stage.later(40 * SECOND)
    assert stage.states()["open"] == "ok"


def test_what_nobody_looked_at_is_not_taken_to_have_held() -> None:
    stage = verified(within="1h")
    stage.later(50 * SECOND)
    stage.away(10 * MINUTE)
    assert stage.states()["open"] == "watching"
    stage.later(45 * SECOND)
    assert stage.states()["open"] == "watching"
    stage.later(30 * SECOND)
    assert stage.states()["open"] == "ok"


def test_readings_from_before_the_action_s_end_prove_nothing() -> None:
    stage = at({**OPEN, "verify": {"that": "cpu_percent < 70", "within": "5m"}})
    stage.accepted(bob, "approve")
    stage.now += SECOND
    stage.ended()
    assert stage.asked_since[-1:] == [stage.now]


def test_a_wait_ends_when_the_condition_held() -> None:
    wait = step("wait_for", "calm", that="cpu_percent < 70", hold="1m", within="5m")
    stage = at(wait, LAST, cpu=96)
    stage.later(2 * MINUTE)
    assert stage.states()["calm"] == "watching"
    stage.reads["iora"] = {"cpu_percent": 50}
    stage.later(80 * SECOND)
    assert stage.states() == {"calm": "ok", "last": "started"}


def test_a_wait_that_is_too_long_failed() -> None:
    wait = step("wait_for", "calm", that="cpu_percent < 70", within="5m", on_failure="stop")
    stage = at(wait, LAST, cpu=96)
    stage.later(6 * MINUTE)
    assert stage.states() == {"calm": "failed", "last": "skipped"}
    assert stage.run.state is RunState.STOPPED


def test_how_long_is_an_input() -> None:
    wait = step("wait_for", "calm", that="cpu_percent < 70", hold="inputs.hold", within="1h")
    stage = Stage()
    stage.reads["iora"] = {"cpu_percent": 50}
    more = {"inputs": {"hold": {"type": "duration", "default": "5m"}}}
    stage.start(bound(wait, **more), hold="2m")
    stage.later(100 * SECOND)
    assert stage.states() == {"calm": "watching"}
    stage.later(40 * SECOND)
    assert stage.states() == {"calm": "ok"}


def test_a_pause_stops_the_watch_and_its_time() -> None:
    stage = verified(cpu=96)
    stage.later(MINUTE)
    stage.accepted(alice, "pause")
    looks = stage.looks
    stage.later(3 * HOUR)
    assert stage.looks == looks
    stage.accepted(alice, "resume")
    assert stage.states()["open"] == "watching"
    stage.later(3 * MINUTE)
    assert stage.states()["open"] == "watching"
    stage.later(2 * MINUTE)
    assert stage.states()["open"] == "failed"


def test_a_tick_is_verified_too() -> None:
    stage = at({**TELL, "verify": {"that": "cpu_percent < 70", "within": "1m"}}, cpu=96)
    stage.accepted(bob, "done")
    assert stage.states() == {"tell": "watching"}
    stage.reads["iora"] = {"cpu_percent": 50}
    stage.later(20 * SECOND)
    assert stage.states() == {"tell": "ok"}


# --- what people do


def test_a_checklist_reminds_and_does_not_catch_up_on_what_nobody_heard() -> None:
    stage = at({**TELL, "remind": "10m"})
    stage.later(25 * MINUTE)
    asked = [one.key for one in stage.messages("ask:1:0:")]
    assert asked == [f"ask:1:0:1:doing:{n}" for n in range(3)]
    stage.away(2 * HOUR)
    assert len(stage.messages("ask:1:0:")) == 4, "one for all that was missed"
    stage.later(10 * MINUTE)
    assert len(stage.messages("ask:1:0:")) == 5


def test_a_pause_is_no_time_to_remind_in() -> None:
    stage = at({**TELL, "remind": "10m"})
    stage.accepted(alice, "pause")
    stage.later(HOUR)
    assert len(stage.messages("ask:1:0:")) == 1
    stage.accepted(alice, "resume")
    assert len(stage.messages("ask:1:0:")) == 2


def test_a_checklist_that_nobody_does_in_time_failed() -> None:
    stage = at({**TELL, "timeout": "30m", "on_failure": "stop"}, LAST)
    stage.later(30 * MINUTE)
    assert stage.states() == {"tell": "failed", "last": "skipped"}


def test_what_the_target_does_not_offer_is_done_by_hand_with_its_words() -> None:
    stage = Stage(without(settings(), action="scale_out"))
    scale = step("action", "scale", action="scale_out", text="Scale {{ target }} by hand.")
    stage.start(bound(scale, step("probe", "dump", probe="heap"), TELL), target="worker")
    assert stage.states()["scale"] == "doing"
    assert stage.step("scale").output["words"] == "Scale worker by hand."
    stage.accepted(bob, "done", "four now")
    assert stage.step("scale").output["text"] == "done by hand: four now"
    assert stage.states()["dump"] == "doing", "worker has no agent"
    assert stage.called("scale") == 0


# --- the rest of the kinds


def test_a_message_goes_to_everybody_that_it_names_once() -> None:
    say = step("notify", "say", to=["channel", "group:engineering", "user:U01ALICE"], message="x")
    stage = at(say, LOOK)
    assert sorted(one.destination for one in stage.messages("notice:")) == [
        "channel:incidents",
        "user:U01ALICE",
        "user:U02BOB",
    ]
    stage.crash()
    stage.crash()
    assert len(stage.messages("notice:")) == 3


@pytest.mark.parametrize("kind", ["notify", "checklist"])
def test_a_text_that_cant_be_filled_in_is_shown_as_it_is_written(kind: str) -> None:
    words = "{{ steps.look.cpu_percent }} of {{ target }}"
    told = (
        step("notify", "say", to=["channel"], message=words)
        if kind == "notify"
        else {**step("checklist", "say", items=[{"text": "x"}]), "text": words}
    )
    stage = at(LOOK, told, LAST)
    stage.ended("failed", "no")
    if kind == "notify":
        (sent,) = stage.messages("notice:")
        assert "steps.look.cpu_percent" in sent.facts["text"]
        assert stage.states() == {"look": "failed", "say": "ok", "last": "started"}
    else:
        assert "steps.look.cpu_percent" in stage.step("say").output["words"]
        assert stage.states()["say"] == "doing"


def test_a_check_reads_its_own_target() -> None:
    stage = at(
        step("check", "there", target="worker", of="metrics", bounds={"cpu_percent": {"below": 70}})
    )
    assert stage.states() == {"there": "unknown"}
    stage.reads["worker"] = {"cpu_percent": 96}
    stage.start(
        bound(
            step("check", "there", of="metrics", bounds={"cpu_percent": {"below": 70}}), name="b"
        ),
        target="worker",
    )
    assert stage.states() == {"there": "failed"}


def test_every_step_has_one_result_on_the_timeline_and_in_the_thread() -> None:
    advise = step("advise", "why", causes=[{"cause": "c", "solution": "s"}])
    say = step("notify", "say", to=["channel"], message="x")
    stage = at(LOOK, OPEN, say, TELL, advise, LAST)
    stage.ended()
    stage.accepted(bob, "approve")
    stage.ended()
    stage.accepted(bob, "done")
    stage.ended()
    assert stage.run.state is RunState.DONE
    told = [e.facts["step"] for e in stage.timeline() if e.kind == "step"]
    assert told == ["look", "open", "say", "tell", "why", "last"]
    assert len(stage.messages("step:1:")) == 6


def test_a_run_without_an_incident_needs_none() -> None:
    stage = Stage()
    stage.start(bound({**LOOK, "on_failure": "escalate"}, TELL))
    stage.ended("failed")
    stage.accepted(alice, "done")
    assert stage.run.state is RunState.DONE
    assert not stage.do(entries.timeline, 1)


# --- the run's time


@pytest.mark.parametrize("first", [TELL, OPEN, {**LOOK, "when": "cpu_percent > 90"}])
def test_a_run_that_waits_for_people_ends_when_its_time_is_over(first: Any) -> None:
    stage = at(first, {**LAST, "always": True}, cpu=None, run_timeout="20m")
    stage.later(21 * MINUTE)
    assert stage.run.state is RunState.EXPIRED
    assert stage.run.reason == "its time is over"
    assert set(stage.states().values()) == {"skipped"}
    assert stage.armed() is None

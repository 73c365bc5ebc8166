"""A bot that dies, a run that is over, a result that comes late: nothing is called twice, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.files.runbooks import load_books
from bot.model.run import RunState, StepState
from bot.model.runbook import Runbook
from bot.services import runbooks
from bot.store import runs, timers
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
    without,
)

YES = {"roles": ["responder"]}
HELPED = {"that": "cpu_percent < 70", "hold": "1m", "within": "5m"}
OPEN = step("action", "open", action="circuit_breaker_open", approval=YES)
WATCHED = {**OPEN, "verify": HELPED}
TELL = step("checklist", "tell", items=[{"text": "say it"}])
LOOK = step("collect", "look")


def calling(*steps: object, **more: object) -> Stage:
    """A run whose first step is an action that is being called at this moment."""
    stage = Stage()
    stage.reads["iora"] = {"cpu_percent": 50}
    stage.start(bound(*(steps or (OPEN, TELL)), **more), incident=stage.declare())  # type: ignore[arg-type]
    stage.accepted(bob, "approve")
    assert stage.states()["open"] == "started"
    return stage


# --- a crash


def test_an_action_that_a_crash_cut_off_waits_for_a_person_and_is_not_called_again() -> None:
    stage = calling()
    stage.crash()
    assert stage.states()["open"] == "stuck"
    stage.later(30 * MINUTE)
    stage.crash()
    assert stage.called("open") == 1
    assert stage.states()["open"] == "stuck"


def test_of_a_stuck_action_a_person_says_that_it_was_done() -> None:
    stage = calling()
    stage.crash()
    stage.accepted(bob, "done", "the breaker is open", mark=stage.mark("open"))
    assert stage.states() == {"open": "ok", "tell": "doing"}
    assert stage.called("open") == 1
    assert stage.step("open").by == bob.text


def test_of_a_stuck_action_a_person_asks_for_it_again_and_it_is_called_once_more() -> None:
    stage = calling()
    stage.crash()
    stage.accepted(bob, "repeat", mark=stage.mark("open"))
    assert stage.called("open") == 2
    stage.ended()
    assert stage.states() == {"open": "ok", "tell": "doing"}


def test_a_repeat_needs_as_many_people_as_the_first_call() -> None:
    stage = Stage()
    two = {**OPEN, "approval": {"roles": ["responder"], "min": 2}}
    stage.start(bound(two))
    stage.accepted(bob, "approve")
    stage.accepted(carol, "approve")
    stage.crash()
    stage.accepted(bob, "repeat")
    assert stage.states()["open"] == "approving"
    assert stage.called("open") == 1
    stage.accepted(carol, "approve")
    assert stage.called("open") == 2


def test_a_stuck_action_is_taken_back_and_its_step_stays_unknown() -> None:
    stage = calling()
    stage.crash()
    stage.accepted(bob, "undo", mark=stage.mark("open"))
    assert stage.called("undo-open") == 1
    stage.ended()
    assert stage.states() == {"open": "unknown", "tell": "skipped", "undo-open": "ok"}
    assert stage.run.state is RunState.DONE


def test_a_stuck_undo_can_be_repeated() -> None:
    stage = calling(OPEN)
    stage.ended()
    stage.accepted(bob, "undo")
    stage.crash()
    assert stage.states()["undo-open"] == "stuck"
    stage.accepted(bob, "repeat")
    assert stage.called("undo-open") == 2
    stage.ended()
    assert stage.states() == {"open": "ok", "undo-open": "ok"}


def test_what_is_no_action_is_done_again_after_a_crash_and_at_once() -> None:
    stage = Stage()
    stage.start(bound(LOOK))
    (work,) = stage.under_way
    stage.crash()
    assert stage.step("look").attempt == work.step.attempt + 1
    assert len(stage.under_way) == 1, "nobody waits for the lease of the dead"
    stage.ended()
    assert stage.run.state is RunState.DONE


def test_what_crashes_the_bot_again_and_again_fails() -> None:
    stage = Stage()
    stage.start(bound(LOOK))
    for _ in range(3):
        stage.crash()
    assert stage.states() == {"look": "failed"}
    assert "3 times" in stage.step("look").reason


def test_a_result_that_comes_after_the_lease_says_what_nobody_knew() -> None:
    stage = calling()
    (work,) = stage.under_way
    stage.later(MINUTE)
    assert stage.states()["open"] == "stuck"
    stage.ended("ok", "done (HTTP 200)", work=work)
    assert stage.states() == {"open": "ok", "tell": "doing"}


def test_a_result_of_a_call_before_the_repeat_is_not_taken_for_the_repeated_one() -> None:
    stage = calling()
    (work,) = stage.under_way
    stage.crash()
    stage.accepted(bob, "repeat")
    stage.ended("failed", "refused", work=work)
    assert stage.states()["open"] == "started"


def test_a_paused_run_stays_paused_over_a_restart() -> None:
    stage = Stage()
    stage.start(bound(TELL, LOOK))
    stage.accepted(alice, "pause")
    stage.away(5 * HOUR)
    assert stage.run.state is RunState.PAUSED
    stage.accepted(alice, "resume")
    stage.accepted(alice, "done")
    stage.ended()
    assert stage.run.state is RunState.DONE


def test_a_run_that_was_paused_during_a_call_has_its_stuck_step_after_a_crash() -> None:
    stage = calling()
    stage.accepted(alice, "pause")
    stage.crash()
    assert stage.states()["open"] == "stuck"
    assert stage.run.state is RunState.PAUSED
    stage.accepted(alice, "resume")
    stage.accepted(bob, "done")
    assert stage.states()["tell"] == "doing"


def test_a_run_that_nothing_would_wake_is_woken_at_a_start() -> None:
    stage = Stage()
    stage.start(bound(step("wait_for", "calm", that="cpu_percent < 70", within="5m")))
    stage.do(timers.remove, runbooks.KIND, "1")
    stage.reads["iora"] = {"cpu_percent": 50}
    stage.away(MINUTE)
    assert stage.run.state is RunState.DONE


# --- over while the bot still works on it


@pytest.mark.parametrize(
    ("state", "becomes"), [("ok", "ok"), ("failed", "failed"), ("unknown", "unknown")]
)
def test_what_came_of_a_call_is_recorded_though_the_run_was_cancelled_meanwhile(
    state: str, becomes: str
) -> None:
    stage = calling()
    stage.accepted(alice, "cancel", "wrong target")
    assert stage.states() == {"open": "started", "tell": "skipped"}
    stage.ended(state, "so it was")
    assert stage.states() == {"open": becomes, "tell": "skipped"}
    assert stage.step("open").output["text"] == "so it was"
    assert [e.facts["state"] for e in stage.timeline() if e.kind == "step"] == [becomes]
    assert stage.armed() is None


def test_a_run_that_was_cancelled_stays_so_whatever_its_last_step_says() -> None:
    stop = {**OPEN, "on_failure": "stop"}
    stage = calling(stop, TELL)
    stage.accepted(alice, "cancel", "wrong target")
    before = stage.run
    stage.ended("failed", "refused")
    assert stage.run == before
    assert stage.run.ended_by == alice.text


def test_what_was_done_but_not_verified_before_the_end_is_unknown() -> None:
    stage = calling(WATCHED)
    stage.accepted(alice, "cancel")
    stage.ended("ok")
    assert stage.states() == {"open": "unknown"}


@pytest.mark.parametrize("state", ["failed", "by_hand", "approval"])
def test_a_dead_run_asks_nobody_and_tries_nothing_again(state: str) -> None:
    stage = Stage()
    stage.start(bound({**LOOK, "retry": {"attempts": 3}}))
    stage.accepted(alice, "cancel")
    stage.ended(state, "no agent")
    assert stage.step("look").state.over
    assert not stage.messages("ask:")
    assert not stage.under_way
    assert stage.armed() is None


@pytest.mark.parametrize("kind", ["action", "collect"])
def test_a_step_that_a_cancelled_run_left_behind_at_a_crash_gets_its_result(kind: str) -> None:
    stage = Stage()
    stage.start(bound(OPEN if kind == "action" else LOOK))
    if kind == "action":
        stage.accepted(bob, "approve")
    stage.accepted(alice, "cancel")
    stage.crash()
    (only,) = stage.progress.steps
    assert only.state is (StepState.UNKNOWN if kind == "action" else StepState.FAILED)
    assert not [one for one in stage.messages("ask:") if ":stuck:" in one.key]


def test_the_work_of_a_dead_run_that_never_answers_is_unknown_after_its_lease() -> None:
    stage = calling()
    stage.accepted(alice, "cancel")
    stage.later(MINUTE)
    assert stage.states()["open"] == "unknown"
    assert stage.armed() is None


def test_an_action_of_a_cancelled_run_can_still_be_taken_back() -> None:
    stage = calling()
    stage.accepted(alice, "cancel")
    assert "at this moment" in stage.refused(bob, "undo")
    stage.ended("unknown", "no answer")
    stage.accepted(bob, "undo")
    assert stage.called("undo-open") == 1


# --- the run's own time


def test_a_run_whose_time_is_over_waits_for_the_call_and_keeps_what_came_of_it() -> None:
    stage = calling(run_timeout="4s")
    stage.later(5 * SECOND)
    assert stage.states()["open"] == "started"
    assert stage.run.state is RunState.RUNNING
    stage.ended()
    assert stage.states() == {"open": "ok", "tell": "skipped"}
    assert stage.run.state is RunState.EXPIRED


def test_a_run_whose_time_is_over_during_a_call_sleeps_until_the_lease_ends() -> None:
    stage = calling(run_timeout="4s")
    stage.later(5 * SECOND)
    lease = stage.step("open").due_at
    assert stage.armed() == lease


def test_an_expired_run_is_never_due_again() -> None:
    stage = calling(run_timeout="4s")
    stage.accepted(alice, "pause")
    stage.accepted(alice, "cancel")
    stage.later(HOUR)
    stage.crash()
    assert stage.armed() is None


def test_a_stuck_action_of_a_run_that_expires_is_unknown_and_can_be_taken_back() -> None:
    stage = calling(run_timeout="10m")
    stage.crash()
    stage.later(20 * MINUTE)
    assert stage.run.state is RunState.EXPIRED
    assert stage.states() == {"open": "unknown", "tell": "skipped"}
    stage.accepted(bob, "undo")
    assert stage.called("undo-open") == 1


# --- races


def test_two_handlers_of_one_timer_call_once() -> None:
    stage = Stage()
    stage.start(bound(OPEN))
    stage.say(bob, "approve")
    (first,) = stage.do(timers.claim, 64, runbooks.KIND)
    stage.now += timers.LEASE_MS  # the first one hangs; its claim is given to a second
    (second,) = stage.do(timers.claim, 64, runbooks.KIND)
    works = [
        stage.do(runbooks.advance, timer, stage.config, {}, {}) for timer in (first, second, first)
    ]
    assert [work is not None for work in works] == [False, True, False]


def test_an_action_that_the_config_lost_between_the_click_and_the_call_is_done_by_hand() -> None:
    stage = Stage()
    stage.start(bound(OPEN))
    stage.say(bob, "approve")
    stage.config = without(stage.config, action="circuit_breaker_open")
    stage.turn()
    assert stage.states() == {"open": "doing"}
    assert stage.called("open") == 0
    assert "offers no action" in stage.step("open").reason


def test_a_target_that_the_config_lost_makes_no_run_fail() -> None:
    stage = Stage()
    stage.start(bound(OPEN, step("check", "look"), step("probe", "dump", probe="threads")))
    stage.config = without(stage.config, target="iora")
    stage.accepted(bob, "approve")
    assert stage.states() == {"open": "doing", "look": "waiting", "dump": "waiting"}
    stage.reads.pop("iora")
    stage.accepted(bob, "done")
    assert stage.states() == {"open": "ok", "look": "unknown", "dump": "doing"}


def test_an_approval_that_the_bot_was_away_for_is_too_old_to_call() -> None:
    stage = Stage()
    stage.start(bound({**OPEN, "approval": {**YES, "expires": "10m"}}))
    stage.say(bob, "approve")
    stage.away(2 * HOUR)
    assert stage.called("open") == 0
    assert stage.states() == {"open": "failed"}


def test_an_approval_survives_a_short_restart() -> None:
    stage = Stage()
    stage.start(bound(OPEN))
    stage.say(bob, "approve")
    stage.away(MINUTE)
    assert stage.called("open") == 1


def test_a_run_started_before_an_edit_of_its_file_goes_on_as_it_was() -> None:
    stage = Stage()
    given = bound(TELL, OPEN)
    stage.start(given)
    edited = bound(TELL, run_timeout="1s")
    assert edited.hash != given.hash
    stage.accepted(bob, "done")
    assert stage.states() == {"tell": "ok", "open": "approving"}
    assert stage.run.hash == given.hash
    assert stage.do(runs.source, stage.run_id) == given.source
    assert stage.run.book == given.runbook


def test_a_result_is_taken_once() -> None:
    stage = calling()
    (work,) = stage.under_way
    stage.ended("ok", work=work)
    stage.ended("failed", work=work)
    assert stage.states()["open"] == "ok"
    assert len(stage.messages("step:1:0:")) == 1


def test_every_shipped_runbook_is_pinned_without_a_loss() -> None:
    shipped = load_books(Path("runbooks"))
    assert len(shipped) >= 10
    for one in shipped.values():
        pinned = one.runbook.model_dump_json(by_alias=True)
        assert Runbook.from_pinned(pinned) == one.runbook, one.path

"""What people say to a run: who may, when it is too late, and that a refusal leaves its line behind."""

from __future__ import annotations

import json

import pytest

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import OnRun, Verb
from bot.model.config import Config
from bot.model.run import Mark, RunState
from bot.services import steering
from bot.services.incidents import Asked
from tests.support.configs import ALICE, BOB, TEAM
from tests.support.runs import step
from tests.support.stage import (
    HOUR,
    MINUTE,
    Stage,
    alice,
    bob,
    bound,
    carol,
    mallory,
    settings,
    without,
)

YES = {"roles": ["responder"], "expires": "30m"}
OPEN = step("action", "open", action="circuit_breaker_open", approval=YES)
SCALE = step("action", "scale", action="scale_out", approval=YES)
TELL = step("checklist", "tell", items=[{"text": "say it"}, {"text": "who said it", "note": True}])
LOOK = step("collect", "look")
guest = Actor.slack(TEAM, "U05GUEST", guest=True)
outside = Actor.slack("T02OTHER", ALICE, guest=True)


def asking(*steps: object, by: Actor = alice, **more: object) -> Stage:
    """A run with an incident, at its first step."""
    stage = Stage()
    stage.start(bound(*(steps or (OPEN, TELL)), **more), by, incident=stage.declare())  # type: ignore[arg-type]
    return stage


def refusals(stage: Stage) -> list[tuple[str, str]]:
    """The refused words on the timeline: who, and why."""
    return [(e.actor, e.facts["reason"]) for e in stage.timeline() if e.kind == "refused"]


# --- approvals


@pytest.mark.parametrize("who", [mallory, guest, outside])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_has_no_role_approves_nothing_and_the_refusal_is_on_the_timeline(
    who: Actor, verb: Verb
) -> None:
    stage = asking()
    reason = stage.refused(who, verb, mark=stage.mark("open"))
    assert refusals(stage) == [(who.text, reason)]
    assert stage.states()["open"] == "approving"
    assert stage.called("open") == 0


def test_a_member_of_another_team_with_the_same_id_approves_nothing() -> None:
    stage = asking()
    reason = stage.refused(Actor.slack("T02OTHER", BOB), "approve", mark=stage.mark("open"))
    assert "may not approve" in reason
    assert stage.called("open") == 0


def test_a_login_with_the_role_approves() -> None:
    stage = Stage(settings(roles={"responder": ["cli:deploy"]}))
    stage.start(bound(OPEN))
    assert "may not approve" in stage.refused(Actor.login("root"), "approve")
    stage.accepted(Actor.login("deploy"), "approve")
    assert stage.called("open") == 1


def test_without_roles_nobody_approves() -> None:
    stage = Stage(settings(roles={}))
    stage.start(bound(OPEN))
    assert "names no roles" in stage.refused(alice, "approve")


def test_the_second_click_of_a_double_click_calls_nothing() -> None:
    stage = asking()
    mark = stage.mark("open")
    stage.say(bob, "approve", mark=mark)
    assert "approved it already" in stage.refused(bob, "approve", mark=mark)
    assert "nothing to approve" in stage.refused(bob, "approve", mark=mark)
    assert stage.called("open") == 1


def test_two_people_at_the_same_moment_make_one_call() -> None:
    stage = asking()
    mark = stage.mark("open")
    stage.say(bob, "approve", mark=mark)
    stage.say(carol, "approve", mark=mark)
    stage.turn()
    assert stage.called("open") == 1
    stage.refused(alice, "approve", mark=mark)
    stage.ended()
    assert stage.called("open") == 1


def test_min_two_means_two_people() -> None:
    stage = asking({**OPEN, "approval": {**YES, "min": 2}})
    stage.accepted(bob, "approve")
    assert stage.called("open") == 0
    stage.refused(bob, "approve")
    assert stage.called("open") == 0
    stage.accepted(carol, "approve")
    assert stage.called("open") == 1
    said = [e.facts["text"] for e in stage.timeline() if e.kind == "approval"]
    assert said == ["1 of 2", "2 of 2"]


def test_whoever_started_it_cant_approve_where_that_is_asked() -> None:
    stage = asking({**OPEN, "approval": {**YES, "not_requester": True}}, by=bob)
    assert "started" in stage.refused(bob, "approve")
    stage.accepted(carol, "approve")
    assert stage.called("open") == 1


def test_a_yes_counts_for_the_request_that_it_was_said_to_and_for_no_other() -> None:
    stage = asking()
    stage.say(bob, "approve")
    stage.config = pointing(
        stage.config, "circuit_breaker_open", "http://127.0.0.1:8080/iora/somewhere-else"
    )
    stage.turn()
    assert stage.called("open") == 0
    again = stage.step("open")
    assert (str(again.state), again.attempt) == ("approving", 2)
    assert again.reason == "its request was changed in the config"
    stage.accepted(bob, "approve")
    assert stage.called("open") == 1, "the new one was shown, and agreed to"


def pointing(known: Config, action: str, url: str) -> Config:
    """The config after somebody wrote another URL into an action."""
    data = json.loads(known.model_dump_json(by_alias=True, exclude_defaults=True))
    for target in data["targets"].values():
        target["actions"][action]["url"] = url
    return Config.model_validate_json(json.dumps(data))


def test_a_role_that_was_lost_between_the_click_and_the_call_calls_nothing() -> None:
    stage = asking()
    stage.say(bob, "approve")
    stage.config = settings(roles={"responder": [ALICE], "commander": [ALICE]})
    stage.turn()
    assert stage.states()["open"] == "approving"
    assert stage.called("open") == 0
    stage.accepted(alice, "approve")
    assert stage.called("open") == 1


def test_of_two_yeses_one_that_lost_its_role_does_not_count() -> None:
    stage = asking({**OPEN, "approval": {**YES, "min": 2}})
    stage.accepted(bob, "approve")
    stage.config = settings(roles={"responder": [ALICE], "commander": []})
    stage.accepted(alice, "approve")
    assert stage.called("open") == 0


def test_a_repeat_is_refused_to_whoever_may_not_approve() -> None:
    stage = asking()
    stage.accepted(bob, "approve")
    stage.crash()
    verbs: tuple[Verb, ...] = ("repeat", "done", "skip", "undo")
    for verb in verbs:
        stage.refused(mallory, verb, "because")
    assert stage.states()["open"] == "stuck"
    assert stage.called("open") == 1


def test_a_rejected_step_is_skipped_with_the_reason_and_never_called() -> None:
    stage = asking()
    stage.accepted(bob, "reject", "not now")
    assert stage.states() == {"open": "skipped", "tell": "doing"}
    assert stage.step("open").reason == "rejected: not now"
    assert stage.step("open").by == bob.text
    assert "is over: skipped by <@U02BOB>" in stage.refused(bob, "approve", mark=Mark(1, 0, 1))


# --- too late


def test_a_click_after_the_expiry_is_refused_though_the_bot_has_not_noticed_it_yet() -> None:
    stage = asking()
    mark = stage.mark("open")
    stage.now += 30 * MINUTE
    assert "expired" in stage.refused(bob, "approve", mark=mark)
    stage.turn()
    assert stage.called("open") == 0
    assert stage.states()["open"] == "failed"


def test_a_click_after_the_run_s_own_time_is_refused() -> None:
    stage = asking(run_timeout="10m")
    stage.now += 10 * MINUTE
    assert "time is over" in stage.refused(bob, "approve", mark=Mark(1, 0, 1))
    assert stage.run.state is RunState.EXPIRED
    assert "expired" in stage.refused(bob, "approve", mark=Mark(1, 0, 1))


def test_a_button_of_an_earlier_asking_hits_nothing() -> None:
    stage = asking({**OPEN, "approval": {**YES, "on_expire": "escalate"}})
    old = stage.mark("open")
    stage.later(31 * MINUTE)
    assert stage.mark("open").attempt == 2
    assert "earlier asking" in stage.refused(bob, "approve", mark=old)
    stage.accepted(bob, "approve", mark=stage.mark("open"))
    assert stage.called("open") == 1


def test_an_undo_button_of_an_earlier_asking_hits_nothing() -> None:
    stage = asking()
    stage.accepted(bob, "approve")
    stage.crash()
    old = stage.mark("open")
    stage.accepted(bob, "repeat", mark=old)
    stage.ended()
    assert "earlier asking" in stage.refused(bob, "undo", mark=old)
    assert "undo-open" not in stage.states()


def test_a_click_for_a_cancelled_run_says_who_cancelled_it() -> None:
    stage = asking()
    mark = stage.mark("open")
    stage.accepted(alice, "cancel", "wrong one")
    verbs: tuple[Verb, ...] = ("approve", "reject", "skip", "pause", "resume", "cancel")
    for verb in verbs:
        assert "over: cancelled by <@U01ALICE>" in stage.refused(bob, verb, "x", mark=mark)
    assert stage.called("open") == 0
    assert len(refusals(stage)) == len(verbs)


@pytest.mark.parametrize("mark", [Mark(1, 99, 1), Mark(1, 1, 7)])
def test_a_mark_of_nothing_hits_nothing(mark: Mark) -> None:
    stage = asking()
    stage.refused(bob, "approve", mark=mark)
    assert stage.called("open") == 0


def test_there_is_no_such_run() -> None:
    stage = asking()
    assert stage.refused(bob, "approve", run=77) == "There is no RUN-77."


def test_a_word_that_does_not_fit_says_what_the_step_waits_for() -> None:
    stage = asking()
    assert "waits for approval" in stage.refused(bob, "done")
    stage.accepted(bob, "approve")
    assert "nothing to approve" in stage.refused(carol, "approve")
    assert "nothing to skip" in stage.refused(carol, "skip", "x")


# --- who stands where


def test_whoever_has_no_part_steers_no_run() -> None:
    stage = asking(TELL, OPEN)
    verbs: tuple[Verb, ...] = ("pause", "cancel", "skip")
    for verb in verbs:
        assert "may not" in stage.refused(mallory, verb, "because")
    assert stage.run.state is RunState.RUNNING
    assert len(refusals(stage)) == len(verbs)


def test_whoever_has_no_part_cant_stop_a_run_by_taking_a_tick_back() -> None:
    stage = asking({**TELL, "undo": {"text": "say the contrary"}}, OPEN)
    stage.accepted(bob, "done", "me")
    assert "may not" in stage.refused(mallory, "undo")
    assert stage.states() == {"tell": "ok", "open": "approving"}


def test_a_tick_s_undo_that_calls_an_action_waits_for_approval() -> None:
    stage = asking({**TELL, "undo": "circuit_breaker_close"})
    stage.accepted(bob, "done", "me")
    stage.accepted(carol, "undo")
    assert stage.states()["undo-tell"] == "approving", (
        "only a commander may, as nothing else is said"
    )
    stage.accepted(alice, "approve")
    assert stage.called("undo-tell") == 1


def test_whoever_started_it_steers_it() -> None:
    stage = asking(TELL, by=mallory)
    stage.accepted(mallory, "pause")
    stage.accepted(mallory, "resume")
    stage.accepted(mallory, "cancel")
    assert stage.run.ended_by == mallory.text


def test_any_member_ticks_a_checklist_but_no_guest_does() -> None:
    stage = asking(TELL)
    stage.refused(guest, "done", "me")
    stage.accepted(mallory, "done", "me")
    assert stage.states() == {"tell": "ok"}


def test_a_form_is_not_opened_for_whoever_will_be_refused() -> None:
    stage = asking(TELL)
    for verb, who, said in (
        ("skip", mallory, "may not"),
        ("skip", guest, "full members"),
        ("cancel", mallory, "may not"),
        ("undo", bob, "did nothing"),
        ("approve", bob, "waits for"),
    ):
        command = OnRun(run=1, verb=verb)  # type: ignore[arg-type]
        found = stage.do(steering.refused, stage.config, command, Asked(who))
        assert found is not None
        assert said in found.reason
    assert stage.do(steering.refused, stage.config, OnRun(run=1, verb="skip"), Asked(bob)) is None
    assert not refusals(stage), "nothing was said yet"


# --- the words


def test_a_step_is_skipped_with_a_reason_only() -> None:
    stage = asking(TELL, LOOK)
    assert "with a reason" in stage.refused(bob, "skip")
    assert "with a reason" in stage.refused(bob, "skip", "   ")
    stage.accepted(bob, "skip", "told already")
    assert stage.step("tell").reason == "skipped: told already"
    assert stage.states()["look"] == "started"


def test_a_line_that_asks_for_a_note_is_not_ticked_without() -> None:
    from bot.model.command import Tick

    stage = asking(TELL)
    assert "asks for a note" in stage.refused(bob, "done", ticks={2: Tick(" ")})
    stage.accepted(bob, "done", ticks={1: Tick()})
    assert stage.states() == {"tell": "doing"}
    assert "no line 3" in stage.refused(bob, "done", ticks={3: Tick("x")})
    stage.accepted(carol, "done", ticks={2: Tick("Carol did")})
    assert stage.states() == {"tell": "ok"}
    assert {one["by"] for one in stage.step("tell").output["items"].values()} == {
        bob.text,
        carol.text,
    }


def test_a_pause_stops_the_next_step_and_not_the_one_under_way() -> None:
    stage = asking(OPEN, LOOK)
    stage.accepted(bob, "approve")
    stage.accepted(alice, "pause")
    stage.ended()
    assert stage.states() == {"open": "ok", "look": "waiting"}
    stage.later(5 * HOUR)
    assert stage.states() == {"open": "ok", "look": "waiting"}
    stage.accepted(alice, "resume")
    assert stage.states()["look"] == "started"


def test_a_paused_run_takes_no_approval_and_does_not_expire() -> None:
    stage = asking(run_timeout="40m")
    due = stage.step("open").due_at
    assert due is not None
    stage.later(10 * MINUTE)
    stage.accepted(alice, "pause")
    assert "is paused" in stage.refused(bob, "approve", mark=stage.mark("open"))
    assert "paused already" in stage.refused(alice, "pause")
    stage.later(3 * HOUR)
    assert stage.states()["open"] == "approving"
    stage.accepted(alice, "resume")
    assert "not paused" in stage.refused(alice, "resume")
    assert stage.step("open").due_at == due + 3 * HOUR
    stage.accepted(bob, "approve")
    assert stage.called("open") == 1


# --- one at a time


def test_the_second_start_is_told_who_runs_it() -> None:
    stage = asking()
    said = stage.started(bound(OPEN, TELL), bob)
    assert isinstance(said, Refusal)
    assert "RUN-1 runs `breaker` on iora already, started by <@U01ALICE>" in said.reason


def test_two_targets_run_it_side_by_side_each_with_its_own_approval() -> None:
    stage = asking()
    stage.start(bound(OPEN, TELL), target="worker")
    assert stage.run_id == 2
    stage.accepted(bob, "approve", run=2, mark=Mark(2, 0, 1))
    assert stage.calls == [(2, 0)]
    stage.ended()
    assert stage.states()["open"] == "ok"
    stage.run_id = 1
    assert stage.states()["open"] == "approving"


def test_a_cancelled_run_makes_room_and_cant_be_undone_beside_the_next() -> None:
    stage = asking()
    stage.accepted(bob, "approve")
    stage.ended()
    stage.accepted(alice, "cancel")
    stage.start(bound(OPEN, TELL))
    assert stage.run_id == 2
    assert "RUN-2 runs" in stage.refused(bob, "undo", run=1)
    stage.accepted(alice, "cancel")
    stage.accepted(bob, "undo", run=1)
    assert stage.calls == [(1, 0), (1, 2)]


# --- undo


def both_done() -> Stage:
    stage = asking(OPEN, SCALE, TELL)
    for _ in range(2):
        stage.accepted(bob, "approve")
        stage.ended()
    return stage


def test_a_run_is_taken_back_in_reverse_order_once() -> None:
    stage = both_done()
    stage.accepted(bob, "undo")
    assert stage.states()["tell"] == "skipped"
    assert [one.undoes for one in stage.progress.steps[3:]] == [1, 0]
    assert stage.called("undo-scale") == 1
    assert stage.called("undo-open") == 0, "one after the other"
    stage.ended()
    stage.ended()
    assert stage.called("undo-open") == 1
    assert stage.run.state is RunState.DONE
    assert "already" in stage.refused(bob, "undo")
    assert len(stage.calls) == 4


def test_an_undo_needs_approval_like_what_it_takes_back() -> None:
    stage = asking({**OPEN, "approval": {**YES, "min": 2}})
    stage.accepted(bob, "approve")
    stage.accepted(carol, "approve")
    stage.ended()
    assert "may not approve" in stage.refused(mallory, "undo")
    stage.accepted(bob, "undo")
    assert stage.states()["undo-open"] == "approving"
    stage.refused(bob, "approve")
    stage.accepted(carol, "approve")
    assert stage.called("undo-open") == 1


def test_one_step_is_taken_back_and_the_rest_is_not() -> None:
    stage = both_done()
    stage.accepted(bob, "undo", mark=stage.mark("open"))
    stage.ended()
    assert [one.undoes for one in stage.progress.steps[3:]] == [0]
    stage.accepted(bob, "undo")
    stage.ended()
    assert [one.undoes for one in stage.progress.steps[3:]] == [0, 1]


def test_an_undo_that_waits_is_not_lost_when_the_rest_is_to_be_taken_back() -> None:
    stage = asking({**OPEN, "approval": {**YES, "min": 2}}, SCALE)
    stage.accepted(bob, "approve")
    stage.accepted(carol, "approve")
    stage.ended()
    stage.accepted(bob, "approve")
    stage.ended()
    stage.accepted(bob, "undo", mark=stage.mark("open"))
    assert stage.states()["undo-open"] == "approving"
    stage.accepted(bob, "undo")
    assert stage.states()["undo-open"] == "approving"
    stage.accepted(carol, "approve")
    stage.ended()
    stage.ended()
    assert stage.states()["undo-open"] == stage.states()["undo-scale"] == "ok"


def test_an_action_whose_help_is_still_watched_is_taken_back() -> None:
    watched = {**OPEN, "verify": {"that": "cpu_percent < 70", "hold": "1m", "within": "5m"}}
    stage = asking(watched, TELL)
    stage.accepted(bob, "approve")
    stage.ended()
    assert stage.states()["open"] == "watching"
    stage.accepted(bob, "undo")
    assert stage.called("undo-open") == 1
    assert stage.states()["open"] == "unknown"


@pytest.mark.parametrize("end", ["skip", "cancel"])
def test_an_action_that_was_cut_short_while_it_was_watched_is_taken_back(end: Verb) -> None:
    watched = {**OPEN, "verify": {"that": "cpu_percent < 70", "hold": "1m", "within": "5m"}}
    stage = asking(watched)
    stage.accepted(bob, "approve")
    stage.ended()
    stage.accepted(alice, end, "enough")
    stage.accepted(bob, "undo")
    assert stage.called("undo-open") == 1


def test_an_action_that_did_not_help_is_taken_back_and_one_that_was_not_done_is_not() -> None:
    watched = {**OPEN, "verify": {"that": "cpu_percent < 70", "within": "1m"}}
    stage = asking(watched, SCALE)
    stage.reads["iora"] = {"cpu_percent": 96}
    stage.accepted(bob, "approve")
    stage.ended()
    stage.later(2 * MINUTE)
    assert stage.states()["open"] == "failed"
    stage.accepted(bob, "approve")
    stage.ended("failed", "connection refused")
    assert stage.run.state is RunState.DONE
    stage.accepted(bob, "undo")
    assert [one.undoes for one in stage.progress.steps if one.undoes is not None] == [0]


def test_an_action_that_was_unclear_and_then_failed_for_certain_is_still_taken_back() -> None:
    stage = asking(OPEN)
    stage.accepted(bob, "approve")
    stage.ended("unknown", "no answer")
    stage.accepted(bob, "repeat")
    stage.ended("failed", "connection refused")
    assert stage.states() == {"open": "failed"}
    stage.accepted(bob, "undo")
    assert stage.called("undo-open") == 1


def test_an_undo_that_was_certainly_not_done_can_be_asked_for_again() -> None:
    stage = asking(OPEN)
    stage.accepted(bob, "approve")
    stage.ended()
    stage.accepted(bob, "undo")
    stage.ended("failed", "connection refused")
    stage.accepted(bob, "undo")
    stage.ended()
    assert [str(one.state) for one in stage.progress.steps] == ["ok", "failed", "ok"]


def test_what_was_done_by_hand_has_no_undo_of_the_bot() -> None:
    stage = Stage(without(settings(), action="scale_out"))
    stage.start(bound(SCALE))
    assert stage.states() == {"scale": "doing"}
    stage.accepted(bob, "done", "by ssh")
    assert "can be taken back" in stage.refused(bob, "undo")

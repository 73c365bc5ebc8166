"""What a run does next, for every state of a step at every kind of moment; pure records in, a decision out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.model.config import Config
from bot.model.run import Choice, Progress, Result, Run, RunState, StepRun, StepState, Work
from bot.rules import outcome
from bot.rules.outcome import Move, Seen
from bot.rules.runbook import LEASE_MARGIN_MS, TOO_LATE_MS, Decision, End, Look, Wait, decide
from tests.support.clock import NOON
from tests.support.runs import step
from tests.support.stage import (
    HOUR,
    MINUTE,
    SECOND,
    alice,
    bob,
    bound,
    carol,
    health,
    mallory,
    settings,
    without,
)

CONFIG = settings()
YES = {"roles": ["responder"], "expires": "10m"}
HELPED = {"that": "cpu_percent < 70", "within": "5m"}
ACTION = step("action", "it", action="circuit_breaker_open", approval=YES)
COLLECT = step("collect", "it")
CHECK = step("check", "it", of="metrics", bounds={"cpu_percent": {"below": 70}})
LIST = step("checklist", "it", items=[{"text": "x"}])
WAIT = step("wait_for", "it", that="cpu_percent < 70", within="5m")
NOTIFY = step("notify", "it", to=["channel"], message="x")
LAST = step("collect", "last")
DUE = NOON + MINUTE


def seen(
    definition: Any, state: str = "waiting", *, now: int = NOON, config: Config = CONFIG,
    run: RunState = RunState.RUNNING, yes: tuple[Any, ...] = (), cpu: float | None = 50,
    read: bool = False, **known: Any,
) -> Seen:  # fmt: skip
    """A run that is at its first step, which is in this state."""
    book = bound(definition, LAST)
    told = Run(
        id=1, runbook="breaker", version=1, hash=book.hash,
        pinned=book.runbook.model_dump_json(by_alias=True), target="iora", incident_id=None,
        by=alice.text, inputs={"target": "iora"}, state=run, reason="", started_at=NOON,
        ends_by=NOON + HOUR, paused_at=None, ended_at=None,
    )  # fmt: skip
    first = StepRun(run_id=1, position=0, step="it", state=StepState(state), **known)
    rest = StepRun(run_id=1, position=1, step="last", state=StepState.WAITING)
    choices = tuple(Choice(0, who.text, first.attempt, NOON) for who in yes)
    healths = {"iora": health("iora", now, cpu_percent=cpu)} if read else {}
    return Seen(Progress(told, (first, rest), choices), config, None, now, healths)


def first(decision: Decision) -> StepRun:
    """The first step after the move."""
    assert isinstance(decision, Move), decision
    return decision.steps[0]


# --- every state, at every kind of moment

STATES = {
    "waiting": COLLECT,
    "asking": {**COLLECT, "when": "cpu_percent > 90"},
    "approving": ACTION,
    "started": COLLECT,
    "doing": LIST,
    "watching": WAIT,
    "stuck": ACTION,
}


@pytest.mark.parametrize("state", STATES)
def test_a_paused_run_decides_nothing_but_what_the_bot_is_doing(state: str) -> None:
    decided = decide(seen(STATES[state], state, run=RunState.PAUSED, due_at=DUE))
    assert decided == Wait(DUE if state == "started" else None)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "run", [RunState.DONE, RunState.STOPPED, RunState.CANCELLED, RunState.EXPIRED]
)
def test_a_run_that_is_over_decides_nothing(state: str, run: RunState) -> None:
    assert decide(seen(STATES[state], state, run=run, due_at=DUE)) == Wait(
        DUE if state == "started" else None
    )


@pytest.mark.parametrize("state", STATES)
def test_a_run_whose_time_is_over_ends_but_not_in_the_middle_of_a_step(state: str) -> None:
    late = NOON + HOUR
    decided = decide(seen(STATES[state], state, now=late, due_at=late + SECOND, yes=(bob,)))
    if state == "started":
        assert decided == Wait(late + SECOND)
    else:
        assert decided == End(RunState.EXPIRED, "its time is over")


@pytest.mark.parametrize(
    ("state", "until"),
    [
        ("waiting", DUE),
        ("asking", NOON + HOUR),
        ("approving", DUE),
        ("started", DUE),
        ("doing", DUE),
        ("stuck", NOON + HOUR),
    ],
)
def test_it_sleeps_until_it_is_due(state: str, until: int) -> None:
    due_at = None if state in {"asking", "stuck"} else DUE
    assert decide(seen(STATES[state], state, due_at=due_at)) == Wait(until)


def test_a_run_whose_steps_are_all_over_is_done_or_stopped() -> None:
    for reason, state in (("", RunState.DONE), ("“It” failed", RunState.STOPPED)):
        known = seen(COLLECT, "ok")
        steps = tuple(replace(one, state=StepState.OK) for one in known.progress.steps)
        run = replace(known.progress.run, reason=reason)
        assert decide(replace(known, progress=Progress(run, steps))) == End(state, reason)


# --- from its place in the line


@pytest.mark.parametrize(
    ("definition", "becomes"),
    [
        (COLLECT, "started"),
        ({**COLLECT, "approval": YES}, "approving"),
        (ACTION, "approving"),
        ({**ACTION, "approval": None}, "approving"),
        (LIST, "doing"),
        (WAIT, "watching"),
        (NOTIFY, "ok"),
        (step("probe", "it", probe="x"), "started"),
        (step("analyze", "it"), "started"),
        (step("postmortem", "it"), "started"),
        (step("advise", "it", causes=[{"cause": "c", "solution": "s"}]), "ok"),
    ],
)
def test_each_kind_begins(definition: Any, becomes: str) -> None:
    begun = {key: value for key, value in definition.items() if value is not None}
    decided = decide(seen(begun))
    assert first(decided).state == becomes
    assert isinstance(decided, Move)
    assert (decided.work is not None) is (becomes == "started")
    assert decided.send is (begun["kind"] == "notify")


def test_a_check_looks_first_and_then_has_its_result() -> None:
    assert decide(seen(CHECK)) == Look("iora")
    assert first(decide(seen(CHECK, read=True))).state == "ok"
    assert first(decide(seen(CHECK, read=True, cpu=96))).state == "failed"
    assert first(decide(seen(CHECK, read=True, cpu=None))).state == "unknown"


@pytest.mark.parametrize(("cpu", "becomes"), [(96, "started"), (50, "skipped"), (None, "asking")])
def test_a_condition_is_asked_of_fresh_readings(cpu: float | None, becomes: str) -> None:
    when = {**COLLECT, "when": "cpu_percent > 90"}
    assert decide(seen(when)) == Look("iora")
    decided = first(decide(seen(when, read=True, cpu=cpu)))
    assert decided.state == becomes
    assert becomes == "started" or "CPU" in decided.reason


def test_an_agreed_step_is_not_asked_about_again() -> None:
    when = {**COLLECT, "when": "cpu_percent > 90"}
    assert first(decide(seen(when, output={"agreed": True}))).state == "started"


def test_nothing_but_a_yes_lets_an_action_begin() -> None:
    """What stands in its output is not asked."""
    for output in ({"approved": True}, {"agreed": True}, {"must_approve": False}, {}):
        assert first(decide(seen(ACTION, output=output))).state == "approving"


def test_a_target_that_does_not_offer_it_needs_a_person() -> None:
    gone = without(CONFIG, action="circuit_breaker_open")
    for state in ("waiting", "approving"):
        due_at = None if state == "waiting" else DUE
        decided = first(decide(seen(ACTION, state, config=gone, yes=(bob,), due_at=due_at)))
        assert decided.state == "doing"
        assert "offers no action circuit_breaker_open" in decided.reason


# --- approval


@pytest.mark.parametrize(
    ("asks", "yes", "called"),
    [
        ({}, (), False),
        ({}, (bob,), True),
        ({}, (mallory,), False),
        ({}, (mallory, bob), True),
        ({"min": 2}, (bob,), False),
        ({"min": 2}, (bob, bob), False),
        ({"min": 2}, (bob, carol), True),
        ({"min": 2}, (bob, mallory), False),
        ({"roles": ["commander"]}, (bob,), False),
        ({"roles": ["commander"]}, (alice,), True),
        ({"not_requester": True}, (alice,), False),
        ({"not_requester": True, "min": 2}, (alice, bob), False),
        ({"not_requester": True, "min": 2}, (carol, bob), True),
    ],
)
def test_whose_yes_lets_an_action_be_called(
    asks: dict[str, Any], yes: tuple[Any, ...], called: bool
) -> None:
    definition = {**ACTION, "approval": {**YES, **asks}}
    decided = decide(seen(definition, "approving", yes=yes, due_at=DUE))
    if not called:
        assert decided == Wait(DUE)
        return
    begun = first(decided)
    assert begun.state == "started"
    assert begun.due_at == NOON + 2 * SECOND + LEASE_MARGIN_MS
    assert isinstance(decided, Move)
    assert isinstance(decided.work, Work)
    assert decided.work.step == begun


@pytest.mark.parametrize(
    ("late", "yes", "becomes"),
    [
        (0, (), "failed"),
        (0, (bob,), "started"),
        (TOO_LATE_MS - 1, (bob,), "started"),
        (TOO_LATE_MS, (bob,), "failed"),
        (TOO_LATE_MS, (), "failed"),
    ],
)
def test_a_yes_outlives_its_time_for_a_restart_only(
    late: int, yes: tuple[Any, ...], becomes: str
) -> None:
    decided = decide(seen(ACTION, "approving", now=DUE + late, yes=yes, due_at=DUE))
    assert first(decided).state == becomes


@pytest.mark.parametrize(
    ("way", "becomes", "escalates"),
    [("fail", "failed", False), ("skip", "skipped", False), ("escalate", "approving", True)],
)
def test_what_becomes_of_what_nobody_approves(way: str, becomes: str, escalates: bool) -> None:
    definition = {**ACTION, "approval": {**YES, "on_expire": way}, "on_failure": "continue"}
    decided = decide(seen(definition, "approving", now=DUE, due_at=DUE))
    assert first(decided).state == becomes
    assert isinstance(decided, Move)
    assert bool(decided.escalate) is escalates
    assert decided.work is None
    if escalates:
        assert (first(decided).attempt, first(decided).due_at) == (2, DUE + 10 * MINUTE)


# --- leases


@pytest.mark.parametrize(("definition", "becomes"), [(ACTION, "stuck"), (COLLECT, "waiting")])
def test_what_outlives_its_lease_is_stuck_or_done_again(definition: Any, becomes: str) -> None:
    decided = first(decide(seen(definition, "started", now=DUE, due_at=DUE)))
    assert decided.state == becomes
    assert decided.attempt == (1 if becomes == "stuck" else 2)


@pytest.mark.parametrize(("definition", "becomes"), [(ACTION, "unknown"), (COLLECT, "failed")])
def test_what_outlives_its_lease_in_a_run_that_is_over_has_a_result(
    definition: Any, becomes: str
) -> None:
    over = seen(definition, "started", now=DUE, due_at=DUE, run=RunState.CANCELLED)
    assert first(decide(over)).state == becomes


# --- results


@pytest.mark.parametrize(
    ("definition", "result", "becomes"),
    [
        (ACTION, "ok", "ok"),
        (ACTION, "failed", "failed"),
        (ACTION, "unknown", "stuck"),
        ({**ACTION, "verify": HELPED}, "ok", "watching"),
        ({**ACTION, "verify": HELPED}, "failed", "failed"),
        ({**ACTION, "verify": HELPED}, "unknown", "stuck"),
        (COLLECT, "ok", "ok"),
        (COLLECT, "failed", "failed"),
        (COLLECT, "unknown", "unknown"),
        ({**COLLECT, "retry": {"attempts": 2}}, "ok", "ok"),
        ({**COLLECT, "retry": {"attempts": 2}}, "failed", "waiting"),
        ({**COLLECT, "retry": {"attempts": 2}}, "unknown", "waiting"),
        (step("probe", "it", probe="x"), "by_hand", "doing"),
        (step("probe", "it", probe="x"), "approval", "waiting"),
    ],
)
def test_what_a_result_leads_to(definition: Any, result: Any, becomes: str) -> None:
    known = seen({"on_failure": "continue", **definition}, "started", due_at=DUE)
    move = outcome.finish(known, known.progress.steps[0], Result(state=result, text="so"))
    assert move.steps[0].state == becomes
    assert move.work is None, "a result calls nothing by itself"


@pytest.mark.parametrize("result", ["ok", "failed", "unknown", "by_hand", "approval"])
@pytest.mark.parametrize(
    "definition", [{**COLLECT, "retry": {"attempts": 3}}, {**COLLECT, "verify": HELPED}]
)
def test_a_result_in_a_run_that_is_over_ends_the_step_and_nothing_else(
    definition: Any, result: Any
) -> None:
    over = {"on_failure": "stop", **definition}
    known = seen(over, "started", due_at=DUE, run=RunState.CANCELLED)
    move = outcome.finish(known, known.progress.steps[0], Result(state=result, text="so"))
    assert len(move.steps) == 1
    assert move.steps[0].state.over
    assert not any((move.stop, move.escalate, move.work))


@pytest.mark.parametrize(
    ("state", "attempt", "output", "awaited"),
    [
        ("started", 1, {}, True),
        ("started", 2, {}, False),
        ("stuck", 1, {"orphaned": 1}, True),
        ("stuck", 1, {}, False),
        ("ok", 1, {"orphaned": 1}, False),
        ("unknown", 1, {"orphaned": 1}, False),
        ("approving", 1, {"orphaned": 1}, False),
    ],
)
def test_which_result_is_still_awaited(
    state: str, attempt: int, output: dict[str, Any], awaited: bool
) -> None:
    begun = seen(ACTION, "started", due_at=DUE).progress
    work = Work(
        run=begun.run, step=begun.steps[0], definition=begun.definition(begun.steps[0]),
        target="iora", within_ms=1, approved=True,
    )  # fmt: skip
    now = replace(begun.steps[0], state=StepState(state), attempt=attempt, output=output)
    assert outcome.awaits(now, work) is awaited


# --- watching


@pytest.mark.parametrize(
    ("cpu", "now", "becomes"),
    [
        (50, NOON, "ok"),
        (96, NOON, "watching"),
        (None, NOON, "watching"),
        (96, DUE, "failed"),
        (None, DUE, "failed"),
    ],
)
def test_a_watch_ends_by_what_is_read(cpu: float | None, now: int, becomes: str) -> None:
    known = seen(WAIT, "watching", now=now, due_at=DUE, read=True, cpu=cpu)
    assert first(decide(known)).state == becomes
    assert isinstance(decide(replace(known, healths={})), Look)


def test_a_watch_is_looked_at_as_often_as_the_target_is_polled() -> None:
    looked = seen(WAIT, "watching", due_at=DUE, output={"looked_at": NOON - SECOND})
    assert decide(looked) == Wait(NOON - SECOND + 15_000)


# --- cut short


@pytest.mark.parametrize(
    ("state", "output", "becomes"),
    [
        ("waiting", {}, "skipped"),
        ("approving", {}, "skipped"),
        ("doing", {}, "skipped"),
        ("watching", {}, "skipped"),
        ("watching", {"verifying": True}, "unknown"),
        ("stuck", {}, "unknown"),
    ],
)
def test_what_may_have_been_done_is_not_said_to_be_skipped(
    state: str, output: dict[str, Any], becomes: str
) -> None:
    progress = seen(ACTION, state, output=output).progress
    cut = outcome.skip_rest(progress, -1, "cancelled", NOON, always=True)
    assert [one.state for one in cut] == [becomes, "skipped"]
    assert all(one.ended_at == NOON for one in cut)


def test_what_the_bot_is_doing_is_not_cut_short() -> None:
    progress = seen(ACTION, "started").progress
    assert [one.step for one in outcome.skip_rest(progress, -1, "x", NOON, always=True)] == ["last"]

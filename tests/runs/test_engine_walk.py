"""Any order of clicks, results, times, edits of the config and crashes: what a run must keep to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.model.answer import Refusal
from bot.model.command import VERBS
from bot.model.run import Mark, Progress, RunState, StepRun, StepState
from bot.model.step import ActionStep
from bot.rules import approval
from tests.support import stage
from tests.support.runs import step
from tests.support.stage import HOUR, MINUTE, SECOND, Stage, alice, bob, bound, carol, mallory

BELOW = {"that": "cpu_percent < 70", "hold": "30s", "within": "2m"}
BOOK = bound(
    step("check", "look", when="cpu_percent > 5", retry={"attempts": 2, "backoff": "5s"}),
    step("collect", "gather", retry={"attempts": 2}, approval={"on_expire": "fail"}),
    step(
        "action",
        "open",
        action="circuit_breaker_open",
        approval={"roles": ["responder"], "min": 2, "expires": "5m", "on_expire": "escalate"},
        verify=BELOW,
        on_failure="tell",
    ),
    step("probe", "dump", probe="threads", on_failure="escalate"),
    step("action", "scale", action="scale_out", approval={"not_requester": True, "expires": "10m"}),
    step(
        "checklist",
        "tell",
        items=[{"text": "a"}, {"text": "b", "note": True}],
        remind="7m",
        timeout="1h",
        undo={"text": "tell them otherwise"},
    ),
    step("wait_for", "calm", that="cpu_percent < 80", hold="20s", within="1m", on_failure="stop"),
    step("notify", "say", to=["channel"], message="{{ target }} is {{ steps.look.state }}"),
    step("advise", "advice", causes=[{"cause": "c", "solution": "s", "when": "cpu_percent > 90"}]),
    step("collect", "last", always=True),
    run_timeout="3h",
)
SHORT = bound(
    step("action", "open", action="circuit_breaker_open", approval={"roles": ["responder"]}),
    step(
        "action",
        "scale",
        action="scale_out",
        approval={"roles": ["responder"]},
        verify=BELOW,
        on_failure="stop",
    ),
    step("collect", "last", always=True, approval={}, retry={"attempts": 2}),
    run_timeout="20m",
)
FITS = {
    StepState.ASKING: ("do", "skip"),
    StepState.APPROVING: ("approve", "approve", "approve", "reject"),
    StepState.DOING: ("done", "skip"),
    StepState.STUCK: ("done", "repeat", "repeat", "undo", "skip"),
    StepState.WATCHING: ("skip", "undo"),
}
PEOPLE = (alice, bob, carol, mallory)
FULL = stage.settings()
CONFIGS = (
    FULL,
    stage.without(FULL, role="responder"),
    stage.without(FULL, action="scale_out"),
    stage.without(FULL, action="circuit_breaker_close"),
    stage.without(FULL, target="worker"),
)
STATES = st.sampled_from(["ok", "failed", "unknown", "by_hand", "approval"])
LENGTHS = st.sampled_from([SECOND, 12 * SECOND, 40 * SECOND, 3 * MINUTE, 8 * MINUTE, 40 * MINUTE])


class Walk(RuleBasedStateMachine):
    """One run with every kind of trouble."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(FULL)
        self.stage.reads["iora"] = {"cpu_percent": 50.0}
        self.incident = self.stage.declare()
        self.repeats: Counter[int] = Counter()
        self.over: dict[int, tuple[StepState, int]] = {}
        self.counted = 0

    @initialize(book=st.sampled_from([BOOK, SHORT]))
    def somebody_starts_it(self, book: Any) -> None:
        self.stage.start(book, incident=self.incident)

    @rule(
        who=st.sampled_from(PEOPLE),
        verb=st.sampled_from(VERBS),
        text=st.sampled_from(["", "seen"]),
        position=st.one_of(st.none(), st.integers(0, 14)),
        older=st.integers(0, 2),
    )
    def somebody_says(
        self, who: Any, verb: Any, text: str, position: int | None, older: int
    ) -> None:
        steps = self.stage.progress.steps
        mark = None
        if position is not None:
            known = steps[position].attempt if position < len(steps) else 1
            mark = Mark(self.stage.run_id, position, max(1, known - older))
        meant = self.stage.progress.current if mark is None else None
        said = self.stage.say(who, verb, text, mark=mark)
        if verb == "repeat" and not isinstance(said, Refusal):
            self.repeats[mark.position if mark is not None else meant.position] += 1
        self.stage.turn()

    @rule(who=st.sampled_from((alice, bob, carol)), which=st.integers(0, 9))
    def somebody_answers_what_is_asked(self, who: Any, which: int) -> None:
        """So that walks get far; and what an over run did is taken back."""
        current = self.stage.progress.current
        if current is None or current.state in FITS:
            verbs = FITS[current.state] if current is not None else ("undo",)
            self.somebody_says(who, verbs[which % len(verbs)], "seen", None, 0)

    @precondition(lambda self: self.stage.under_way)
    @rule(state=STATES)
    def the_work_ends(self, state: str) -> None:
        work = self.stage.under_way[0]
        if isinstance(work.definition, ActionStep) and state in {"by_hand", "approval"}:
            state = "ok"
        self.stage.ended(state, "so it is")

    @precondition(lambda self: self.stage.under_way)
    @rule(state=STATES)
    def a_result_comes_twice(self, state: str) -> None:
        """As if it had been on its way for long."""
        work = self.stage.under_way[0]
        if isinstance(work.definition, ActionStep):
            self.stage.ended("ok", work=work)
            self.stage.ended("unknown", work=work)

    @rule(span=LENGTHS)
    def time_goes_by(self, span: int) -> None:
        self.stage.later(span)

    @rule()
    def the_bot_is_killed(self) -> None:
        self.stage.crash()

    @rule(span=LENGTHS)
    def the_bot_is_away(self, span: int) -> None:
        self.stage.away(span)

    @rule(known=st.sampled_from(CONFIGS))
    def the_config_is_edited(self, known: Any) -> None:
        self.stage.config = known

    @rule(
        cpu=st.sampled_from([None, 3.0, 50.0, 96.0]),
        verdict=st.sampled_from(["healthy", "down", "unknown"]),
    )
    def the_target_reads(self, cpu: float | None, verdict: str) -> None:
        self.stage.reads["iora"] = {"verdict": verdict, "cpu_percent": cpu}

    @invariant()
    def no_action_is_called_more_often_than_people_said(self) -> None:
        calls = Counter(position for _, position in self.stage.calls)
        for position, count in calls.items():
            assert count <= 1 + self.repeats[position], (position, count, self.repeats)

    @invariant()
    def whoever_approved_may_at_the_call(self) -> None:
        for _, position in self.stage.calls[self.counted :]:
            progress = self.stage.progress
            one = progress.steps[position]
            wanted = approval.wanted(progress.definition(one), one)
            assert wanted is not None
            if one.state is StepState.STARTED:
                assert len(approval.valid(self.stage.config, progress, one)) >= wanted.min
        self.counted = len(self.stage.calls)

    @invariant()
    def a_result_stays_as_it_is(self) -> None:
        for one in self.stage.progress.steps:
            found = (one.state, one.attempt)
            if one.position in self.over:
                assert self.over[one.position] == found, one
            elif one.state.over:
                self.over[one.position] = found

    @invariant()
    def somebody_or_a_timer_moves_it_on(self) -> None:
        progress = self.stage.progress
        armed = self.stage.armed()
        if progress.run.state is RunState.RUNNING:
            assert armed is not None
            assert armed > self.stage.now
            assert progress.current is not None
        if not progress.run.state.live:
            assert all(one.state.over for one in progress.steps if not self._works_on(one))
            assert progress.run.ended_at is not None
            assert progress.run.ended_by is not None

    def _works_on(self, one: StepRun) -> bool:
        return one.state is StepState.STARTED and any(
            work.step.position == one.position and work.step.attempt == one.attempt
            for work in self.stage.under_way
        )

    def teardown(self) -> None:
        """Nobody comes any more: it ends all the same, and every step has its result."""
        if self.stage.run.state is RunState.PAUSED:
            self.stage.say(alice, "resume")
            self.stage.turn()
        for _ in range(8):
            while self.stage.under_way:
                self.stage.ended("failed", "nothing answers")
            if not self.stage.run.state.live:
                break
            self.stage.later(HOUR)
        progress: Progress = self.stage.progress
        assert not progress.run.state.live, progress.run
        assert all(one.state.over for one in progress.steps), progress.steps
        self.a_result_stays_as_it_is()
        self.no_action_is_called_more_often_than_people_said()
        assert self.stage.armed() is None, "nothing is due any more"


Walk.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=50,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnyWalk = Walk.TestCase

"""Any order of clicks, results, times, edits of the config and crashes: what a run must keep to.

Walks are drawn by lot from the seed in a test's name; IORA_WALKS says how many more to take.
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from bot.model.answer import Refusal
from bot.model.command import VERBS
from bot.model.run import Mark, RunState, StepRun, StepState
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
    FULL,
    stage.without(FULL, role="responder"),
    stage.without(FULL, action="scale_out"),
    stage.without(FULL, action="circuit_breaker_close"),
    stage.without(FULL, target="worker"),
)
SPANS = (SECOND, 12 * SECOND, 40 * SECOND, 3 * MINUTE, 8 * MINUTE, 40 * MINUTE)
SEEDS = range(int(os.environ.get("IORA_WALKS", "60")))
STEPS = 50


class Walk:
    """One run with every kind of trouble, and what was seen of it on the way."""

    def __init__(self, seed: int) -> None:
        self.lot = random.Random(seed)
        self.stage = Stage(FULL)
        self.stage.reads["iora"] = {"cpu_percent": 50.0}
        self.story: list[str] = []
        self.repeats: Counter[int] = Counter()
        self.yes: dict[int, set[str]] = defaultdict(set)
        self.over: dict[int, tuple[StepState, int]] = {}
        self.begun = 0
        incident = self.stage.declare()
        self.stage.start(self.lot.choice((BOOK, SHORT, SHORT)), incident=incident)
        self.moves: list[tuple[int, Callable[[], None]]] = [
            (34, self.somebody_answers_what_is_asked),
            (10, self.somebody_says_anything),
            (4, self.somebody_steers),
            (25, self.the_work_ends),
            (3, self.a_result_comes_late),
            (12, self.time_goes_by),
            (6, self.the_bot_is_killed),
            (3, self.the_bot_is_away),
            (4, self.the_config_is_edited),
            (6, self.the_target_reads),
        ]

    def go(self) -> None:
        """All its steps, and then to an end, though nobody comes any more."""
        weights, moves = zip(*self.moves, strict=True)
        for _ in range(STEPS):
            self.lot.choices(moves, weights)[0]()
            self.keeps_to_its_word()
        self.ends()

    # --- what happens

    def somebody_answers_what_is_asked(self) -> None:
        current = self.stage.progress.current
        if current is None:
            self.say(bob, "undo")
        elif current.state in FITS:
            self.say(self.lot.choice((alice, bob, carol)), self.lot.choice(FITS[current.state]))

    def somebody_says_anything(self) -> None:
        steps = self.stage.progress.steps
        position = self.lot.randrange(len(steps) + 1)
        attempt = steps[position].attempt if position < len(steps) else 1
        mark = Mark(self.stage.run_id, position, max(1, attempt - self.lot.choice((0, 0, 1, 2))))
        text = self.lot.choice(("", "seen"))
        self.say(self.lot.choice(PEOPLE), self.lot.choice(VERBS), text, mark)

    def somebody_steers(self) -> None:
        paused = self.stage.run.state is RunState.PAUSED
        verbs = ("resume",) if paused else ("pause", "cancel", "undo")
        self.say(alice, self.lot.choice(verbs))

    def say(self, who: Any, verb: Any, text: str = "seen", mark: Mark | None = None) -> None:
        current = self.stage.progress.current
        position = mark.position if mark else current.position if current else None
        before = len(self.stage.progress.steps)
        said = self.stage.say(who, verb, text, mark=mark)
        if isinstance(said, Refusal):
            self.tell(f"{who.holder} {verb} {mark}: refused: {said.reason}")
        else:
            self.tell(f"{who.holder} {verb} {mark}")
            if verb in {"approve", "repeat"} and position is not None:
                self.yes[position].add(who.text)
                self.repeats[position] += verb == "repeat"
            for added in self.stage.progress.steps[before:]:
                self.yes[added.position].add(who.text)
        self.stage.turn()

    def the_work_ends(self) -> None:
        if self.stage.under_way:
            work = self.stage.under_way[0]
            states = ["ok", "failed", "unknown"]
            if not isinstance(work.definition, ActionStep):
                states += ["ok", "by_hand", "approval"]
            state = self.lot.choice(states)
            self.tell(f"{work.step.step}: {state}")
            self.stage.ended(state, "so it is")

    def a_result_comes_late(self) -> None:
        """Of a call that outlived its lease."""
        for work in self.stage.under_way[:1]:
            self.tell(f"{work.step.step}: late")
            self.stage.later(MINUTE)
            self.stage.ended(self.lot.choice(("ok", "failed")), work=work)
            self.stage.ended("unknown", work=work)

    def time_goes_by(self) -> None:
        span = self.lot.choice(SPANS)
        self.tell(f"{span // SECOND} s go by")
        self.stage.later(span)

    def the_bot_is_killed(self) -> None:
        self.tell("killed")
        self.stage.crash()

    def the_bot_is_away(self) -> None:
        span = self.lot.choice(SPANS)
        self.tell(f"away for {span // SECOND} s")
        self.stage.away(span)

    def the_config_is_edited(self) -> None:
        number = self.lot.randrange(len(CONFIGS))
        self.tell(f"config {number}")
        self.stage.config = CONFIGS[number]

    def the_target_reads(self) -> None:
        reads = {"cpu_percent": self.lot.choice((None, 3.0, 50.0, 50.0, 96.0))}
        self.tell(f"reads {reads}")
        self.stage.reads["iora"] = reads

    def tell(self, line: str) -> None:
        steps = " ".join(
            f"{one.step}={one.state}/{one.attempt}" for one in self.stage.progress.steps
        )
        self.story.append(f"{line}   [{self.stage.run.state}: {steps}]")

    # --- what it keeps to

    def keeps_to_its_word(self) -> None:
        self.calls_are_counted()
        self.nothing_begins_without_its_yes()
        self.a_result_stays_as_it_is()
        self.somebody_or_a_timer_moves_it_on()

    def calls_are_counted(self) -> None:
        """Never more often than people said."""
        for position, count in Counter(position for _, position in self.stage.calls).items():
            assert count <= 1 + self.repeats[position], (position, count, self.repeats)

    def nothing_begins_without_its_yes(self) -> None:
        for work in self.stage.begun[self.begun :]:
            wanted = approval.wanted(work.definition, work.step)
            said = self.yes[work.step.position]
            assert wanted is None or len(said) >= wanted.min, (work.step, said)
            assert mallory.text not in said
        self.begun = len(self.stage.begun)

    def a_result_stays_as_it_is(self) -> None:
        for one in self.stage.progress.steps:
            found = (one.state, one.attempt)
            if one.position in self.over:
                assert self.over[one.position] == found, one
            elif one.state.over:
                assert one.ended_at is not None
                self.over[one.position] = found

    def somebody_or_a_timer_moves_it_on(self) -> None:
        progress, armed = self.stage.progress, self.stage.armed()
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

    def ends(self) -> None:
        """Nobody comes any more: it ends all the same, and every step has its result."""
        self.tell("nobody comes any more")
        if self.stage.run.state is RunState.PAUSED:
            self.stage.accepted(alice, "resume")
        for _ in range(8):
            while self.stage.under_way:
                self.stage.ended("failed", "nothing answers")
            if not self.stage.run.state.live:
                break
            self.stage.later(HOUR)
        progress = self.stage.progress
        assert not progress.run.state.live, progress.run
        assert all(one.state.over for one in progress.steps), progress.steps
        self.keeps_to_its_word()
        assert self.stage.armed() is None, "nothing is due any more"


@pytest.mark.parametrize("seed", SEEDS)
def test_any_walk_keeps_to_it(seed: int) -> None:
    walk = Walk(seed)
    try:
        walk.go()
    except Exception as error:
        error.add_note("\n".join(walk.story))
        raise

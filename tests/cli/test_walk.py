"""Staying with a run: what is said at the prompt is about the step that was shown, whatever came since."""

from __future__ import annotations

import pytest

from bot.cli.walk import Walk
from bot.render import run_lines
from tests.support.clock import ManualClock

STEP = {
    "step": "open",
    "mark": "RUN-5/1/2",
    "title": "Open",
    "kind": "action",
    "state": "approving",
    "attempt": 2,
    "by": None,
    "started_at": None,
    "ended_at": None,
    "due_at": None,
    "reason": "",
    "approved_by": [],
    "approval": {"roles": ["commander"], "min": 2},
    "items": [],
    "causes": [],
    "output": {},
}
RUN = {
    "run": "RUN-5",
    "title": "Breaker",
    "target": "iora",
    "incident": None,
    "state": "running",
    "reason": "",
    "started_at": 0,
    "ended_at": None,
    "current": 0,
    "asked": ["U01ALICE", "cli:max"],
    "steps": [STEP],
}


class Recorded:
    """A line that keeps what was said."""

    here = False

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def say(self, text: str):
        self.heard.append(text)
        return {"json": RUN, "refused": False, "waiting": 0, "text": ""}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("approve", "run RUN-5/1/2 approve"),
        ("Reject not <now> & never", "run RUN-5/1/2 Reject not &lt;now&gt; &amp; never"),
        ("skip no time", "run RUN-5/1/2 skip no time"),
        ("done 2 it is fine", "run RUN-5/1/2 done 2 it is fine"),
        ("repeat", "run RUN-5/1/2 repeat"),
        ("pause", "run RUN-5 pause"),
        ("undo", "run RUN-5 undo"),
        ("cancel", "run RUN-5 cancel"),
    ],
)
async def test_words_about_a_step_name_the_asking_that_they_answer(typed, sent):
    line = Recorded()
    await Walk(line, ManualClock(), {"json": RUN, "waiting": 0}).say(typed)
    assert line.heard == [sent]


@pytest.mark.parametrize(
    ("state", "step", "approved", "wants"),
    [
        ("running", "approving", [], True),
        ("running", "approving", ["cli:a"], True),
        ("running", "approving", ["cli:a", "cli:b"], False),
        ("running", "doing", [], True),
        ("running", "asking", [], True),
        ("running", "stuck", [], True),
        ("running", "started", [], False),
        ("running", "watching", [], False),
        ("running", "waiting", [], False),
        ("paused", "watching", [], True),
    ],
)
def test_a_run_wants_a_person_until_everybody_who_must_said_yes(state, step, approved, wants):
    seen = RUN | {"state": state, "steps": [STEP | {"state": step, "approved_by": approved}]}
    assert run_lines.for_a_person(seen) is wants


def test_what_is_asked_says_who_and_how_many():
    some = RUN | {"steps": [STEP | {"approved_by": ["slack:T01TEAM:U02BOB"]}]}
    assert list(run_lines.asks(some)) == [
        "» Open: waits for approval",
        "  It needs the yes of 2 people who are commander, @U02BOB said it: @U01ALICE, max.",
    ]


def test_long_output_keeps_its_end_and_says_what_is_left_out():
    output = {"stdout": "\n".join(f"line {number}" for number in range(50))}
    shown = list(run_lines.results(STEP | {"state": "ok", "output": output}))
    assert shown[0] == "| (30 lines before these)"
    assert shown[-1] == "| line 49"


def test_what_came_out_of_a_step_is_shown_whole():
    cause = {
        "cause": "A release",
        "fits": "fits",
        "because": "CPU 96 % > 90",
        "solution": "Roll it\nback.",
        "example": "git revert HEAD",
    }
    output = {
        "findings": [{"text": "a leak"}],
        "report": "diag_1",
        "files": [{"path": "runs/RUN-5/x/heap.txt"}],
        "left_out": {"core": "too large"},
    }
    step = STEP | {"state": "ok", "output": output, "causes": [cause]}
    assert list(run_lines.results(step)) == [
        "- a leak",
        "- fits: A release (CPU 96 % > 90)",
        "    Roll it",
        "    back.",
        "    | git revert HEAD",
        "The whole report: iora reports diag_1",
        "File: runs/RUN-5/x/heap.txt",
        "Not kept: core: too large",
    ]

"""How a run is started and spoken to: a runbook, or ``RUN-5``, or one asking of one of its steps."""

from __future__ import annotations

import pytest

from bot.model.answer import Refusal
from bot.model.command import OnRun, StartRun, Tick
from bot.model.run import Mark
from bot.slack.parse import parse

TARGETS = ("iora", "api")


def parsed(text: str):
    return parse(text, TARGETS, 0)


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("minutes=5 hold=30s", {"minutes": "5", "hold": "30s"}),
        ('issue="the API is slow"', {"issue": "the API is slow"}),
        ("issue='they say \"slow\"'", {"issue": 'they say "slow"'}),
        ("issue=\u201cthe API is slow\u201d", {"issue": "the API is slow"}),
        ("issue=\u201ethe API is slow\u201c", {"issue": "the API is slow"}),
        ('issue="a &lt;b&gt; c"', {"issue": "a <b> c"}),
        ('issue=""', {"issue": ""}),
        ("issue=", {"issue": ""}),
        ("issue=it's", {"issue": "it's"}),
        ('issue="a b" minutes=5', {"issue": "a b", "minutes": "5"}),
    ],
)
def test_an_input_with_spaces_stands_in_quotation_marks(text, inputs):
    assert parsed(f"run high-cpu iora INC-7 {text} --dry-run") == StartRun(
        runbook="high-cpu", target="iora", incident=7, inputs=inputs, dry_run=True
    )


@pytest.mark.parametrize("text", ['issue="the API is slow', "issue='slow", 'issue="a b"c'])
def test_a_quotation_mark_that_is_not_closed_is_told(text):
    said = parsed(f"run high-cpu {text}")
    assert isinstance(said, Refusal)
    assert "The quotation mark of `issue=" in said.reason


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("RUN-5", OnRun(run=5, verb="show")),
        ("run-5 approve", OnRun(run=5, verb="approve")),
        ("RUN-5 skip no time", OnRun(run=5, verb="skip", text="no time")),
        ("RUN-5/3/2 approve", OnRun(run=5, verb="approve", mark=Mark(5, 3, 2))),
        (
            "RUN-5/3/2 reject not now",
            OnRun(run=5, verb="reject", text="not now", mark=Mark(5, 3, 2)),
        ),
        (
            "RUN-5/0/1 done 2 U02BOB it is the pool",
            OnRun(
                run=5,
                verb="done",
                text="2 U02BOB it is the pool",
                mark=Mark(5, 0, 1),
                ticks={2: Tick("it is the pool", "U02BOB")},
            ),
        ),
    ],
)
def test_a_word_to_a_run_may_name_the_asking_that_it_answers(text, command):
    assert parsed(f"run {text}") == command


def test_a_runbook_may_not_be_mistaken_for_a_run():
    assert parsed("run RUN-5/3 approve") == StartRun(runbook="RUN-5/3", target="approve")

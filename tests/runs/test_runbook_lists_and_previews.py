"""The list of the runbooks, what one would do, and that no text from anywhere breaks a message of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.files.runbooks import load_books
from bot.model.answer import Answer
from bot.model.command import StartRun
from bot.model.message import Drawing
from bot.model.run import Choice, StepState
from bot.model.runbook import Runbook
from bot.render import ask, plain, preview, step
from bot.render.answer import answer
from bot.render.blocks import MESSAGE, fit
from bot.render.run import run
from bot.render.runbooks import strongest
from bot.rules import inputs
from bot.rules.inputs import Settled
from bot.rules.outlook import outlook
from bot.services.preview import of_run
from bot.services.preview import preview as previewed
from bot.workspace.validate.blocks import characters, message_blocks
from tests.support import runs
from tests.support.clock import NOON
from tests.support.configs import ALICE
from tests.support.drawings import PEOPLE, buttons, judge, shown
from tests.support.incidents import alice, bob, incident
from tests.support.progress import progress
from tests.support.stage import CAROL, settings

BOOKS = load_books(Path(__file__).parents[2] / "runbooks")


# The list


def row(name: str, *because: str, unknown: int = 0, trial: bool = False) -> dict[str, Any]:
    return {
        "runbook": name, "title": name.replace("-", " ").capitalize(), "fits": bool(because),
        "because": list(because), "unknown": unknown, "trial": trial,
    }  # fmt: skip


CPU = row("high-cpu-usage", "CPU 96 % > 70 (agent, 4 s ago)", "CPU 96 % > 90 (agent, 4 s ago)")
RUNNING = {
    "run": "RUN-4", "runbook": "leak", "title": "Leak", "target": "iora", "incident": "INC-7",
    "by": alice.text, "state": "running", "started_at": NOON, "step": "Open",
    "step_state": "approving", "done": 3, "steps": 12,
}  # fmt: skip


def listed(*targets: Mapping[str, Any], running: Any = (), **more: Any) -> Drawing:
    facts = {"targets": list(targets), "running": list(running), "broken": {}, **more}
    return judge(answer(Answer(kind="runbooks", facts=facts), NOON))


def target(
    *rows: Mapping[str, Any], name: str = "iora", verdict: str = "unhealthy"
) -> dict[str, Any]:
    return {"target": name, "verdict": verdict, "runbooks": list(rows)}


def test_those_that_fit_come_first_with_why_and_the_rest_in_one_line_each() -> None:
    message = listed(target(CPU, row("slow", "P95 910 ms >= 500 ms", unknown=1), row("leak")))
    text = shown(message)
    assert "iora is UNHEALTHY: 2 runbooks fit" in text
    assert "*High cpu usage*  `high-cpu-usage`\n      CPU 96 % &gt; 90 (agent, 4 s ago)\n" in text
    assert "P95 910 ms &gt;= 500 ms (1 symptom can't be read)" in text
    assert "*All others*\n*Leak*  `leak`" in text
    assert text.index("`high-cpu-usage`") < text.index("`slow`") < text.index("`leak`")
    assert message.text == (
        "iora is UNHEALTHY: 2 runbooks fit, first `high-cpu-usage`: CPU 96 % &gt; 90 (agent, 4 s ago)"
    )


def test_of_several_bounds_of_one_reading_the_one_that_says_most_is_shown() -> None:
    said = [
        "CPU 96 % >= 70 (a)",
        "CPU 96 % > 90 (a)",
        "CPU 96 % > 80 (a)",
        "memory 1,100 MB > 1024",
    ]
    assert strongest(said) == ["CPU 96 % > 90 (a)", "memory 1,100 MB > 1024"]
    assert strongest(["score 3 < 50", "score 3 < 10"]) == ["score 3 < 10"]
    assert strongest(["verdict is down"]) == ["verdict is down"]


def test_the_best_three_have_their_buttons_and_only_the_first_is_primary() -> None:
    rows = [row(name, "CPU 96 % > 90") for name in ("one", "two", "three", "four")]
    message = listed(target(*rows))
    rowed = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    assert [[one["action_id"] for one in elements] for elements in rowed] == [
        ["iora:runbook:start", "iora:runbook:preview"]
    ] * 3
    assert [one.get("style") for elements in rowed for one in elements] == ["primary"] + [None] * 5
    assert [elements[0]["value"] for elements in rowed] == [
        "one - iora",
        "two - iora",
        "three - iora",
    ]


def test_a_runbook_on_trial_is_only_previewed() -> None:
    message = listed(target(row("new", "CPU 96 % > 90", trial=True)))
    assert buttons(message) == {"Preview": "iora:runbook:preview"}
    assert "(on trial: previews only)" in shown(message)


def test_what_runs_now_is_said_first() -> None:
    text = shown(listed(target(CPU), running=[RUNNING]))
    assert text.startswith(
        "*Running now*\n*RUN-4* Leak on iora, INC-7: step 4 of 12 “Open” waits for approval "
        f"(started by <@{ALICE}>)"
    )


def test_the_target_with_most_symptoms_comes_first() -> None:
    well = target(row("high-cpu-usage"), name="worker", verdict="healthy")
    text = shown(listed(well, target(CPU)))
    assert text.index("iora is UNHEALTHY") < text.index("*worker is HEALTHY*: no runbook fits")


def test_where_nothing_fits_it_is_said_whether_it_could_be_told() -> None:
    assert "no symptom is there" in shown(listed(target(row("leak"))))
    assert "some symptoms can't be read" in shown(listed(target(row("leak", unknown=2))))


def test_files_that_cant_be_used_are_said() -> None:
    text = shown(
        listed(target(CPU), broken={"runbooks/x.yaml": ["runbooks/x.yaml:3:1: no <step>"]})
    )
    assert "`runbooks/x.yaml` can't be used: runbooks/x.yaml:3:1: no &lt;step&gt;" in text


def test_without_any_runbook_it_says_where_they_come_from() -> None:
    assert "`iora init` writes those" in listed().text


# The preview


CONFIG = settings()


def of_book(name: str) -> Answer:
    book = BOOKS[name]
    wanted = inputs.settle(book.runbook, StartRun(runbook=name, target="iora"), None, CONFIG)
    assert isinstance(wanted, Settled)
    return previewed(book, wanted, incident(), CONFIG, alice.text, NOON)


@pytest.mark.parametrize("name", sorted(BOOKS))
def test_every_step_of_every_shipped_runbook_is_in_its_preview(name: str) -> None:
    given = of_book(name)
    message = answer(given, NOON)
    blocks = [dict(block) for block in message.blocks]
    message_blocks(blocks)
    assert characters(blocks) <= MESSAGE + 500
    text = shown(message)
    for one in given.facts["steps"]:
        assert f"*{one['number']}. {one['title']}*: " in text
        if one.get("request"):
            assert f"{one['request']['method']} {one['request']['url']}" in text
            assert f"after a yes of {one['approval']}" in text


def test_a_preview_shows_the_exact_request_and_says_that_nothing_is_called() -> None:
    given = of_book("critical-performance-degradation")
    text = shown(answer(given, NOON))
    assert (
        "```\nPOST http://127.0.0.1:8080/iora/circuit-breaker\nContent-Type: application/json\n"
        '{"state": "open"}\n(called once, at most 2 s)\n```'
    ) in text
    assert "*Nothing is called.* 18 steps of `critical-performance-degradation` version 1" in text
    assert "can be taken back: calls circuit_breaker_close" in text
    assert answer(given, NOON).text.endswith("Nothing is called.")
    assert "RUN-0" not in text


def test_an_action_that_the_target_does_not_offer_is_by_hand_and_needs_no_yes() -> None:
    steps = of_book("critical-performance-degradation").facts["steps"]
    rollback = next(one for one in steps if one["step"] == "rollback")
    assert rollback["does"] == "iora offers no action rollback: a person does it by hand"
    assert rollback["approval"] is None


def test_texts_that_are_cut_are_said_with_where_the_whole_is() -> None:
    book = runs.book(*(runs.step("check", f"s{at}", text="why " * 300) for at in range(60)))
    message = of_written(book)
    text = shown(message)
    assert "`iora run breaker iora --dry-run` shows all" in text
    assert all(f"*{at}. S{at - 1}*" in text for at in (1, 30, 45))
    whole = plain.text(of_written(book, buttons=False))
    assert "60. S59" in whole
    assert whole.count("why") == 60 * 300


def of_written(book: Mapping[str, Any], *, buttons: bool = True) -> Drawing:
    made = Runbook.model_validate_json(json.dumps(book))
    one = progress(*((written, {}) for written in book["steps"]))
    given = of_run(one, None, None, CONFIG)
    facts = {**given.facts, "runbook": made.id, "run": None}
    drawn = preview.preview(facts, buttons=buttons)
    return judge(fit(drawn)) if buttons else drawn


def test_of_a_run_only_what_is_left_is_shown_or_the_one_step_that_is_asked_for() -> None:
    action = runs.step("action", "open", action="circuit_breaker_open")
    one = progress(
        (runs.step("check", "look"), {"state": StepState.OK}),
        (action, {"state": StepState.APPROVING}),
        (runs.step("check", "again"), {}),
    )
    left = of_run(one, None, None, CONFIG)
    assert [step["number"] for step in left.facts["steps"]] == [2, 3]
    only = judge(answer(of_run(one, 1, None, CONFIG), NOON))
    assert shown(only).startswith(
        "RUN-5 Breaker on iora: what is left\n*Nothing is called.* 1 step"
    )
    assert "POST http://127.0.0.1:8080/iora/circuit-breaker" in only.text
    assert buttons(only) == {}


# Whatever the texts


EVIL = st.one_of(
    st.sampled_from(
        [
            "<!channel>", "<@U99EVIL> look", "```", "````\n<!here>", "<http://x.example|click>", "*_~`",
            "a" * 5_000, "&lt;!channel&gt;", "\u202e\x00\x1b[2J", "<" * 400, "line\n" * 300, ">quote",
        ]
    ),
    st.text(max_size=200),
)  # fmt: skip
KINDS: tuple[Mapping[str, Any], ...] = (
    runs.step("check", "s", text="x"),
    runs.step("action", "s", action="circuit_breaker_open", approval={"roles": ["responder"]}),
    runs.step("checklist", "s", items=[{"text": "x" * 1000, "note": True} for _ in range(20)]),
    runs.step("wait_for", "s", that="verdict == healthy"),
    runs.step("probe", "s", probe="threads"),
)
STATES = st.sampled_from(list(StepState))


@given(
    kinds=st.lists(st.tuples(st.sampled_from(KINDS), STATES), min_size=1, max_size=60),
    evil=EVIL,
    more=EVIL,
)
@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_breaks_a_message_or_wakes_anybody(
    kinds: list[tuple[Mapping[str, Any], StepState]], evil: str, more: str
) -> None:
    output = {
        "text": evil, "progress": more, "items": {"1": {"by": bob.text, "at": 1, "note": evil, "owner": None}},
    }  # fmt: skip
    title = "".join(sign for sign in evil if sign.isprintable())[:150].strip() or "t"
    steps = [
        (
            {**kind, "id": f"s{at}", "title": title},
            {"state": state, "output": output, "reason": more, "by": bob.text, "due_at": NOON},
        )
        for at, (kind, state) in enumerate(kinds)
    ]
    made = progress(*steps, choices=(Choice(0, bob.text, 1, NOON),), reason=more)
    seen = outlook(CONFIG, made, None)
    people = (*PEOPLE, CAROL)
    judge(fit(run(seen)), people=people)
    for one in made.steps[:5]:
        state = one.state if one.state.for_a_person else StepState.APPROVING
        facts = {"position": one.position, "attempt": 1, "state": str(state), "reminded": 0}
        judge(fit(ask.ask(seen, facts)), people=people)
    judge(answer(of_run(made, None, None, CONFIG), NOON), people=people)


@given(evil=EVIL, more=EVIL)
@limits(max_examples=60, deadline=None)
def test_no_result_breaks_its_message_or_wakes_anybody(evil: str, more: str) -> None:
    cause = {
        "number": 0, "cause": "c" * 150, "solution": evil.replace("<", ""), "because": more,
        "fits": "fits", "example": more.replace("<", ""),
    }  # fmt: skip
    facts = {
        "run": "RUN-5", "target": "iora", "number": 1, "title": evil, "kind": "probe", "state": "failed",
        "text": evil, "reason": more, "by": None, "took": 1, "stdout": more + evil, "stdout_cut": True,
        "findings": [{"text": evil, "recommendation": more}] * 20, "causes": [cause] * 20,
        "items": {str(at): {"by": bob.text, "note": evil, "owner": "cli:<x>"} for at in range(20)},
        "held": evil, "files": [evil] * 20, "left_out": {evil: more}, "report": evil,
    }  # fmt: skip
    judge(fit(step.result(facts)))

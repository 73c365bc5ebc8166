"""What people read of a run: its message, who is asked, what came out, the list, the preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bot.model.incident import Facts, Incident, Status
from bot.model.message import Drawing
from bot.model.outlook import Outlook
from bot.model.run import Choice, RunState, StepState
from bot.render import ask, step
from bot.render.blocks import fit
from bot.render.entry import sentence
from bot.render.run import noted, run
from bot.rules.outlook import outlook
from tests.support import runs
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.drawings import PEOPLE, buttons, judge, shown
from tests.support.incidents import alice, bob, entry, incident
from tests.support.progress import progress
from tests.support.stage import CAROL, settings

MINUTE = 60_000
LOOK = runs.step("check", "look", of="health")
OPEN = runs.step(
    "action",
    "open",
    action="circuit_breaker_open",
    approval={"roles": ["responder"], "min": 2},
    verify={"that": "cpu_percent < 70"},
)
TELL = runs.step(
    "checklist",
    "tell",
    items=[{"text": "Tell support"}, {"text": "Note who is hurt", "note": True, "owner": True}],
)
CALM = runs.step("wait_for", "calm", that="verdict == healthy", hold="5m", within="1h")
PROBE = runs.step("probe", "dump", probe="threads")

DONE = {"state": StepState.OK, "output": {"text": "CPU 96 %"}}
FAILED = {"state": StepState.FAILED, "output": {"text": "P95 910 ms, must be under 500 ms"}}


def seen(*steps: Any, of: Incident | None = None, **changes: Any) -> Outlook:
    made = progress(*steps, **changes)
    return outlook(settings(), made, of)


def at(definition: Mapping[str, Any], state: StepState, **more: Any) -> Outlook:
    """A run whose second step of three is at hand."""
    return seen((LOOK, DONE), (definition, {"state": state} | more), (CALM, {}))


def drawn(one: Outlook) -> Drawing:
    return judge(fit(run(one)))


def values(drawing: Drawing) -> list[str]:
    """What the buttons and the choices of the menu would send."""
    return [
        value
        for block in drawing.blocks
        for element in block.get("elements", ())
        for value in (element.get("value"), *(one["value"] for one in element.get("options", ())))
        if value
    ]


MENU = ["Pause", "Skip this step", "Preview what is left", "Cancel the run"]
AT = {
    StepState.APPROVING: ("WAITS FOR APPROVAL", OPEN, ["Approve", "Reject", "Preview", *MENU]),
    StepState.DOING: ("WAITS FOR A PERSON", TELL, ["Done", "Skip", *MENU]),
    StepState.ASKING: ("WAITS FOR A DECISION", TELL, ["Do it", "Skip", *MENU]),
    StepState.STARTED: (
        "RUNNING",
        PROBE,
        ["Pause", "Preview what is left", "Cancel the run"],
    ),
    StepState.WATCHING: ("WATCHES THE EFFECT", CALM, MENU),
    StepState.STUCK: (
        "UNCLEAR, A PERSON MUST DECIDE",
        OPEN,
        ["It was done", "Repeat", "Undo", *MENU[:3], "Undo what was done", MENU[3]],
    ),
}


@pytest.mark.parametrize("state", AT)
def test_each_state_has_its_words_and_the_buttons_that_fit(state: StepState) -> None:
    words, definition, labels = AT[state]
    message = drawn(at(definition, state))
    assert shown(message).startswith(f"RUN-5 Breaker on iora\n*{words}* | step 2 of 3: 1 ok\n")
    assert list(buttons(message)) == labels
    pressed = [value.split(" ")[-1] for value in values(message)]
    assert {value for value in pressed if "/" in value} <= {"RUN-5/1/1"}
    assert {value for value in pressed if "/" not in value} == {"RUN-5"}


@pytest.mark.parametrize("state", AT)
def test_one_button_at_most_is_primary_and_none_where_one_must_look_first(state: StepState) -> None:
    message = drawn(at(AT[state][1], state))
    styles = [
        element.get("style") for block in message.blocks for element in block.get("elements", ())
    ]
    wanted = state in {StepState.APPROVING, StepState.DOING, StepState.ASKING}
    assert styles.count("primary") == wanted


def test_a_paused_run_says_since_when_and_is_resumed_first() -> None:
    message = drawn(
        seen(
            (LOOK, DONE), (TELL, {"state": StepState.DOING}),
            state=RunState.PAUSED, paused_at=NOON + MINUTE,
        )
    )  # fmt: skip
    assert "*PAUSED* since <!date^" in shown(message)
    assert list(buttons(message)) == ["Resume", "Preview what is left", "Cancel the run"]
    assert "now “Tell” is paused" in message.text


def test_failures_come_before_everything_else_and_the_last_good_results_after_the_step() -> None:
    bad = dict(FAILED)
    message = drawn(
        seen(
            (LOOK, bad),
            (runs.step("check", "again"), {"state": StepState.UNKNOWN, "reason": "not read"}),
            (runs.step("check", "third"), DONE),
            (TELL, {"state": StepState.DOING}),
        )
    )
    text = shown(message)
    assert "| step 4 of 4: 1 failed, 1 unknown, 1 ok" in text
    order = [
        "✗ *FAILED* 1. “Look”: P95 910 ms, must be under 500 ms",
        "? *UNKNOWN* 2. “Again”: not read",
        "*4. Tell*",
        "✓ *OK* 3. “Third”: CPU 96 %",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "1 failed: “Look”" in message.text


def test_the_text_alone_tells_where_it_is_and_until_when() -> None:
    text = drawn(at(OPEN, StepState.APPROVING, due_at=NOON + 9 * MINUTE)).text
    until = f"<!date^{(NOON + 9 * MINUTE) // 1000}^{{time}}|"
    assert text.startswith(
        "RUN-5 Breaker on iora: running, 1 of 3 steps over; now “Open” waits for approval until "
        + until
    )


def test_an_approval_says_who_may_how_many_and_who_did_already() -> None:
    yes = Choice(1, bob.text, 1, NOON)
    one = seen(
        (LOOK, DONE),
        (OPEN, {"state": StepState.APPROVING, "due_at": NOON + MINUTE}),
        choices=(yes,),
    )
    text = shown(drawn(one))
    assert "Needs 2 yeses of a responder until <!date^" in text
    assert f"1 of 2 approved: <@{BOB}>" in text


def test_a_checklist_shows_its_ticks_and_what_it_asks_for() -> None:
    ticked = {"1": {"by": bob.text, "at": NOON, "note": "", "owner": None}}
    text = shown(drawn(at(TELL, StepState.DOING, output={"items": ticked}, started_at=NOON)))
    assert f"[x] 1. Tell support, by <@{BOB}>" in text
    assert "[  ] 2. Note who is hurt  _(note and owner asked for)_" in text
    assert "A person does it since <!date^" in text


def test_long_steps_show_how_far_they_are() -> None:
    watched = {"progress": "held 2 min of 5 min: verdict is healthy"}
    text = shown(drawn(at(CALM, StepState.WATCHING, output=watched, due_at=NOON)))
    assert "The bot watches, until <!date^" in text
    assert "held 2 min of 5 min: verdict is healthy" in text
    read = {"progress": "3 of 6 parts read"}
    assert "3 of 6 parts read" in shown(drawn(at(PROBE, StepState.STARTED, output=read)))


def test_a_steps_words_are_shown_as_its_author_meant_them() -> None:
    """Wrapped lines are one; the author's own signs are no markup; what was filled in is escaped."""
    words = (
        "Prevent cascade failures: calls to what is slow or fails are cut off, and users\n"
        "get cached answers while P95 < 500 ms and errors > 0.\nBy hand: `curl &lt;@U1&gt;`"
    )
    text = shown(drawn(at(TELL, StepState.DOING, output={"words": words})))
    assert "cut off, and users get cached answers while P95 &lt; 500 ms" in text
    assert "errors &gt; 0.\nBy hand: `curl &lt;@U1&gt;`" in text


def test_what_comes_next_and_where_it_belongs_is_in_the_small_print() -> None:
    one = seen((LOOK, DONE), (TELL, {"state": StepState.DOING}), (CALM, {}), of=incident())
    text = shown(drawn(one))
    assert "Next: 3. Calm | INC-7 | started by <@U01ALICE> at <!date^" in text
    assert "`breaker` version 1" in text


CALLED = {"state": StepState.OK, "output": {"text": "done (HTTP 200)", "called": True}}


def over(state: RunState, *steps: Any, of: Incident | None = None, **more: Any) -> Outlook:
    return seen(*steps, of=of, state=state, ended_at=NOON + 12 * MINUTE, **more)


def test_a_run_that_is_over_says_how_and_how_long_and_offers_what_follows() -> None:
    message = drawn(over(RunState.DONE, (LOOK, FAILED), (OPEN, CALLED), of=incident()))
    text = shown(message)
    assert "*DONE* after 12 min | 1 failed, 1 ok" in text
    assert "█" not in text
    assert "Still in effect, and can be taken back:\n• Open (calls circuit_breaker_close)" in text
    assert buttons(message) == {
        "Resolve INC-7": "iora:incident:resolve",
        "Undo what was done": "iora:run:undo",
    }
    assert message.text == (
        "RUN-5 Breaker on iora: done, 2 of 2 steps over; 1 failed: “Look”; after 12 min."
    )


def test_a_cancelled_run_says_who_and_why_and_leads_nobody_to_resolve() -> None:
    left = {"state": StepState.SKIPPED, "reason": "cancelled: rolled back by hand"}
    message = drawn(
        over(
            RunState.CANCELLED, (LOOK, DONE), (TELL, left), of=incident(),
            reason="cancelled: rolled back by hand", ended_by=bob.text,
        )
    )  # fmt: skip
    assert f"*CANCELLED* after 12 min by <@{BOB}>: rolled back by hand | 1 ok, 1 skipped" in shown(
        message
    )
    assert buttons(message) == {}
    assert "“Tell”" not in shown(message), "what the end left out is counted only"


def test_after_a_resolved_incident_the_post_mortem_is_offered() -> None:
    message = drawn(over(RunState.DONE, (LOOK, DONE), of=incident(Status.RESOLVED)))
    assert buttons(message) == {"Post-mortem": "iora:incident:postmortem"}


def test_a_step_that_is_still_under_way_when_the_run_is_over_is_named() -> None:
    started = {"state": StepState.STARTED}
    text = shown(drawn(over(RunState.CANCELLED, (PROBE, started))))
    assert "still at “Dump”: its result comes into the thread" in text


# Asking


def asking(state: StepState, **more: Any) -> Facts:
    return {"run": 5, "position": 1, "attempt": 1, "state": str(state), "reminded": 0} | more


def asked(one: Outlook, **facts: Any) -> Drawing:
    state = one.progress.steps[1].state
    return judge(fit(ask.ask(one, asking(state) | facts)), people=(*PEOPLE, CAROL))


def test_those_who_may_approve_are_asked_by_name_with_the_runs_own_buttons() -> None:
    one = at(OPEN, StepState.APPROVING, due_at=NOON + MINUTE)
    message = asked(one)
    assert message.text.startswith(
        f"<@{ALICE}> or <@{BOB}> or <@{CAROL}>: please approve or reject *“Open”* "
        "(RUN-5 step 2 of 3 on iora), until <!date^"
    )
    assert list(buttons(message)) == ["Approve", "Reject", "Preview"]
    assert message.text.count(f"<@{BOB}>") == shown(message).count(f"<@{BOB}>") == 1


def test_whoever_said_yes_is_not_asked_again() -> None:
    one = seen(
        (LOOK, DONE),
        (OPEN, {"state": StepState.APPROVING}),
        choices=(Choice(1, bob.text, 1, NOON),),
    )
    message = asked(one)
    assert f"<@{BOB}>" not in message.text
    assert f"1 of 2 approved: <@{BOB}>" in shown(message)


@pytest.mark.parametrize(
    ("commander", "items", "who"),
    [
        (None, {}, ALICE),
        (BOB, {}, BOB),
        (None, {"1": {"by": alice.text, "at": 1, "note": "", "owner": BOB}}, BOB),
    ],
)
def test_a_checklist_asks_its_owner_else_the_commander_else_the_starter(
    commander: str | None, items: Facts, who: str
) -> None:
    one = seen(
        (LOOK, DONE), (TELL, {"state": StepState.DOING, "output": {"items": items}}),
        of=incident(commander=commander),
    )  # fmt: skip
    message = asked(one)
    assert message.text.startswith(f"<@{who}>: please do *“Tell”*")
    assert list(buttons(message)) == ["Done", "Skip"]


def test_a_step_that_nobody_started_asks_whoever_is_here() -> None:
    one = seen((LOOK, DONE), (TELL, {"state": StepState.DOING}), by="bot")
    assert asked(one).text.startswith("Whoever is here: please do")


def test_a_login_is_named_and_no_mention() -> None:
    one = seen((LOOK, DONE), (TELL, {"state": StepState.DOING}), by="cli:carol")
    assert asked(one).text.startswith("carol: please do")


def test_a_reminder_says_so_and_the_asking_before_it_loses_its_buttons() -> None:
    one = at(TELL, StepState.DOING, output={"reminded": 1})
    newer = asked(one, reminded=1)
    assert newer.text.startswith(f"Reminder 1: <@{ALICE}>: please do")
    older = asked(one)
    assert older.text == "“Tell” was asked again: see the newer message."
    assert buttons(older) == {}


def test_an_action_of_which_nobody_knows_is_not_said_twice_to_be_unclear() -> None:
    reason = "nobody knows whether it was done: HTTP 502"
    message = asked(at(OPEN, StepState.STUCK, reason=reason))
    assert "*Nobody knows whether it was done*: HTTP 502. Look at the target first" in shown(
        message
    )


YES = Choice(1, bob.text, 1, NOON)
BY_BOB = {"by": bob.text, "ended_at": NOON}
AT_NOON = f"at <!date^{NOON // 1000}^{{time}}|15:06 UTC>"
ANSWERED = [
    (
        StepState.APPROVING,
        OPEN,
        {"state": StepState.OK, "output": {"text": "done (HTTP 200)"}},
        f"“Open”: approved by <@{BOB}> {AT_NOON}; done.",
    ),
    (
        StepState.APPROVING,
        OPEN,
        {"state": StepState.STARTED},
        f"“Open”: approved by <@{BOB}> {AT_NOON}; under way.",
    ),
    (
        StepState.APPROVING,
        OPEN,
        {"state": StepState.STUCK, "reason": "HTTP 502"},
        f"“Open”: approved by <@{BOB}> {AT_NOON}; unclear: HTTP 502.",
    ),
    (
        StepState.DOING,
        TELL,
        {"state": StepState.OK, "output": {"text": "all told"}} | BY_BOB,
        f"“Tell”: done by <@{BOB}> {AT_NOON}.",
    ),
    (
        StepState.DOING,
        TELL,
        {"state": StepState.SKIPPED, "reason": "skipped: no time"} | BY_BOB,
        f"“Tell”: skipped: no time by <@{BOB}> {AT_NOON}.",
    ),
    (
        StepState.ASKING,
        TELL,
        {"state": StepState.DOING, "output": {"agreed": True, "agreed_by": bob.text}},
        f"“Tell”: to be done, says <@{BOB}>.",
    ),
    (
        StepState.DOING,
        TELL,
        {"state": StepState.FAILED, "reason": "nobody did it in time", "ended_at": NOON},
        f"“Tell”: failed {AT_NOON}: nobody did it in time.",
    ),
]


@pytest.mark.parametrize(("state", "definition", "now", "words"), ANSWERED)
def test_an_answered_asking_says_who_and_when_without_buttons(
    state: StepState, definition: Mapping[str, Any], now: Mapping[str, Any], words: str
) -> None:
    choices = (YES,) if state is StepState.APPROVING else ()
    one = seen((LOOK, DONE), (definition, now), (CALM, {}), choices=choices)
    message = asked(one, state=str(state))
    assert message.text == shown(message) == words


def test_a_rejected_step_says_who_and_why() -> None:
    rejected = {"state": StepState.SKIPPED, "reason": "rejected: too risky"} | BY_BOB
    one = seen((LOOK, DONE), (OPEN, rejected), (CALM, {}))
    text = asked(one, state="approving").text
    assert text == f"“Open”: rejected: too risky by <@{BOB}> {AT_NOON}."


def test_an_expired_asking_says_that_nobody_answered_and_points_to_the_new_one() -> None:
    one = seen((LOOK, DONE), (OPEN, {"state": StepState.APPROVING, "attempt": 2}))
    assert asked(one, attempt=1).text == "“Open” was asked again: see the newer message."
    failed = {"state": StepState.FAILED, "reason": "nobody approved it in time"}
    one = seen((LOOK, DONE), (OPEN, failed), (CALM, {}))
    assert asked(one, state="approving").text == "“Open”: nobody approved it in time."


# Results


def outcome(state: str = "ok", **more: Any) -> Facts:
    known = {
        "run": "RUN-5", "target": "iora", "number": 3, "title": "Dump", "kind": "probe",
        "state": state, "text": "exit code 0", "reason": "", "by": None, "took": 12_000,
    }  # fmt: skip
    return known | more


def result(**more: Any) -> Drawing:
    return judge(fit(step.result(outcome(**more))))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("ok", "✓ *OK*"), ("failed", "✗ *FAILED*"), ("unknown", "? *UNKNOWN*"),
        ("stuck", "? *UNCLEAR*"), ("skipped", "\u2013 *SKIPPED*"),
    ],
)  # fmt: skip
def test_a_result_is_said_in_a_word_and_a_sign(state: str, words: str) -> None:
    message = result(state=state)
    assert shown(message).startswith(f"{words} *3. Dump* (12 s): exit code 0")
    said = "unclear" if state == "stuck" else state
    assert message.text == f"RUN-5: “Dump” {said} (12 s): exit code 0"


def test_what_a_probe_printed_is_a_code_block_that_nothing_in_it_ends() -> None:
    text = shown(result(stdout="a\n``` <!channel>\n````b"))
    assert "```\na\n\u02cb\u02cb\u02cb &lt;!channel&gt;\n\u02cb\u02cb\u02cb`b\n```" in text


def test_of_long_output_the_last_lines_are_shown_and_where_the_rest_is() -> None:
    long = "\n".join(f"line {number} <&>" for number in range(600))
    text = shown(result(stdout=long, stdout_cut=True))
    assert "line 599 &lt;&amp;&gt;\n```" in text
    assert "line 10 " not in text
    assert "The last lines; all of it: `iora run RUN-5 --json`" in text
    assert "all of it: output.txt, below" in shown(
        result(stdout=long, stdout_cut=True, files=["output.txt"])
    )
    assert "The last lines" not in shown(result(stdout="short"))


def test_findings_are_a_list_with_what_to_do() -> None:
    found = [
        {"text": "CPU 96 % of all cores", "recommendation": "Look at the threads"},
        {"text": "P95 910 ms", "recommendation": "", "explained_by": "cpu"},
    ]
    text = shown(result(kind="analyze", findings=found))
    assert "• CPU 96 % of all cores\n      Look at the threads" in text
    assert "• P95 910 ms (may come from the one before it)" in text


CAUSE = {
    "number": 0, "cause": "A hot loop", "solution": "Find it. P95 < 500 ms is the goal.",
    "because": "CPU 96 % > 90", "fits": "fits", "example": "\n".join(f"code {n}" for n in range(9)),
}  # fmt: skip


def test_a_cause_says_whether_it_fits_by_which_reading_and_what_to_do() -> None:
    text = shown(result(kind="advise", causes=[CAUSE]))
    assert "*FITS*: *A hot loop* (CPU 96 % &gt; 90)\nFind it. P95 &lt; 500 ms is the goal." in text
    assert "```\ncode 0\ncode 1\ncode 2\ncode 3\ncode 4\ncode 5\n```" in text
    assert "3 more lines: in the file below" in text


def test_the_example_of_a_cause_that_only_may_fit_is_left_out() -> None:
    text = shown(result(kind="advise", causes=[CAUSE | {"fits": "unknown"}]))
    assert "*MAY FIT*, not read: *A hot loop*" in text
    assert "```" not in text


def test_the_lines_of_a_checklist_are_told_with_their_owners() -> None:
    items = {
        "1": {"by": bob.text, "at": NOON, "note": "", "owner": None},
        "2": {"by": bob.text, "at": NOON, "note": "200 users", "owner": ALICE},
    }
    text = shown(result(kind="checklist", by=bob.text, items=items))
    assert f"• line 1, by <@{BOB}>\n• line 2: 200 users, by <@{BOB}> (owner <@{ALICE}>)" in text


def test_files_that_were_left_and_those_that_are_missing_are_named() -> None:
    text = shown(result(files=["heap.bin"], left_out={"core.1": "too big"}))
    assert "files: heap.bin | no core.1: too big" in text


def test_a_notice_keeps_its_authors_mentions_and_shows_who_sent_it() -> None:
    text = "<!channel> P95 < 500 ms; &lt;@U9&gt;"
    message = step.notice({"run": "RUN-5", "text": text, "by": alice.text})
    assert message.text == "<!channel> P95 &lt; 500 ms; &lt;@U9&gt;"
    assert f"RUN-5 | sent for <@{ALICE}>" in shown(message)


# The timeline, and the answers


NAMED = {"run": "RUN-5", "title": "Breaker", "target": "iora"}
SENTENCES = [
    ("run", {"what": "started", "reason": ""}, f"<@{BOB}> started RUN-5 (Breaker on iora)."),
    (
        "run",
        {"what": "cancelled", "reason": "cancelled: by hand"},
        f"<@{BOB}> cancelled RUN-5 (Breaker on iora): by hand.",
    ),
    (
        "run",
        {"what": "cancelled", "reason": "cancelled"},
        f"<@{BOB}> cancelled RUN-5 (Breaker on iora).",
    ),
    ("run", {"what": "done", "reason": ""}, "RUN-5 (Breaker on iora) is done."),
    (
        "step",
        {"state": "ok", "text": "CPU 12 %", "reason": "", "by": None},
        "RUN-5 “Breaker” ok: CPU 12 %.",
    ),
    (
        "step",
        {"state": "stuck", "text": "HTTP 502", "reason": "HTTP 502", "by": None},
        "RUN-5 “Breaker” unclear: HTTP 502.",
    ),
    (
        "step",
        {"state": "skipped", "text": "HTTP 200", "reason": "skipped: no relief", "by": bob.text},
        f"RUN-5 “Breaker” skipped (<@{BOB}>): HTTP 200; no relief.",
    ),
    (
        "step",
        {
            "state": "skipped",
            "text": "skipped: no relief",
            "reason": "skipped: no relief",
            "by": None,
        },
        "RUN-5 “Breaker” skipped: no relief.",
    ),
    (
        "approval",
        {"choice": "approved", "text": "1 of 2"},
        f"<@{BOB}> approved “Breaker” of RUN-5 (1 of 2).",
    ),
]


@pytest.mark.parametrize(("kind", "facts", "words"), SENTENCES)
def test_what_happens_to_a_run_is_a_sentence_on_the_timeline(
    kind: str, facts: Mapping[str, Any], words: str
) -> None:
    assert sentence(entry(kind, actor=bob.text, **NAMED, **facts)) == words


def test_whoever_starts_a_run_is_told_where_it_is() -> None:
    here = noted(seen((LOOK, {})), "start")
    assert here == "RUN-5 Breaker on iora has started, 1 step: its message is here."
    assert noted(seen((LOOK, {}), of=incident()), "start").endswith("in the thread of INC-7.")

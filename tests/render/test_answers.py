"""Answers: short and true in Slack, the same words in a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.model.answer import Answer, Refusal
from bot.model.incident import Entry, Status
from bot.model.message import Drawing
from bot.model.overview import Overview, Upcoming
from bot.model.reading import Verdict
from bot.model.words import WORDS
from bot.render import plain
from bot.render.answer import answer, refusal
from bot.render.blocks import fit, section
from bot.rules.statistics import summarize
from bot.rules.verdict import Said
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.drawings import buttons, judge, shown
from tests.support.health import ERRORS, HEALTHY, P95, SICK, health, reading, sick
from tests.support.incidents import alice, bob, entry, incident

MINUTE = 60_000


def drawn(kind: str, *, in_slack: bool = True, **facts: Any) -> Drawing:
    return answer(Answer(kind=kind, facts=facts), NOON, buttons=in_slack)


def seen(status: Status = Status.OPEN, *entries: Entry, **columns: Any) -> Overview:
    first = entry("declared", actor=alice.text, title="x", severity="sev2", targets=[])
    upcoming = Upcoming(NOON + 5 * MINUTE, (BOB,), channel=False) if status is Status.OPEN else None
    return Overview(incident(status, **columns), (first, *entries), (), upcoming, NOON + MINUTE)


def test_health_of_one_target_failures_first_with_value_bound_source_and_age() -> None:
    found = judge(drawn("health", targets=[SICK]))
    text = shown(found)
    assert text.splitlines()[:6] == [
        "*iora is UNHEALTHY*: CPU 96 % (critical above 90)",
        "*FAIL* CPU 96 % of all cores, critical above 90 (agent, 4 s ago)",
        "*FAIL* P95 910 ms, must be under 500 (40 samples, bot)",
        "*UNKNOWN* error rate: 4 polls in 5 min, at least 10 needed",
        "PASS memory 212 MB, under 256 (agent, 4 s ago)",
        "INFO coverage 87 %, over 85 (agent, 4 s ago)",
    ]
    assert '4 of 5 read | status word "ok"' in text
    assert found.text == "iora is UNHEALTHY: CPU 96 % (critical above 90)"
    assert list(buttons(found)) == ["Declare", "Diagnose", "Share"]


def test_a_healthy_target_is_not_to_be_declared() -> None:
    assert list(buttons(judge(drawn("health", targets=[HEALTHY])))) == ["Diagnose", "Share"]


def test_what_has_no_source_is_said_to_be_not_measured() -> None:
    text = shown(judge(drawn("health", targets=[HEALTHY])))
    assert "NOT MEASURED P95, under 500: no source in the config" in text


def test_the_first_words_say_that_the_rest_follows_and_have_no_buttons() -> None:
    found = judge(drawn("health", targets=[SICK], complete=False))
    assert "still reading, the rest follows here" in shown(found)
    assert buttons(found) == {}


def test_the_first_words_do_not_list_what_was_not_read_yet() -> None:
    late = replaced(SICK, verdict="unknown", reason="no answer yet after 0.7 s")
    text = shown(judge(drawn("health", targets=[late], complete=False)))
    assert "*iora is UNKNOWN*: no answer yet after 0.7 s" in text
    assert "CPU" not in text


def test_of_many_targets_the_worst_come_first_with_their_failures_only() -> None:
    down = health(target="db", word=Said(Verdict.DOWN, "nothing listens on db:5432", failed=True))
    fine = [health(target=f"fine-{number}") for number in range(3)]
    found = judge(drawn("health", targets=[*fine, SICK, down]))
    assert shown(found).splitlines()[:2] == [
        "*db DOWN*: nothing listens on db:5432",
        "*iora UNHEALTHY*: CPU 96 % (critical above 90); P95 910 ms (must be under 500)",
    ]
    assert found.text.startswith("db is DOWN: nothing listens")
    assert "PASS" not in shown(found)


def test_of_more_targets_than_a_message_shows_the_rest_is_counted() -> None:
    found = judge(drawn("health", targets=[health(target=f"t{n}") for n in range(100)]))
    assert "60 more targets are not shown" in shown(found)


def test_a_baseline_shows_every_bound() -> None:
    found = judge(drawn("baseline", targets=[SICK, HEALTHY]))
    text = shown(found)
    assert "iora: baseline" in text
    assert "PASS memory 212 MB, under 256 (agent, 4 s ago)" in text
    assert "CPU 96 % (critical above 90)" in found.text
    assert "error rate unknown" in found.text


def test_the_share_button_carries_whole_marks_only_the_worst_first() -> None:
    many = [health(P95, target=f"{'t' * 50}-{number:02}") for number in range(40)]
    down = Said(Verdict.DOWN, "refused", failed=True)
    found = drawn("health", targets=[*many, health(P95, target="worst", word=down)])
    share = next(one for one in found.blocks[-1]["elements"] if one["text"]["text"] == "Share")
    marks = share["value"].split(",")
    assert marks[0] == f"worst@{NOON}"
    assert len(marks) > 20
    assert {mark.partition("@")[2] for mark in marks} == {str(NOON)}, "no time is cut"


def test_the_baselines_of_many_targets_still_make_a_valid_message() -> None:
    judge(drawn("baseline", targets=[replaced(SICK, target=f"t{n}") for n in range(60)]))


def replaced(facts: Any, **known: Any) -> dict[str, Any]:
    return {**facts, **known}


DONE = {
    "declared": "INC-7 declared: SEV2 API slow.",
    "acknowledged": "INC-7 is yours, nobody else is told: SEV2 API slow.",
    "mitigated": "INC-7 is mitigated: SEV2 API slow.",
    "reopened": "INC-7 is open again: SEV2 API slow.",
    "note": "INC-7 has your note: SEV2 API slow.",
    "escalated": "INC-7 goes to the next level now: SEV2 API slow.",
}


def test_a_part_that_was_given_names_the_person() -> None:
    given = entry("assigned", actor=alice.text, person=BOB, role="scribe")
    found = judge(drawn("done", done="assigned", fresh=True, overview=seen(Status.OPEN, given)))
    assert found.text == f"INC-7: <@{BOB}> is scribe now: SEV2 API slow."


def test_an_update_repeats_what_was_understood() -> None:
    said = entry("updated", actor=alice.text, impact="checkout <fails>", started_at=NOON)
    found = judge(drawn("done", done="updated", fresh=True, overview=seen(Status.OPEN, said)))
    assert found.text.startswith(
        "INC-7 is updated: impact: checkout &lt;fails&gt;; it began <!date^"
    )


@pytest.mark.parametrize("kind", DONE)
def test_what_was_done_is_one_sentence(kind: str) -> None:
    found = judge(drawn("done", done=kind, fresh=True, overview=seen()))
    assert found.text.startswith(DONE[kind])


def test_a_declare_says_who_is_told_next() -> None:
    found = judge(drawn("done", done="declared", fresh=True, overview=seen()))
    assert f"Next: <@{BOB}> at" in shown(found)


def test_a_declare_that_was_typed_again_says_so() -> None:
    found = judge(drawn("done", done="declared", fresh=False, overview=seen()))
    assert "was declared by you a moment ago" in found.text


def test_a_resolve_says_how_long_it_took() -> None:
    found = judge(drawn("done", done="resolved", fresh=True, overview=seen(Status.RESOLVED)))
    assert found.text.endswith("It took 3 min.")


def test_a_refusal_carries_its_remedy() -> None:
    found = judge(refusal(Refusal("You may not resolve INC-7.", f"Who may: <@{BOB}>.")))
    assert found.text == f"You may not resolve INC-7. Who may: <@{BOB}>."


def test_show_is_the_card_and_in_a_terminal_it_has_no_buttons() -> None:
    assert "Acknowledge" in buttons(judge(drawn("show", overview=seen())))
    assert buttons(drawn("show", in_slack=False, overview=seen())) == {}


def test_the_list_names_each_incident() -> None:
    found = judge(
        drawn(
            "incidents",
            which="all",
            more=True,
            overviews=[seen(title="API slow"), seen(Status.RESOLVED, id=6, title="DB down")],
        )
    )
    text = shown(found)
    assert "2 incidents (all)" in text
    assert "*INC-7* SEV2 OPEN: API slow (open for 60 s, commander nobody)" in text
    assert "*INC-6* SEV2 RESOLVED: DB down (took 3 min" in text
    assert "There are more" in text
    assert "API slow" in found.text
    assert "DB down" in found.text


NONE = {
    "open": "No incident is open.",
    "mine": "No open incident has you as commander.",
    "resolved": "No resolved incident is found.",
    "all": "No incident is found.",
}


def test_an_empty_list_says_so() -> None:
    nothing = {
        which: drawn("incidents", which=which, more=False, overviews=[]).text for which in NONE
    }
    assert nothing == NONE


def test_a_long_list_of_long_titles_is_a_valid_message_that_says_what_is_missing() -> None:
    many = [seen(id=number, title="&" * 200) for number in range(30)]
    found = judge(drawn("incidents", which="open", more=False, overviews=many))
    assert "There are more" in shown(found)


def noted(count: int, text: str = "looked at the pool, nothing there") -> list[Entry]:
    return [
        entry("note", seq=number, actor=bob.text, text=f"{number}: {text}")
        for number in range(2, count + 2)
    ]


def test_a_timeline_is_read_in_order() -> None:
    found = judge(drawn("timeline", overview=seen(Status.OPEN, *noted(2))))
    text = shown(found)
    assert text.index("declared SEV2") < text.index("noted: 2:") < text.index("noted: 3:")
    assert found.text.startswith("INC-7: 3 entries, the last: <!date^")
    assert found.text.endswith("noted: 3: looked at the pool, nothing there")


@pytest.mark.parametrize("text", ["looked at the pool " * 20, "&" * 2_000], ids=["long", "hostile"])
def test_of_a_long_timeline_the_newest_are_shown_and_the_rest_is_counted(text: str) -> None:
    found = judge(drawn("timeline", overview=seen(Status.OPEN, *noted(200, text))))
    assert "noted: 201:" in shown(found)
    assert "older entries: `iora timeline INC-7` has all" in shown(found)


def test_in_a_terminal_a_timeline_is_whole() -> None:
    found = drawn("timeline", in_slack=False, overview=seen(Status.OPEN, *noted(200)))
    lines = plain.text(found)
    assert all(f"noted: {number}: looked" in lines for number in range(2, 202))
    assert "older entries" not in lines


def test_statistics_are_told_in_the_text_too() -> None:
    found = [incident(Status.RESOLVED), incident(Status.RESOLVED, time_to_resolve=300_000)]
    drawing = judge(drawn("stats", window=30 * 86_400_000, **summarize(found)))
    assert drawing.text.startswith("2 incidents in 30 d")
    assert "median 4 min, P90 5 min (2)" in shown(drawing)
    assert "4 min" in drawing.text
    nothing = judge(drawn("stats", window=86_400_000, **summarize([])))
    assert nothing.text == "0 incidents in 24 h"


def test_the_doctor_names_what_is_bad_in_the_text() -> None:
    lines = [
        {"state": "ok", "what": "the database answers", "fix": ""},
        {"state": "bad", "what": "no scope chat:write <x>", "fix": "add it & reinstall"},
    ]
    found = judge(drawn("doctor", lines=lines))
    assert "1 of 2 checks" in found.text
    assert "no scope chat:write &lt;x&gt;" in found.text
    assert "Fix: add it &amp; reinstall" in shown(found)
    well = judge(drawn("doctor", lines=lines[:1]))
    assert well.text == "The bot is well"


def test_help_names_every_command_and_one_topic_of_it() -> None:
    found = judge(drawn("help", topic=""))
    text = shown(found)
    assert all(word.usage in text for word in WORDS)
    assert all(word.word in found.text for word in WORDS)
    one = judge(drawn("help", topic="declare"))
    assert one.text.startswith("`/iora declare [sev1..sev4]")
    assert judge(drawn("help", topic="nothing")) == found


def test_a_terminal_gets_plain_words_without_marks() -> None:
    text = plain.text(drawn("health", in_slack=False, targets=[SICK]))
    assert text.splitlines()[0] == "iora is UNHEALTHY: CPU 96 % (critical above 90)"
    assert "FAIL CPU 96 % of all cores" in text
    for mark in ("*", "<", "&lt;"):
        assert mark not in text
    shown_one = plain.text(drawn("show", in_slack=False, overview=seen(title="a <b> & c")))
    assert "a <b> & c" in shown_one
    assert f"@{ALICE}" not in shown_one


def test_json_has_the_incidents_columns_targets_and_timeline() -> None:
    given = Answer(kind="show", facts={"overview": seen(Status.OPEN, *noted(1))})
    found = plain.json_of(given)
    assert {"id", "title", "severity", "status", "targets", "timeline", "started_at"} <= set(found)
    assert [one["kind"] for one in found["timeline"]] == ["declared", "note"]
    assert plain.json_of(Refusal("no", "do that")) == {"refused": "no", "remedy": "do that"}


WORDS_FROM_OUTSIDE = st.one_of(
    st.sampled_from(["<!channel>", "&" * 3_000, "<" * 3_000, "x" * 9_000, "\u202e", "\n\n", ""]),
    st.text(max_size=200),
)


@limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS_FROM_OUTSIDE, min_size=1, max_size=45))
def test_whatever_targets_and_people_say_answers_are_valid_and_mention_nobody(
    words: list[str],
) -> None:
    targets = [sick(text, target=f"t{number}") for number, text in enumerate(words)]
    incidents = [
        seen(id=number, title=text or "x", impact=text) for number, text in enumerate(words)
    ]
    lines = [{"state": "bad", "what": text, "fix": text} for text in words]
    entries = [entry("note", seq=n, actor="cli:x", text=text) for n, text in enumerate(words, 2)]
    judge(drawn("health", targets=targets))
    judge(drawn("baseline", targets=targets))
    judge(drawn("incidents", which="open", more=True, overviews=incidents))
    judge(drawn("doctor", lines=lines))
    judge(drawn("timeline", overview=seen(Status.OPEN, *entries)))
    for kind in DONE:
        judge(drawn("done", done=kind, fresh=True, overview=incidents[0]))


def test_what_does_not_fit_is_cut_from_the_end_and_the_last_block_stays() -> None:
    blocks = [section(f"{number}" * 3_000) for number in range(9)]
    last = {"type": "actions", "elements": []}
    found = fit(Drawing("x" * 9_000, (*blocks, last)))
    assert [block["text"]["text"][0] for block in found.blocks[:-1]] == ["0", "1", "2", "3"]
    assert found.blocks[-1] == last
    assert len(found.text) == 4_000
    many = fit(Drawing("x", (*[section("a")] * 80, last)))
    assert len(many.blocks) == 50
    assert many.blocks[-1] == last


@pytest.mark.parametrize("piece", [f"<@{BOB}> ", "<!date^1750000000^{time}|15:06 UTC> ", "&amp;"])
@pytest.mark.parametrize("before", range(8))
def test_a_paragraph_that_is_too_long_is_never_cut_within_a_token(piece: str, before: int) -> None:
    text = "x" * before + piece * 1_000
    (cut,) = judge(Drawing("x", [section(text)])).blocks
    assert 2_900 < len(cut["text"]["text"]) <= 3_000
    assert not re.search(r"&[a-z]*…", cut["text"]["text"])


def test_what_fits_is_left_as_it_is() -> None:
    whole = Drawing("x", [section("a"), section("b")])
    assert fit(whole) == whole
    assert replace(whole, text="y") != whole
    assert P95.value is not None
    assert ERRORS.value is None
    assert reading("cpu_percent", 1, "%").value == 1

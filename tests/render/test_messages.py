"""The card, the pings, the thread: what people read, and nothing that bites."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.model.attempt import Attempt
from bot.model.incident import Entry, Severity, Status
from bot.model.message import Drawing, Message, State
from bot.model.overview import Overview, Ping, Upcoming
from bot.render.card import card
from bot.render.entry import line, reply, sentence
from bot.render.message import draw, plain_words
from bot.render.ping import ping
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB, MALLORY
from tests.support.drawings import buttons, judge, shown
from tests.support.health import HEALTHY, SICK, sick
from tests.support.incidents import alice, bob, entry, incident, mallory

MINUTE = 60_000
EVIDENCE = entry("evidence", seq=2, at=NOON + 2_000, healths=[SICK])


def overview(
    status: Status = Status.OPEN,
    *entries: Entry,
    pings: tuple[Ping, ...] = (),
    upcoming: Upcoming | None = None,
    **columns: Any,
) -> Overview:
    declared = entry(
        "declared", actor=alice.text, title="API slow", severity="sev2", targets=["iora"]
    )
    return Overview(
        incident(status, **columns), (declared, *entries), pings, upcoming, NOON + 6 * MINUTE
    )


def paged(
    person: str, state: State = State.SENT, minute: float = 0, error: str | None = None
) -> Ping:
    at = NOON + round(minute * MINUTE)
    return Ping(person, state, at, at if state is State.SENT else None, error)


NEXT = Upcoming(NOON + 15 * MINUTE, (BOB,), channel=False)


def test_an_open_card_has_all_that_a_tired_person_needs() -> None:
    seen = overview(
        Status.OPEN, EVIDENCE, pings=(paged(ALICE),), upcoming=NEXT, impact="checkout fails"
    )
    drawn = judge(card(seen))
    text = shown(drawn)
    assert text.startswith("SEV2 INC-7 API slow\n*OPEN* since ")
    for words in (
        "impact: checkout fails",
        "*Commander:* nobody",
        "*Targets:* iora",
        f"*Next:* <@{BOB}> at <!date^",
        "if nobody acknowledges",
        "CPU 96 % (critical above 90)",
        f"<@{ALICE}> paged, delivered",
    ):
        assert words in text
    assert next(iter(buttons(drawn))) == "Acknowledge"


BUTTONS = {
    Status.OPEN: ["Acknowledge"],
    Status.ACKNOWLEDGED: ["Mitigated", "Resolve"],
    Status.MITIGATED: ["Resolve", "Reopen"],
    Status.RESOLVED: ["Post-mortem", "Reopen"],
}


@pytest.mark.parametrize("status", list(Status))
def test_the_cards_buttons_are_those_that_make_sense_now_and_hit_its_incident(
    status: Status,
) -> None:
    drawn = judge(card(overview(status)))
    pressed = {label: what for label, what in buttons(drawn).items() if what.startswith("iora:")}
    assert list(pressed) == BUTTONS[status]
    (row,) = [block for block in drawn.blocks if block["type"] == "actions"]
    primary = [one for one in row["elements"] if one.get("style") == "primary"]
    assert len(primary) == 1
    for element in row["elements"]:
        assert re.fullmatch(r"iora:[a-z]+:[a-z]+", element["action_id"])
        values = [element.get("value"), *(one["value"] for one in element.get("options", ()))]
        assert all(value.endswith("INC-7") for value in values if value)


@pytest.mark.parametrize("status", list(Status))
def test_the_cards_text_alone_tells_all_of_it(status: Status) -> None:
    seen = overview(status, EVIDENCE, upcoming=NEXT, impact="checkout fails", commander=BOB)
    text = card(seen).text
    for words in (
        "INC-7",
        "SEV2",
        status.upper(),
        "API slow",
        "iora",
        "checkout fails",
        "CPU 96 %",
    ):
        assert words in text
    if status is Status.RESOLVED:
        assert "resolved after 3 min" in text
    else:
        assert f"commander: <@{BOB}>" in text
        assert f"next: <@{BOB}> at" in text


def test_a_drill_is_marked_in_the_heading_and_in_the_text() -> None:
    drawn = judge(card(overview(drill=True)))
    assert shown(drawn).startswith("DRILL SEV2 INC-7")
    assert drawn.text.startswith("DRILL ")


def test_a_resolved_card_says_how_long_each_part_took() -> None:
    text = shown(judge(card(overview(Status.RESOLVED))))
    assert "*RESOLVED* after 3 min" in text
    assert "to acknowledge 60 s, to mitigate 2 min, to resolve 3 min" in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.WAITING, "is being paged"),
        (State.SENDING, "is being paged"),
        (State.UNSURE, "is being paged"),
        (State.SENT, "paged, delivered"),
        (State.REFUSED, "can't be reached*: user_not_found"),
        (State.WITHDRAWN, "not paged any more"),
    ],
)
def test_the_card_says_what_became_of_each_ping(state: State, words: str) -> None:
    text = shown(judge(card(overview(pings=(paged(BOB, state, error="user_not_found"),)))))
    assert f"<@{BOB}> " in text
    assert words in text


def test_the_card_says_that_the_last_resort_was_told() -> None:
    told = entry(
        "escalation",
        seq=3,
        stage="last_resort",
        number=0,
        levels=[],
        notify=[],
        people=[],
        nobody=[],
        reason="last resort",
    )
    assert "Everyone was told, nobody has acknowledged" in shown(
        judge(card(overview(Status.OPEN, told)))
    )
    assert "nobody has acknowledged" not in shown(
        judge(card(overview(Status.ACKNOWLEDGED, told)))
    ), "it was answered since"


def facts(
    stage: str = "level", number: int = 0, reason: str = "declared", minute: float = 0
) -> Any:
    at = NOON + round(minute * MINUTE)
    return {
        "person": BOB,
        "entry": 3,
        "at": at,
        "stage": stage,
        "number": number,
        "reason": reason,
    }


LATE = facts(number=2, reason="open for 15 min, nobody has acknowledged", minute=15)


def test_a_ping_says_what_why_you_what_to_do_and_who_is_next() -> None:
    upcoming = Upcoming(NOON + 30 * MINUTE, (ALICE,), channel=False)
    drawn = judge(
        ping(overview(Status.OPEN, EVIDENCE, pings=(paged(ALICE),), upcoming=upcoming), LATE)
    )
    text = shown(drawn)
    for words in (
        "SEV2 INC-7 API slow",
        f"<@{ALICE}> was paged at <!date^",
        "and has not answered",
        "CPU 96 % (critical above 90)",
        "Do: acknowledge and look. Evidence is saved; restarting loses nothing.",
        f"Level 3 of 3 | next: <@{ALICE}> at",
    ):
        assert words in text
    assert list(buttons(drawn)) == ["Acknowledge", "Hand over", "Open INC-7"]


def test_a_pings_text_alone_is_enough_to_wake_up_to() -> None:
    text = judge(ping(overview(Status.OPEN, EVIDENCE), LATE)).text
    assert text.startswith(
        "INC-7 SEV2: API slow. Open for 15 min, nobody has acknowledged. At <!date^"
    )
    assert "iora UNHEALTHY: CPU 96 % (critical above 90)" in text


WHY = {
    "Declared.": facts(),
    "Reopened.": facts(reason="reopened"),
    "Open for 5 min, nobody has acknowledged.": facts(
        number=1, reason="open for 5 min, nobody has acknowledged", minute=5
    ),
    "Open for 30 min. Still nobody has acknowledged (repeat 1 of 3).": facts(
        "repeat", 0, "still nobody has acknowledged (repeat 1 of 3)", 30
    ),
    "Open for 2 h. Last resort: nobody has acknowledged.": facts(
        "last_resort", 1, "last resort: nobody has acknowledged", 120
    ),
}


@pytest.mark.parametrize("words", WHY)
def test_why_it_is_told_and_for_how_long_it_is_open_are_said_once(words: str) -> None:
    assert ping(overview(), WHY[words]).text == f"INC-7 SEV2: API slow. {words}"


def test_there_is_no_resolve_in_a_ping() -> None:
    """A mis-tap at night."""
    for drawn in (ping(overview(), facts()), ping(overview(Status.ACKNOWLEDGED), facts())):
        assert "iora:incident:resolve" not in buttons(drawn).values()


def test_whoever_could_not_be_reached_is_not_said_to_have_stayed_silent() -> None:
    seen = overview(pings=(paged(ALICE, State.REFUSED), paged(MALLORY, State.WITHDRAWN)))
    text = shown(judge(ping(seen, LATE)))
    assert "not answered" not in text
    assert "You are told: open for 15 min" in text


def test_only_earlier_pings_since_the_opening_count_as_unanswered() -> None:
    seen = overview(
        pings=(paged(ALICE, minute=-5), paged(MALLORY, minute=20), paged(BOB, minute=5)),
    )
    assert "not answered" not in shown(ping(seen, LATE))


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED])
def test_after_an_answer_every_copy_of_a_ping_says_who_gave_it(status: Status) -> None:
    done = entry(str(status), seq=4, actor=bob.text, text="", took=3 * MINUTE)
    drawn = judge(ping(overview(status, done), LATE))
    assert drawn.text.startswith(f"INC-7 SEV2 is {status}: <@{BOB}>")
    assert list(buttons(drawn)) == ["Open INC-7"]


def test_a_possible_repeat_is_said_first() -> None:
    drawn = judge(ping(overview(), facts(), repeated=True))
    assert drawn.text.startswith("(possible repeat) INC-7 SEV2")


SENTENCES = {
    "declared": (
        {"title": "API slow", "severity": "sev2", "targets": ["iora"]},
        "declared SEV2 *API slow* on iora.",
    ),
    "acknowledged": ({}, "acknowledged."),
    "assigned": ({"person": BOB, "role": "scribe"}, f"made <@{BOB}> scribe."),
    "severity": ({"from": "sev2", "to": "sev1"}, "changed the severity from sev2 to sev1."),
    "mitigated": ({"text": "breaker"}, "mitigated it: breaker"),
    "resolved": ({"text": "", "took": 180_000}, "resolved it after 3 min."),
    "reopened": ({"text": ""}, "reopened it."),
    "escalated": ({"text": "stuck"}, "asked for the next level: stuck"),
    "note": ({"text": "look"}, "noted: look"),
    "updated": (
        {"impact": "checkout", "title": "API"},
        "updated: the title is now *API*; impact: ",
    ),
    "refused": (
        {"command": "resolve", "reason": "You may not resolve INC-7."},
        "was refused `resolve`: You may not resolve INC-7.",
    ),
    "escalation": (
        {
            "people": [BOB, ALICE],
            "groups": {"db & co": [ALICE]},
            "notify": ["channel", f"user:{BOB}", "group:db & co"],
            "nobody": ["group:x"],
            "reason": "declared",
            "stage": "level",
            "number": 0,
            "levels": [0],
        },
        (
            f"Told <@{BOB}> and the group db &amp; co (<@{ALICE}>) and the channel: declared. "
            "Nobody is behind group:x."
        ),
    ),
    "unreached": (
        {"person": BOB, "reason": "user_not_found"},
        f"<@{BOB}> can't be reached in Slack: `user_not_found`.",
    ),
    "deployed": (
        {"target": "iora", "title": "v1 <!here>", "source": "cli:ci", "at": 0, "before": 720_000},
        "Deployed 12 min before: v1 &lt;!here&gt; on iora by ci (command line).",
    ),
    "cleared": (
        {
            "rule": "down",
            "target": "iora",
            "because": ["verdict is degraded, not down (error rate 26 %)"],
            "lost": False,
        },
        "What was found on iora is over: verdict is degraded, not down (error rate 26 %).",
    ),
    "postmortem": (
        {
            "file": "postmortems/INC-7-2.md",
            "kept": "INC-7.md",
            "sections": 9,
            "entries": 12,
            "charts": 1,
            "live": False,
        },
        "9 sections, 12 entries, 1 chart; kept as `postmortems/INC-7-2.md`. `INC-7.md` was edited",
    ),
    "regression": (
        {
            "what": "began",
            "target": "iora",
            "metric": "memory_mb",
            "unit": "MB",
            "changes": [{"method": "guide", "degradation": 0.22}],
            "severity": "moderate",
        },
        "Regression on iora: memory is 22 % worse than its baseline.",
    ),
    "evidence": ({"healths": [SICK]}, "Evidence: iora UNHEALTHY: CPU 96 % (critical above 90)"),
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_every_entry_is_a_sentence(kind: str) -> None:
    known, words = SENTENCES[kind]
    found = entry(kind, actor=alice.text, **known)
    assert words in sentence(found)
    assert line(found).startswith("<!date^")
    drawn = judge(reply(incident(), found))
    assert drawn.text == f"INC-7: {sentence(found)}"


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        (mallory.text, f"<@{MALLORY}> noted"),
        ("cli:ops", "ops (command line) noted"),
        ("bot", "The bot noted"),
        ("cli:<!channel>", "&lt;!channel&gt; (command line) noted"),
    ],
)
def test_who_did_it(actor: str, words: str) -> None:
    assert sentence(entry("note", actor=actor, text="x")).startswith(words)


def message(kind: str, **known: Any) -> Message:
    values: dict[str, Any] = {
        "id": 1,
        "key": "k",
        "kind": kind,
        "incident_id": 7,
        "destination": "channel:incidents",
        "via": "slack",
        "parent_id": None,
        "page": False,
        "facts": {},
        "revision": 1,
        "delivered": 0,
        "state": State.WAITING,
        "due_at": NOON,
        "sending_at": None,
        "lookup_failed_at": None,
        "attempts": 0,
        "channel": None,
        "ts": None,
        "sent_at": None,
        "error": None,
    }
    return Message(**(values | known))


MESSAGES = {
    "card": {},
    "entry": {"seq": 1},
    "ping": facts(),
    "assigned": {"person": BOB, "role": "scribe", "by": alice.text},
    "test": {"person": BOB},
}


def drawn(kind: str, seen: Overview, **known: Any) -> Drawing:
    found = message(kind, facts=MESSAGES[kind])
    return draw(Attempt(found, "post", seen, seen.entries[0], None, **known))


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("status", list(Status))
def test_every_kind_of_message_is_drawn_in_every_status(kind: str, status: Status) -> None:
    done = [
        entry(kind, seq=number, actor=bob.text, text="", took=1)
        for number, kind in enumerate(("acknowledged", "mitigated", "resolved"), 5)
    ]
    text = judge(drawn(kind, overview(status, *done))).text
    if kind != "test":
        assert "INC-7" in text


@pytest.mark.parametrize("kind", MESSAGES)
def test_where_drawing_fails_plain_words_still_say_what_matters(kind: str) -> None:
    words = plain_words(Attempt(message(kind), "post", overview(), None, None))
    assert words.text == "INC-7 SEV2 is open. See /iora show INC-7"
    assert plain_words(Attempt(message(kind), "post", None, None, None)).text


# Text from outside, at its worst.

NASTY = st.one_of(
    st.sampled_from(
        [
            "<!channel>",
            "<!here|here>",
            "<@U01ALICE>",
            "<https://evil.example|click>",
            "&" * 10_000,
            "<" * 10_000,
            "x" * 10_000,
            "👩🏽‍🚒" * 3_000,
            "\u202eabc\u2066",
            "&lt;!channel&gt;",
            "*bold* _x_ `code` ~y~",
            "```",
            "\n\n\n",
            " ",
            "\x1b[31m",
            "\ud800",
            "<!date^1^{time}|x>",
            "<!subteam^S01>",
            "a\x00b",
            "xoxb-12345678901-abcdefghij",
        ]
    ),
    st.text(max_size=300),
)


@st.composite
def hostile(draw: st.DrawFn) -> Overview:
    """An incident in which everything that people or targets say is hostile."""
    text = lambda: draw(NASTY)  # noqa: E731 - short for what is said a dozen times
    status = draw(st.sampled_from(list(Status)))
    entries = [
        entry("note", seq=2, actor=mallory.text, text=text()),
        entry("updated", seq=3, actor=mallory.text, title=text(), impact=text()),
        entry("assigned", seq=4, actor=mallory.text, person=BOB, role=text()),
        entry("unreached", seq=5, person=BOB, reason=text()),
        entry("evidence", seq=6, healths=[sick(text()), sick(text())]),
        entry("mitigated", seq=7, actor=mallory.text, text=text()),
        entry("resolved", seq=8, actor=mallory.text, text=text(), took=1),
        entry("reopened", seq=9, actor=f"cli:{text()}", text=text()),
    ]
    pings = tuple(paged(person, State.REFUSED, error=text()) for person in (ALICE, BOB, MALLORY))
    seen = overview(
        status,
        *entries,
        pings=pings,
        upcoming=NEXT,
        title=text() or "x",
        impact=text(),
        severity=draw(st.sampled_from(list(Severity))),
        targets=tuple(f"target-{number:050}" for number in range(draw(st.integers(0, 60)))),
    )
    declared = replace(
        seen.entries[0], facts={"title": text(), "severity": "sev2", "targets": ["iora"]}
    )
    return replace(seen, entries=(declared, *seen.entries[1:]))


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hostile())
def test_no_text_from_outside_mentions_anybody_or_makes_an_invalid_message(seen: Overview) -> None:
    for kind in MESSAGES:
        judge(drawn(kind, seen))
        judge(drawn(kind, seen, repeated=True))
    for found in seen.entries:
        judge(draw(Attempt(message("entry"), "post", seen, found, None)))
        assert "xoxb-12345678901" not in sentence(found)
    everything = drawn("card", seen)
    assert "xoxb-12345678901" not in everything.text + shown(everything)


def test_a_healthy_target_is_evidence_too() -> None:
    kept = entry("evidence", seq=2, healths=[HEALTHY])
    assert "iora HEALTHY" in shown(card(overview(Status.OPEN, kept)))

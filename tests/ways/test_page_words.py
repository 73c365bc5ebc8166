"""What a ping says by another way: plain words, the reader's own time, names instead of ids."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.model.actor import Actor
from bot.model.incident import Entry, Severity, Status
from bot.model.message import Message, State
from bot.model.overview import Overview, Ping, Upcoming
from bot.model.way import Contact, Page, incident_in, thread_of
from bot.render.way import page
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.health import HEALTHY, SICK
from tests.support.incidents import alice, entry, incident

MINUTE = 60_000
EVIDENCE = entry("evidence", seq=2, at=NOON + 2_000, healths=[SICK])
CONTACTS = {
    ALICE: Contact(name="Alice"),
    BOB: Contact(name="Bob", email="bob@example.com", timezone="Europe/Berlin"),
}


def overview(status: Status = Status.OPEN, *entries: Entry, **columns: Any) -> Overview:
    declared = entry(
        "declared", actor=alice.text, title="API slow", severity="sev2", targets=["iora"]
    )
    paged = Ping(ALICE, State.SENT, NOON, NOON, None)
    upcoming = Upcoming(NOON + 15 * MINUTE, (ALICE,), channel=False)
    return Overview(
        incident(status, **columns), (declared, *entries), (paged,), upcoming, NOON + 6 * MINUTE
    )


def ping(**facts: Any) -> Message:
    known: dict[str, Any] = {
        "person": BOB,
        "entry": 12,
        "at": NOON + 5 * MINUTE,
        "stage": "level",
        "number": 1,
        "reason": "open for 5 min, nobody has acknowledged",
        "called": False,
    }
    return Message(
        id=1, key="ping:7:12:U02BOB", kind="ping", incident_id=7, destination=f"user:{BOB}",
        via="mail", parent_id=None, page=True, facts=known | facts, revision=1, delivered=0,
        state=State.WAITING, due_at=NOON, sending_at=None, lookup_failed_at=None, attempts=0,
        channel=None, ts=None, sent_at=None, error=None,
    )  # fmt: skip


def told(seen: Overview, **more: Any) -> Page:
    return page(seen, ping(), house="T01TEAM", **({"contacts": CONTACTS} | more))


def test_a_page_says_what_why_who_else_and_how_to_answer():
    text = told(overview(Status.OPEN, EVIDENCE), link="https://acme.slack.com/x").text
    assert text.splitlines() == [
        "SEV2 INC-7 API slow",
        (
            "Alice was paged at 17:06 CEST and has not answered. At 17:06 CEST: iora UNHEALTHY: CPU"
            " 96 % (critical above 90), P95 910 ms (must be under 500), memory 212 MB."
        ),
        "Do: acknowledge and look. Evidence is saved; restarting loses nothing.",
        "Level 2 of 3 | next: Alice at 17:21 CEST if nobody acknowledges",
        "",
        "To answer: /iora ack INC-7 in Slack.",
        "",
        "https://acme.slack.com/x",
    ]


def test_it_carries_what_the_other_ways_need():
    seen = told(overview(Status.OPEN, EVIDENCE), link="https://acme.slack.com/x")
    assert (seen.key, seen.thread, seen.incident) == (
        "ping:7:12:U02BOB",
        "iora:T01TEAM:INC-7",
        "INC-7",
    )
    assert (seen.person, seen.address, seen.at) == (BOB, "bob@example.com", NOON + 5 * MINUTE)
    assert (seen.severity, seen.targets, seen.drill) == (Severity.SEV2, ("iora",), False)
    assert seen.readings["iora CPU"] == "96 %"
    assert seen.readings["iora error rate"] == "unknown: 4 polls in 5 min, at least 10 needed"


def test_the_newest_evidence_counts():
    newer = entry("evidence", seq=3, at=NOON + MINUTE, healths=[HEALTHY])
    assert told(overview(Status.OPEN, EVIDENCE, newer)).readings["iora CPU"] == "42 %"
    assert told(overview()).readings == {}


def test_times_are_in_the_readers_zone_and_utc_where_it_is_not_known():
    seen = overview(Status.OPEN, EVIDENCE)
    assert "at 17:06 CEST" in told(seen).text
    assert "at 15:06 UTC" in told(seen, contacts={}).text


def test_people_are_called_by_their_names_where_these_are_known():
    seen = overview()
    assert "Alice was paged" in told(seen).text
    assert f"@{ALICE} was paged" in told(seen, contacts={}).text
    odd = {ALICE: Contact(name="A & <b>")}
    assert "A & <b> was paged" in told(seen, contacts=odd).text


def test_after_an_acknowledgement_it_says_who_did_it_and_asks_for_nothing():
    done = entry("acknowledged", seq=3, at=NOON + 6 * MINUTE, actor=alice.text)
    text = told(overview(Status.ACKNOWLEDGED, done)).text
    assert "ACKNOWLEDGED: Alice acknowledged" in text
    assert "/iora ack" not in text
    by_pagerduty = entry(
        "acknowledged", seq=3, at=NOON, actor=Actor.pagerduty("Carol <!channel>").text
    )
    text = told(overview(Status.ACKNOWLEDGED, by_pagerduty)).text
    assert "Carol !channel (PagerDuty) acknowledged" in text


def test_what_goes_on_after_an_acknowledgement_is_answered_by_a_word_that_is_not_refused():
    seen = overview(Status.ACKNOWLEDGED, entry("acknowledged", seq=3, actor=alice.text))
    quiet = page(seen, ping(unanswered=True), house="T01TEAM", contacts=CONTACTS)
    assert quiet.text.endswith("To answer in Slack: /iora note INC-7 I am on it")
    joins = page(seen, ping(called=True), house="T01TEAM", contacts=CONTACTS)
    assert joins.text.endswith("To answer in Slack: /iora note INC-7 I am on it")


def test_a_drill_and_a_possible_repeat_are_marked():
    seen = overview(drill=True)
    assert told(seen).subject == "[DRILL SEV2] INC-7 API slow"
    assert told(seen).text.startswith("DRILL SEV2 INC-7")
    repeated = told(overview(), repeated=True)
    assert repeated.repeated
    assert repeated.text.startswith("(possible repeat) ")


@limits(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_a_title_holds_it_is_shown_and_is_one_line(title: str, reason: str):
    seen = page(overview(title=title), ping(reason=reason), house="T01TEAM", contacts=CONTACTS)
    assert len(seen.title.splitlines()) <= 1
    assert len(seen.reason.splitlines()) <= 1
    seen.text.encode("utf-8")
    assert "INC-7" in seen.text


def test_markup_in_a_title_is_text():
    seen = told(overview(title="<@U01ALICE> <!date^0^{time}|x> <!channel> & co"))
    assert "<@U01ALICE> <!date^0^{time}|x> <!channel> & co" in seen.text


def test_an_incident_has_one_name_outside_and_is_found_by_it_in_its_own_house_only():
    name = thread_of("T01TEAM", 7)
    assert incident_in(name, "T01TEAM") == 7
    assert incident_in(f"{name}:12", "T01TEAM") == 7, "an alert of its own, for one that calls anew"
    for other in (
        "iora:T02OTHER:INC-7",
        "iora:T01TEAM:INC-",
        "iora:T01TEAM:INC-7x",
        f"{name}:",
        f"{name}:12:3",
        f"{name}:x",
        "7",
        "",
    ):
        assert incident_in(other, "T01TEAM") is None
    assert incident_in("iora:T01TEAM:INC-²", "T01TEAM") is None
    assert incident_in(f"iora:T01TEAM:INC-{'9' * 40}", "T01TEAM") is None

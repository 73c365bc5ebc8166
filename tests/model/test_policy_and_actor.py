"""Policies as they are pinned, destinations, actors, and the help's words."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from bot.model.actor import BOT, Actor, person_of
from bot.model.incident import Severity, Status
from bot.model.overview import last_entry
from bot.model.policy import Destination, Policy
from bot.model.reading import Verdict
from bot.model.words import BY_WORD, WORDS
from tests.support.configs import BOB, config, levels, parsed_policy, policy
from tests.support.incidents import entry, incident


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("channel", "channel", ""),
        ("user:U02BOB", "user", "U02BOB"),
        ("user:W02BOB", "user", "W02BOB"),
        ("group:engineering", "group", "engineering"),
        ("oncall:primary", "oncall", "primary"),
        ("role:commander", "role", "commander"),
    ],
)
def test_destinations(text: str, kind: str, name: str) -> None:
    assert Destination.parse(text) == (kind, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "channels",
        "channel:x",
        "user:",
        "user:bob",
        "user:U02BOB\n",
        "group:",
        "oncall:",
        "crew:x",
    ],
)
def test_what_is_no_destination(text: str) -> None:
    with pytest.raises(ValueError, match="expected channel, user:"):
        Destination.parse(text)


def test_a_policy_is_pinned_and_read_back() -> None:
    before = parsed_policy(("0s", ["channel"]), ("90s", [f"user:{BOB}"]), every="1h30m", times=2)
    kept = json.dumps(before.model_dump(mode="json"))
    assert Policy.from_pinned(json.loads(kept)) == before


def test_levels_stand_in_the_order_of_their_time() -> None:
    with pytest.raises(ValidationError, match="the one before or later"):
        parsed_policy(("5m", ["channel"]), ("0s", [f"user:{BOB}"]))


@pytest.mark.parametrize("every", ["0s", "999ms"])
def test_repeats_are_no_storm(every: str) -> None:
    with pytest.raises(ValidationError, match="at least 1s"):
        parsed_policy(("0s", ["channel"]), every=every)


@pytest.mark.parametrize(
    ("notify", "pings"), [(["channel"], False), (["channel", "group:engineering"], True)]
)
def test_a_policy_that_names_nobody_only_announces(notify: list[str], pings: bool) -> None:
    assert parsed_policy(("0s", notify)).pings_people is pings


def test_the_policy_of_a_severity() -> None:
    found = config(critical=policy(("0s", ["channel"]))).escalation
    assert [found.policy_name(severity) for severity in Severity] == [
        "critical",
        "critical",
        "announce",
        "announce",
    ]
    assert levels(("0s", ["channel"])) == [{"after": "0s", "notify": ["channel"]}]


@pytest.mark.parametrize(
    ("actor", "person", "holder"),
    [
        (Actor.slack("T01TEAM", "U02BOB"), "U02BOB", "U02BOB"),
        (Actor.login("ops"), None, "cli:ops"),
        (Actor(BOT), None, "bot"),
    ],
)
def test_actors(actor: Actor, person: str | None, holder: str) -> None:
    assert (actor.person, actor.holder, person_of(actor.text)) == (person, holder, person)


def test_a_login_can_not_pass_for_somebody_in_slack() -> None:
    assert Actor.login("slack:T01TEAM:U01ALICE").person is None


def test_worse_verdicts_rank_higher_and_unknown_is_worse_than_healthy() -> None:
    ranked = sorted(Verdict, key=lambda verdict: verdict.rank)
    assert [str(verdict) for verdict in ranked] == [
        "healthy",
        "unknown",
        "degraded",
        "unhealthy",
        "down",
    ]


def test_an_incident_lives_until_it_is_resolved() -> None:
    assert [incident(status).live for status in Status] == [True, True, True, False]
    assert incident().key == "INC-7"


def test_the_last_entry_of_some_kinds() -> None:
    entries = [entry("note", seq=1), entry("resolved", seq=2), entry("note", seq=3)]
    assert last_entry(entries, "note") == entries[2]
    assert last_entry(entries, "resolved", "declared") == entries[1]
    assert last_entry(entries, "declared") is None


def test_each_word_of_the_help_is_there_once_and_begins_its_usage() -> None:
    assert len(BY_WORD) == len(WORDS)
    assert all(word.usage.split()[0] == word.word for word in WORDS)

"""Every sentence of a draft is of the record, and points to where it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.model.incident import Status
from bot.model.postmortem import Account, Line, Record, Series
from bot.model.run import RunState, StepState
from bot.rules.postmortem import account
from tests.support.clock import NOON
from tests.support.configs import ALICE, config
from tests.support.health import HEALTHY
from tests.support.incidents import alice, bob, incident
from tests.support.postmortem import (
    MINUTE,
    cpu,
    entries,
    eventful,
    points,
    progress,
    record,
    step,
    tick,
)

DECLARED = ("declared", 0, alice.text, {"title": "API slow", "severity": "sev2", "targets": []})
TOLD = {"notify": ["channel"], "people": [ALICE], "nobody": [], "reason": "open", "number": 0}
FIRST = ("escalation", 0, "bot", {**TOLD, "levels": [0], "stage": "level"})
SECOND = ("escalation", 5, "bot", {**TOLD, "levels": [1], "stage": "level"})
ACKNOWLEDGED = ("acknowledged", 7, alice.text, {})


def said(told: Account) -> Iterator[Line]:
    """Every sentence with a source."""
    yield from (*told.summary, *told.impact, *told.readings, *told.worked, *told.failed)
    yield from (one.line for one in told.follow_ups)
    yield from told.questions


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


def sources(known: Record) -> set[str]:
    """What a sentence may point to."""
    found = {"the incident"} | {f"timeline {entry.seq}" for entry in known.entries}
    if known.pings:
        found.add("pings")
    if any(series.points for series in known.series):
        found.add("readings")
    for one in known.runs:
        found |= {one.run.key} | {f"{one.run.key} step {s.position + 1}" for s in one.steps}
    return found


@pytest.mark.parametrize("known", [record(), eventful()], ids=["empty", "eventful"])
def test_every_sentence_points_to_a_place_that_the_record_has(known: Record):
    for line in said(account(known, config())):
        assert line.source in sources(known), line
        assert bool(line.text) is (line.entry is None)


def test_the_draft_of_an_empty_incident_says_its_row_and_asks_what_is_missing():
    told = account(record(), config())
    assert texts(told.summary) == [
        "@U01ALICE declared it at 2025-06-15 15:06:40 UTC.",
        "It is open, and not resolved at 2025-06-15 16:06:40 UTC.",
    ]
    assert texts(told.questions) == [
        "Who was affected, and how? The record does not say.",
        "When did the impact begin? The record only has the time of the declaration.",
    ]
    filled = {name for name, value in vars(told).items() if isinstance(value, tuple) and value}
    assert filled == {"summary", "questions"}


def test_every_number_of_an_eventful_draft_is_in_the_record():
    told = account(eventful(), config())
    by_name = {one.name: one for one in told.durations}
    assert [one.took for one in told.durations] == [
        10 * MINUTE,
        7 * MINUTE,
        26 * MINUTE,
        40 * MINUTE,
    ]
    assert by_name["To resolve"].end == NOON + 30 * MINUTE
    assert [one.title for one in told.charts] == ["CPU of iora", "P95 of iora"]


def test_a_duration_that_nobody_measured_is_not_given():
    now = incident(Status.ACKNOWLEDGED)
    told = account(record(incident=now, entries=entries(DECLARED, ACKNOWLEDGED)), config())
    took = {one.name: one.took for one in told.durations}
    assert took == {
        "To detect": None,
        "To acknowledge": MINUTE,
        "To mitigate": None,
        "To resolve": None,
    }


def test_a_status_that_a_later_one_brought_along_says_so():
    told = account(record(incident=incident(Status.RESOLVED), entries=entries(DECLARED)), config())
    notes = {one.name: one.note for one in told.durations}
    assert "set with the status after it" in notes["To acknowledge"]
    assert "set with the status after it" in notes["To mitigate"]


def test_the_time_in_which_it_stood_resolved_is_said_to_be_left_out():
    known = incident(Status.RESOLVED, closed_ms=12 * MINUTE)
    told = account(record(incident=known, entries=entries(DECLARED)), config())
    assert {one.name: one.note for one in told.durations}["To resolve"] == (
        "without the 12 min in which it stood resolved"
    )


@pytest.mark.parametrize(
    ("story", "worked", "failed"),
    [
        ((FIRST, ACKNOWLEDGED), ["@U01ALICE acknowledged after 7 min, before a further level was told."], []),
        (
            (FIRST, SECOND, ACKNOWLEDGED),
            [],
            ["1 further level was told before anybody acknowledged: it took 7 min."],
        ),
        ((FIRST, SECOND), [], ["1 further level was told before anybody acknowledged: nobody has yet."]),
        ((FIRST,), [], []),
    ],
    ids=["in time", "late", "never", "not yet"],
)  # fmt: skip
def test_an_acknowledgement_worked_if_it_came_before_a_further_level(story, worked, failed):
    acknowledged = ACKNOWLEDGED in story
    known = incident(Status.ACKNOWLEDGED if acknowledged else Status.OPEN)
    if acknowledged:
        known = replace(known, time_to_acknowledge=7 * MINUTE)
    told = account(record(incident=known, entries=entries(DECLARED, *story)), config())
    assert texts(told.worked) == worked
    assert texts(told.failed) == failed


def test_a_step_that_was_verified_worked_with_what_held():
    told = account(record(runs=(progress(step(0), step(1)),)), config())
    assert texts(told.worked) == [
        "“Open the circuit breaker” went well, and cpu_percent < 70 held.",
        "1 further step went well.",
    ]


@pytest.mark.parametrize(
    ("ended", "failed", "to_do"),
    [
        (
            step(0, StepState.FAILED, reason="no answer"),
            "“Assess impact”: failed: no answer.",
            True,
        ),
        (step(0, StepState.UNKNOWN, reason="no data"), "“Assess impact”: unknown: no data.", True),
        (
            step(0, StepState.SKIPPED, by=bob.text, reason="too late"),
            "“Assess impact”: skipped by @U02BOB: too late.",
            True,
        ),
        (step(0, StepState.SKIPPED, by=None, reason="not needed: CPU 12 %"), "", False),
        (step(0, StepState.WAITING), "", False),
    ],
    ids=["failed", "unknown", "skipped by somebody", "not needed", "not done yet"],
)
def test_a_step_that_did_not_go_well_is_said_and_is_still_to_be_seen_to(ended, failed, to_do):
    told = account(record(runs=(progress(ended),)), config())
    assert texts(told.failed) == ([failed] if failed else [])
    assert bool(told.follow_ups) is to_do


def test_a_run_that_was_stopped_is_said_with_its_reason():
    one = progress(state=RunState.STOPPED, reason="“Scale out” failed")
    told = account(record(runs=(one,)), config())
    assert texts(told.failed) == ["RUN-5 was stopped: “Scale out” failed."]


def test_what_stands_changed_is_to_be_taken_back_until_its_undo_was_run():
    opened = step(1)
    told = account(record(runs=(progress(step(0), opened),)), config())
    assert "its undo: circuit_breaker_close" in told.follow_ups[-1].line.text
    undo = step(2, undoes=1, output={"undo": {"action": "circuit_breaker_close"}})
    undo = replace(undo, step="undo-breaker")
    told = account(record(runs=(progress(step(0), opened, undo),)), config())
    assert not told.follow_ups


@pytest.mark.parametrize(
    ("note", "action", "owner"),
    [
        ("TODO: add an alert @U02BOB", "add an alert @U02BOB", "@U02BOB"),
        ("todo add an alert", "add an alert", ""),
        ("Action: @bob adds an alert.", "@bob adds an alert.", "@bob"),
        ("action item: mail bob@example.com", "mail bob@example.com", ""),
        ("Action taken: restarted", None, ""),
        ("the todo list is long", None, ""),
    ],
)
def test_a_note_that_begins_with_todo_or_action_is_an_open_action(note, action, owner):
    noted = ("note", 3, alice.text, {"text": note})
    told = account(record(entries=entries(DECLARED, noted)), config())
    found = [(one.line.text, one.owner) for one in told.follow_ups]
    assert found == ([(action, owner)] if action else [])


def test_what_somebody_took_on_in_a_checklist_is_an_open_action_with_its_owner():
    items = {"1": tick("posted", "U02BOB"), "2": tick("about 40")}
    done = step(3, output={"items": items}, by=alice.text)
    told = account(record(runs=(progress(step(0), step(0), step(0), done),)), config())
    assert [(one.line.text, one.owner) for one in told.follow_ups] == [
        ("The status page says so (posted)", "@U02BOB")
    ]


def test_only_a_metric_that_broke_a_bound_gets_a_chart_and_the_rest_a_line():
    series = (
        Series("iora", "cpu_percent", points(cpu)),
        Series("iora", "memory_mb", points(lambda _: 200.0)),
        Series("iora", "error_rate_percent", points(lambda _: None)),
    )
    told = account(record(series=series), config())
    assert [chart.metric for chart in told.charts] == ["cpu_percent"]
    assert texts(told.readings) == [
        "Memory of iora stayed within its bounds: 200 MB to 200 MB in 85 readings.",
        "Error rate of iora could not be read: all 85 readings are unknown.",
    ]


def test_a_chart_marks_what_happened_and_what_was_done():
    (chart, _) = account(eventful(), config()).charts
    assert {mark.label for mark in chart.marks} == {
        "declared",
        "acknowledged",
        "mitigated",
        "resolved",
        "circuit_breaker_open",
        "scale_out",
    }
    assert (chart.start, chart.end) == (NOON - 40 * MINUTE, NOON + 45 * MINUTE)
    assert [limit.name for limit in chart.limits] == ["baseline", "critical"]  # the graver later


def test_readings_that_are_gone_are_said_to_be_gone():
    old = incident(Status.RESOLVED)
    told = account(record(incident=old, now=NOON + 3 * 24 * 60 * MINUTE), config())
    assert texts(told.readings) == ["The readings are no longer kept: raw ones are for 24 h."]
    late = (Series("iora", "cpu_percent", points(cpu, 400, 420)),)
    long = account(record(now=NOON + 30 * 60 * MINUTE, series=late), config())
    assert long.readings[0].text == (
        "Readings before 2025-06-15 21:46:40 UTC are no longer kept: raw ones are for 24 h."
    )


def test_what_could_not_be_read_is_no_success():
    evidence = ("evidence", 0, "bot", {"healths": [HEALTHY], "reports": [], "related": []})
    told = account(record(entries=entries(DECLARED, evidence)), config())
    assert any("unknown" in text for text in texts(told.failed)) is any(
        finding["result"] == "unknown" for finding in HEALTHY["findings"]
    )
    sick = account(eventful(), config())
    assert "iora: error rate unknown: 4 polls in 5 min, at least 10 needed." in texts(sick.failed)
    assert "iora: heap could not be collected: permission denied." in texts(sick.failed)


def test_the_questions_name_nobody():
    for line in account(eventful(), config()).questions:
        assert not re.search(r"@|U0[0-9]|ALICE|carol", line.text), line


def test_each_question_is_asked_once():
    twice = (("reopened", 9, alice.text, {}), ("reopened", 19, alice.text, {}))
    told = account(record(entries=entries(DECLARED, *twice)), config())
    assert texts(told.questions).count("What would have shown that it was not over yet?") == 1

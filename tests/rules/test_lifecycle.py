"""What a command does to an incident, by its status; and how long things took."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.answer import Refusal
from bot.model.command import (
    Acknowledge,
    Assign,
    Escalate,
    Mitigate,
    Note,
    OnIncident,
    Reopen,
    Resolve,
    SetSeverity,
    Update,
)
from bot.model.incident import Incident, Severity, Status
from bot.rules.lifecycle import Change, decide
from tests.support.clock import NOON
from tests.support.configs import BOB
from tests.support.incidents import alice, bob, incident, mallory

OPEN, ACKNOWLEDGED, MITIGATED, RESOLVED = Status
MINUTE = 60_000
COMMANDS: dict[str, OnIncident] = {
    "ack": Acknowledge(),
    "assign": Assign(person=BOB),
    "severity": SetSeverity(severity=Severity.SEV1),
    "mitigate": Mitigate(),
    "resolve": Resolve(),
    "reopen": Reopen(),
    "note": Note(text="look at the pool"),
    "update": Update(impact="checkout fails"),
    "escalate": Escalate(),
}

# A status is what the incident has afterwards; "same" leaves it; a text is why it is refused.
TABLE: dict[str, tuple[str, str, str, str]] = {
    #            open            acknowledged           mitigated               resolved
    "ack": (
        "acknowledged",
        "is acknowledged already",
        "is mitigated already",
        "is resolved already",
    ),
    "assign": ("same", "same", "same", "is resolved"),
    "severity": ("same", "same", "same", "is resolved"),
    "mitigate": ("mitigated", "mitigated", "is mitigated already", "is resolved already"),
    "resolve": ("resolved", "resolved", "resolved", "is resolved already"),
    "reopen": ("is open: there is nothing", "is acknowledged: there is nothing", "open", "open"),
    "note": ("same", "same", "same", "same"),
    "update": ("same", "same", "same", "same"),
    "escalate": ("same", "same", "is mitigated", "is resolved"),
}


@pytest.mark.parametrize("command", TABLE)
@pytest.mark.parametrize("status", list(Status))
def test_the_table_of_statuses_and_commands(command: str, status: Status) -> None:
    expected = TABLE[command][list(Status).index(status)]
    decision = decide(incident(status), COMMANDS[command], bob, NOON + 10 * MINUTE)
    if expected == "same":
        assert isinstance(decision, Change)
        assert "status" not in decision.columns
    elif expected in set(Status):
        assert isinstance(decision, Change)
        assert decision.columns["status"] == expected
    else:
        assert isinstance(decision, Refusal)
        assert f"INC-7 {expected}" in str(decision)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("command", TABLE)
def test_every_refusal_is_a_sentence_that_names_the_incident(command: str, status: Status) -> None:
    decision = decide(incident(status), COMMANDS[command], bob, NOON)
    if isinstance(decision, Refusal):
        assert decision.reason.startswith("INC-7 is ")
        assert decision.reason.endswith(".")


@pytest.mark.parametrize("command", TABLE)
@pytest.mark.parametrize("status", [OPEN, ACKNOWLEDGED])
def test_only_escalate_calls_for_the_next_level(command: str, status: Status) -> None:
    decision = decide(incident(status), COMMANDS[command], bob, NOON)
    assert getattr(decision, "calls", False) is (command == "escalate")


@pytest.mark.parametrize("status", [MITIGATED, RESOLVED])
def test_reopening_starts_the_escalation_anew(status: Status) -> None:
    decision = decide(incident(status), Reopen(text="again"), bob, NOON + 30 * MINUTE)
    assert isinstance(decision, Change)
    assert decision.columns["opened_at"] == NOON + 30 * MINUTE


def test_whoever_acknowledges_takes_command_unless_somebody_has_it() -> None:
    taken = decide(incident(), Acknowledge(), bob, NOON)
    left = decide(incident(commander=alice.holder), Acknowledge(), bob, NOON)
    assert isinstance(taken, Change)
    assert isinstance(left, Change)
    assert taken.columns["commander"] == BOB
    assert "commander" not in left.columns


def test_the_commander_is_not_made_commander_again() -> None:
    decision = decide(incident(commander=BOB), Assign(person=BOB), alice, NOON)
    assert isinstance(decision, Refusal)
    assert "already" in decision.reason


def test_another_role_leaves_the_commander() -> None:
    decision = decide(incident(), Assign(person=BOB, role="scribe"), alice, NOON)
    assert isinstance(decision, Change)
    assert decision.columns == {}
    assert decision.facts == {"person": BOB, "role": "scribe"}


def test_the_same_severity_is_refused() -> None:
    decision = decide(incident(), SetSeverity(severity=Severity.SEV2), bob, NOON)
    assert isinstance(decision, Refusal)
    assert decision.reason == "INC-7 is sev2 already."


def test_the_impact_can_not_begin_after_the_declaration() -> None:
    decision = decide(incident(), Update(started_at=NOON + 1), bob, NOON + MINUTE)
    assert isinstance(decision, Refusal)
    assert "declared" in decision.reason


class Story:
    """An incident that goes through commands, minute by minute."""

    def __init__(self, started: int = 0, declared: int = 0) -> None:
        at = NOON + declared * MINUTE
        self.incident = incident(
            started_at=NOON + started * MINUTE,
            declared_at=at,
            opened_at=at,
            time_to_detect=(declared - started) * MINUTE,
        )

    def then(self, minute: int, command: OnIncident) -> Story:
        decision = decide(self.incident, command, bob, NOON + minute * MINUTE)
        assert isinstance(decision, Change), decision
        self.incident = replace(self.incident, **decision.columns)
        return self

    @property
    def durations(self) -> tuple[float | None, ...]:
        """Detect, acknowledge, mitigate, resolve, in minutes."""
        return tuple(
            took / MINUTE if took is not None else None
            for took in (
                self.incident.time_to_detect,
                self.incident.time_to_acknowledge,
                self.incident.time_to_mitigate,
                self.incident.time_to_resolve,
            )
        )


DURATIONS = {
    "declared five minutes after it started: detect and resolve count from the start": (
        Story(started=0, declared=5)
        .then(7, Acknowledge())
        .then(20, Mitigate())
        .then(30, Resolve()),
        (5, 2, 20, 30),
    ),
    "mitigated by someone who never acknowledged: that was the acknowledgement": (
        Story().then(10, Mitigate()),
        (0, 10, 10, None),
    ),
    "resolved at once: that was all of it": (Story().then(10, Resolve()), (0, 10, 10, 10)),
    "mitigated, then resolved: the mitigation keeps its time": (
        Story().then(10, Mitigate()).then(40, Resolve()),
        (0, 10, 10, 40),
    ),
    "resolved, reopened: not over, so those two are not known any more": (
        Story().then(2, Acknowledge()).then(10, Resolve()).then(100, Reopen()),
        (0, 2, None, None),
    ),
    "resolved for 90 minutes, reopened, resolved: the time between is left out": (
        Story().then(2, Acknowledge()).then(10, Resolve()).then(100, Reopen()).then(105, Resolve()),
        (0, 2, 15, 15),
    ),
    "reopened twice: both pauses are left out": (
        Story()
        .then(10, Resolve())
        .then(20, Reopen())
        .then(30, Resolve())
        .then(50, Reopen())
        .then(60, Resolve()),
        (0, 10, 30, 30),
    ),
    "mitigated and reopened: it was never over, so nothing is left out": (
        Story().then(10, Mitigate()).then(30, Reopen()).then(60, Resolve()),
        (0, 10, 60, 60),
    ),
    "acknowledged again after a reopening: the first answer counts": (
        Story()
        .then(2, Acknowledge())
        .then(10, Resolve())
        .then(20, Reopen())
        .then(29, Acknowledge()),
        (0, 2, None, None),
    ),
    "the start is moved back while it is open": (
        Story(declared=5).then(6, Update(started_at=NOON - 5 * MINUTE)).then(10, Resolve()),
        (10, 5, 15, 15),
    ),
    "the start is moved back after it was resolved": (
        Story().then(10, Resolve()).then(20, Update(started_at=NOON - 5 * MINUTE)),
        (5, 10, 15, 15),
    ),
    "the start is moved back, then forward again": (
        Story(declared=5)
        .then(10, Resolve())
        .then(20, Update(started_at=NOON - 5 * MINUTE))
        .then(21, Update(started_at=NOON + 3 * MINUTE)),
        (2, 5, 7, 7),
    ),
    "the start is moved after a reopening": (
        Story()
        .then(10, Resolve())
        .then(40, Reopen())
        .then(41, Update(started_at=NOON - 10 * MINUTE))
        .then(50, Resolve()),
        (10, 10, 30, 30),
    ),
}


@pytest.mark.parametrize("case", DURATIONS)
def test_durations(case: str) -> None:
    story, expected = DURATIONS[case]
    assert story.durations == expected


@pytest.mark.parametrize("case", DURATIONS)
def test_no_duration_is_ever_negative(case: str) -> None:
    story, _ = DURATIONS[case]
    assert all(took >= 0 for took in story.durations if took is not None)


def test_an_update_says_only_what_was_given() -> None:
    decision = decide(incident(), Update(title="API down"), bob, NOON)
    assert isinstance(decision, Change)
    assert decision.columns == decision.facts == {"title": "API down"}


def test_the_text_of_a_resolve_and_how_long_it_took_stand_in_its_entry() -> None:
    found: Incident = incident(ACKNOWLEDGED)
    decision = decide(found, Resolve(text="rolled back"), bob, NOON + 9 * MINUTE)
    assert isinstance(decision, Change)
    assert decision.facts == {"text": "rolled back", "took": 9 * MINUTE}


def test_whoever_has_no_part_in_it_acknowledges_without_commanding_it():
    change = decide(incident(), Acknowledge(), mallory, NOON, may_command=False)
    assert change.columns["status"] is Status.ACKNOWLEDGED
    assert "commander" not in change.columns

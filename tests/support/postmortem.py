"""Records of incidents for drafts: an empty one, and one in which much happened."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from bot.model.chart import Point
from bot.model.incident import Entry, Status
from bot.model.message import State
from bot.model.overview import Ping
from bot.model.postmortem import Record, Series
from bot.model.run import Choice, Progress, Run, RunState, StepRun, StepState
from bot.model.runbook import Runbook
from bot.rules import picture
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.health import SICK
from tests.support.incidents import alice, bob, entry, incident, mallory

MINUTE = 60_000
BOOK: dict[str, Any] = {
    "schema": "runbook/v1",
    "id": "critical-performance-degradation",
    "title": "Critical performance degradation",
    "version": 3,
    "steps": [
        {"id": "impact", "kind": "check", "title": "Assess impact"},
        {
            "id": "breaker",
            "kind": "action",
            "title": "Open the circuit breaker",
            "action": "circuit_breaker_open",
            "undo": "circuit_breaker_close",
            "verify": {"that": "cpu_percent < 70", "hold": "1m"},
        },
        {"id": "scale", "kind": "action", "title": "Scale out", "action": "scale_out"},
        {
            "id": "stakeholders",
            "kind": "checklist",
            "title": "Tell the stakeholders",
            "items": [
                {"text": "The status page says so", "owner": True},
                {"text": "Count the customers"},
            ],
        },
        {
            "id": "recover",
            "kind": "wait_for",
            "title": "Validate the recovery",
            "that": "cpu_percent < 70",
        },
        {"id": "quiet", "kind": "probe", "title": "Look at the threads", "probe": "threads"},
    ],
}


def record(**changes: Any) -> Record:
    """An incident of which nothing but its row is known: open, at ``NOON``."""
    known = changes.pop("incident", None) or incident()
    now = changes.pop("now", NOON + 60 * MINUTE)
    start, end = picture.window(known.started_at, known.resolved_at, now)
    base: dict[str, Any] = {
        "entries": (),
        "pings": (),
        "runs": (),
        "series": (),
        "start": start,
        "end": end,
        "kept_since": now - 24 * 60 * MINUTE,
    }
    return Record(incident=known, now=now, **(base | changes))


def entries(*kinds: tuple[str, int, str, dict[str, Any]]) -> tuple[Entry, ...]:
    """``("note", 5, "bot", {"text": "..."})``: the kind, minutes after ``NOON``, who, facts."""
    return tuple(
        entry(kind, seq=seq, at=NOON + at * MINUTE, actor=actor, **facts)
        for seq, (kind, at, actor, facts) in enumerate(kinds, 1)
    )


def step(position: int, state: StepState = StepState.OK, **fields: Any) -> StepRun:
    """A step of ``BOOK`` that took a minute."""
    began = NOON + (10 + position) * MINUTE
    base = {"started_at": began, "ended_at": began + MINUTE, "by": "bot"}
    name = BOOK["steps"][min(position, len(BOOK["steps"]) - 1)]["id"]
    return StepRun(run_id=5, position=position, step=name, state=state, **(base | fields))


def progress(*steps: StepRun, state: RunState = RunState.DONE, **fields: Any) -> Progress:
    """RUN-5 of ``BOOK``."""
    pinned = Runbook.model_validate_json(json.dumps(BOOK)).model_dump_json(by_alias=True)
    run = Run(
        id=5,
        runbook=BOOK["id"],
        version=3,
        hash="0" * 64,
        pinned=pinned,
        target="iora",
        incident_id=7,
        by=alice.text,
        inputs={},
        state=state,
        reason=fields.pop("reason", ""),
        started_at=NOON + 10 * MINUTE,
        ends_by=NOON + 240 * MINUTE,
        paused_at=None,
        ended_at=NOON + 22 * MINUTE,
    )
    return Progress(run, steps, fields.pop("choices", ()))


def tick(note: str = "", owner: str | None = None) -> dict[str, Any]:
    """A line of a checklist that Bob ticked."""
    return {"by": bob.text, "at": NOON + 14 * MINUTE, "note": note, "owner": owner}


def long_run() -> Progress:
    """Every kind of end that a step can have."""
    return progress(
        step(0, output={"text": "iora is UNHEALTHY: CPU 96 % (critical above 90)"}),
        step(1, output={"text": "HTTP 200 in 41 ms"}, by=alice.text),
        step(2, StepState.STUCK, reason="no answer within 10 s", by=alice.text),
        step(
            3,
            output={
                "items": {"1": tick("posted at 15:21", BOB)},
            },
            by=bob.text,
        ),
        step(4, output={"text": "held for 5 min"}),
        step(5, StepState.SKIPPED, reason="nobody at the keyboard", by=bob.text, started_at=None),
        state=RunState.STOPPED,
        reason="“Scale out” failed",
        choices=(Choice(1, bob.text, 1, NOON + 11 * MINUTE),),
    )


def cpu(minute: int) -> float | None:
    """Well until 10 minutes before the declaration, bad until the breaker opens, one gap."""
    if minute == 3:
        return None
    if minute < -10:
        return 31.0 + minute % 5
    return 96.0 - minute % 4 if minute < 14 else 38.0 + minute % 6


def p95(minute: int) -> float:
    """Slow for as long as the CPU is busy."""
    return 84.0 if minute < -10 else 910.0 if minute < 14 else 120.0


def points(value: Any, first: int = -40, last: int = 45) -> tuple[Point, ...]:
    """One a minute."""
    return tuple(Point(NOON + minute * MINUTE, value(minute)) for minute in range(first, last))


def eventful() -> Record:
    """INC-7: declared, escalated, acknowledged, a run, mitigated, resolved."""
    known = replace(
        incident(Status.RESOLVED),
        title="API slow",
        impact="Checkout fails for a third of the customers",
        commander=ALICE,
        started_at=NOON - 10 * MINUTE,
        acknowledged_at=NOON + 7 * MINUTE,
        mitigated_at=NOON + 16 * MINUTE,
        resolved_at=NOON + 30 * MINUTE,
        time_to_detect=10 * MINUTE,
        time_to_acknowledge=7 * MINUTE,
        time_to_mitigate=26 * MINUTE,
        time_to_resolve=40 * MINUTE,
    )
    told = {"nobody": [], "levels": [0], "stage": "level"}
    first = {"notify": ["channel"], "people": [ALICE], "reason": "declared", "number": 0}
    second = {
        "notify": ["group:engineering"],
        "people": [BOB],
        "reason": "not acknowledged after 5 min",
        "number": 1,
    }
    evidence = {
        "healths": [SICK],
        "reports": [
            {
                "id": "diag_1750000000_a1b2c3d4e5f6",
                "target": "iora",
                "finding": "High CPU usage detected - profile for bottlenecks",
                "partial": {"heap": "permission denied"},
            }
        ],
        "related": [],
    }
    lines = entries(
        ("declared", 0, alice.text, {"title": "API slow", "severity": "sev2", "targets": ["iora"]}),
        ("escalation", 0, "bot", told | first),
        ("evidence", 0, "bot", evidence),
        ("unreached", 1, "bot", {"person": "U04CAROL", "reason": "account_inactive"}),
        ("escalation", 5, "bot", told | second | {"levels": [1]}),
        ("acknowledged", 7, alice.text, {}),
        ("note", 8, bob.text, {"text": "TODO: move the report job off the API host @U02BOB"}),
        ("refused", 9, mallory.text, {"command": "mitigate", "reason": "You may not mitigate INC-7."}),
        ("severity", 9, alice.text, {"from": "sev3", "to": "sev2"}),
        ("mitigated", 16, alice.text, {"text": "breaker open"}),
        ("note", 20, "cli:carol", {"text": "action: add an alert on the queue's length"}),
        ("resolved", 30, alice.text, {"text": "the job is stopped", "took": 40 * MINUTE}),
    )  # fmt: skip
    return record(
        incident=known,
        entries=lines,
        pings=(
            Ping(ALICE, State.SENT, NOON, NOON + 900, None),
            Ping("U04CAROL", State.REFUSED, NOON, None, "account_inactive"),
            Ping(BOB, State.SENT, NOON + 5 * MINUTE, NOON + 5 * MINUTE + 800, None),
        ),
        runs=(long_run(),),
        series=(
            Series("iora", "cpu_percent", points(cpu)),
            Series("iora", "memory_mb", points(lambda minute: 208.0 + minute % 9)),
            Series("iora", "response_time_p95_ms", points(p95)),
            Series("iora", "error_rate_percent", points(lambda _: None)),
        ),
    )  # fmt: skip

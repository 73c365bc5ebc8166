"""Incidents as records, without a database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.model.actor import Actor
from bot.model.config import Config
from bot.model.incident import Entry, Incident, Severity, Status
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB, MALLORY, TEAM, config

alice, bob, mallory = (Actor.slack(TEAM, person) for person in (ALICE, BOB, MALLORY))


def pinned(settings: Config, name: str = "critical") -> Mapping[str, Any]:
    """A policy as an incident keeps it."""
    policy = settings.escalation.policies[name].model_dump(mode="json")
    return {"name": name, "policy": json.loads(json.dumps(policy))}


def incident(status: Status = Status.OPEN, **columns: Any) -> Incident:
    """INC-7, declared at NOON by Alice; what its status needs is filled in."""
    known: dict[str, Any] = {
        "id": 7,
        "title": "API slow",
        "severity": Severity.SEV2,
        "status": status,
        "policy": pinned(config()),
        "drill": False,
        "commander": None,
        "declared_by": alice.text,
        "channel": "incidents",
        "rule_key": None,
        "impact": "",
        "started_at": NOON,
        "declared_at": NOON,
        "opened_at": NOON,
        "acknowledged_at": None,
        "mitigated_at": None,
        "resolved_at": None,
        "closed_ms": 0,
        "time_to_detect": 0,
        "time_to_acknowledge": None,
        "time_to_mitigate": None,
        "time_to_resolve": None,
        "targets": ("iora",),
    }
    steps = ("acknowledged", "mitigated", "resolved")
    for number, step in enumerate(steps, 1):
        if list(Status).index(status) >= number:
            verb = {"acknowledged": "acknowledge", "mitigated": "mitigate", "resolved": "resolve"}
            known[f"{step}_at"] = NOON + number * 60_000
            known[f"time_to_{verb[step]}"] = number * 60_000
    return Incident(**(known | columns))


def entry(kind: str, *, seq: int = 1, at: int = NOON, actor: str = "bot", **facts: Any) -> Entry:
    """One line of INC-7's timeline."""
    return Entry(incident_id=7, seq=seq, at=at, actor=actor, kind=kind, facts=facts)

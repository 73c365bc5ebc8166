"""Incidents, their timeline, and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.model.actor import BOT

Facts = Mapping[str, Any]


class Severity(StrEnum):
    """``sev1`` is the worst."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class Status(StrEnum):
    """In the order in which an incident goes through them."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One incident as it is now. Times are milliseconds since the epoch, durations milliseconds.

    ``started_at`` is when the impact began (the declaration, until someone says otherwise).
    ``closed_ms`` is how long it stood resolved before it was reopened: that time is left out of
    the durations, the time after the reopening counts. ``opened_at`` is the declaration or the
    last reopening: levels count from there.
    """

    id: int
    title: str
    severity: Severity
    status: Status
    policy: Facts
    drill: bool = False
    commander: str | None = None
    declared_by: str
    channel: str
    rule_key: str | None = None
    impact: str = ""
    started_at: int
    declared_at: int
    opened_at: int
    acknowledged_at: int | None = None
    mitigated_at: int | None = None
    resolved_at: int | None = None
    closed_ms: int = 0
    time_to_detect: int | None = None
    time_to_acknowledge: int | None = None
    time_to_mitigate: int | None = None
    time_to_resolve: int | None = None
    targets: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """How people name it: ``INC-7``."""
        return f"INC-{self.id}"

    @property
    def mark(self) -> str:
        """What stands before everything that is said of practice: ``[DRILL] ``; else nothing."""
        return "[DRILL] " if self.drill else ""

    @property
    def live(self) -> bool:
        """Not yet resolved."""
        return self.status is not Status.RESOLVED


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a timeline: who, when, what, with the facts of its kind."""

    incident_id: int
    seq: int
    at: int
    actor: str
    kind: str
    facts: Facts

    @property
    def by_a_person(self) -> bool:
        """Whether it says that a person did something about the incident; a refusal is none."""
        return self.actor != BOT and self.kind != "refused"

"""What a diagnosis collects, concludes and keeps: parts, findings, changes, the diagnostic report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from bot.model.incident import Facts

ID = re.compile(r"diag_[0-9]{1,12}_[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of an agent's diagnostics: its ``data``, or ``error`` in one line."""

    name: str
    data: Any
    error: str | None = None
    took_ms: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it could be read."""
        return self.error is None


@dataclass(frozen=True, kw_only=True)
class Collected:
    """All that was read of a target: its health as JSON, and the parts of its agent by name."""

    target: str
    at: int
    health: Facts
    parts: Mapping[str, Part]

    def data(self, name: str) -> Any:
        """A part's data, or an empty mapping where it is not there: every field of it is unknown."""
        part = self.parts.get(name)
        return part.data if part is not None and part.ok and part.data is not None else {}

    def reading(self, metric: str) -> float | None:
        """A metric's value in the health, or None."""
        for reading in self.health["readings"]:
            if reading["metric"] == metric:
                value: float | None = reading["value"]
                return value
        return None


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One finding of a report: what, how much, against which bound, and what to do about it.

    ``stable``: it was about as much when the target was last healthy, so it explains nothing new.
    ``explained_by``: the kind of a finding before it that may be why.
    """

    kind: str
    text: str
    value: float | None
    unit: str
    bound: float | None
    recommendation: str
    evidence: tuple[str, ...] = ()
    stable: bool = False
    explained_by: str | None = None

    @property
    def ratio(self) -> float:
        """How far past the bound: 1 is at it."""
        if self.value is None or not self.bound:
            return 1.0
        return self.value / self.bound


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The readings of a target at a time when it was healthy."""

    target: str
    at: int
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A metric then and now."""

    metric: str
    before: float
    after: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which report is wanted: of what, why and by whom; ``incident``: its number, if it is for one."""

    id: str
    target: str
    description: str
    by: str
    incident: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A diagnostic report. The first nine fields are the guide's, under the guide's names.

    ``timestamp`` is ISO 8601 in UTC, ``at`` the same in milliseconds since the epoch. ``partial``
    names each part that is missing with the reason. ``emergency``: for an incident, the guide's
    emergency diagnostics, else None.
    """

    id: str
    timestamp: str
    issue_description: str
    system_info: Facts
    performance_metrics: Facts
    recent_logs: list[Facts]
    thread_dump: Facts
    heap_dump: Facts
    recommendations: list[str]
    at: int
    target: str
    incident: str | None
    asked_by: str
    verdict: str
    reason: str
    findings: list[Facts]
    changed: Facts | None
    partial: Mapping[str, str]
    took_ms: Mapping[str, float | None]
    details: Facts
    emergency: Facts | None

    def json(self) -> dict[str, Any]:
        """As ``--json`` prints it and the store keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Facts) -> Self:
        """Read back what ``json`` gave."""
        return cls(**facts)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A report as the list shows it."""

    id: str
    target: str
    incident_id: int | None
    at: int
    asked_by: str
    description: str
    verdict: str
    finding: str

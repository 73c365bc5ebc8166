"""Timers: what is due at a time."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.incident import Facts


@dataclass(frozen=True, kw_only=True)
class Timer:
    """One due thing, claimed: ``claim`` is the number that its firing must still find."""

    id: int
    kind: str
    subject: str
    incident_id: int | None
    due_at: int
    claim: int
    attempts: int
    detail: Facts

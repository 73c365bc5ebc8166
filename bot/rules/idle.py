"""Whether somebody is on it: an acknowledger who does nothing is asked, and then it goes on."""

from __future__ import annotations

from typing import Literal

from bot.model.incident import Severity, Status
from bot.rules.levels import Case
from bot.rules.past import IDLE

ANSWER_WITHIN_MS = 300_000
_WATCHED = {Severity.SEV1, Severity.SEV2}


def running_since(case: Case, now: int) -> int | None:
    """Since when nobody is on it, in milliseconds since the epoch; None: somebody is, or it is over."""
    if case.incident.status is Status.OPEN:
        return case.began
    again = goes_on_at(case)
    return again if again is not None and again <= now else None


def goes_on_at(case: Case) -> int | None:
    """When it escalates again, because whoever acknowledged gave no answer; None: it doesn't."""
    if not _watched(case) or IDLE not in case.past.asked or case.past.answered(IDLE):
        return None
    return case.opening(case.past.asked[IDLE].at + ANSWER_WITHIN_MS)


def asks_at(case: Case) -> int | None:
    """When whoever acknowledged has done nothing for so long that they are asked."""
    if not _watched(case) or goes_on_at(case) is not None:
        return None
    return case.opening(last_active(case) + case.idle)


def last_active(case: Case) -> int:
    """When a person last did anything about it, in milliseconds since the epoch."""
    marks = (case.past.active, case.past.acknowledged)
    return max((mark.at for mark in marks if mark is not None), default=case.began)


def gate(case: Case, level: int, now: int) -> Literal["ask", "wait", "fire"]:
    """What becomes of a level that is due although somebody acknowledged."""
    return "wait" if now < gate_opens_at(case, level) else _next_of(case, level)


def gate_opens_at(case: Case, level: int) -> int:
    """When such a level is asked about, asked about again, or fires; 0: at once."""
    asked = case.past.asked.get(level)
    if asked is None:
        return 0
    if case.past.answered(level):
        return case.opening(last_active(case) + case.idle)
    return case.opening(asked.at + ANSWER_WITHIN_MS)


def _next_of(case: Case, level: int) -> Literal["ask", "fire"]:
    asked = level in case.past.asked and not case.past.answered(level)
    return "fire" if asked else "ask"


def _watched(case: Case) -> bool:
    """Low severities may take their time, and practice ends by itself."""
    incident = case.incident
    acknowledged = incident.status is Status.ACKNOWLEDGED
    return acknowledged and incident.severity in _WATCHED and not incident.drill

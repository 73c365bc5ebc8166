"""Escalations for tests: policies as the file writes them, readings over time, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.model.incident import Incident, Status
from bot.model.policy import Policy
from bot.rules.known import Known, Values
from bot.rules.levels import Case
from bot.rules.rehearsal import Happening, Moment, Read, rehearse
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.incidents import alice, incident

MINUTE, HOUR = 60_000, 3_600_000
CAROL, DAVE, BOSS = "U05CAROL", "U06DAVE", "U09BOSS"
GROUPS = {"group:engineering": (CAROL, DAVE), "group:nobody": (), "oncall:primary": (ALICE,)}


def written(*levels: Mapping[str, Any], **rest: Any) -> Policy:
    """A policy from its levels as the file writes them."""
    known = [{"after": "0s", "notify": ["channel"], **level} for level in levels]
    return Policy.model_validate_json(json.dumps({"levels": known, **rest}))


def people(destination: str, at: int) -> tuple[str, ...]:
    """Who is behind a destination, at any time."""
    if destination.startswith("user:"):
        return (destination.removeprefix("user:"),)
    return GROUPS.get(destination, ())


def values(cpu: float | None = 10.0, memory: float | None = 200.0, **more: Known) -> Values:
    """A target's readings; None: lost."""
    return {
        "cpu_percent": Known(cpu, "%", None if cpu is not None else "the agent is away", "agent"),
        "memory_mb": Known(memory, "MB", None if memory is not None else "away", "agent"),
        **more,
    }


def from_minute(*changes: tuple[float, Values], target: str = "iora") -> Read:
    """Readings that hold from a minute after the declaration until the next."""

    def read(now: int) -> Mapping[str, Values]:
        found = values()
        for minute, known in changes:
            if now >= NOON + minute * MINUTE:
                found = known
        return {target: found}

    return read


def hot(now: int) -> Mapping[str, Values]:
    """CPU and memory beyond the guide's bounds, all the time."""
    return {"iora": values(96.0, 1_100.0)}


def calm(now: int) -> Mapping[str, Values]:
    """Nothing stands out."""
    return {"iora": values()}


def minute(number: float) -> int:
    """A time, in minutes after the declaration."""
    return NOON + round(number * MINUTE)


def acknowledged(at: float, actor: str = alice.text) -> Happening:
    """Somebody acknowledges and takes command."""
    columns = {"status": Status.ACKNOWLEDGED, "acknowledged_at": minute(at), "commander": ALICE}
    return Happening(minute(at), actor, "acknowledged", {}, columns)


def noted(at: float, actor: str = alice.text) -> Happening:
    """Somebody writes a note."""
    return Happening(minute(at), actor, "note", {"text": "looking"})


def over(at: float, status: Status) -> Happening:
    """Mitigated or resolved."""
    return Happening(minute(at), alice.text, str(status), {}, {"status": status})


def called(at: float) -> Happening:
    """Somebody calls for the next level."""
    return Happening(minute(at), alice.text, "escalated", {"text": ""}, calls=True)


def rated(at: float, severity: str, policy: Policy) -> Happening:
    """Another severity, with its policy."""
    facts = {"from": "sev2", "to": severity, "switched": True}
    return Happening(minute(at), alice.text, "severity", facts, {"severity": severity}, policy)


def reopened(at: float) -> Happening:
    """It was not over."""
    columns = {"status": Status.OPEN, "opened_at": minute(at)}
    return Happening(minute(at), alice.text, "reopened", {"text": ""}, columns)


def play(
    policy: Policy,
    *happenings: Happening,
    read: Read = calm,
    until: float = 60,
    last_resort: Sequence[str] = (f"user:{BOSS}",),
    found: Incident | None = None,
    who: Callable[[str, int], tuple[str, ...]] = people,
    **case: Any,
) -> list[Moment]:
    """Everything that happens by itself, until some minutes after the declaration."""
    known = Case(found or incident(), policy, last_resort=tuple(last_resort), **case)
    return list(rehearse(known, who, read, minute(until), happenings))


def shown(moments: Iterable[Moment]) -> list[str]:
    """Each moment as a line: ``5 CAROL, DAVE: Critical CPU usage`` or ``5 asks ALICE: ...``."""
    return [line for moment in moments for line in _lines(moment)]


def brief(moments: Iterable[Moment]) -> list[str]:
    """As ``shown``, without the reasons."""
    return [line.partition(":")[0] for line in shown(moments)]


def _lines(moment: Moment) -> list[str]:
    at = (moment.at - NOON) / MINUTE
    when = f"{at:g}"
    lines = []
    if moment.account is not None:
        told = [_short(one) for one in moment.account.facts["people"]]
        told += ["channel"] if "channel" in moment.account.facts["notify"] else []
        lines.append(f"{when} {', '.join(told) or 'nobody'}: {moment.account.facts['reason']}")
    if moment.ask is not None:
        asked = _short(moment.asked) if moment.asked else "the channel"
        lines.append(f"{when} asks {asked}: {'; '.join(moment.ask.because)}")
    return lines


def _short(person: str) -> str:
    return person.lstrip("U0123456789")


def with_targets(*names: str) -> Incident:
    """INC-7 on these targets."""
    return replace(incident(), targets=names)


__all__ = ["ALICE", "BOB"]

"""What a command does to an incident: a change with its timeline entry, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import (
    Acknowledge,
    Assign,
    Escalate,
    Mitigate,
    Note,
    OnIncident,
    OnIt,
    Reopen,
    Resolve,
    SetSeverity,
    Update,
)
from bot.model.incident import Facts, Incident, Status

SAME_DECLARATION_MS = 60_000


@dataclass(frozen=True)
class Change:
    """Columns to set, and the entry that says so; ``calls``: for the next level, now."""

    kind: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    calls: bool = False


Decision = Change | Refusal


def decide(
    incident: Incident, command: OnIncident, actor: Actor, now: int, *, may_command: bool = True
) -> Decision:
    """What becomes of the incident. Access was checked before.

    ``may_command`` False: whoever acknowledges does not become its commander, who may do more.
    """
    if isinstance(command, Acknowledge):
        return _acknowledge(incident, actor, now, may_command=may_command)
    return _DECISIONS[type(command)](incident, command, actor, now)


def _acknowledge(incident: Incident, actor: Actor, now: int, *, may_command: bool) -> Decision:
    if incident.status is not Status.OPEN:
        return Refusal(
            f"{incident.key} is {incident.status} already.", f"See `/iora show {incident.key}`."
        )
    columns: dict[str, Any] = {"status": Status.ACKNOWLEDGED}
    if incident.acknowledged_at is None:
        columns |= _acknowledged(incident, now)
    if incident.commander is None and may_command:
        columns["commander"] = actor.holder
    return Change("acknowledged", columns)


def _assign(incident: Incident, command: Assign, actor: Actor, now: int) -> Decision:
    if not incident.live:
        return _over(incident)
    if command.role == "commander":
        if incident.commander == command.person:
            return Refusal(f"<@{command.person}> commands {incident.key} already.")
        return Change(
            "assigned",
            {"commander": command.person},
            {"person": command.person, "role": "commander"},
        )
    return Change("assigned", {}, {"person": command.person, "role": command.role})


def _severity(incident: Incident, command: SetSeverity, actor: Actor, now: int) -> Decision:
    if not incident.live:
        return _over(incident)
    if incident.severity is command.severity:
        return Refusal(f"{incident.key} is {command.severity} already.")
    return Change(
        "severity",
        {"severity": command.severity},
        {"from": incident.severity, "to": command.severity},
    )


def _mitigate(incident: Incident, command: Mitigate, actor: Actor, now: int) -> Decision:
    if incident.status in {Status.MITIGATED, Status.RESOLVED}:
        return Refusal(f"{incident.key} is {incident.status} already.")
    columns: dict[str, Any] = {"status": Status.MITIGATED} | _mitigated(incident, now)
    if incident.acknowledged_at is None:
        columns |= _acknowledged(incident, now)
    return Change("mitigated", columns, {"text": command.text})


def _resolve(incident: Incident, command: Resolve, actor: Actor, now: int) -> Decision:
    if not incident.live:
        return Refusal(f"{incident.key} is resolved already.")
    columns: dict[str, Any] = {
        "status": Status.RESOLVED,
        "resolved_at": now,
        "time_to_resolve": now - incident.started_at - incident.closed_ms,
    }
    if incident.mitigated_at is None:
        columns |= _mitigated(incident, now)
    if incident.acknowledged_at is None:
        columns |= _acknowledged(incident, now)
    facts = {"text": command.text, "took": columns["time_to_resolve"]}
    return Change("resolved", columns, facts)


def _reopen(incident: Incident, command: Reopen, actor: Actor, now: int) -> Decision:
    if incident.status not in {Status.MITIGATED, Status.RESOLVED}:
        return Refusal(f"{incident.key} is {incident.status}: there is nothing to reopen.")
    closed = now - incident.resolved_at if incident.resolved_at is not None else 0
    columns = {
        "status": Status.OPEN,
        "opened_at": now,
        "mitigated_at": None,
        "resolved_at": None,
        "time_to_mitigate": None,
        "time_to_resolve": None,
        "closed_ms": incident.closed_ms + closed,
    }
    return Change("reopened", columns, {"text": command.text})


def _note(incident: Incident, command: Note, actor: Actor, now: int) -> Decision:
    return Change("note", {}, {"text": command.text})


def _on_it(incident: Incident, command: OnIt, actor: Actor, now: int) -> Decision:
    if not incident.live:
        return _over(incident)
    return Change("on_it")


def _update(incident: Incident, command: Update, actor: Actor, now: int) -> Decision:
    columns: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    if command.started_at is not None:
        if command.started_at > incident.declared_at:
            return Refusal(
                "The impact can't have begun after the incident was declared.",
                "Give an earlier time, such as `started 20m ago`.",
            )
        columns |= _started(incident, command.started_at)
        facts["started_at"] = command.started_at
    for name in ("impact", "title"):
        text = getattr(command, name)
        if text is not None:
            columns[name] = facts[name] = text
    return Change("updated", columns, facts)


def _escalate(incident: Incident, command: Escalate, actor: Actor, now: int) -> Decision:
    if incident.status in {Status.MITIGATED, Status.RESOLVED}:
        return Refusal(
            f"{incident.key} is {incident.status}.", "Reopen it first if it is not over."
        )
    return Change("escalated", {}, {"text": command.text}, calls=True)


def _acknowledged(incident: Incident, now: int) -> dict[str, Any]:
    return {"acknowledged_at": now, "time_to_acknowledge": now - incident.declared_at}


def _mitigated(incident: Incident, now: int) -> dict[str, Any]:
    took = now - incident.started_at - incident.closed_ms
    return {"mitigated_at": now, "time_to_mitigate": took}


def _started(incident: Incident, started_at: int) -> dict[str, Any]:
    """Another beginning moves every duration that counts from it."""
    earlier = incident.started_at - started_at
    columns: dict[str, Any] = {
        "started_at": started_at,
        "time_to_detect": incident.declared_at - started_at,
    }
    for name in ("time_to_mitigate", "time_to_resolve"):
        known = getattr(incident, name)
        if known is not None:
            columns[name] = known + earlier
    return columns


def _over(incident: Incident) -> Refusal:
    return Refusal(
        f"{incident.key} is resolved.", f"Reopen it first: `/iora reopen {incident.key}`."
    )


_DECISIONS: Mapping[type[OnIncident], Callable[..., Decision]] = {
    Assign: _assign,
    SetSeverity: _severity,
    Mitigate: _mitigate,
    Resolve: _resolve,
    Reopen: _reopen,
    Note: _note,
    OnIt: _on_it,
    Update: _update,
    Escalate: _escalate,
}

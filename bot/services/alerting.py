"""Looks at groups of alerts: an incident for each, or the suggestion of one, and what has changed since."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.model.actor import BOT, Actor
from bot.model.alert import Group, Tally
from bot.model.command import Reopen, SetSeverity
from bot.model.config import Config
from bot.model.incident import Incident, Severity
from bot.model.intake import Opening
from bot.model.timer import Timer
from bot.rules import alerting, lifecycle
from bot.rules.alert import counted, named
from bot.services import alert_suggestions
from bot.services.alert_incidents import found_of, open_incident
from bot.services.incidents import add_reply, apply
from bot.services.intake import look_soon, rest_of
from bot.services.silences import muting, note_muted
from bot.store import alerts, incidents, outbox, timers
from bot.store.database import Tx

_BOT = Actor(BOT)


def settle(tx: Tx, timer: Timer, config: Config) -> None:
    """Look at a group: open what it asks for, or say what has changed."""
    if not timers.fire(tx, timer):
        return
    group = alerts.group(tx, int(timer.subject))
    if group is None:
        return
    opening = config.intake.opening(group.source, group.labels)
    incident = incidents.get(tx, group.incident_id) if group.incident_id is not None else None
    group, tally = _looked_at(tx, group, incident)
    move = alerting.decide(group, tally, incident, tx.now)
    if move.opens:
        if opening is not None:  # otherwise a reload took the source away
            _open(tx, config, group, tally, opening)
    elif incident is not None and incident.live:
        _tell(tx, config, incident, group, tally, move, opening)
    alert_suggestions.update(tx, group, tally, dropped=opening is None)
    if move.again_at is not None:
        look_soon(tx, group.id, move.again_at)


def _looked_at(tx: Tx, group: Group, incident: Incident | None) -> tuple[Group, Tally]:
    """The group with its episode, and its alerts now; what is seen is kept."""
    resolved_at = incident.resolved_at if incident is not None else None
    after = resolved_at if resolved_at is not None else 0
    since = alerts.tally(tx, group, after, after + alerting.RELAPSE_MS)
    begun = alerting.begins(group, since, after, tx.now)
    seen = replace(group, since=begun)
    tally = (
        since
        if begun == group.since
        else alerts.tally(tx, seen, after, after + alerting.RELAPSE_MS)
    )
    changes: dict[str, Any] = {
        "since": begun,
        "firing": tally.firing,
        "resolved": tally.resolved,
        "active": int(tally.firing > 0),
    }
    if tally.firing:
        changes |= {"titles": tally.titles, "cleared_at": None}
    elif group.firing:
        changes |= {"cleared_at": tx.now}
    if not tally.firing:
        changes |= {"worst": Severity.SEV4}
    alerts.settle(tx, group.id, changes)
    return seen, tally


def _open(tx: Tx, config: Config, group: Group, tally: Tally, opening: Opening) -> None:
    """An incident or a suggestion; nothing while it is muted; with the rest where it is too much."""
    if opening.open == "suggest" and alert_suggestions.posted(tx, group):
        return
    what = found_of(group, tally, config, opening)
    muted = muting(tx, config, what.targets, tx.now)
    if muted is not None:
        note_muted(tx, muted, what.title, group.target)
        look_soon(tx, group.id, muted.until)
        return
    if _too_much(tx, group):
        rest = rest_of(tx, group.source)
        alerts.move(tx, group.id, rest)
        alerts.touch(tx, rest, group.worst, group.cut)
        alerts.settle(tx, group.id, {"active": 0, "firing": 0, "cleared_at": tx.now})
        look_soon(tx, rest, tx.now + alerting.GATHER_MS)
    elif opening.open == "suggest":
        alert_suggestions.post(tx, config, group, what, tally)
        alerts.settle(tx, group.id, {"opened_at": tx.now})
    else:
        open_incident(tx, config, group, tally, what, _BOT)


def _too_much(tx: Tx, group: Group) -> bool:
    if group.rest or (group.opened_at is not None and tx.now - group.opened_at < alerting.STORM_MS):
        return False
    opened = alerts.opened_since(tx, group.source, tx.now - alerting.STORM_MS)
    return opened >= alerting.MOST_INCIDENTS


def _tell(
    tx: Tx,
    config: Config,
    incident: Incident,
    group: Group,
    tally: Tally,
    move: alerting.Move,
    opening: Opening | None,
) -> None:
    """What has changed of an incident's alerts: the card says it now, the timeline now and then."""
    if (tally.firing, tally.resolved) != (group.firing, group.resolved):
        outbox.revise(tx, incident.id, ("card",))
    if move.raised is not None:
        policy = opening.policy if opening is not None else None
        _do(tx, config, incident, SetSeverity(severity=move.raised), policy)
        alerts.settle(tx, group.id, {"opened_worst": move.raised})
    if move.note is None:
        return
    if move.reopens:
        text = f"it is back: {counted(tally.firing, tally.resolved)}: {named(tally.titles)}"
        _do(tx, config, incident, Reopen(text=text))
    facts = {
        "what": move.note,
        "source": group.source,
        "firing": tally.firing,
        "resolved": tally.resolved,
        "titles": dict(tally.titles or group.titles),
        "dropped": opening is None,
    }
    seq = incidents.add_entry(tx, incident.id, BOT, "alerts", facts)
    outbox.revise(tx, incident.id, ("card",))
    if move.note != "changed":
        add_reply(tx, incident, seq)
    changes = {
        "noted_at": tx.now,
        "noted_gap": alerting.gap(group, tx.now),
        "noted_firing": tally.firing,
        "noted_resolved": tally.resolved,
    }
    alerts.settle(tx, group.id, changes)


def _do(
    tx: Tx,
    config: Config,
    incident: Incident,
    command: SetSeverity | Reopen,
    policy: str | None = None,
) -> None:
    now = incidents.get(tx, incident.id)
    assert now is not None
    decided = lifecycle.decide(now, command, _BOT, tx.now)
    if isinstance(decided, lifecycle.Change):
        apply(tx, config, now, decided, _BOT, policy=policy)

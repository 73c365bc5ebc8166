"""Incidents that the bot opens by itself: one open one for each thing that is found, however often it is."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.actor import BOT, Actor
from bot.model.command import Reopen
from bot.model.config import Config
from bot.model.found import Found
from bot.model.incident import Incident
from bot.rules import lifecycle
from bot.services.incidents import Done, announce, apply, pinned
from bot.store import incidents, timers
from bot.store.database import Tx

_BOT = Actor(BOT)


def declare(tx: Tx, config: Config, found: Found, by: Actor = _BOT) -> Done:
    """The incident of what was found: the open one, one that was resolved lately, or a new one.

    ``by``: who says that it is one, such as a person who was asked.
    ``kind`` of what is given back is ``declared`` (``fresh`` False: it was open already) or ``reopened``.
    """
    known = incidents.newest_of_rule(tx, found.key)
    if known is None:
        return _new(tx, config, found, by)
    if known.live:
        return Done(known, "declared", fresh=False)
    assert known.resolved_at is not None
    if tx.now - known.resolved_at > found.reopen_within:
        return _new(tx, config, found, by)
    return reopen(tx, config, known, found.because, by)


def reopen(
    tx: Tx, config: Config, known: Incident, because: Sequence[str], by: Actor = _BOT
) -> Done:
    """It is back: the same incident, for whoever knows it is to go on where they were."""
    text = f"it is back: {'; '.join(because)}" if because else "it is back"
    decided = lifecycle.decide(known, Reopen(text=text), by, tx.now)
    assert isinstance(decided, lifecycle.Change), "what is mitigated or resolved can be reopened"
    apply(tx, config, known, decided, by)
    incident = incidents.get(tx, known.id)
    assert incident is not None
    _collect(tx, incident)
    return Done(incident, "reopened")


def _new(tx: Tx, config: Config, found: Found, by: Actor) -> Done:
    incident = incidents.add(
        tx,
        title=found.title,
        severity=found.severity,
        policy=pinned(config, found.severity, found.policy),
        declared_by=by.text,
        channel=config.slack.channel,
        targets=found.targets,
        started_at=min(found.since, tx.now),
        rule_key=found.key,
    )
    announce(tx, config, incident, because=found.because, runbook=found.runbook)
    _collect(tx, incident)
    return Done(incident, "declared")


def _collect(tx: Tx, incident: Incident) -> None:
    """Evidence, before anybody restarts anything."""
    if incident.targets:
        timers.arm(tx, "collect", str(incident.id), tx.now, incident_id=incident.id)

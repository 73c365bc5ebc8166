"""The incident that is opened for a group of alerts, by the bot or by whoever its suggestion was shown."""

from __future__ import annotations

from typing import Any

from bot.model.actor import Actor
from bot.model.alert import Group, Tally
from bot.model.config import Config
from bot.model.found import Found
from bot.model.intake import Opening
from bot.rules import alerting
from bot.rules.alert import REST, counted, key_of, named, titled
from bot.services import found
from bot.services.incidents import Done
from bot.services.intake import look_soon
from bot.store import alerts, outbox
from bot.store.database import Tx


def found_of(group: Group, tally: Tally, config: Config, opening: Opening) -> Found:
    """What an incident for a group is opened with."""
    targets = tuple(one for one in (group.target, *tally.targets) if one in config.targets)
    because = f"{counted(tally.firing, tally.resolved)}: {named(tally.titles)}"
    key = REST if group.rest else key_of(group.target, group.labels)
    return Found(
        key=f"alerts:{group.source}:{key}",
        title=titled(tally.titles, group.target, group.source, rest=group.rest),
        severity=group.worst,
        targets=tuple(dict.fromkeys(targets)),
        since=tally.began or 0,
        because=(because, *tally.summaries),
        policy=opening.policy,
        runbook=opening.runbook,
        reopen_within=alerting.RELAPSE_MS,
    )


def open_incident(
    tx: Tx, config: Config, group: Group, tally: Tally, what: Found, by: Actor
) -> Done:
    """The incident of a group, opened, joined or reopened; as bad as it was, until it is looked at again."""
    done = found.declare(tx, config, what, by)
    incident = done.incident
    changes: dict[str, Any] = {
        "incident_id": incident.id,
        "opened_at": tx.now,
        "opened_worst": (
            group.opened_worst if incident.id == group.incident_id else incident.severity
        ),
        "noted_at": tx.now,
        "noted_gap": alerting.FIRST_GAP_MS,
        "noted_firing": tally.firing,
        "noted_resolved": tally.resolved,
    }
    alerts.settle(tx, group.id, changes)
    if group.worst < incident.severity:
        look_soon(tx, group.id, tx.now)
    outbox.revise(tx, incident.id, ("card",))
    return done

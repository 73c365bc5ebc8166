"""A message that suggests an incident for a group of alerts: one an episode, kept up to date."""

from __future__ import annotations

from bot.model.alert import Group, Tally
from bot.model.config import Config
from bot.model.found import Found
from bot.model.incident import Facts
from bot.store import outbox
from bot.store.database import Tx

KIND = "alerts"


def post(tx: Tx, config: Config, group: Group, what: Found, tally: Tally) -> bool:
    """The suggestion of the group's episode; False where it is there already."""
    facts = {
        "group": group.id,
        "title": what.title,
        "severity": what.severity,
        "targets": list(what.targets),
        "source": group.source,
        "since": what.since,
        "because": list(what.because[1:]),
        "runbook": what.runbook,
        **_counts(group, tally),
    }
    key, destination = _key(group), f"channel:{config.slack.channel}"
    return outbox.add(tx, key, KIND, destination, facts) is not None


def update(tx: Tx, group: Group, tally: Tally) -> None:
    """Let the suggestion say how many fire now, if it was made."""
    if group.since is None:
        return
    told = outbox.by_key(tx, _key(group))
    if told is None:
        return
    facts: Facts = {**told.facts, **_counts(group, tally), "incident": group.incident_id}
    if facts != told.facts:
        outbox.set_facts(tx, told.id, facts)


def _counts(group: Group, tally: Tally) -> Facts:
    titles = tally.titles or group.titles
    return {"firing": tally.firing, "resolved": tally.resolved, "titles": dict(titles)}


def _key(group: Group) -> str:
    return f"alerts:{group.id}:{group.since}"

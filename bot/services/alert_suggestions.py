"""A message that suggests an incident for a group of alerts: one an episode, kept up to date."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.model.alert import Group, Tally
from bot.model.answer import Answer, Refusal
from bot.model.command import OnFinding
from bot.model.config import Config
from bot.model.found import Found
from bot.model.incident import Facts, Severity
from bot.model.message import Message
from bot.services.alert_incidents import found_of, open_incident
from bot.services.incidents import Asked
from bot.services.overview import overview
from bot.store import alerts, outbox
from bot.store.database import Tx

KIND = "alerts"


def posted(tx: Tx, group: Group) -> bool:
    """Whether the group's episode was suggested already; if it was dismissed, as bad as it is now."""
    told = _told(tx, group)
    if told is None:
        return False
    dismissed = "by" in told.facts and "incident" not in told.facts
    return not dismissed or group.worst >= Severity(told.facts["severity"])


def post(tx: Tx, config: Config, group: Group, what: Found, tally: Tally) -> None:
    """The suggestion of the group's episode."""
    key = f"{_prefix(group)}{what.severity}"
    facts = {
        "group": group.id,
        "title": what.title,
        "severity": what.severity,
        "targets": list(what.targets),
        "source": group.source,
        "since": what.since,
        "because": list(what.because[1:]),
        "runbook": what.runbook,
        "url": tally.url,
        "key": key,
        **_counts(group, tally),
    }
    outbox.add(tx, key, KIND, f"channel:{config.slack.channel}", facts)


def update(tx: Tx, group: Group, tally: Tally, *, dropped: bool) -> None:
    """Let the suggestion say how many fire now and how bad it is, if it was made.

    ``dropped``: the config has its source no more.
    """
    told = _told(tx, group)
    if told is None:
        return
    facts: dict[str, Any] = {**told.facts, **_counts(group, tally)}
    if dropped and not tally.firing:
        facts["dropped"] = True
    if "by" not in facts and tally.firing:  # what it would be declared with
        facts["severity"] = str(min(group.worst, Severity(facts["severity"])))
    if facts != told.facts:
        outbox.set_facts(tx, told.id, facts)


def answer(tx: Tx, config: Config, command: OnFinding, asked: Asked) -> Answer | Refusal:
    """A person declares what was suggested, or says that it is nothing."""
    told = outbox.by_key(tx, command.key)
    group = alerts.group(tx, told.facts["group"]) if told is not None else None
    opening = config.intake.opening(group.source, group.labels) if group is not None else None
    if told is None or group is None or opening is None:
        return Refusal("These alerts are not known any more.", "See `/iora health`.")
    number = told.facts.get("incident")
    if number is not None:
        return Refusal(f"It is INC-{number} already.", f"See `/iora show INC-{number}`.")
    if command.verb == "dismiss" and "by" in told.facts:
        return Refusal("It is dismissed already.")
    if command.verb == "dismiss":
        outbox.set_facts(tx, told.id, {**told.facts, "by": asked.actor.text})
        return Answer(kind="dismissed", facts={"title": told.facts["title"]})
    tally = alerts.tally(tx, group, 0, 0)
    if not tally.firing:
        return Refusal("It is over by now.", "If it is an incident all the same: `/iora declare`.")
    what = replace(found_of(group, tally, config, opening), since=told.facts["since"])
    done = open_incident(tx, config, group, tally, what, asked.actor)
    outbox.set_facts(
        tx, told.id, {**told.facts, "incident": done.incident.id, "by": asked.actor.text}
    )
    seen = overview(tx, config, done.incident.id)
    return Answer(kind="done", facts={"done": done.kind, "fresh": done.fresh, "overview": seen})


def _counts(group: Group, tally: Tally) -> Facts:
    titles = tally.titles or group.titles
    return {"firing": tally.firing, "resolved": tally.resolved, "titles": dict(titles)}


def _told(tx: Tx, group: Group) -> Message | None:
    """The newest suggestion of the group's episode."""
    found = outbox.with_prefix(tx, _prefix(group))
    return found[-1] if found else None


def _prefix(group: Group) -> str:
    return f"{KIND}:{group.id}:{group.since}:"

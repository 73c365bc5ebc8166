"""Reads all that is shown of an incident."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.config import Config
from bot.model.incident import Entry, Facts, Incident
from bot.model.overview import Overview, Ping, Upcoming
from bot.model.policy import Policy
from bot.rules import escalation
from bot.rules.oncall import Roster
from bot.services.roster import roster
from bot.store import incidents, outbox, timers
from bot.store.database import Tx


def overview(tx: Tx, config: Config, incident_id: int) -> Overview | None:
    """The incident as it is in this transaction, or None."""
    incident = incidents.get(tx, incident_id)
    return overview_of(tx, config, incident) if incident else None


def overview_of(tx: Tx, config: Config, incident: Incident) -> Overview:
    """The same for one that was read in this transaction."""
    entries = tuple(incidents.timeline(tx, incident.id))
    pings = tuple(
        Ping(
            message.facts["person"],
            message.state,
            message.facts["at"],
            message.sent_at,
            message.error,
        )
        for message in outbox.of_incident(tx, incident.id, "ping")
    )
    return Overview(incident, entries, pings, _upcoming(tx, config, incident, entries), tx.now)


def listed(tx: Tx, found: Iterable[Incident], *, timelines: bool) -> list[Overview]:
    """Incidents as a list shows them: no pings, nothing upcoming, entries only where they are asked for."""
    return [
        Overview(
            incident,
            tuple(incidents.timeline(tx, incident.id)) if timelines else (),
            pings=(),
            upcoming=None,
            now=tx.now,
        )
        for incident in found
    ]


def told(entries: Iterable[Entry], opened_at: int) -> tuple[str, ...]:
    """The destinations that were told since the incident was opened, in order."""
    return tuple(
        dict.fromkeys(
            text
            for entry in entries
            if entry.kind == "escalation" and entry.at >= opened_at
            for text in entry.facts["notify"]
        )
    )


def paged(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The people who were ever pinged for the incident."""
    return tuple(
        dict.fromkeys(
            person
            for entry in entries
            if entry.kind == "escalation"
            for person in entry.facts["people"]
        )
    )


def position_of(detail: Facts) -> escalation.Position:
    """The position that a level timer carries."""
    return escalation.Position(detail.get("stage", "level"), detail.get("number", 0))


def _upcoming(
    tx: Tx, config: Config, incident: Incident, entries: tuple[Entry, ...]
) -> Upcoming | None:
    armed = timers.of_incident(tx, "level", incident.id)
    if not armed:
        return None
    policy = Policy.from_pinned(incident.policy["policy"])
    following = escalation.Next(position_of(armed[0].detail), armed[0].due_at)
    behind = roster(tx, config)
    found = _told_by(behind, incident, policy, following, entries)
    if found is not None and found[0] == Upcoming.nobody(following.due_at):
        # The first level only tells the channel, which the card does already.
        found = _told_by(behind, incident, policy, found[1], entries) if found[1] else None
    return found[0] if found else None


def _told_by(
    behind: Roster,
    incident: Incident,
    policy: Policy,
    following: escalation.Next,
    entries: tuple[Entry, ...],
) -> tuple[Upcoming, escalation.Next | None] | None:
    """Whom a timer would tell, and what would come after it."""
    due = escalation.decide(
        incident,
        policy,
        following.position,
        told(entries, incident.opened_at),
        following.due_at,
        forced=True,
        last_resort=behind.config.escalation.last_resort,
    )
    if isinstance(due, escalation.Stop):
        return None
    people = [one for text in due.notify for one in behind.people(text, following.due_at)]
    channel = "channel" in due.notify and due.levels != (0,)
    return Upcoming(following.due_at, tuple(dict.fromkeys(people)), channel), due.next

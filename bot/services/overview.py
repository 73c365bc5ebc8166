"""Reads all that is shown of an incident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.model.config import Config
from bot.model.incident import Entry, Incident
from bot.model.overview import Asking, Overview, Ping, Upcoming, Waiting
from bot.rules import escalation, idle
from bot.rules.arming import Seen
from bot.rules.detection import Phase
from bot.rules.levels import Case, fired_at, start, tells
from bot.rules.oncall import Roster
from bot.rules.past import holder_of
from bot.services import course, silenced
from bot.services.roster import roster
from bot.store import alerts, holds, incidents, outbox, timers
from bot.store.database import Tx


def overview(tx: Tx, config: Config, incident_id: int) -> Overview | None:
    """The incident as it is in this transaction, or None."""
    incident = incidents.get(tx, incident_id)
    return overview_of(tx, config, incident) if incident else None


def overview_of(tx: Tx, config: Config, incident: Incident) -> Overview:
    """The same for one that was read in this transaction."""
    entries = tuple(incidents.timeline(tx, incident.id))
    pings = pings_of(tx, incident)
    muted = silenced.holding(tx, config, incident)
    behind, case = roster(tx, config), course.case_of(tx, config, incident, entries)
    return Overview(
        incident,
        entries,
        pings,
        _upcoming(tx, behind, case) if muted is None else None,
        tx.now,
        waiting=tuple(_waiting(behind, case, tx.now)) if muted is None else (),
        silenced=muted,
        asking=_asking(case),
        normal_since=_normal_since(tx, incident),
        alerts=alerts.of_incident(tx, incident.id),
    )


def _normal_since(tx: Tx, incident: Incident) -> int | None:
    """Since when every rule whose finding it is has been quiet."""
    found = holds.of_incident(tx, incident.id) if incident.live else []
    if not found or any(hold.phase is not Phase.QUIET for hold in found):
        return None
    return max(hold.changed_at or incident.declared_at for hold in found)


def pings_of(tx: Tx, incident: Incident) -> tuple[Ping, ...]:
    """Every ping of the incident by every way it went, oldest first."""
    return tuple(
        Ping(
            message.facts["person"],
            message.state,
            message.facts["at"],
            message.sent_at,
            message.error,
            message.via,
            message.facts["entry"],
            message.facts.get("instead"),
        )
        for message in outbox.of_incident(tx, incident.id, "ping")
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


def _upcoming(tx: Tx, behind: Roster, case: Case) -> Upcoming | None:
    """Whom time alone tells next. The first level that only tells the channel is the card itself."""
    armed = timers.of_incident(tx, course.KIND, case.incident.id)
    push = course.push_of(armed[0]) if armed else None
    if push is not None:
        fire = escalation.decide(case, Seen(), tx.now, push=push).fire
        return _told(behind, tx.now, fire.notify, fire.levels) if fire is not None else None
    closed = case.policy.hours if case.opening(tx.now) > tx.now else None
    found = escalation.following(case, tx.now)
    if found is not None and found.notify == ("channel",) and found.levels == (0,):
        past = replace(case.past, fired={0: found.at})
        found = escalation.following(case.on(past), max(found.at, tx.now))
    if found is None:
        return None
    told = _told(behind, found.at, found.notify, found.levels)
    return replace(told, hours=str(closed)) if closed is not None else told


def _told(behind: Roster, at: int, notify: tuple[str, ...], levels: tuple[int, ...]) -> Upcoming:
    channel = "channel" in notify and levels != (0,)
    return Upcoming(at, _people(behind, notify, at), channel)


def _waiting(behind: Roster, case: Case, now: int) -> Iterator[Waiting]:
    """The levels that wait for a reading, and those that are passed over."""
    since = idle.running_since(case, now)
    for number, level in enumerate(case.policy.levels):
        if level.when is None or not case.live or fired_at(case, number) is not None:
            continue
        begins, skipped = start(case, number, since), case.skipped(level)
        if begins is not None or skipped is not None:
            at, notify = max(begins or now, now), tells(case, number)
            people = _people(behind, notify, at)
            yield Waiting(str(level.when), begins or now, people, "channel" in notify, skipped)


def _asking(case: Case) -> Asking | None:
    """When whoever acknowledged is asked whether they are on it; or what follows an asking."""
    person = holder_of(case.past)
    at = idle.asks_at(case)
    if at is not None:
        return Asking(at, person, asked=False)
    at = idle.goes_on_at(case)
    return Asking(at, person, asked=True) if at is not None else None


def _people(behind: Roster, notify: tuple[str, ...], at: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for text in notify for one in behind.people(text, at)))

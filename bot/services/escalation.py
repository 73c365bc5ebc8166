"""Fires the levels of incidents: entry, pings and the next timer in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.incident import Entry, Incident, Status
from bot.model.message import Message, State
from bot.model.policy import Policy
from bot.model.timer import Timer
from bot.rules import escalation
from bot.services.incidents import CARD_AND_COPIES, add_reply, arm_level, hasten
from bot.services.overview import paged, position_of, told
from bot.services.roster import roster
from bot.store import incidents, outbox, timers
from bot.store.database import Tx

FIRED = ("escalation",)  # the entries that say who was told


def fire(tx: Tx, timer: Timer, config: Config) -> None:
    """A level, a repeat or the last resort is due: read again, decide, and do it once."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    incident = incidents.get(tx, timer.incident_id)
    if incident is None:
        return
    entries = incidents.timeline(tx, incident.id, FIRED)
    forced = bool(timer.detail.get("forced"))
    decision = escalation.decide(
        incident,
        Policy.from_pinned(incident.policy["policy"]),
        position_of(timer.detail),
        told(entries, incident.opened_at),
        tx.now,
        forced=forced,
        switched=bool(timer.detail.get("switched")),
        last_resort=config.escalation.last_resort,
    )
    if isinstance(decision, escalation.Stop):
        return
    if decision.next is not None:
        arm_level(tx, incident, decision.next)
    if decision.notify:
        _notify(tx, config, incident, decision)
    elif forced:  # everybody whom the other policy tells by now knows: the call goes one further
        hasten(tx, incident, entries)
    outbox.revise(tx, incident.id, ("card",))


def unreached(tx: Tx, message: Message, reason: str) -> None:
    """The destination of a ping or of the card can't receive: say so at once, and go on to the next."""
    if message.incident_id is None:
        return
    incident = incidents.get(tx, message.incident_id)
    if incident is None:
        return
    person = message.facts.get("person")
    where = {"person": person} if person else {"channel": incident.channel}
    incidents.add_entry(tx, incident.id, BOT, "unreached", {**where, "reason": reason})
    outbox.revise(tx, incident.id, CARD_AND_COPIES)
    entries = incidents.timeline(tx, incident.id, FIRED)
    if incident.status is Status.OPEN and _nobody_else(tx, incident, message, entries):
        hasten(tx, incident, entries)


def _nobody_else(tx: Tx, incident: Incident, message: Message, entries: Sequence[Entry]) -> bool:
    """Whether the level told only those who can't receive.

    The last resort is not hurried: if nobody at all can receive, that would never end.
    """
    if message.kind == "card":
        told_once = any(entry.kind == "escalation" for entry in entries)
        return (
            told_once and not paged(entries) and bool(timers.of_incident(tx, "level", incident.id))
        )
    if message.facts["stage"] == "last_resort":
        return False
    pings = outbox.of_incident(tx, incident.id, "ping")
    others = [one for one in pings if one.facts["entry"] == message.facts["entry"]]
    return not any(_may_arrive(one) for one in others)


def _notify(tx: Tx, config: Config, incident: Incident, due: escalation.Fire) -> None:
    behind = roster(tx, config)
    by_destination = {text: behind.people(text, tx.now) for text in due.notify}
    people = tuple(dict.fromkeys(person for found in by_destination.values() for person in found))
    nobody = [text for text, found in by_destination.items() if not found and text != "channel"]
    facts = {
        "stage": due.position.stage,
        "number": due.position.number,
        "levels": list(due.levels),
        "notify": list(due.notify),
        "people": list(people),
        "nobody": nobody,
        "reason": due.reason,
    }
    seq = incidents.add_entry(tx, incident.id, BOT, "escalation", facts)
    for person in people:
        outbox.add(
            tx,
            f"ping:{incident.id}:{seq}:{person}",
            "ping",
            f"user:{person}",
            {
                "person": person,
                "entry": seq,
                "at": tx.now,
                "stage": due.position.stage,
                "number": due.position.number,
                "reason": due.reason,
                "called": incident.status is Status.ACKNOWLEDGED,
            },
            incident_id=incident.id,
            page=True,
        )
    if _said_in_channel(due):
        add_reply(tx, incident, seq, broadcast=True)
    if due.position.stage == "level" and not people and _nowhere(tx, incident, due, nobody):
        hasten(tx, incident, incidents.timeline(tx, incident.id, FIRED))


def _nowhere(tx: Tx, incident: Incident, due: escalation.Fire, nobody: Sequence[str]) -> bool:
    """Whether a level that names no person reaches nobody: an empty group, a channel that is gone."""
    if "channel" not in due.notify:
        return bool(nobody)
    card = outbox.by_key(tx, f"card:{incident.id}")
    refused = card is not None and card.state is State.REFUSED
    return refused and bool(timers.of_incident(tx, "level", incident.id))


def _said_in_channel(due: escalation.Fire) -> bool:
    """At the first level the card itself tells the channel; later, and at the end, a reply does."""
    if due.position.stage == "last_resort":
        return True
    return "channel" in due.notify and due.levels != (0,)


def _may_arrive(message: Message) -> bool:
    return message.state not in {State.REFUSED, State.WITHDRAWN}

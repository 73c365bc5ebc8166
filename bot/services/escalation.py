"""Fires the levels of incidents: entry, pings and the next timer in one transaction."""

from __future__ import annotations

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.incident import Incident, Status
from bot.model.message import Message, State
from bot.model.policy import Policy
from bot.model.timer import Timer
from bot.rules import escalation
from bot.services.incidents import CARD_AND_COPIES, add_reply, arm_level, hasten
from bot.services.overview import position_of, told
from bot.store import incidents, outbox, timers
from bot.store.database import Tx


def fire(tx: Tx, timer: Timer, config: Config) -> None:
    """A level, a repeat or the last resort is due: read again, decide, and do it once."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    incident = incidents.get(tx, timer.incident_id)
    if incident is None:
        return
    entries = incidents.timeline(tx, incident.id)
    decision = escalation.decide(
        incident,
        Policy.from_pinned(incident.policy["policy"]),
        position_of(timer.detail),
        told(entries, incident.opened_at),
        tx.now,
        forced=bool(timer.detail.get("forced")),
        switched=bool(timer.detail.get("switched")),
        last_resort=config.escalation.last_resort,
    )
    if isinstance(decision, escalation.Stop):
        return
    if decision.next is not None:
        arm_level(tx, incident, decision.next)
    if decision.notify:
        _notify(tx, config, incident, decision)
    outbox.revise(tx, incident.id, CARD_AND_COPIES)


def unreached(tx: Tx, message: Message, reason: str) -> None:
    """A ping's destination can't receive: say so at once, and go to the next level."""
    if message.incident_id is None:
        return
    incident = incidents.get(tx, message.incident_id)
    if incident is None:
        return
    facts = {"person": message.facts["person"], "reason": reason}
    incidents.add_entry(tx, incident.id, BOT, "unreached", facts)
    outbox.revise(tx, incident.id, CARD_AND_COPIES)
    pings = outbox.of_incident(tx, incident.id, "ping")
    others = [one for one in pings if one.facts["entry"] == message.facts["entry"]]
    # The last resort is not hurried: if nobody at all can receive, that would never end.
    hurry = incident.status is Status.OPEN and message.facts["stage"] != "last_resort"
    if hurry and not any(_may_arrive(one) for one in others):
        hasten(tx, incident, incidents.timeline(tx, incident.id))


def _notify(tx: Tx, config: Config, incident: Incident, due: escalation.Fire) -> None:
    by_destination = {text: escalation.people(config, text) for text in due.notify}
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
            },
            incident_id=incident.id,
            page=True,
        )
    if _said_in_channel(due):
        add_reply(tx, incident, seq, broadcast=True)
    if due.position.stage == "level" and nobody and not people and "channel" not in due.notify:
        hasten(tx, incident, incidents.timeline(tx, incident.id))


def _said_in_channel(due: escalation.Fire) -> bool:
    """At the first level the card itself tells the channel; later, and at the end, a reply does."""
    if due.position.stage == "last_resort":
        return True
    return "channel" in due.notify and due.levels != (0,)


def _may_arrive(message: Message) -> bool:
    return message.state not in {State.REFUSED, State.WITHDRAWN}

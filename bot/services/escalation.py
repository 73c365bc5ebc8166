"""Fires the levels of incidents: entry, pings and the next timer in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.incident import Entry, Incident, Status
from bot.model.message import Message, State
from bot.model.operand import change_of
from bot.model.reading import Health
from bot.model.timer import Timer
from bot.rules import escalation
from bot.rules.arming import Seen, armed
from bot.rules.firing import Ask, Fire, account, facts_of_ask
from bot.rules.idle import running_since
from bot.rules.known import Values
from bot.rules.levels import Case
from bot.rules.past import holder_of
from bot.services import course, paging, silenced, trend
from bot.services.incidents import CARD_AND_COPIES, add_reply
from bot.services.overview import paged
from bot.services.reasons import words
from bot.services.roster import roster
from bot.store import incidents, outbox, timers
from bot.store.database import Tx

FIRED = ("escalation",)  # the entries that say who was told


@dataclass(frozen=True)
class Wanted:
    """What a look needs to read: targets, and the changes over time that conditions ask for."""

    targets: tuple[str, ...]
    changes: tuple[str, ...]


def wanted(tx: Tx, timer: Timer, config: Config) -> Wanted | None:
    """What is to be measured before a timer fires; None where no condition is asked now."""
    incident = incidents.get(tx, timer.incident_id) if timer.incident_id is not None else None
    if incident is None or not incident.targets:
        return None
    case = course.case_of(tx, config, incident)
    if not case.live or case.opening(tx.now) > tx.now:
        return None
    numbers = armed(case, running_since(case, tx.now), tx.now)
    conditions = [level.when for one in numbers if (level := case.policy.levels[one]).when]
    if not conditions:
        return None
    names = dict.fromkeys(name for one in conditions for name, _ in one.names if change_of(name))
    return Wanted(incident.targets, tuple(names))


def seen(tx: Tx, found: Wanted, healths: Sequence[Health]) -> Mapping[str, Values]:
    """The values of each target that was measured just now; of one that a reload took away, none."""
    known: dict[str, Values] = {name: {} for name in found.targets}
    return known | {health.target: trend.values(tx, health, found.changes) for health in healths}


def fire(
    tx: Tx, timer: Timer, config: Config, read: Mapping[str, Values] = MappingProxyType({})
) -> None:
    """Something is due: read the incident again, decide, and do it once. ``read``: what was measured."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    incident = incidents.get(tx, timer.incident_id)
    if incident is None or silenced.hold(tx, config, incident) is not None:
        return
    silenced.release(tx, incident)
    case = course.case_of(tx, config, incident)
    lost = course.lost_of(timer)
    push = course.push_of(timer)
    decision = escalation.decide(case, Seen(read, lost), tx.now, push=push)
    if decision.over:
        return
    reached = True
    if decision.fire is not None:
        reached = _notify(tx, config, case, decision.fire, read, called=push == "called")
    if decision.ask is not None:
        _ask(tx, case, decision.ask)
    after = course.case_of(tx, config, incident)
    looked = bool(read) or not incident.targets
    due_at = escalation.next_at(after, decision.lost, tx.now, looked=looked)
    if due_at is not None:  # a level that reached nobody goes to the next at once
        at = due_at if reached else tx.now
        again = None if reached else push or "hurried"
        course.set_timer(tx, incident, at, decision.lost, push=again)
    if decision.fire is not None or decision.ask is not None:
        outbox.revise(tx, incident.id, ("card",))


def unreached(tx: Tx, message: Message, reason: str) -> None:
    """The destination of a ping or of the card can't receive: say so at once, and go on to the next."""
    if message.incident_id is None:
        return
    incident = incidents.get(tx, message.incident_id)
    if incident is None:
        return
    person = message.facts.get("person")
    where = {"person": person, "way": message.via} if person else {"channel": incident.channel}
    seq = incidents.add_entry(tx, incident.id, BOT, "unreached", {**where, "reason": reason})
    outbox.revise(tx, incident.id, CARD_AND_COPIES)
    if message.kind == "assigned":  # whoever handed it over believes that they know
        add_reply(tx, incident, seq)
    if message.kind in {"still", "assigned"}:  # it goes on without an answer, on its time
        return
    entries = incidents.timeline(tx, incident.id, FIRED)
    if _goes_on(tx, incident, message) and _nobody_else(tx, incident, message, entries):
        course.hasten(tx, incident, "called" if message.facts.get("called") else "hurried")


def _goes_on(tx: Tx, incident: Incident, message: Message) -> bool:
    """Whether it escalates, or the ping still asked for somebody although it doesn't."""
    asks = message.kind == "ping" and paging.wanted(tx, message)
    return asks or course.nobody_is_on_it(tx, incident)


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


def _notify(
    tx: Tx, config: Config, case: Case, due: Fire, read: Mapping[str, Values], *, called: bool
) -> bool:
    """Write the entry and the pings; whether the level reached anybody, as far as is known by now."""
    incident, behind = case.incident, roster(tx, config)
    made = account(
        due,
        case.policy,
        lambda text: behind.people(text, tx.now),
        lambda part: words(part, case, read, tx.now),
    )
    seq = incidents.add_entry(tx, incident.id, BOT, "escalation", made.facts)
    acknowledged = incident.status is Status.ACKNOWLEDGED
    anew = _anew(tx, incident)
    for ping in made.pings:
        facts = {
            "person": ping.person,
            "entry": seq,
            "at": tx.now,
            "stage": due.stage,
            "number": due.number,
            "levels": list(ping.levels),
            "reason": ping.reason,
            "because": list(ping.because),
            "called": acknowledged and called,
            "unanswered": acknowledged and not called,
            "anew": anew,
        }
        paging.ping(tx, config, incident.id, facts)
    if _said_in_channel(due) or made.facts["groups"]:
        add_reply(tx, incident, seq, broadcast=_said_in_channel(due))
    only_channel = due.stage == "level" and not made.pings and "channel" in due.notify
    return not made.reaches_nobody and not (only_channel and _card_is_refused(tx, incident))


def _anew(tx: Tx, incident: Incident) -> int:
    """The number of the entry with which somebody had answered, where it goes on all the same; else 0."""
    if incident.status is Status.ACKNOWLEDGED:
        answer = incidents.newest_by_a_person(tx, incident.id)
    else:
        answer = incidents.newest_of_kind(tx, incident.id, "reopened")
    return answer.seq if answer is not None else 0


def _ask(tx: Tx, case: Case, ask: Ask) -> None:
    """Ask whoever acknowledged by direct message; where that can't be, in the thread."""
    incident, person = case.incident, holder_of(case.past)
    seq = incidents.add_entry(tx, incident.id, BOT, "asked", facts_of_ask(ask, person))
    if person is None:
        add_reply(tx, incident, seq, broadcast=True)
        return
    facts = {"person": person, "entry": seq, "at": tx.now, "because": list(ask.because)}
    key, where = f"still:{incident.id}:{seq}", f"user:{person}"
    outbox.add(tx, key, "still", where, facts, incident_id=incident.id, page=True)


def _card_is_refused(tx: Tx, incident: Incident) -> bool:
    """Whether the channel is gone, so that a level that only tells it tells nobody."""
    card = outbox.by_key(tx, f"card:{incident.id}")
    return card is not None and card.state is State.REFUSED


def _said_in_channel(due: Fire) -> bool:
    """At the first level the card itself tells the channel; later, and at the end, a reply does."""
    if due.stage == "last_resort":
        return True
    return "channel" in due.notify and due.levels != (0,)


def _may_arrive(message: Message) -> bool:
    return message.state not in {State.REFUSED, State.WITHDRAWN}

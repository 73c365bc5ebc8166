"""Incidents: declare one, and whatever a person does to it afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.model.actor import Actor
from bot.model.answer import Challenge, Refusal
from bot.model.command import Declare, OnIncident
from bot.model.config import Config
from bot.model.incident import Entry, Facts, Incident, Severity, Status
from bot.model.overview import last_entry
from bot.rules import access, drill, lifecycle
from bot.services import before, challenge, course, takeover
from bot.services.overview import paged, pings_of
from bot.services.silenced import taken_out
from bot.store import incidents, outbox, timers
from bot.store.database import Tx

# State changes go to the card's thread; the rest is on the timeline only.
THREAD = {"acknowledged", "assigned", "severity", "mitigated", "resolved", "reopened", "escalated"}
ASKINGS = ("still",)  # whoever acknowledged was asked whether they are on it
CARD_AND_COPIES = ("card", "ping", *ASKINGS)
# What says that somebody is on it, where nobody seemed to be.
ANSWERS = {"on_it", "assigned", "answered"}
# What a decision looks back at; the rest of a long timeline stays unread.
DECIDED_BY = ("escalation", "acknowledged", "mitigated", "resolved", "reopened")


@dataclass(frozen=True)
class Asked:
    """Who asks, and where in Slack.

    ``channel``: by its id and its name, empty where it is somewhere else; ``thread``: the ``ts`` of
    the message that it hangs on.
    """

    actor: Actor
    channel: frozenset[str] = frozenset()
    thread: str | None = None


@dataclass(frozen=True)
class Done:
    """What became of a command: the incident as it is now; ``fresh`` False: it was there already."""

    incident: Incident
    kind: str
    fresh: bool = True


def declare(tx: Tx, config: Config, command: Declare, asked: Asked) -> Done | Refusal:
    """Open an incident with its entry, its timers and its card.

    The same person and title within a minute gets the same incident back: an answer that got lost,
    typed again.
    """
    outsider = access.refuse_outsider(config, asked.actor)
    if outsider is not None:
        return outsider
    who = asked.actor.text
    since = tx.now - lifecycle.SAME_DECLARATION_MS
    known = incidents.same_declaration(tx, who, command.title, since)
    if known is not None:
        return Done(known, "declared", fresh=False)
    if command.started_at is not None and command.started_at > tx.now:
        return Refusal("The impact can't have begun in the future.", "Give an earlier time.")
    severity = command.severity or config.escalation.default_severity
    incident = incidents.add(
        tx,
        title=command.title,
        severity=severity,
        policy=pinned(config, severity),
        declared_by=who,
        channel=config.slack.channel,
        targets=command.targets or _only_target(config),
        started_at=command.started_at or tx.now,
    )
    if command.impact:
        incidents.update(tx, incident.id, {"impact": command.impact})
        incident = replace(incident, impact=command.impact)
    announce(tx, config, incident)
    if incident.targets:
        timers.arm(tx, "collect", str(incident.id), tx.now, incident_id=incident.id)
    return Done(incident, "declared")


def announce(
    tx: Tx,
    config: Config,
    incident: Incident,
    *,
    because: Sequence[str] = (),
    runbook: str | None = None,
) -> None:
    """The first entry of an incident, its escalation, and its card.

    ``because`` and ``runbook``: what a rule of the bot saw, and what it names to be run.
    """
    facts: dict[str, Any] = {
        "title": incident.title,
        "severity": incident.severity,
        "targets": list(incident.targets),
    }
    facts |= {"drill": True} if incident.drill else {}
    facts |= {"because": list(because)} if because else {}
    facts |= {"runbook": runbook} if runbook else {}
    incidents.add_entry(tx, incident.id, incident.declared_by, "declared", facts)
    before.tell(tx, incident)
    course.arm(tx, config, incident)
    outbox.add(
        tx,
        f"card:{incident.id}",
        "card",
        f"channel:{incident.channel}",
        {"title": incident.title},
        incident_id=incident.id,
    )


def change(tx: Tx, config: Config, command: OnIncident, asked: Asked) -> Done | Refusal:
    """Do to an incident what the command says, or refuse; a refusal is on the timeline too."""
    decided = _decided(tx, config, command, asked)
    if isinstance(decided, Refusal):
        return decided
    incident, decision = decided
    apply(tx, config, incident, decision, asked.actor)
    now = incidents.get(tx, incident.id)
    assert now is not None
    return Done(now, decision.kind)


def refused(tx: Tx, config: Config, command: OnIncident, asked: Asked) -> Refusal | None:
    """Whether a change would be refused, asked before a form for it opens; nothing else is done."""
    decided = _decided(tx, config, command, asked)
    return decided if isinstance(decided, Refusal) else None


def find(tx: Tx, incident_id: int | None, asked: Asked) -> Incident | Refusal:
    """The incident that is meant: by its number, its thread, its channel, or the only open one."""
    if incident_id is not None:
        found = incidents.get(tx, incident_id)
        return found or Refusal(
            f"There is no INC-{incident_id}.", "See `/iora incidents` for those that are open."
        )
    threaded = of_thread(tx, asked)
    if threaded is not None:
        return threaded
    open_ones = incidents.live_channels(tx)
    here = [one for one, channel in open_ones.items() if channel in asked.channel] or [*open_ones]
    if len(here) == 1:
        only = incidents.get(tx, here[0])
        assert only is not None
        return only
    if not here:
        return Refusal("No incident is open.", "Name the one you mean; see `/iora incidents all`.")
    names = ", ".join(f"INC-{one}" for one in here[:10])
    return Refusal(f"{len(here)} incidents are open: {names}.", "Say which one you mean.")


def of_thread(tx: Tx, asked: Asked) -> Incident | None:
    """The incident whose card the thread hangs on."""
    if asked.thread is None:
        return None
    card = outbox.at(tx, asked.channel, asked.thread)
    if card is None or card.incident_id is None:
        return None
    return incidents.get(tx, card.incident_id)


def _decided(
    tx: Tx, config: Config, command: OnIncident, asked: Asked
) -> tuple[Incident, lifecycle.Change] | Refusal:
    """The incident and what becomes of it; or a refusal, which is an entry now."""
    outsider = access.refuse_outsider(config, asked.actor)
    incident = find(tx, command.incident, asked)
    if isinstance(incident, Refusal):
        return outsider or incident
    entries = incidents.timeline(tx, incident.id, DECIDED_BY)
    decision = outsider or _practised(tx, incident, command, asked.actor)
    decision = decision or _decide(config, incident, command, asked.actor, entries, tx.now)
    if isinstance(decision, lifecycle.Change):
        confirm = takeover.confirm(tx, config, incident, command, asked.actor, entries)
        if confirm is not None:  # nothing was refused, so nothing is on the timeline
            return confirm
        decision = _open_for_the_same(tx, incident, decision) or decision
    if isinstance(decision, lifecycle.Change):
        decision = challenge.challenged(tx, config, incident, command, decision)
        if isinstance(decision, Challenge):
            return decision
    if isinstance(decision, Refusal):
        word = type(command).__name__.removeprefix("Set").lower()  # as people type it
        facts = {"command": word, "reason": decision.reason}
        incidents.add_entry(tx, incident.id, asked.actor.text, "refused", facts)
        return decision
    return incident, decision


def _open_for_the_same(tx: Tx, incident: Incident, decision: lifecycle.Change) -> Refusal | None:
    """What the bot found has one open incident: a later one of it is where everybody is now."""
    if decision.kind != "reopened" or incident.rule_key is None:
        return None
    known = incidents.newest_of_rule(tx, incident.rule_key)
    if known is None or not known.live or known.id == incident.id:
        return None
    remedy = f"Go on there, or resolve it first: `/iora resolve {known.key}`."
    return Refusal(f"{known.key} is open for the same thing.", remedy)


def _practised(
    tx: Tx, incident: Incident, command: OnIncident, actor: Actor
) -> lifecycle.Decision | None:
    """What it means in a drill; None where that is nothing of its own."""
    if not incident.drill:
        return None
    said = incidents.timeline(tx, incident.id, ("answered",))
    return drill.decide(incident, command, actor, pings_of(tx, incident), said, tx.now)


def _decide(
    config: Config,
    incident: Incident,
    command: OnIncident,
    actor: Actor,
    entries: list[Entry],
    now: int,
) -> lifecycle.Decision:
    refusal = access.refuse(config, actor, command, incident, paged(entries))
    if refusal is not None:
        return refusal
    may_command = access.stands(config, actor, incident, paged(entries))
    decision = lifecycle.decide(incident, command, actor, now, may_command=may_command)
    if isinstance(decision, Refusal):
        return _with_who(decision, incident, entries)
    return decision


def _with_who(refusal: Refusal, incident: Incident, entries: Collection[Entry]) -> Refusal:
    """Two people pressed: the second one is told who was first."""
    last = last_entry(entries, str(incident.status))
    if last is None or f"is {incident.status} already" not in refusal.reason:
        return refusal
    who = access.mention(Actor(last.actor).holder)
    return Refusal(refusal.reason.removesuffix(".") + f", by {who}.", refusal.remedy)


def apply(
    tx: Tx,
    config: Config,
    incident: Incident,
    change: lifecycle.Change,
    actor: Actor,
    *,
    policy: str | None = None,
) -> None:
    """Commit a change with its entry, and with what it does to the escalation, the card and the copies.

    ``policy``: the one that another severity brings, if it is not the severity's own.
    """
    columns: dict[str, Any] = dict(change.columns)
    facts = change.facts
    if change.kind == "severity":
        columns["policy"] = pinned(config, columns["severity"], policy)
        facts = {**facts, "switched": columns["policy"]["policy"] != incident.policy["policy"]}
    if columns:
        incidents.update(tx, incident.id, columns)
    taken = taken_out(tx, incident, actor)
    seq = incidents.add_entry(tx, incident.id, actor.text, change.kind, facts)
    changed = incidents.get(tx, incident.id)
    assert changed is not None
    # A note on an open incident moves nothing; one on an acknowledged one says that somebody is on it.
    if columns or change.calls or taken or changed.status is Status.ACKNOWLEDGED:
        course.arm(tx, config, changed, calls=change.calls)
    # A note changes the card's timeline only; no copy of a ping is edited for it.
    copies = CARD_AND_COPIES if columns or change.kind in ANSWERS else ("card", *ASKINGS)
    outbox.revise(tx, incident.id, copies)
    if change.kind in THREAD:
        add_reply(tx, changed, seq)
    if changed.drill:
        timers.hasten(tx, "drill", incident.id)
    if change.kind == "assigned":
        _tell(tx, changed, seq, actor, change.facts)


def _tell(tx: Tx, incident: Incident, seq: int, actor: Actor, facts: Facts) -> None:
    """Whoever was given a part hears of it by direct message, unless they took it themselves."""
    person = facts["person"]
    if person != actor.person:
        outbox.add(
            tx,
            f"assigned:{incident.id}:{seq}:{person}",
            "assigned",
            f"user:{person}",
            {"person": person, "role": facts["role"], "by": actor.text},
            incident_id=incident.id,
            page=True,
        )


def add_reply(tx: Tx, incident: Incident, seq: int, *, broadcast: bool = False) -> None:
    """An entry of the timeline as a reply in the card's thread."""
    card = outbox.by_key(tx, f"card:{incident.id}")
    outbox.add(
        tx,
        f"entry:{incident.id}:{seq}",
        "entry",
        f"channel:{incident.channel}",
        {"seq": seq, "broadcast": broadcast},
        incident_id=incident.id,
        parent_id=card.id if card else None,
    )


def pinned(config: Config, severity: Severity, policy: str | None = None) -> dict[str, Any]:
    """A policy, by default the one of the severity, as an incident keeps it."""
    name = policy or config.escalation.policy_name(severity)
    return {"name": name, "policy": config.escalation.policies[name].model_dump(mode="json")}


def _only_target(config: Config) -> tuple[str, ...]:
    return tuple(config.targets) if len(config.targets) == 1 else ()

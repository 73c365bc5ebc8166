"""Incidents that the bot opened by itself wait while all that they are about is silenced.

Not what a person declared, nor what a person has done anything about since, nor practice.
"""

from __future__ import annotations

from bot.model.actor import BOT, Actor
from bot.model.config import Config
from bot.model.incident import Incident, Status
from bot.model.message import State
from bot.model.silence import Muted
from bot.services import course, intake
from bot.services.silences import muting
from bot.store import incidents, outbox
from bot.store import silenced as store
from bot.store.database import Tx

_SHOWN = ("card", "ping")  # what says that it is silenced
_LOOKED_AT = 10_000


def holding(tx: Tx, config: Config, incident: Incident) -> Muted | None:
    """The silence on account of which nobody is told of an incident now.

    One that waits goes on waiting until a person takes it: who diagnoses it only looks.
    """
    if incident.declared_by != BOT or incident.drill or incident.status is not Status.OPEN:
        return None
    active = incidents.newest_by_a_person(tx, incident.id)
    taken = active is not None and active.at >= incident.opened_at
    if taken and store.note(tx, incident.id) is None:
        return None
    return muting(tx, config, incident.targets, tx.now)


def hold(tx: Tx, config: Config, incident: Incident) -> Muted | None:
    """Let it wait where it is silenced: pings that nobody has got are taken back, its levels come later."""
    muted = holding(tx, config, incident)
    if muted is None:
        return None
    facts = {"by": muted.by, "reason": muted.reason, "until": muted.until, "name": muted.name}
    said = store.note(tx, incident.id)
    if said is None or said.facts != facts:
        incidents.add_entry(tx, incident.id, BOT, "silenced", facts)
        store.take_back(tx, incident.id)
        _call_nobody(tx, incident)
        outbox.revise(tx, incident.id, _SHOWN)
    course.set_timer(tx, incident, muted.until, {})
    return muted


def _call_nobody(tx: Tx, incident: Incident) -> None:
    """What names people in the thread, or calls the channel, and is not sent yet stays unsent."""
    levels = {entry.seq for entry in incidents.timeline(tx, incident.id, ("escalation",))}
    for reply in outbox.of_incident(tx, incident.id, "entry"):
        calls = reply.facts.get("broadcast") or reply.facts["seq"] in levels
        if reply.state is State.WAITING and reply.ts is None and calls:
            outbox.close(tx, reply.id, State.WITHDRAWN, "silenced")


def release(tx: Tx, incident: Incident, by: str | None = None) -> bool:
    """It need not wait any more, and begins anew; False where it did not wait. ``by``: who took it."""
    said = store.note(tx, incident.id)
    if said is None:
        return False
    facts = {"by": by, "reason": said.facts["reason"], "name": said.facts["name"]}
    incidents.add_entry(tx, incident.id, BOT, "unsilenced", facts)
    outbox.revise(tx, incident.id, _SHOWN)
    return True


def taken_out(tx: Tx, incident: Incident, actor: Actor) -> bool:
    """A person does something about it, so that no silence is on it any more; whether one was."""
    return actor.text != BOT and release(tx, incident, by=actor.text)


def look(tx: Tx, config: Config) -> None:
    """A silence began or is over: what waits for it, and what goes on."""
    for incident in incidents.live(tx, _LOOKED_AT):
        if incident.declared_by != BOT or hold(tx, config, incident) is not None:
            continue
        if release(tx, incident):
            course.arm(tx, config, incident)
    intake.look_at_all(tx)

"""Tells whoever goes on call, once, what is open and who was on call before."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.message import Message, State
from bot.model.schedule import Duty
from bot.model.timer import Timer
from bot.rules.oncall import HORIZON_MS, Roster
from bot.services.roster import roster
from bot.store import incidents, outbox, timers
from bot.store.database import Tx

KIND = "handoff"
LOOK_AGAIN_MS = 7 * 86_400_000  # at a schedule that does not change
_OPEN = 10  # incidents that a handover names


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload: look at every schedule now; a timer keeps whom it told last."""
    for name in set(timers.armed(tx, KIND)) - set(config.oncall):
        timers.remove(tx, KIND, name)
    for name in config.oncall:
        look_now(tx, name)


def hand_over(tx: Tx, timer: Timer, config: Config) -> None:
    """Tell whoever is on call now, unless told already, and come back at the next change.

    Handoffs that passed while the bot was down are not told one by one: only the one who is on call now
    hears of it.
    """
    if not timers.fire(tx, timer) or timer.subject not in config.oncall:
        return
    name, behind = timer.subject, roster(tx, config, tx.now - HORIZON_MS)
    duty = behind.duty(name, tx.now)
    if duty.person is not None and duty.person != timer.detail.get("person"):
        _tell(tx, behind, name, duty)
    again = tx.now + LOOK_AGAIN_MS
    due_at = again if duty.until is None else min(duty.until, again)
    timers.arm(tx, KIND, name, due_at, person=duty.person)


def is_over(message: Message, now: int) -> bool:
    """Whether a handover was certainly not told, and the turn that it is about is over by now."""
    if message.kind != "handover" or message.state is not State.WAITING or message.ts is not None:
        return False
    until: int | None = message.facts["duty"]["until"]
    return until is not None and until <= now


def look_now(tx: Tx, name: str) -> None:
    """Look at a schedule now, as it may have changed; whom it told last stays known."""
    if not timers.move(tx, KIND, name, tx.now):
        timers.arm(tx, KIND, name, tx.now)


def _tell(tx: Tx, behind: Roster, name: str, duty: Duty) -> None:
    since = tx.now if duty.since is None else duty.since
    before = behind.duty(name, since - 1)
    live = incidents.live(tx, _OPEN + 1)
    facts = {
        "schedule": name,
        "timezone": behind.config.oncall[name].timezone,
        "at": tx.now,
        "duty": asdict(duty),
        "before": asdict(before) if duty.since is not None else None,
        "open": [_open(one) for one in live[:_OPEN]],
        "more": len(live) > _OPEN,
    }
    key = f"handover:{name}:{since}:{duty.person}"
    outbox.add(tx, key, "handover", f"user:{duty.person}", facts)


def _open(incident: Incident) -> dict[str, Any]:
    return {
        "key": incident.key,
        "severity": str(incident.severity),
        "status": str(incident.status),
        "title": incident.title,
        "drill": incident.drill,
        "commander": incident.commander,
        "opened_at": incident.opened_at,
    }

"""The course of an escalation: what it is decided on, and its one timer an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.config import Config
from bot.model.incident import Entry, Incident
from bot.model.policy import Policy
from bot.model.timer import Timer
from bot.rules import escalation, idle
from bot.rules.escalation import Push
from bot.rules.levels import LOOK_EVERY_MS, Case
from bot.rules.past import KINDS, past
from bot.store import incidents, timers
from bot.store.database import Tx

KIND = "level"
SOONEST_LOOK_MS, LATEST_LOOK_MS = 1_000, 60_000
"""Armed conditions are asked at the pace of the polls, within these."""


def case_of(
    tx: Tx, config: Config, incident: Incident, entries: Sequence[Entry] | None = None
) -> Case:
    """The incident's escalation as it is now; ``entries``: its timeline, where that was read already."""
    known = incidents.timeline(tx, incident.id, KINDS) if entries is None else entries
    active = incidents.newest_by_a_person(tx, incident.id)
    return case(config, incident, Policy.from_pinned(incident.policy["policy"])).on(
        past(incident, known, active)
    )


def case(config: Config, incident: Incident, policy: Policy) -> Case:
    """A case that nothing has happened in yet."""
    polls = [config.targets[one].poll for one in incident.targets if one in config.targets]
    return Case(
        incident,
        policy,
        last_resort=config.escalation.last_resort,
        idle=config.escalation.idle,
        look_every=max(SOONEST_LOOK_MS, min(*polls, LATEST_LOOK_MS) if polls else LOOK_EVERY_MS),
        ends=incident.drill,
    )


def nobody_is_on_it(tx: Tx, incident: Incident) -> bool:
    """Whether it escalates: it is open, or whoever acknowledged gave no answer."""
    policy = Policy.from_pinned(incident.policy["policy"])
    entries = incidents.timeline(tx, incident.id, KINDS)
    known = past(incident, entries, incidents.newest_by_a_person(tx, incident.id))
    return idle.running_since(Case(incident, policy, known), tx.now) is not None


def arm(tx: Tx, config: Config, incident: Incident, *, calls: bool = False) -> None:
    """Make the timer due when something may happen next; ``calls``: now, as somebody called.

    A call that did not fire yet stays one, and what is known of lost data stays known.
    """
    armed = _armed(tx, incident)
    before = push_of(armed) if armed is not None else None
    known = lost_of(armed) if armed is not None else {}
    course = case_of(tx, config, incident)
    push = escalation.kept(course, "called" if calls else before, tx.now)
    due_at = escalation.next_at(course, known, tx.now, looked=False)
    if push is not None:
        set_timer(tx, incident, tx.now, known, push=push)
    elif due_at is None:
        timers.disarm(tx, KIND, incident.id)
    else:
        set_timer(tx, incident, due_at, known)


def hasten(tx: Tx, incident: Incident, push: Push) -> None:
    """The next level is due now. A call stays one."""
    armed = _armed(tx, incident)
    known = lost_of(armed) if armed is not None else {}
    called = armed is not None and push_of(armed) == "called"
    set_timer(tx, incident, tx.now, known, push="called" if called else push)


def set_timer(
    tx: Tx,
    incident: Incident,
    due_at: int,
    lost: Mapping[int, int],
    *,
    push: Push | None = None,
) -> None:
    """The one timer of an incident's escalation."""
    detail: dict[str, Any] = {"push": push} if push is not None else {}
    if lost:
        detail["lost"] = {str(number): since for number, since in lost.items()}
    timers.arm(tx, KIND, str(incident.id), due_at, incident_id=incident.id, **detail)


def push_of(timer: Timer) -> Push | None:
    """Why the next level comes before its time, if it does."""
    if timer.detail.get("forced"):  # as an older version wrote it
        return "called"
    push: Push | None = timer.detail.get("push")
    return push


def lost_of(timer: Timer) -> dict[int, int]:
    """Since when the data of armed levels has been lost, by their numbers."""
    return {int(number): since for number, since in timer.detail.get("lost", {}).items()}


def _armed(tx: Tx, incident: Incident) -> Timer | None:
    found = timers.of_incident(tx, KIND, incident.id)
    return found[0] if found else None

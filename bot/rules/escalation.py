"""Whom an incident's policy tells now, and what is due next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.model.incident import Incident, Status
from bot.model.policy import Policy
from bot.model.units import format_duration

LAST_RESORT_EVERY_MS = 3_600_000


@dataclass(frozen=True)
class Position:
    """How far an escalation is: a level, a repeat, or the last resort, each counted from 0."""

    stage: Literal["level", "repeat", "last_resort"] = "level"
    number: int = 0


@dataclass(frozen=True)
class Next:
    """What is due after this, and when."""

    position: Position
    due_at: int


@dataclass(frozen=True)
class Fire:
    """Tell these destinations now. ``levels`` fired together; all but the last were overdue."""

    notify: tuple[str, ...]
    reason: str
    position: Position
    levels: tuple[int, ...]
    next: Next | None


@dataclass(frozen=True)
class Stop:
    """Nothing is to be told any more."""

    reason: str


def decide(
    incident: Incident,
    policy: Policy,
    position: Position,
    told: Sequence[str],
    now: int,
    *,
    forced: bool = False,
    switched: bool = False,
    last_resort: Sequence[str] = (),
) -> Fire | Stop:
    """A due timer of an incident.

    ``told``: the destinations told since it was opened. ``forced``: a person asked for the next level
    now. ``switched``: the policy is another than before, so what was told already is left out.
    """
    if incident.status is not Status.OPEN and not (
        forced and incident.status is Status.ACKNOWLEDGED
    ):
        return Stop(f"{incident.key} is {incident.status}")
    match position.stage:
        case "level":
            fire = _levels(incident, policy, position.number, now, forced=forced)
        case "repeat":
            fire = _repeat(policy, position, told, now)
        case "last_resort":
            notify = tuple(last_resort) or _people(told) or ("channel",)  # never silence
            fire = _last_resort(position, notify, now)
    left = tuple(text for text in fire.notify if not (switched and text in told))
    goes_on = incident.status is Status.OPEN
    reason = fire.reason if goes_on else "asked for by a person"
    return Fire(left, reason, fire.position, fire.levels, fire.next if goes_on else None)


def first(policy: Policy, incident: Incident) -> Next:
    """Where a new, reopened or re-rated incident starts."""
    return Next(Position(), incident.opened_at + policy.levels[0].after)


def _levels(incident: Incident, policy: Policy, number: int, now: int, *, forced: bool) -> Fire:
    """This level, and with it every later one that is due by now: told once, not one by one."""
    elapsed = now - incident.opened_at
    due = [
        at
        for at in range(number, len(policy.levels))
        if policy.levels[at].after <= elapsed or (forced and at == number)
    ]
    notify = dict.fromkeys(text for at in due for text in policy.levels[at].notify)
    after = due[-1] + 1 if due else number
    if after < len(policy.levels):
        following: Next | None = Next(
            Position("level", after), max(now, incident.opened_at + policy.levels[after].after)
        )
    else:
        following = _after_levels(policy, now)
    reason = _reason(incident, number, elapsed)
    return Fire(tuple(notify), reason, Position("level", after - 1), tuple(due), following)


def _reason(incident: Incident, number: int, elapsed: int) -> str:
    if number == 0 and elapsed < 1_000:
        return "declared" if incident.opened_at == incident.declared_at else "reopened"
    return f"open for {format_duration(elapsed)}, nobody has acknowledged"


def _after_levels(policy: Policy, now: int) -> Next | None:
    if not policy.pings_people:
        return None
    stage: Literal["repeat", "last_resort"] = "repeat" if policy.repeat.times else "last_resort"
    return Next(Position(stage), now + policy.repeat.every)


def _repeat(policy: Policy, position: Position, told: Sequence[str], now: int) -> Fire:
    following = (
        Position("repeat", position.number + 1)
        if position.number + 1 < policy.repeat.times
        else Position("last_resort")
    )
    reason = (
        f"still nobody has acknowledged (repeat {position.number + 1} of {policy.repeat.times})"
    )
    due = Next(following, now + policy.repeat.every)
    return Fire(_people(told), reason, position, (), due)


def _last_resort(position: Position, notify: tuple[str, ...], now: int) -> Fire:
    due = Next(Position("last_resort", position.number + 1), now + LAST_RESORT_EVERY_MS)
    return Fire(notify, "last resort: nobody has acknowledged", position, (), due)


def _people(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in told if text != "channel"))

"""Levels that wait for a reading: armed from their time on, asked with each fresh reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.model.condition import Condition
from bot.model.policy import Destination, Policy
from bot.model.units import format_duration
from bot.rules.condition import Truth, any_target
from bot.rules.known import NOT_MEASURED, Values, of_incident, of_time
from bot.rules.levels import Case, fired_at, start


@dataclass(frozen=True)
class Seen:
    """What was read for one look: each target's values by name, with their changes over time.

    ``lost``: since when the data of an armed level has been lost, by its number.
    """

    targets: Mapping[str, Values] = field(default_factory=dict)
    lost: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a look says of one armed level; ``unknown``: its data was lost for too long."""

    level: int
    because: tuple[str, ...]
    unknown: bool = False


@dataclass(frozen=True)
class Look:
    """``met``: the levels whose condition holds, or can't be told any more. ``lost`` is kept for later."""

    met: tuple[Asked, ...] = ()
    lost: Mapping[int, int] = field(default_factory=dict)


def armed(case: Case, since: int | None, now: int) -> Iterator[int]:
    """The levels that are asked with fresh readings now."""
    for number, level in case.numbered():
        begins = start(case, number, since)
        unfired = fired_at(case, number) is None
        if level.when is not None and unfired and begins is not None and begins <= now:
            yield number


def look(case: Case, seen: Seen, since: int | None, now: int) -> Look:
    """Ask every armed level; nothing can be said where an incident's targets were not read."""
    if case.incident.targets and not seen.targets:
        return Look((), seen.lost)
    met: list[Asked] = []
    lost: dict[int, int] = {}
    for number in armed(case, since, now):
        condition = case.policy.levels[number].when
        assert condition is not None
        judged = any_target(condition, seen.targets, _shared(case, now), now)
        if judged.truth is Truth.YES:
            met.append(Asked(number, judged.because))
        elif judged.truth is Truth.UNKNOWN and _is_lost(condition, seen.targets):
            lost[number] = seen.lost.get(number, now)
            gone = now - lost[number]
            if gone >= case.policy.no_data_after and number not in case.past.unknown:
                why = f"unknown for {format_duration(gone)}, so nobody can tell: {condition}"
                met.append(Asked(number, (*judged.because, why), unknown=True))
    return Look(tuple(met), lost)


def lost_at(case: Case, number: int, lost: Mapping[int, int]) -> int | None:
    """When lost data of a level is told; None where there is nothing to tell."""
    if number not in lost or number in case.past.unknown:
        return None
    return lost[number] + case.policy.no_data_after


def on_call(policy: Policy, number: int) -> tuple[str, ...]:
    """Whom a level tells that its data was lost: its schedules, else the policy's first ones.

    Without any schedule: the people whom the first level that pings anybody tells.
    """
    levels = (policy.levels[number], *policy.levels)
    for level in levels:
        found = tuple(text for text in level.notify if Destination.parse(text).kind == "oncall")
        if found:
            return found
    first = next((level for level in policy.levels if level.pings_people), policy.levels[number])
    return tuple(text for text in first.notify if text != "channel") or first.notify


def _shared(case: Case, now: int) -> Values:
    hours = case.policy.hours
    time = of_time(now, hours.zone) if hours is not None else of_time(now)
    return {**of_incident(case.incident, now), **time}


def _is_lost(condition: Condition, targets: Mapping[str, Values]) -> bool:
    """Whether a reading that has a source is missing; one that nothing measures can't be lost."""
    for values in targets.values():
        for name, _ in condition.names:
            known = values.get(name, NOT_MEASURED)
            if known.value is None and known.reason != NOT_MEASURED.reason:
                return True
    return False

"""Who is on call at a time, who comes next, and when nobody is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.model.config import Config
from bot.model.policy import Destination
from bot.model.schedule import Duty, Override, Schedule
from bot.rules.rotation import Stretch, stretch

HORIZON_MS = 366 * 86_400_000
"""How far away a change of persons is looked for."""


@dataclass(frozen=True)
class Roster:
    """Who is behind a destination: the config, and the overrides of each schedule as they are now."""

    config: Config
    overrides: Mapping[str, Sequence[Override]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, overrides: Iterable[Override]) -> Roster:
        """With overrides of any schedule, the oldest first."""
        found: dict[str, list[Override]] = {}
        for override in overrides:
            found.setdefault(override.schedule, []).append(override)
        return cls(config, found)

    def people(self, destination: str, at: int) -> tuple[str, ...]:
        """The people to tell at a time; a channel has nobody, a group may have lost everybody."""
        kind, name = Destination.parse(destination)
        match kind:
            case "user":
                return (name,)
            case "group":
                return self.config.groups.get(name, ())
            case "role":
                roles = {str(role): holders for role, holders in self.config.roles.items()}
                return tuple(one for one in roles.get(name, ()) if not one.startswith("cli:"))
            case "oncall" if name in self.config.oncall:
                found, _ = _at(self.config.oncall[name], self.overrides.get(name, ()), at)
                return (found.person,) if found.person else ()
        return ()

    def duty(self, name: str, at: int) -> Duty:
        """Who is on call by the schedule of this name."""
        return who(self.config.oncall[name], self.overrides.get(name, ()), at)

    def upcoming(self, name: str, at: int, count: int) -> tuple[Duty, ...]:
        """Whoever is on call after that, by the schedule of this name."""
        return upcoming(self.config.oncall[name], self.overrides.get(name, ()), at, count)


def who(schedule: Schedule, overrides: Sequence[Override], at: int) -> Duty:
    """Who is on call at a time, and between which times without a break.

    The newest override that covers the time counts, else the last layer that does.
    """
    now, because = _at(schedule, overrides, at)
    since, until = now.since, now.until
    while until < at + HORIZON_MS and (after := _person(schedule, overrides, until, now)):
        until = after.until
    while since > at - HORIZON_MS and (before := _person(schedule, overrides, since - 1, now)):
        since = before.since
    return Duty(
        person=now.person,
        since=since if since > at - HORIZON_MS else None,
        until=until if until < at + HORIZON_MS else None,
        because=because,
    )


def upcoming(
    schedule: Schedule, overrides: Sequence[Override], at: int, count: int
) -> tuple[Duty, ...]:
    """Those who are on call after the one at a time, gaps among them; ``count`` at the most."""
    found: list[Duty] = []
    until = who(schedule, overrides, at).until
    while until is not None and len(found) < count:
        found.append(who(schedule, overrides, until))
        until = found[-1].until
    return tuple(found)


def gaps(
    schedule: Schedule, overrides: Sequence[Override], since: int, until: int
) -> Iterator[tuple[int, int]]:
    """From when to when nobody is on call between two times, in order."""
    at = since
    while at < until:
        duty = who(schedule, overrides, at)
        end = until if duty.until is None else min(duty.until, until)
        if duty.person is None:
            yield at, end
        at = end


def _person(
    schedule: Schedule, overrides: Sequence[Override], at: int, like: Stretch
) -> Stretch | None:
    """The stretch at a time, if it is the same person's."""
    found, _ = _at(schedule, overrides, at)
    return found if found.person == like.person else None


def _at(schedule: Schedule, overrides: Sequence[Override], at: int) -> tuple[Stretch, str]:
    """From the top down: the first that names somebody counts, as long as nobody above it does."""
    free = Stretch(None)
    for override in sorted(overrides, key=lambda one: one.id, reverse=True):
        found = _of_override(override, at).within(free)
        if found.person is not None:
            return found, "override"
        free = found
    layers = schedule.covers
    for number in range(len(layers), 0, -1):
        found = stretch(layers[number - 1], schedule.zone, at).within(free)
        if found.person is not None:
            return found, f"layer {number}" if len(layers) > 1 else "rotation"
        free = found
    return free, "nobody"


def _of_override(override: Override, at: int) -> Stretch:
    if at < override.since:
        return Stretch(None, until=override.since)
    if at >= override.end:
        return Stretch(None, since=max(override.since, override.end))
    return Stretch(override.person, override.since, override.end)

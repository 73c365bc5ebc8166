"""When the time of each level comes, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bot.model.incident import Incident, Status
from bot.model.policy import Level, Policy
from bot.rules.facts import needs_readings
from bot.rules.hours import opening
from bot.rules.past import Past

LOOK_EVERY_MS = 30_000


@dataclass(frozen=True)
class Case:
    """What an escalation is decided on.

    ``last_resort``: whom to tell when everybody else was; ``idle``: for how long, in milliseconds, whoever
    acknowledged may do nothing; ``look_every``: how often armed conditions are asked. ``ends``: a drill
    that is over after its levels.
    """

    incident: Incident
    policy: Policy
    past: Past = field(default_factory=Past)
    last_resort: tuple[str, ...] = ()
    idle: int = 1_800_000
    look_every: int = LOOK_EVERY_MS
    ends: bool = False

    def on(self, known: Past) -> Case:
        """The same after what has happened."""
        return replace(self, past=known)

    @property
    def began(self) -> int:
        """When it began: the opening of the incident, or the end of a silence."""
        return self.incident.opened_at if self.past.began is None else self.past.began

    @property
    def live(self) -> bool:
        """Whether anybody may still be told something."""
        return self.incident.status in {Status.OPEN, Status.ACKNOWLEDGED}

    def opening(self, at: int) -> int:
        """The time itself, or when the policy's hours begin next."""
        return opening(self.policy.hours, at)

    def numbered(self) -> Iterator[tuple[int, Level]]:
        """The levels that can fire, with their numbers."""
        for number, level in enumerate(self.policy.levels):
            if self.skipped(level) is None:
                yield number, level

    def skipped(self, level: Level) -> str | None:
        """Why a level is passed over, in words."""
        if level.when is None or not needs_readings(level.when) or self.incident.targets:
            return None
        return "a drill has no readings" if self.incident.drill else "no target is named"


def fired_at(case: Case, number: int) -> int | None:
    """When a level fired; one whom another policy told all of counts from the change of policy."""
    known = case.past.fired.get(number)
    if known is None and not tells(case, number):
        return case.past.switched_at
    return known


def tells(case: Case, number: int) -> tuple[str, ...]:
    """Whom a level tells: not again those whom another policy told the same before.

    A level without a condition repeats nobody where it was overdue by the change; a later one tells all.
    """
    level, past = case.policy.levels[number], case.past
    if past.switched_at is None:
        return level.notify
    if level.plain and time_of(case, number) > past.switched_at:
        return level.notify
    if level.when is None:
        known = {text for _, text in past.before}
    else:
        known = {text for asked, text in past.before if asked == level.asked}
    return tuple(text for text in level.notify if text not in known)


def time_of(case: Case, number: int) -> int:
    """When the time of a level comes, counted from the opening, in the policy's hours."""
    begin = case.opening(case.began)
    return case.opening(begin + case.policy.levels[number].after)


def start(case: Case, number: int, since: int | None) -> int | None:
    """When a level may fire; None where it can't as things are.

    ``since``: from when on nobody is on it (the opening, or when an acknowledger did nothing); None while
    somebody is.
    """
    level, past = case.policy.levels[number], case.past
    if level.begins == "acknowledged":
        acknowledged = past.acknowledged
        return case.opening(acknowledged.at + level.after) if acknowledged is not None else None
    if since is None:
        return time_of(case, number) if level.survives else None
    if since <= case.began or _before(fired_at(case, number), since):
        return time_of(case, number)
    if level.when is not None:
        return max(time_of(case, number), since)
    return case.opening(since + level.after - _resumes_with(case, since).after)


def _resumes_with(case: Case, since: int) -> Level:
    """The first level that had not fired when the escalation went on."""
    return next(
        level
        for number, level in enumerate(case.policy.levels)
        if level.plain and not _before(fired_at(case, number), since)
    )


def _before(at: int | None, since: int) -> bool:
    return at is not None and at < since

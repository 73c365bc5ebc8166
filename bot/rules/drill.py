"""Practice: what of a policy a drill plays, who has answered, and what it showed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.actor import Actor, person_of
from bot.model.answer import Refusal
from bot.model.command import (
    Acknowledge,
    Assign,
    Escalate,
    Mitigate,
    OnIncident,
    Reopen,
    SetSeverity,
)
from bot.model.incident import Entry, Facts, Incident, Status
from bot.model.overview import Ping
from bot.model.policy import Level, Policy, Repeat
from bot.rules.lifecycle import Change

ANSWER_WITHIN_MS = 900_000
"""How long the last ping of a drill may wait for its answer."""
_REAL = (Assign, Escalate, Mitigate, Reopen, SetSeverity)


@dataclass(frozen=True)
class Answered:
    """One ping of a drill: when it was sent and answered, in milliseconds since the epoch."""

    person: str
    at: int
    sent_at: int | None
    answered_at: int | None

    @property
    def took(self) -> int | None:
        """From when it was there to the answer, in milliseconds; None: it was not answered."""
        return None if self.answered_at is None else self.answered_at - (self.sent_at or self.at)


def trimmed(policy: Policy, *, whole: bool) -> Policy:
    """What a drill plays: as far as the first level that pings somebody, or every level; no repeats.

    Levels that wait for a reading are left out, and nothing waits for working hours.
    """
    levels: list[Level] = []
    for level in policy.levels:
        if level.plain:
            levels.append(level)
            if level.pings_people and not whole:
                break
    kept = tuple(levels) or policy.levels[:1]
    return policy.model_copy(update={"levels": kept, "repeat": Repeat(times=0), "hours": None})


def decide(
    incident: Incident,
    command: OnIncident,
    actor: Actor,
    pings: Iterable[Ping],
    entries: Iterable[Entry],
    now: int,
) -> Change | Refusal | None:
    """What a word means in a drill; None: what it always means.

    Whoever was pinged answers for themselves.
    """
    if isinstance(command, _REAL):
        return Refusal(
            f"{incident.key} is a drill: this would tell more people than it is to.",
            f"`/iora resolve {incident.key}` ends it.",
        )
    if not isinstance(command, Acknowledge) or incident.status is not Status.OPEN:
        return None
    own = [one for one in answers(pings, entries) if one.person == actor.person]
    if not own:
        return Refusal(f"{incident.key} is a drill, and you were not pinged in it.")
    waiting = [one for one in own if one.answered_at is None]
    if not waiting:
        return Refusal(f"You answered already: {incident.key} is a drill.")
    first = min(one.sent_at or one.at for one in waiting)
    return Change("answered", {}, {"took": now - first})


def answers(pings: Iterable[Ping], entries: Iterable[Entry]) -> tuple[Answered, ...]:
    """Each ping once, whichever ways it went, with the first answer after it."""
    said = [one for one in entries if one.kind == "answered"]
    found: dict[tuple[str, int], Answered] = {}
    for ping in pings:
        known = found.get((ping.person, ping.entry))
        after = (
            one.at for one in said if one.seq > ping.entry and person_of(one.actor) == ping.person
        )
        sent = [at for at in (ping.sent_at, known.sent_at if known else None) if at is not None]
        found[(ping.person, ping.entry)] = Answered(
            ping.person, ping.at, min(sent, default=None), next(after, None)
        )
    return tuple(found.values())


def is_done(incident: Incident, found: Iterable[Answered], entries: Iterable[Entry]) -> bool:
    """Whether every level has fired, and everybody who was pinged has answered."""
    policy = Policy.from_pinned(incident.policy["policy"])
    fired = {level for one in entries if one.kind == "escalation" for level in one.facts["levels"]}
    everybody = all(one.answered_at is not None for one in found)
    return fired >= set(range(len(policy.levels))) and everybody


def summary(found: Iterable[Answered]) -> Facts:
    """What it showed, as the timeline keeps it."""
    pings = [{"person": one.person, "at": one.at, "took": one.took} for one in found]
    return {"pings": pings, "answered": sum(one["took"] is not None for one in pings)}

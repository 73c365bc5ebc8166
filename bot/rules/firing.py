"""What is told or asked at one moment, and how the timeline keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.model.incident import Facts
from bot.model.policy import Policy
from bot.rules.past import Stage

_BY_TIME = (
    "declared",
    "reopened",
    "the silence",
    "open for",
    "still nobody",
    "last resort",
    "acknowledged, but",
)
"""How the reasons begin that say no more than that nobody has answered."""
_GROUP = "group:"


@dataclass(frozen=True)
class Part:
    """One reason to tell somebody. ``template``: the policy's own words for it; ``because``: the readings.

    ``level`` is None for a repeat and the last resort; ``unknown``: a level whose data was lost.
    """

    notify: tuple[str, ...]
    reason: str
    level: int | None = None
    template: str | None = None
    because: tuple[str, ...] = ()
    unknown: bool = False


@dataclass(frozen=True)
class Fire:
    """Tell these now, everybody once. ``number``: the last of its levels, or which repeat it is."""

    stage: Stage
    number: int
    parts: tuple[Part, ...]

    @property
    def notify(self) -> tuple[str, ...]:
        """Every destination, in order."""
        return tuple(dict.fromkeys(text for part in self.parts for text in part.notify))

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels that have fired by this, in order."""
        found = (one.level for one in self.parts if one.level is not None and not one.unknown)
        return tuple(sorted(found))


@dataclass(frozen=True)
class Ask:
    """Ask whoever acknowledged whether they are still on it: for these levels, or as nothing was done."""

    levels: tuple[int, ...]
    idle: bool
    because: tuple[str, ...]


@dataclass(frozen=True)
class Ping:
    """What one person is told: the reasons that concern them, and the readings behind."""

    person: str
    reason: str
    because: tuple[str, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Account:
    """A firing with its people and its words."""

    pings: tuple[Ping, ...]
    facts: Facts

    @property
    def reaches_nobody(self) -> bool:
        """Whether a level was to wake people, and its groups, schedules and roles have nobody.

        That the channel was told too wakes nobody.
        """
        wakes = any(text != "channel" for text in self.facts["notify"])
        return self.facts["stage"] == "level" and wakes and not self.pings


def account(
    fire: Fire,
    policy: Policy,
    people: Callable[[str], tuple[str, ...]],
    words: Callable[[Part], str],
) -> Account:
    """``people``: who is behind a destination now; ``words``: a reason as people read it."""
    behind = {text: people(text) for text in fire.notify}
    said = {id(part): words(part) for part in fire.parts}
    found: dict[str, list[Part]] = {}
    for part in fire.parts:
        for person in dict.fromkeys(one for text in part.notify for one in behind[text]):
            found.setdefault(person, []).append(part)
    pings = tuple(
        Ping(person, _joined(said[id(one)] for one in parts), _because(parts), _levels(parts))
        for person, parts in found.items()
    )
    levels = [part for part in fire.parts if part.level is not None and not part.unknown]
    facts: Facts = {
        "stage": fire.stage,
        "number": fire.number,
        "levels": list(fire.levels),
        "notify": list(fire.notify),
        "people": list(found),
        "groups": {
            text.removeprefix(_GROUP): list(who)
            for text, who in behind.items()
            if text.startswith(_GROUP) and who
        },
        "nobody": [text for text, who in behind.items() if not who and text != "channel"],
        "reason": _joined(said.values()),
        "because": list(_because(fire.parts)),
        "unknown": [part.level for part in fire.parts if part.unknown],
        "told": {str(part.level): list(part.notify) for part in levels},
        "conditions": {
            str(part.level): asked
            for part in levels
            if part.level is not None and (asked := policy.levels[part.level].asked)
        },
    }
    return Account(pings, facts)


def facts_of_ask(ask: Ask, person: str | None) -> Facts:
    """``person``: the member id of whoever is asked; None where they are not in Slack."""
    return {
        "person": person,
        "levels": list(ask.levels),
        "idle": ask.idle,
        "because": list(ask.because),
    }


def own(reason: str) -> tuple[str, ...]:
    """The reasons of levels' own, beside that nobody has answered: ``Critical CPU usage``."""
    return tuple(one for one in reason.split("; ") if not one.startswith(_BY_TIME))


def together(earlier: Facts, later: Facts) -> Facts:
    """The facts of a ping that stands in for an earlier one that never went."""
    reasons = (*own(earlier["reason"]), *later["reason"].split("; "))
    because = (*earlier.get("because", ()), *later.get("because", ()))
    return {
        **later,
        "reason": _joined(reasons),
        "because": list(dict.fromkeys(because)),
        "levels": sorted({*earlier.get("levels", ()), *later.get("levels", ())}),
    }


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _because(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for part in parts for reason in part.because))


def _levels(parts: Iterable[Part]) -> tuple[int, ...]:
    return tuple(sorted({part.level for part in parts if part.level is not None}))

"""What an escalation has done so far: told by the entries of the timeline, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.model.actor import person_of
from bot.model.incident import Entry, Incident
from bot.model.person import PERSON

KINDS = ("escalation", "asked", "acknowledged", "assigned", "severity", "unsilenced")
"""The entries that it is told by; and the newest one by a person."""
IDLE = -1
"""In place of a level's number: asked because nothing was done."""

Stage = Literal["level", "repeat", "last_resort"]


class Mark(NamedTuple):
    """Where an entry stands: its number orders entries of the same millisecond."""

    seq: int
    at: int


class Turn(NamedTuple):
    """A repeat or the last resort, when it was told."""

    stage: Stage
    at: int


@dataclass(frozen=True)
class Past:
    """Since the incident was opened. Levels are those of the policy that it follows now.

    ``told``: destinations, in order. ``before``: those told for a condition (empty: for none) by another
    policy, which ended at ``switched_at``. ``unknown``: levels that told of lost data. ``asked``: when
    whoever acknowledged was asked last, by level. ``active``: the newest entry by a person. ``began``:
    when a silence was over, and everything began anew.
    """

    told: tuple[str, ...] = ()
    fired: Mapping[int, int] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()
    turns: tuple[Turn, ...] = ()
    asked: Mapping[int, Mark] = field(default_factory=dict)
    acknowledged: Mark | None = None
    holder: str | None = None
    active: Mark | None = None
    switched_at: int | None = None
    before: frozenset[tuple[str, str]] = frozenset()
    began: int | None = None

    def answered(self, level: int) -> bool:
        """Whether a person did anything since the asking for a level."""
        asked = self.asked.get(level)
        return asked is not None and self.active is not None and self.active.seq > asked.seq


def past(incident: Incident, entries: Iterable[Entry], active: Mark | None) -> Past:
    """Read the entries of ``KINDS``, in order; those before the incident was opened don't count."""
    reader = _Reader()
    for entry in entries:
        if entry.at < incident.opened_at:
            continue
        if entry.kind == "unsilenced":  # whoever was told before has been told to let it be
            reader = _Reader(entry.at)
        else:
            reader.read(entry)
    return Past(
        told=tuple(reader.told),
        fired=reader.fired,
        unknown=frozenset(reader.unknown),
        turns=tuple(reader.turns),
        asked=reader.asked,
        acknowledged=reader.acknowledged,
        holder=reader.holder,
        active=active,
        switched_at=reader.switched_at,
        before=frozenset(reader.before),
        began=reader.began,
    )


def holder_of(known: Past) -> str | None:
    """The member id of whoever acknowledged, or was made commander since; None: not in Slack."""
    if known.holder is None or PERSON.match(known.holder):
        return known.holder
    return person_of(known.holder)


def newest_active(entries: Iterable[Entry]) -> Mark | None:
    """The newest entry by a person, of a whole timeline."""
    found = None
    for entry in entries:
        if entry.by_a_person:
            found = Mark(entry.seq, entry.at)
    return found


class _Reader:
    def __init__(self, began: int | None = None) -> None:
        self.began = began
        self.told: dict[str, None] = {}
        self.acknowledged: Mark | None = None
        self.holder: str | None = None
        self.switched_at: int | None = None
        self.before: set[tuple[str, str]] = set()
        self._told_for: set[tuple[str, str]] = set()
        self._follow_another()

    def _follow_another(self) -> None:
        """Levels are numbered anew; who was told for what stays known."""
        self.before |= self._told_for
        self.fired: dict[int, int] = {}
        self.unknown: set[int] = set()
        self.turns: list[Turn] = []
        self.asked: dict[int, Mark] = {}

    def read(self, entry: Entry) -> None:
        facts = entry.facts
        match entry.kind:
            case "escalation":
                self._fire(entry)
            case "asked":
                for level in (*facts["levels"], *([IDLE] if facts["idle"] else [])):
                    self.asked[level] = Mark(entry.seq, entry.at)
            case "severity" if facts.get("switched", True):
                self.switched_at = entry.at
                self._follow_another()
            case "acknowledged":
                self.acknowledged = Mark(entry.seq, entry.at)
                self.holder = entry.actor
            case "assigned" if facts["role"] == "commander":
                self.holder = facts["person"]

    def _fire(self, entry: Entry) -> None:
        facts = entry.facts
        self.told.update(dict.fromkeys(facts["notify"]))
        conditions: Mapping[str, str] = facts.get("conditions", {})
        for level in facts["levels"]:
            self.fired.setdefault(level, entry.at)
        told: Mapping[str, list[str]] = facts.get("told", {"": facts["notify"]})
        for number, notify in told.items():
            self._told_for |= {(conditions.get(number, ""), text) for text in notify}
        self.unknown |= set(facts.get("unknown", ()))
        if facts["stage"] != "level":
            self.turns.append(Turn(facts["stage"], entry.at))

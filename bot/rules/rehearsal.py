"""An escalation played through without telling anybody: the same decisions, at the times when they fall due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.model.actor import BOT
from bot.model.incident import Entry, Facts, Incident, Status
from bot.model.policy import Policy
from bot.rules import escalation
from bot.rules.arming import Seen, armed
from bot.rules.firing import Account, Ask, Fire, Part, account, facts_of_ask
from bot.rules.idle import running_since
from bot.rules.known import Values
from bot.rules.levels import Case
from bot.rules.past import holder_of, newest_active, past

Read = Callable[[int], Mapping[str, Values]]
People = Callable[[str, int], tuple[str, ...]]
Words = Callable[[Part, Case, Mapping[str, Values], int], str]


@dataclass(frozen=True)
class Happening:
    """What a person does meanwhile: an entry, with what it changes. ``calls``: for the next level."""

    at: int
    actor: str
    kind: str
    facts: Facts = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy | None = None
    calls: bool = False


@dataclass(frozen=True)
class Moment:
    """What is told, or asked, at a time (milliseconds since the epoch)."""

    at: int
    fire: Fire | None = None
    account: Account | None = None
    ask: Ask | None = None
    asked: str | None = None


def rehearse(
    case: Case,
    people: People,
    read: Read,
    until: int,
    happenings: Sequence[Happening] = (),
    words: Words = lambda part, case, read, now: part.reason,
) -> Iterator[Moment]:
    """Everything that happens by itself, in order, from the declaration to a time.

    ``people``: who is behind a destination at a time; ``read``: each target's values at a time.
    """
    stage = _Stage(case, people, read, words)
    waiting = sorted(happenings, key=lambda one: one.at)
    while True:
        if waiting and (stage.due_at is None or waiting[0].at <= stage.due_at):
            happening = waiting.pop(0)
            if happening.at > until:
                return
            stage.happen(happening)
        elif stage.due_at is None or stage.due_at > until:
            return
        else:
            moment = stage.fall_due()
            if moment is not None:
                yield moment


class _Stage:
    """What the store would hold: the incident, its entries, and the one timer."""

    def __init__(self, case: Case, people: People, read: Read, words: Words) -> None:
        self._case, self._people, self._read, self._words = case, people, read, words
        self._entries: list[Entry] = []
        self._lost: Mapping[int, int] = {}
        self._push: escalation.Push | None = None
        self._now = case.incident.declared_at
        self._add(case.incident.declared_by, "declared", {})
        self.due_at = self._next_at(looked=False)

    def happen(self, one: Happening) -> None:
        self._now = max(self._now, one.at)
        incident = replace(self._case.incident, **one.columns)
        self._case = replace(self._case, incident=incident, policy=one.policy or self._case.policy)
        self._add(one.actor, one.kind, one.facts)
        if not (one.columns or one.calls or incident.status is Status.ACKNOWLEDGED):
            return
        self._push = escalation.kept(self._case, "called" if one.calls else self._push, self._now)
        self.due_at = self._now if self._push else self._next_at(looked=False)
        if self.due_at is None:
            self._lost = {}

    def fall_due(self) -> Moment | None:
        assert self.due_at is not None
        self._now = max(self._now, self.due_at)
        case, now = self._case, self._now
        closed = case.opening(now) > now
        asked = () if closed else tuple(armed(case, running_since(case, now), now))
        read = self._read(now) if asked and case.incident.targets else {}
        decision = escalation.decide(case, Seen(read, self._lost), now, push=self._push)
        push, self._push = self._push, None
        made = self._tell(decision.fire, read)
        asks = self._ask(decision.ask)
        self._lost = decision.lost
        self.due_at = self._next_at(looked=bool(read) or not case.incident.targets)
        if made is not None and made.reaches_nobody and self.due_at is not None:
            self._push, self.due_at = push or "hurried", now
        if decision.fire is None and decision.ask is None:
            return None
        return Moment(now, decision.fire, made, decision.ask, asks)

    def _tell(self, fire: Fire | None, read: Mapping[str, Values]) -> Account | None:
        if fire is None:
            return None
        case, now = self._case, self._now
        made = account(
            fire,
            case.policy,
            lambda text: self._people(text, now),
            lambda part: self._words(part, case, read, now),
        )
        self._add(BOT, "escalation", made.facts)
        return made

    def _ask(self, ask: Ask | None) -> str | None:
        if ask is None:
            return None
        person = holder_of(self._case.past)
        self._add(BOT, "asked", facts_of_ask(ask, person))
        return person

    def _next_at(self, *, looked: bool) -> int | None:
        return escalation.next_at(self._case, self._lost, self._now, looked=looked)

    def _add(self, actor: str, kind: str, facts: Facts) -> None:
        incident: Incident = self._case.incident
        self._entries.append(
            Entry(
                incident_id=incident.id,
                seq=len(self._entries) + 1,
                at=self._now,
                actor=actor,
                kind=kind,
                facts=facts,
            )
        )
        known = past(incident, self._entries, newest_active(self._entries))
        self._case = self._case.on(known)

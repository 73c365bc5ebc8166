"""Whom an incident's policy tells now, whom it asks, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.model.incident import Status
from bot.model.units import format_duration
from bot.rules import idle
from bot.rules.arming import Asked, Look, Seen, armed, look, lost_at, on_call
from bot.rules.firing import Ask, Fire, Part
from bot.rules.levels import Case, fired_at, start, tells
from bot.rules.past import Stage

LAST_RESORT_EVERY_MS = 3_600_000

Push = Literal["called", "hurried"]
"""Why the next level comes before its time: somebody called for it, or the one before reached nobody."""


@dataclass(frozen=True)
class Decision:
    """What is to be done now. ``lost`` is kept for the next look; ``over``: nothing ever follows."""

    fire: Fire | None = None
    ask: Ask | None = None
    lost: Mapping[int, int] = field(default_factory=dict)
    over: bool = False


@dataclass(frozen=True)
class Turn:
    """A repeat or the last resort, counted from 0, and when it is due."""

    stage: Stage
    number: int
    due_at: int


def decide(case: Case, seen: Seen, now: int, *, push: Push | None = None) -> Decision:
    """A due timer of an incident. ``push``: the next level is to come now."""
    if not case.live:
        return Decision(over=True)
    since = idle.running_since(case, now)
    if case.opening(now) > now and push is None:
        return Decision(lost=seen.lost)
    found = look(case, seen, since, now)
    due = [*_timed(case, since, now), *_met(case, found, since, now)]
    asks: list[Part] = []
    if since is None:  # somebody is on it: they are asked first
        gates = [(part, idle.gate(case, part.level, now)) for part in due if part.level is not None]
        asks = [part for part, gate in gates if gate == "ask"]
        due = [part for part, gate in gates if gate == "fire"]
    turn = _turn(case, since)
    turned = [_told(case, turn, now)] if turn is not None and turn.due_at <= now else []
    if push is not None and not any(part.notify for part in (*due, *turned)):
        beside = {part.level for part in due}
        pushed, turn = _pushed(case, since, beside, turn, now, called=push == "called")
        due += [part for part in pushed if part.level is not None]
        turned = [part for part in pushed if part.level is None]
    fire = _fire(due, turned, turn)
    return Decision(fire, _ask(case, asks, now), found.lost)


def next_at(case: Case, lost: Mapping[int, int], now: int, *, looked: bool = True) -> int | None:
    """When to look again; None: when nothing can happen by itself any more.

    ``looked`` False: armed levels could not be asked yet, so that is to be done at once.
    """
    if not case.live:
        return None
    since = idle.running_since(case, now)
    moments = [*_level_moments(case, lost, since, now, looked=looked)]
    turn = _turn(case, since)
    found = (turn.due_at if turn else None, idle.asks_at(case), _goes_on(case, now))
    moments += [at for at in found if at is not None]
    if not moments:
        return None
    return case.opening(max(now, min(case.opening(at) for at in moments)))


def kept(case: Case, push: Push | None, now: int) -> Push | None:
    """What of a push is left after something was done: an answer takes back a hurry, never a call."""
    if not case.live or (push == "hurried" and idle.running_since(case, now) is None):
        return None
    return push


@dataclass(frozen=True)
class Following:
    """What is told next by time alone: when, whom, and by which levels."""

    at: int
    notify: tuple[str, ...]
    levels: tuple[int, ...] = ()


def following(case: Case, now: int) -> Following | None:
    """None where nothing more is told by time alone."""
    if not case.live:
        return None
    at = now
    since = idle.running_since(case, at)
    if since is None:
        again = idle.goes_on_at(case)
        if again is None:
            return None
        since = at = again
    waiting = [(start(case, one, since) or at, one) for one in _unfired(case)]
    first = min((due_at for due_at, _ in waiting), default=None)
    if first is not None:
        due = [number for due_at, number in waiting if due_at <= max(first, at)]
        notify = dict.fromkeys(text for number in due for text in tells(case, number))
        return Following(case.opening(max(first, at)), tuple(notify), tuple(due))
    turn = _turn(case, since)
    if turn is None:
        return None
    return Following(case.opening(max(turn.due_at, at)), _told(case, turn, turn.due_at).notify)


def people_of(told: Iterable[str]) -> tuple[str, ...]:
    """The destinations that are more than the channel, each once."""
    return tuple(dict.fromkeys(text for text in told if text != "channel"))


def _unfired(case: Case) -> Iterator[int]:
    """The levels that only time decides on, and that have not fired."""
    for number, level in case.numbered():
        if level.plain and fired_at(case, number) is None:
            yield number


def _timed(case: Case, since: int | None, now: int) -> Iterator[Part]:
    """The levels without a condition whose time has come."""
    for number, level in case.numbered():
        if level.when is None and fired_at(case, number) is None:
            begins = start(case, number, since)
            if begins is not None and begins <= now:
                yield _part(case, number, since, now)


def _met(case: Case, found: Look, since: int | None, now: int) -> Iterator[Part]:
    for asked in found.met:
        yield _part(case, asked.level, since, now, asked)


def _part(case: Case, number: int, since: int | None, now: int, asked: Asked | None = None) -> Part:
    level = case.policy.levels[number]
    because = asked.because if asked is not None else ()
    if asked is not None and asked.unknown:
        told = on_call(case.policy, number)
        return Part(told, "; ".join(because), number, because=because, unknown=True)
    reason = "; ".join(because) or _reason(case, level.after, since, now)
    return Part(tells(case, number), reason, number, level.reason, because)


def _reason(case: Case, after: int, since: int | None, now: int) -> str:
    incident = case.incident
    if incident.status is not Status.OPEN:
        quiet = format_duration(now - idle.last_active(case))
        return f"acknowledged, but nothing was done for {quiet}"
    if after == 0 and now - case.began < 1_000:
        if case.past.began is not None:
            return "the silence is over"
        return "declared" if incident.opened_at == incident.declared_at else "reopened"
    elapsed = now - incident.opened_at
    return f"open for {format_duration(elapsed)}, nobody has acknowledged"


def _fire(due: Sequence[Part], turned: Sequence[Part], turn: Turn | None) -> Fire | None:
    if not due and not turned:
        return None
    if turned:
        assert turn is not None
        return Fire(turn.stage, turn.number, (*turned, *due))
    return Fire("level", max(part.level or 0 for part in due), tuple(due))


def _ask(case: Case, asks: Sequence[Part], now: int) -> Ask | None:
    idle_at = idle.asks_at(case)
    is_idle = idle_at is not None and idle_at <= now
    if not asks and not is_idle:
        return None
    because = [reason for part in asks for reason in part.because]
    if is_idle:
        quiet = format_duration(now - idle.last_active(case))
        because.append(f"nothing was done for {quiet}")
    elif not because:
        age = format_duration(now - case.incident.opened_at)
        because.append(f"still not over after {age}")
    levels = tuple(part.level for part in asks if part.level is not None)
    return Ask(levels, is_idle, tuple(dict.fromkeys(because)))


def _pushed(
    case: Case,
    since: int | None,
    beside: set[int | None],
    turn: Turn | None,
    now: int,
    *,
    called: bool,
) -> tuple[list[Part], Turn | None]:
    """What comes next before its time: a level that tells anybody, else a repeat, else the last resort."""
    reason = "asked for by a person" if called and since is None else None
    conditional = (
        number
        for number, level in case.numbered()
        if level.when is not None and fired_at(case, number) is None
    )
    passed: list[Part] = []
    for number in (*_unfired(case), *conditional):
        if number not in beside:
            part = _part(case, number, since, now)
            passed.append(part if reason is None else Part(part.notify, reason, number))
            if part.notify:
                return passed, turn
    if case.ends:
        return passed, turn
    if turn is None or since is None:
        turn = Turn("last_resort", sum(_is_last(one.stage) for one in case.past.turns), now)
    told = _told(case, turn, now)
    return [*passed, told if reason is None else Part(told.notify, reason)], turn


def _is_last(stage: Stage) -> bool:
    return stage == "last_resort"


def _turn(case: Case, since: int | None) -> Turn | None:
    """The repeat or the last resort that is next, once every level that time decides on has fired."""
    if since is None or case.ends or any(True for _ in _unfired(case)):
        return None
    base = _base(case, since)
    if base is None:
        return None
    policy, epoch = case.policy, max(since, case.past.switched_at or 0)
    turns = [one for one in case.past.turns if one.at >= epoch]
    repeats = sum(one.stage == "repeat" for one in turns)
    more = repeats < policy.repeat.times and repeats == len(turns)
    stage: Stage = "repeat" if more and people_of(case.past.told) else "last_resort"
    number = repeats if stage == "repeat" else len(turns) - repeats
    every = LAST_RESORT_EVERY_MS if stage == "last_resort" and number else policy.repeat.every
    due_at = turns[-1].at + every if turns else base
    return Turn(stage, number, case.opening(due_at))


def _base(case: Case, since: int) -> int | None:
    """When the first repeat is due; None: nobody was pinged, so nothing is repeated.

    An escalation that goes on after an acknowledgement, and has no level left, repeats at once.
    """
    every = case.policy.repeat.every
    levels = tuple(enumerate(case.policy.levels))
    plain = [(fired_at(case, number), level) for number, level in levels if level.plain]
    last = max((at for at, _ in plain if at is not None), default=None)
    if since > case.began:
        return last + every if last is not None and last >= since else since
    if last is not None and any(level.pings_people for _, level in plain):
        return last + every
    others = [
        at
        for number, level in levels
        if level.pings_people and (at := fired_at(case, number)) is not None
    ]
    return max(min(others), last or 0) + every if others else None


def _told(case: Case, turn: Turn, now: int) -> Part:
    if turn.stage == "repeat":
        reason = f"still nobody has acknowledged (repeat {turn.number + 1} of {case.policy.repeat.times})"
        notify = people_of(case.past.told)
    else:
        reason = "last resort: nobody has acknowledged"
        notify = case.last_resort or people_of(case.past.told) or ("channel",)  # never silence
    if case.incident.status is not Status.OPEN:
        last = "last resort: " if turn.stage == "last_resort" else ""
        reason = f"{last}{_reason(case, 1, None, now)}"
    return Part(notify, reason)


def _level_moments(
    case: Case, lost: Mapping[int, int], since: int | None, now: int, *, looked: bool
) -> Iterator[int]:
    """When the time of each level that has not fired comes, or the next look at it."""
    asked_now = set(armed(case, since, now))
    for number, _ in case.numbered():
        begins = start(case, number, since)
        if begins is None or fired_at(case, number) is not None:
            continue
        at = begins
        if number in asked_now:
            told_at = lost_at(case, number, lost)
            again = now + case.look_every
            at = min(again, told_at) if told_at is not None else again
            at = at if looked else now
        gate = idle.gate_opens_at(case, number) if since is None else 0
        yield max(begins, gate) if gate > now else at


def _goes_on(case: Case, now: int) -> int | None:
    at = idle.goes_on_at(case)
    return at if at is not None and at > now else None

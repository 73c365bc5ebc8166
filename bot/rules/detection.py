"""What a rule makes of one look at a target: from what was known, what is read, and the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from bot.model.condition import Condition
from bot.model.detection import Opens, Rule
from bot.model.operand import change_of
from bot.model.reading import Health, Verdict
from bot.model.units import format_duration
from bot.rules.condition import Judged, Truth
from bot.rules.hold import NOTHING, Held, hold
from bot.rules.known import NOT_MEASURED, Known, Values
from bot.rules.possible import tests_of
from bot.rules.verdict import explain
from bot.rules.window import SOURCE

_BRIDGE = 3
"""Data that is lost for no longer than so many polls keeps ``for`` from neither going on nor ending."""


class Phase(StrEnum):
    """``FOUND``: it was suggested or declared; ``LOST``: it was told that its data is lost."""

    QUIET = "quiet"
    FOUND = "found"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What is known of a rule on a target. Times are milliseconds since the epoch.

    ``data``: of whether its data is there, which is a finding of its own, whatever was found before; else
    of its condition.
    ``yes``, ``no`` and ``lost``: for how long it holds, is over, and can't be told. ``seen_at`` is the last
    look, ``next_at`` when the next one was planned then. ``since``: when what was found began;
    ``changed_at``: when the phase changed last. ``message``: the outbox's key of what was suggested.
    """

    rule: str
    target: str
    data: bool = False
    phase: Phase = Phase.QUIET
    yes: Held = NOTHING
    no: Held = NOTHING
    lost: Held = NOTHING
    seen_at: int = 0
    next_at: int = 0
    since: int | None = None
    changed_at: int | None = None
    incident: int | None = None
    message: str | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing of it is worth keeping."""
        fresh = self.phase is Phase.QUIET and self.changed_at is None
        return fresh and NOTHING == self.yes == self.lost

    def on(self, phase: Phase, now: int, since: int | None) -> Hold:
        """The same in another phase, which began now."""
        return replace(self, phase=phase, changed_at=now, since=since)


Standing = Literal["none", "open", "mitigated", "over"]
"""Of the incident of a rule and a target: at one that is mitigated is nobody any more."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look: what the condition says, and whether data is ``lost`` that has a source.

    ``late``: how late, in ms, a look may come before a poll counts as missed. ``incident``: that of the
    rule and the target, if there is one. ``muted``: why nothing may be said of it now.
    """

    judged: Judged
    lost: bool
    now: int
    next_at: int
    late: int
    incident: Standing = "none"
    muted: str | None = None


What = Literal[
    "nothing", "pending", "muted", "suggest", "declare", "join", "clear", "no data", "known again"
]


@dataclass(frozen=True)
class Decision:
    """What is to be done, why, and what is known of the rule from now on."""

    what: What
    reason: str
    hold: Hold


def decide(rule: Rule, before: Hold, look: Look) -> Decision:
    """One look further. What the bot itself did not look at is not taken to have held."""
    held = _held(before, look)
    match before.phase:
        case Phase.FOUND:
            return _while_found(rule, held, look)
        case Phase.LOST:
            return _while_lost(held, look)
    if held.data:
        return _while_read(rule, held, look)
    if held.yes.met(rule.lasts):
        return _found(rule, held, look)
    if held.yes.since is not None:
        left = format_duration(held.yes.since + rule.lasts - look.now)
        return Decision("pending", f"{_because(look)}: for {left} more", held)
    return Decision("nothing", _because(look), held)


def opens(rule: Rule, decision: Decision) -> Opens:
    """Whether a finding is suggested or declared."""
    return rule.unknown if decision.hold.data else rule.opens


def due_at(rule: Rule, known: Hold) -> int | None:
    """When ``for`` or ``unknown_for`` is fulfilled if it goes on; None while nothing is pending."""
    held, span = (known.lost, rule.unknown_for) if known.data else (known.yes, rule.lasts)
    if known.phase is not Phase.QUIET or held.since is None or span is None:
        return None
    return held.since + span


def verdict_of(condition: Condition, health: Health) -> Known:
    """The verdict for a condition. One that is unknown is a word only where the condition names it.

    A target whose health URL answered is not down, whatever else can't be read of it.
    """
    word = Known(str(health.verdict), at=health.at, source=health.reason)
    asked = {test.literal.value for test in tests_of(condition.root) if test.name == "verdict"}
    if health.verdict is not Verdict.UNKNOWN or str(Verdict.UNKNOWN) in asked:
        return word
    answered = any(explain(one) == health.reason for one in health.findings)
    if answered and asked <= {str(Verdict.DOWN)}:
        return word
    return Known(None, reason=health.reason, at=health.at)


def is_lost(condition: Condition, values: Values) -> bool:
    """Whether data that has a source is missing; what only needs time is not.

    That is the bot's own polls, and a change of a metric that is read now.
    """
    changes = {name: change_of(name) for name, _ in condition.names}
    read = [name if change is None else change[0] for name, change in changes.items()]
    return any(_is_lost(values.get(name, NOT_MEASURED)) for name in read)


def _is_lost(known: Known) -> bool:
    own = known.source.partition(",")[0] == SOURCE
    return known.value is None and not own and known.reason != NOT_MEASURED.reason


def _held(before: Hold, look: Look) -> Hold:
    """Of the data only ``lost`` counts, of the condition the others: ``no`` while something is found.

    Of what is quiet, only what is pending is worth keeping.
    """
    judged = look.judged.truth
    missed = look.now > before.next_at + look.late or look.now < before.seen_at
    yes, no, lost = (NOTHING,) * 3 if missed else (before.yes, before.no, before.lost)
    planned = max(0, before.next_at - before.seen_at)
    gap = _BRIDGE * (planned + look.late)
    is_over = Truth(Truth.YES - judged) if before.phase is Phase.FOUND else Truth.NO
    lost_now = Truth.YES if look.lost and judged is Truth.UNKNOWN else Truth.NO
    if before.data:
        held = replace(before, lost=hold(lost, lost_now, look.now, gap, recovery=False))
    else:
        held = replace(
            before,
            yes=hold(yes, judged, look.now, gap, recovery=False),
            no=hold(no, is_over, look.now, gap, recovery=True),
        )
    if before.phase is Phase.QUIET and NOTHING == held.yes == held.lost:
        return held
    return replace(held, seen_at=look.now, next_at=look.next_at)


def _found(rule: Rule, held: Hold, look: Look) -> Decision:
    """``for`` is fulfilled: it belongs to the open incident, or it is to be told."""
    reason = f"{_because(look)}, for {format_duration(held.yes.lasted)}"
    found = held.on(Phase.FOUND, look.now, held.yes.since)
    if look.incident == "open":
        return Decision("join", reason, found)
    if look.muted is not None:
        return Decision("muted", look.muted, held)
    if look.incident == "mitigated":
        return Decision("join", reason, found)
    return Decision(rule.opens, reason, found)


def _while_read(rule: Rule, held: Hold, look: Look) -> Decision:
    if rule.unknown_for is None or not held.lost.met(rule.unknown_for):
        return Decision("nothing", _because(look), held)
    if look.incident == "open":
        return Decision("nothing", "its incident is open", held)
    if look.muted is not None:
        return Decision("muted", look.muted, held)
    reason = f"{_because(look)}, for {format_duration(held.lost.lasted)}"
    return Decision("no data", reason, held.on(Phase.LOST, look.now, held.lost.since))


def _while_found(rule: Rule, held: Hold, look: Look) -> Decision:
    """What flaps within ``clear_for`` is one finding; unless its incident was resolved meanwhile."""
    over = look.judged.truth is Truth.NO
    if over and look.incident == "over":
        reason = "its incident is resolved, and it is over"
        return Decision("nothing", reason, held.on(Phase.QUIET, look.now, held.since))
    if over and held.no.met(rule.clear_for):
        reason = f"{_because(look)}, for {format_duration(held.no.lasted)}"
        return Decision("clear", reason, held.on(Phase.QUIET, look.now, held.since))
    return Decision("nothing", _because(look), held)


def _while_lost(held: Hold, look: Look) -> Decision:
    if held.lost.since is not None:
        return Decision("nothing", _because(look), held)
    return Decision("known again", _because(look), held.on(Phase.QUIET, look.now, held.since))


def _because(look: Look) -> str:
    return "; ".join(look.judged.because) or "nothing decides it"

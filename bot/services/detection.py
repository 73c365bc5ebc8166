"""What the rules find after each poll: suggested or declared, joined, cleared. Decided in the rules."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.model.actor import BOT
from bot.model.book import Books
from bot.model.config import Config
from bot.model.detection import Opens, Rule
from bot.model.found import LOST, Found
from bot.model.incident import Incident, Status
from bot.model.reading import Health, Verdict
from bot.rules import detection
from bot.rules.condition import Judged, evaluate
from bot.rules.detection import Decision, Hold, Look, Phase
from bot.rules.known import Values, of_time
from bot.services import fleet, found, silences, suggestions, trend
from bot.services.incidents import add_reply
from bot.store import holds, incidents, outbox, timers
from bot.store.database import Tx

log = logging.getLogger(__name__)

_LATE_MS = 1_000
_TURNS, _TURNS_WITHIN_MS = 6, 3_600_000
"""What comes and goes has so many lines of a timeline in an hour; the card says the rest."""

_TELLS: tuple[detection.What, ...] = ("suggest", "declare", "join", "no data")


@dataclass(frozen=True)
class _Seen:
    """One rule asked of one health."""

    rule: Rule
    health: Health
    values: Values
    judged: Judged


def look(tx: Tx, config: Config, books: Books, health: Health) -> None:
    """Ask every rule of a target that was just polled, and commit what comes of it."""
    rules = [rule for rule in config.detection if rule.watches(health.target)]
    target = config.targets.get(health.target)
    if not rules or target is None:
        return
    known = {(one.rule, one.data): one for one in holds.of_target(tx, health.target)}
    next_at = timers.due_of(tx, "poll", health.target) or tx.now + target.poll
    late = target.poll + target.timeout + _LATE_MS
    wanted: list[int] = []
    for rule in rules:
        seen = _seen(tx, rule, health)
        looked = Look(
            judged=seen.judged,
            lost=detection.is_lost(rule.when, seen.values),
            now=tx.now,
            next_at=next_at,
            late=late,
        )
        for data in (False, True):
            unknown = Hold(rule=rule.name, target=health.target, data=data)
            before = known.get((rule.name, data), unknown)
            hold = _done(tx, config, books, seen, _decided(tx, config, rule, before, looked))
            if hold != before:
                holds.keep(tx, hold)
            due_at = detection.due_at(rule, hold)
            wanted += [due_at] if due_at is not None else []
    _hasten(tx, health, wanted, tx.now + target.poll, next_at)


def key(rule: str, target: str) -> str:
    """What an incident is known by that a rule opened."""
    return f"rule:{rule}:{target}"


def tidy(tx: Tx, config: Config) -> None:
    """At a start and after a reload: forget what is not asked any more, and say so where it was told."""
    watched = {
        (rule.name, target)
        for rule in config.detection
        for target in config.targets
        if rule.watches(target)
    }
    for hold in holds.tidy(tx, watched):
        suggestions.forgotten(tx, hold)


def _seen(tx: Tx, rule: Rule, health: Health) -> _Seen:
    names = [name for name, _ in rule.when.names]
    values = {
        **trend.values(tx, health, names),
        **of_time(tx.now),
        "verdict": detection.verdict_of(rule.when, health),
    }
    return _Seen(rule, health, values, evaluate(rule.when, values, tx.now))


def _decided(tx: Tx, config: Config, rule: Rule, before: Hold, looked: Look) -> Decision:
    """Whether there is an incident, or a silence, is asked only where that makes a difference."""
    if before.phase is Phase.QUIET:
        decision = detection.decide(rule, before, looked)
        if decision.what not in _TELLS:
            return decision
    looked = replace(looked, incident=_incident_of(tx, rule, before))
    decision = detection.decide(rule, before, looked)
    if decision.what in _TELLS:
        muted = silences.muting(tx, config, (before.target,), tx.now)
        if muted is not None:
            why = f"{muted.name}: {muted.reason}"
            decision = detection.decide(rule, before, replace(looked, muted=why))
            if decision.what == "muted":
                silences.note_muted(tx, muted, rule.name, before.target)
    return decision


def _incident_of(tx: Tx, rule: Rule, before: Hold) -> detection.Standing:
    """Of what was found: the one that it became; of what may be found: the newest that it was."""
    known = None
    if before.phase is Phase.QUIET:
        known = fleet.incident_of(tx, key(rule.name, before.target), before.target)
    elif before.incident is not None:
        known = incidents.get(tx, before.incident)
    if known is None:
        return "none"
    if known.status is Status.MITIGATED:
        return "mitigated"
    return "open" if known.live else "over"


def _done(tx: Tx, config: Config, books: Books, seen: _Seen, decision: Decision) -> Hold:
    """Do what was decided; what is known of the rule then."""
    rule, hold = seen.rule, decision.hold
    if decision.what not in {"nothing", "pending", "muted"}:
        log.info("%s on %s: %s: %s", rule.name, hold.target, decision.what, decision.reason)
    match decision.what:
        case "declare" | "suggest" | "no data" | "join":
            return _told(tx, config, books, seen, decision)
        case "clear":
            suggestions.cleared(tx, hold, seen.judged.because)
            _turned(tx, hold, "cleared", (decision.reason,))
        case "known again":
            suggestions.cleared(tx, hold, seen.judged.because)
            if not _others_stand(tx, hold):
                _turned(tx, hold, "cleared", (decision.reason,), lost=True)
    return hold


def _told(tx: Tx, config: Config, books: Books, seen: _Seen, decision: Decision) -> Hold:
    """It belongs to the incident that is open for it; else it becomes one, or a suggestion."""
    rule, hold = seen.rule, decision.hold
    what, opens = _found(config, seen, hold), detection.opens(rule, decision)
    known = fleet.incident_of(tx, what.key, hold.target)
    if known is not None and known.live:
        return _joined(tx, config, known, opens, hold, what.because)
    if opens == "declare":
        return replace(hold, incident=fleet.declare(tx, config, what, rule.name).id)
    return suggestions.suggest(tx, config, books, rule, hold, what)


def _found(config: Config, seen: _Seen, hold: Hold) -> Found:
    """What the rule says of an incident. Lost data of a target is one thing, whoever misses it."""
    rule, lost = seen.rule, hold.data
    assert hold.since is not None
    return Found(
        key=f"{LOST}{hold.target}" if lost else key(rule.name, hold.target),
        title=_title(seen),
        severity=rule.severity or config.escalation.default_severity,
        targets=(hold.target,),
        since=hold.since,
        because=seen.judged.because,
        policy=rule.policy,
        runbook=None if lost else rule.runbook,
        reopen_within=rule.reopen_within,
    )


def _title(seen: _Seen) -> str:
    """``iora: CPU 96 % > 90``: what decided it, without source and age."""
    rule, health = seen.rule, seen.health
    plain = {name: replace(one, source="", at=None) for name, one in seen.values.items()}
    because = evaluate(rule.when, plain, 0).because
    asked = {name for name, _ in rule.when.names}
    down = health.verdict is Verdict.DOWN and "verdict" in asked
    if down or (asked == {"verdict"} and health.verdict is not Verdict.UNKNOWN):
        # What its host says of it is in the line below.
        because = (f"{health.verdict}, {health.reason.partition('; ')[0]}",)
    return f"{health.target}: {'; '.join(because[:2])}"


def _joined(
    tx: Tx, config: Config, known: Incident, opens: Opens, hold: Hold, because: tuple[str, ...]
) -> Hold:
    """Its incident is open: whoever is at it reads that it is back.

    Nobody is at one that is mitigated: it is opened again, or the channel reads of it where nobody is
    to be paged by the rule itself.
    """
    joined = replace(hold, incident=known.id)
    if _others_stand(tx, joined):
        return joined
    mitigated = known.status is Status.MITIGATED
    if mitigated and opens == "declare":
        found.reopen(tx, config, known, because)
    else:
        _turned(tx, joined, "returned", because, broadcast=mitigated)
    return joined


def _others_stand(tx: Tx, hold: Hold) -> bool:
    """Whether another rule misses data of the same target, and its incident is not over for that."""
    known = holds.of_incident(tx, hold.incident) if hold.incident is not None else []
    others = [one for one in known if one.target == hold.target and one.rule != hold.rule]
    return any(one.phase is not Phase.QUIET for one in others)


def _turned(
    tx: Tx,
    hold: Hold,
    kind: str,
    because: tuple[str, ...],
    *,
    lost: bool = False,
    broadcast: bool = False,
) -> None:
    """A line on the timeline of its open incident, and in the thread; the card is drawn anew."""
    incident = incidents.get(tx, hold.incident) if hold.incident is not None else None
    if incident is None or not incident.live:
        return
    turns = incidents.timeline(tx, incident.id, ("cleared", "returned"))
    if sum(entry.at > tx.now - _TURNS_WITHIN_MS for entry in turns) < _TURNS:
        facts = {"rule": hold.rule, "target": hold.target, "because": list(because), "lost": lost}
        seq = incidents.add_entry(tx, incident.id, BOT, kind, facts)
        add_reply(tx, incident, seq, broadcast=broadcast)
    outbox.revise(tx, incident.id, ("card",))


def _hasten(tx: Tx, health: Health, wanted: Sequence[int], soonest: int, next_at: int) -> None:
    """A silent target is polled more and more rarely: not so rarely that what is pending is told late.

    One that is busy gets the time that it asks for.
    """
    if not wanted or not health.silent:
        return
    due_at = max(min(wanted), soonest)
    if due_at < next_at:
        timers.move(tx, "poll", health.target, due_at)

"""What a rule found as one message in the channel, and what a person makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.model.answer import Answer, Refusal
from bot.model.book import Books
from bot.model.command import OnFinding
from bot.model.config import Config
from bot.model.detection import Rule
from bot.model.found import Found
from bot.model.incident import Facts, Severity
from bot.model.message import Message
from bot.rules import access
from bot.rules.detection import Hold, Phase
from bot.services import flood, found
from bot.services.incidents import Asked
from bot.services.overview import overview
from bot.store import holds, incidents, outbox
from bot.store.database import Tx

KIND = "finding"
_WAITS = {"open", "dismissed"}
_NOTICED_MS = 300_000
"""So long after it was told something may be told by an edit: that of an older message is seen by nobody."""


def suggest(tx: Tx, config: Config, books: Books, rule: Rule, hold: Hold, what: Found) -> Hold:
    """Say it in the channel, once. Lost data is one message a target, whatever rules miss it.

    What comes back within ``reopen_within`` stays dismissed where it was; else it is a new message,
    unless the one before it is so new that it is noticed there.
    """
    lost = hold.data
    known = _said_before(tx, rule, hold, lost=lost)
    facts: dict[str, Any] = {
        "state": "open",
        "lost": lost,
        "target": hold.target,
        "rules": {rule.name: list(what.because)},
        "key": what.key,
        "title": what.title,
        "severity": str(what.severity),
        "policy": what.policy,
        "runbook": _runbook(books, what.runbook),
        "named": what.runbook,
        "since": what.since,
        "at": tx.now,
        "told_at": tx.now,
        "reopen_within": what.reopen_within,
        "again": known is not None,
        "related": _related(tx, what),
    }
    edited = _edited(known, facts, tx.now) if known is not None else None
    if known is not None and edited is not None:
        outbox.set_facts(tx, known.id, edited)
        return replace(hold, message=known.key, incident=None)
    if flood.rises(tx):
        return flood.add(tx, config, hold, what)
    message = f"finding:{'lost' if lost else rule.name}:{hold.target}:{tx.now}"
    outbox.add(tx, message, KIND, f"channel:{config.slack.channel}", facts)
    return replace(hold, message=message, incident=None)


def _edited(known: Message, facts: Facts, now: int) -> Facts | None:
    """The facts of a message that told it before, to tell it again; None: a new one is to."""
    before = known.facts
    if before["state"] in _WAITS:  # another rule misses data of the same target
        return {**before, "rules": {**before["rules"], **facts["rules"]}}
    told = {"told_at": before.get("told_at", before["at"])}
    if "by" in before:
        return {**facts, **told, "state": "dismissed", "by": before["by"]}
    return {**facts, **told} if now - told["told_at"] <= _NOTICED_MS else None


def cleared(tx: Tx, hold: Hold, because: Sequence[str]) -> None:
    """It is over: the message says so, unless it became an incident, which says it itself."""
    flood.over(tx, hold)
    message = _message(tx, hold)
    if message is None or message.facts["state"] not in _WAITS:
        return
    rest = {name: why for name, why in message.facts["rules"].items() if name != hold.rule}
    if rest:
        outbox.set_facts(tx, message.id, {**message.facts, "rules": rest})
        return
    over = {"state": "cleared", "over": list(because), "cleared_at": tx.now}
    outbox.set_facts(tx, message.id, {**message.facts, **over})


def forgotten(tx: Tx, hold: Hold) -> None:
    """Its rule or its target is not in the config any more."""
    if hold.phase is not Phase.QUIET:
        cleared(tx, hold, ("the config does not ask for it any more",))


def answer(tx: Tx, config: Config, command: OnFinding, asked: Asked) -> Answer | Refusal:
    """A person declares it, or says that it is nothing."""
    outsider = access.refuse_outsider(config, asked.actor)
    if outsider is not None:
        return outsider
    message = outbox.by_key(tx, command.key)
    if message is None or message.kind != KIND:
        return Refusal("This finding is not known any more.", "See `/iora health`.")
    state = message.facts["state"]
    if state == "declared":
        number = message.facts["incident"]
        return Refusal(f"It is INC-{number} already.", f"See `/iora show INC-{number}`.")
    if state == "cleared":
        return Refusal("It is over by now.", "If it is an incident all the same: `/iora declare`.")
    if command.verb == "dismiss":
        return _dismiss(tx, message, asked)
    return _declare(tx, config, message, asked)


def _dismiss(tx: Tx, message: Message, asked: Asked) -> Answer | Refusal:
    if message.facts["state"] == "dismissed":
        return Refusal("It is dismissed already.")
    said = {"state": "dismissed", "by": asked.actor.text}
    outbox.set_facts(tx, message.id, {**message.facts, **said})
    return Answer(kind="dismissed", facts={"title": message.facts["title"]})


def _declare(tx: Tx, config: Config, message: Message, asked: Asked) -> Answer:
    facts = message.facts
    policy = facts["policy"] if facts["policy"] in config.escalation.policies else None
    what = Found(
        key=facts["key"],
        title=facts["title"],
        severity=Severity(facts["severity"]),
        targets=(facts["target"],),
        since=facts["since"],
        because=tuple(one for why in facts["rules"].values() for one in why),
        policy=policy,
        runbook=facts["named"],
        reopen_within=facts["reopen_within"],
    )
    done = found.declare(tx, config, what, asked.actor)
    for hold in holds.told_in(tx, facts["target"], message.key):
        holds.keep(tx, replace(hold, incident=done.incident.id))
    said = {"state": "declared", "incident": done.incident.id, "by": asked.actor.text}
    outbox.set_facts(tx, message.id, {**facts, **said})
    seen = overview(tx, config, done.incident.id)
    return Answer(kind="done", facts={"done": done.kind, "fresh": done.fresh, "overview": seen})


def _said_before(tx: Tx, rule: Rule, hold: Hold, *, lost: bool) -> Message | None:
    """The message that tells it already, or told it not long ago."""
    if lost:
        others = holds.of_target(tx, hold.target)
        told = next((one for one in others if one.phase is Phase.LOST and one.message), None)
        message = _message(tx, told) if told is not None else None
        if message is not None and message.facts["state"] in _WAITS:
            return message
    message = _message(tx, hold)
    if message is None or message.facts["lost"] is not lost:
        return None
    over_at = message.facts.get("cleared_at")
    lately = over_at is not None and tx.now - over_at <= rule.reopen_within
    return message if message.facts["state"] == "cleared" and lately else None


def _message(tx: Tx, hold: Hold) -> Message | None:
    """The message of its own that it has."""
    message = outbox.by_key(tx, hold.message) if hold.message is not None else None
    return message if message is not None and message.kind == KIND else None


def _runbook(books: Books, name: str | None) -> dict[str, str] | None:
    """What can be started with a press: not one that is missing, broken or on trial."""
    book = books.get(name) if name is not None else None
    if name is None or book is None or book.runbook.trial:
        return None
    return {"runbook": name, "title": book.runbook.title}


def _related(tx: Tx, what: Found) -> dict[str, int]:
    """What a person should know before they declare: it would be opened again, or another one is open."""
    known = incidents.newest_of_rule(tx, what.key)
    over_at = known.resolved_at if known is not None else None
    if known is not None and over_at is not None and tx.now - over_at <= what.reopen_within:
        return {"reopens": known.id}
    other = incidents.newest_live_of(tx, what.targets[0])
    return {"open": other} if other is not None else {}

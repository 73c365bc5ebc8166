"""Which way a page goes: by the person's own order, and on to the next way where one is of no use."""

from __future__ import annotations

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.message import Message, State
from bot.model.overview import Overview
from bot.model.way import SLACK
from bot.rules.firing import together
from bot.store import digests, incidents, outbox, pages
from bot.store.database import Tx

PASS_ON_AFTER_MS = 30_000
QUIET = "do-not-disturb is on in Slack"
KINDS = ("ping", "digest")


def ping(tx: Tx, config: Config, incident_id: int, facts: Facts) -> None:
    """Page ``facts["person"]`` by the first of their ways; once for each ``facts["entry"]``."""
    base = f"ping:{incident_id}:{facts['entry']}:{facts['person']}"
    _add(tx, "ping", base, ways_of(config, facts["person"])[0], facts, incident_id)


def ways_of(config: Config, person: str) -> tuple[str, ...]:
    """The person's ways that there are, in their order; Slack where the config names none that is there."""
    there = (way for way in config.contact(person).ways if way == SLACK or way in config.ways)
    return tuple(dict.fromkeys(there)) or (SLACK,)


def pass_on(tx: Tx, config: Config, message: Message, reason: str) -> str | None:
    """The person's next way takes a page that this one can't bring; None where none is left.

    What this way has of it stays: it may arrive late, as a copy.
    """
    pages.passed_on(tx, message.id)
    way = _next_way(tx, config, message)
    if way is not None:
        known = {key: value for key, value in message.facts.items() if key != "told"}
        facts = known | {"instead": reason}
        if message.kind == "digest":
            facts.setdefault("of", message.id)
        _add(tx, message.kind, base_of(message), way, facts, message.incident_id)
    if way is not None or reason == QUIET:  # of a refusal, what follows it says so
        _record(tx, message, {"person": message.facts["person"], "way": way, "reason": reason})
    return way


def overdue(tx: Tx) -> list[Message]:
    """What nobody has got for 30 s."""
    return pages.to_pass_on(tx, tx.now - PASS_ON_AFTER_MS)


def pass_on_late(tx: Tx, config: Config, found: Message) -> None:
    """Pass on a page that was overdue just now, unless it is not any more."""
    message = outbox.get(tx, found.id)
    if message is None or message.ts is not None or message.passed_on:
        return
    if wanted(tx, message) and _next_way(tx, config, message) is not None:
        name = "Slack" if message.via == SLACK else message.via
        pass_on(tx, config, message, f"no answer from {name} for 30 s")
    else:
        pages.passed_on(tx, message.id)


def wanted(tx: Tx, message: Message) -> bool:
    """Whether a page still asks for somebody."""
    if message.incident_id is None:
        return digests.read(tx, message.facts.get("of", message.id)).asking > 0
    incident = incidents.get(tx, message.incident_id)
    if incident is None:
        return False
    looks_back = incident.drill or message.facts.get("unanswered")
    entries = incidents.timeline(tx, incident.id) if looks_back else ()
    seen = Overview(incident, tuple(entries), (), None, tx.now)
    return seen.asks(message.facts) and not pages.superseded(tx, message)


def withdraw(tx: Tx, message: Message) -> None:
    """Nobody needs it any more. Where a later one stands in for it, that says its reasons too."""
    known = outbox.get(tx, message.id) or message  # it may stand in for another one itself
    later = pages.standing_in(tx, known) if known.kind == "ping" else None
    if later is not None:
        outbox.note(tx, later.id, together(known.facts, later.facts))
    outbox.close(tx, message.id, State.WITHDRAWN, None)


def base_of(message: Message) -> str:
    """What a page is called whichever way it goes."""
    return message.key if message.via == SLACK else message.key.removesuffix(f":{message.via}")


def key_of(base: str, way: str) -> str:
    """A page's key by one way."""
    return base if way == SLACK else f"{base}:{way}"


def _next_way(tx: Tx, config: Config, message: Message) -> str | None:
    base = base_of(message)
    ways = ways_of(config, message.facts["person"])
    return next((one for one in ways if outbox.by_key(tx, key_of(base, one)) is None), None)


def _add(tx: Tx, kind: str, base: str, way: str, facts: Facts, incident_id: int | None) -> None:
    """A row a way, each in a line of its own: one that hangs holds up no other."""
    person = facts["person"]
    destination = f"user:{person}" if way == SLACK else f"{way}:{person}"
    outbox.add(
        tx,
        key_of(base, way),
        kind,
        destination,
        facts,
        incident_id=incident_id,
        page=True,
        via=way,
    )


def _record(tx: Tx, message: Message, facts: Facts) -> None:
    """Which way it went, on the incident's timeline and card; of a digest, on those of all it lists."""
    about = (
        digests.listed_incidents(tx, message.facts.get("of", message.id))
        if message.incident_id is None
        else [message.incident_id]
    )
    for incident_id in about:
        incidents.add_entry(tx, incident_id, BOT, "way", facts)
        outbox.revise(tx, incident_id, ("card",))

"""Runbooks at a declare: the one that fits best is offered, those that are triggered start by themselves."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from bot.model.actor import BOT, Actor
from bot.model.answer import Refusal
from bot.model.book import Book, Books
from bot.model.command import StartRun
from bot.model.config import Config
from bot.model.incident import Facts, Incident
from bot.rules import fit, known
from bot.rules.condition import Truth, any_target
from bot.rules.known import Values
from bot.services import runbooks
from bot.services.incidents import Asked
from bot.store import incidents, outbox
from bot.store.database import Tx

log = logging.getLogger(__name__)


def opened(
    tx: Tx, config: Config, books: Books, incident: Incident, healths: Sequence[Facts]
) -> None:
    """Offer what fits the readings, and start what the incident triggers, while it is not over."""
    if not incident.live:
        return
    targets = {str(one["target"]): known.of_facts(one) for one in healths}
    best = _named(tx, books, incident) or _best(books, targets, tx.now)
    if best is not None:
        incidents.add_entry(tx, incident.id, BOT, "offered", best)
        outbox.revise(tx, incident.id, ("card",))
    for book in books.values():
        if not book.runbook.trial and _triggered(book, targets, incident, tx.now):
            _start(tx, config, book, incident)


def _named(tx: Tx, books: Books, incident: Incident) -> Facts | None:
    """The runbook of the rule that found it, which goes before what the readings say."""
    entries = incidents.timeline(tx, incident.id, ("declared",))
    declared = entries[0].facts if entries else {}
    book = books.get(str(declared.get("runbook")))
    if book is None or book.runbook.trial or not incident.targets:
        return None
    return {
        "runbook": book.runbook.id,
        "title": book.runbook.title,
        "target": incident.targets[0],
        "because": list(declared.get("because", ())),
    }


def _best(books: Books, targets: Mapping[str, Values], now: int) -> Facts | None:
    """The runbook with the most symptoms that hold, over all targets."""
    found = [
        (one.holding, one, target)
        for target, values in targets.items()
        for one in fit.rank(books, {**values, **known.of_time(now)}, now)
        if one.fits and not one.trial
    ]
    if not found:
        return None
    _, best, target = max(found, key=lambda one: one[0])
    return {
        "runbook": best.runbook,
        "title": best.title,
        "target": target,
        "because": list(best.because),
    }


def _triggered(book: Book, targets: Mapping[str, Values], incident: Incident, now: int) -> bool:
    condition = book.runbook.triggers.opened
    if condition is None:
        return False
    shared = {**known.of_incident(incident, now), **known.of_time(now)}
    return any_target(condition, targets, shared, now).truth is Truth.YES


def _start(tx: Tx, config: Config, book: Book, incident: Incident) -> None:
    """On each of its targets; one that can't begin is said on the timeline, and holds up nobody."""
    for target in incident.targets:
        command = StartRun(runbook=book.runbook.id, incident=incident.id, target=target)
        begun = runbooks.start(tx, config, book, command, Asked(Actor(BOT)))
        if isinstance(begun, Refusal):
            text = f"The runbook {book.runbook.id} did not start on {target}: {begun}"
            incidents.add_entry(tx, incident.id, BOT, "note", {"text": text})
        else:
            log.info("%s started by itself for %s", begun.key, incident.key)

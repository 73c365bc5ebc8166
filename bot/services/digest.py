"""When more pages are due to one person than anybody reads, one message lists them."""

from __future__ import annotations

from bot.model.message import Message
from bot.services import paging
from bot.store import digests, outbox
from bot.store.database import Tx

OVER = 5  # pings that may wait for one person before they are told in one message
JOINS_MS = 60_000
"""What comes so soon after a digest was sent stands in it, instead of a second one."""
GOES_ON_MS = 10_000
"""While more came within so long, what comes stands in it too, however little it is."""
_AT_ONCE = 500


def gather(tx: Tx, destination: str, over: int = OVER) -> bool:
    """Put what waits for a destination into one message, if it is too much; whether anything was done.

    What somebody asks for though the incident is acknowledged goes on its own: a digest is about those
    that nobody has acknowledged.
    """
    known = digests.recent(tx, destination, tx.now - JOINS_MS)
    if known is not None and tx.now - known.facts["at"] < GOES_ON_MS:
        over = 0
    if not digests.more_than(tx, destination, over):
        return False
    waiting = [
        message
        for message in digests.waiting(tx, destination, _AT_ONCE)
        if not (message.facts.get("called") or message.facts.get("unanswered"))
    ]
    wanted = [message for message in waiting if _wanted(tx, message)]
    if len(wanted) <= over:
        return len(wanted) < len(waiting)
    digest = known or _made(tx, destination, wanted[0])
    for message in wanted:
        digests.put_in(tx, digest.id, message)
    outbox.set_facts(tx, digest.id, {**digest.facts, "at": tx.now})
    return True


def _wanted(tx: Tx, message: Message) -> bool:
    """What nobody needs to hear any more does not go into it."""
    if paging.wanted(tx, message):
        return True
    paging.withdraw(tx, message)
    return False


def _made(tx: Tx, destination: str, first: Message) -> Message:
    person = first.facts["person"]
    key = paging.key_of(f"digest:{person}:{first.id}", first.via)
    facts = {"person": person, "at": tx.now}
    number = outbox.add(tx, key, "digest", destination, facts, page=True, via=first.via)
    assert number is not None
    digest = outbox.get(tx, number)
    assert digest is not None
    return digest


def source(message: Message) -> int:
    """The digest that keeps the list: of a copy by another way, the one that it is a copy of."""
    of: int = message.facts.get("of", message.id)
    return of

"""What is found on many targets at once, as while a Prometheus is away: one message counts the most of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.model.config import Config
from bot.model.found import Found
from bot.model.message import Message
from bot.rules.detection import Hold
from bot.store import holds, outbox
from bot.store.database import Tx

KIND = "flood"
_PREFIX = "flood:"
_ALONE, _WITHIN_MS = 10, 300_000
"""So many suggestions have a message of their own, in so long: the channel takes one a second."""
_LONGEST_MS = 1_800_000
"""So long one message counts: an edit of an old one is seen by nobody."""
_NAMED = 5


def rises(tx: Tx) -> bool:
    """Whether so much was suggested lately that the next one is only counted."""
    return _newest(tx) is not None or holds.told_since(tx, tx.now - _WITHIN_MS) >= _ALONE


def add(tx: Tx, config: Config, hold: Hold, what: Found) -> Hold:
    """One more that was found: in the message of those that came just before it, or in a new one."""
    known = _newest(tx)
    before: dict[str, Any] = {"count": 0, "total": 0, "named": {}, "since": tx.now}
    if known is not None:
        before |= known.facts
    count, total, named = before["count"] + 1, before["total"] + 1, dict(before["named"])
    if len(named) < _NAMED:
        named[_name(hold)] = what.title
    facts = {**before, "count": count, "total": total, "named": named, "at": tx.now}
    if known is not None:
        outbox.set_facts(tx, known.id, facts)
        return replace(hold, message=known.key, incident=None)
    key = f"{_PREFIX}{tx.now}"
    outbox.add(tx, key, KIND, f"channel:{config.slack.channel}", facts)
    return replace(hold, message=key, incident=None)


def over(tx: Tx, hold: Hold) -> None:
    """One less, where it was counted in such a message."""
    if hold.message is None or hold.incident is not None:
        return
    message = outbox.by_key(tx, hold.message)
    if message is None or message.kind != KIND:
        return
    named = {name: title for name, title in message.facts["named"].items() if name != _name(hold)}
    left = {"count": message.facts["count"] - 1, "named": named, "cleared_at": tx.now}
    outbox.set_facts(tx, message.id, {**message.facts, **left})


def _newest(tx: Tx) -> Message | None:
    """The one that still rises. Its key says when it began, so that no older ones are read."""
    lately = outbox.with_prefix(tx, _PREFIX, since=str(tx.now - _LONGEST_MS))
    if not lately or tx.now - lately[-1].facts["at"] > _WITHIN_MS:
        return None
    return lately[-1]


def _name(hold: Hold) -> str:
    return f"{hold.rule} {hold.target}{' data' if hold.data else ''}"

"""What is declared on many targets at once: a few incidents of their own, and one for all the others.

So a fleet that is down is some cards and pages, and not as many as it has targets.
"""

from __future__ import annotations

from dataclasses import replace

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.found import Found
from bot.model.incident import Incident, Status
from bot.services import found
from bot.services.incidents import add_reply
from bot.store import incidents, outbox
from bot.store.database import Tx

ALONE = 5
_WITHIN_MS = 300_000
"""So many incidents are opened for the same thing in so long; and so long after the last one that joined
the others the next one does too."""
_REPLIES = 5
"""Of those that join, so many are told in the thread: the card counts the others."""


def incident_of(tx: Tx, key: str, target: str) -> Incident | None:
    """The open incident of what was found on a target, its own or that of many; else its own newest."""
    own = incidents.newest_of_rule(tx, key)
    if own is not None and own.live:
        return own
    many = _of_many(tx, key)
    return many if many is not None and target in many.targets else own


def declare(tx: Tx, config: Config, what: Found, rule: str) -> Incident:
    """An incident of its own, reopened where it was resolved lately; or that of many, where it rises."""
    own, many = incidents.newest_of_rule(tx, what.key), _of_many(tx, what.key)
    relapse = own is not None and tx.now - (own.resolved_at or 0) <= what.reopen_within
    if relapse or not _rises(tx, what.key, many):
        return found.declare(tx, config, what).incident
    if many is not None:
        return _join(tx, config, many, what, rule)
    whole = replace(what, key=_key_of_many(what.key), title=f"Many targets: {rule}")
    done = found.declare(tx, config, whole)
    fresh = done.kind == "declared"
    return done.incident if fresh else _join(tx, config, done.incident, what, rule)


def _join(tx: Tx, config: Config, many: Incident, what: Found, rule: str) -> Incident:
    (target,) = what.targets
    incidents.add_target(tx, many.id, target)
    facts = {"rule": rule, "target": target, "because": list(what.because)}
    seq = incidents.add_entry(tx, many.id, BOT, "joined", facts)
    if many.status is Status.MITIGATED:  # nobody is on it any more
        because = tuple(f"{target}: {one}" for one in what.because)
        return found.reopen(tx, config, many, because).incident
    if len(many.targets) <= _REPLIES:
        add_reply(tx, many, seq)
    outbox.revise(tx, many.id, ("card",))
    return many


def _rises(tx: Tx, key: str, many: Incident | None) -> bool:
    since = tx.now - _WITHIN_MS
    if incidents.opened_for(tx, _prefix(key), since) >= ALONE:
        return True
    joined = incidents.newest_of_kind(tx, many.id, "joined") if many is not None else None
    return joined is not None and joined.at >= since


def _of_many(tx: Tx, key: str) -> Incident | None:
    many = incidents.newest_of_rule(tx, _key_of_many(key))
    return many if many is not None and many.live else None


def _prefix(key: str) -> str:
    """The key without its target."""
    return key[: key.rindex(":") + 1]


def _key_of_many(key: str) -> str:
    """No target is called so."""
    return f"{_prefix(key)}*"

"""Which finding comes first: the one that may be why most of the others are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.model.report import Cause

# What a kind of finding may be the cause of. Whatever those explain in turn, it explains too.
_EXPLAINS: dict[str, tuple[str, ...]] = {
    "down": ("errors", "timeouts", "slow", "error_rate"),
    "threads": ("cpu", "memory", "leak", "descriptors", "slow"),
    "descriptors": ("errors", "timeouts"),
    "leak": ("memory", "slow"),
    "memory": ("slow",),
    "disk": ("errors",),
    "cpu": ("slow", "timeouts"),
    "locks": ("pool", "slow", "timeouts"),
    "pool": ("slow", "timeouts"),
    "timeouts": ("errors",),
    "errors": ("error_rate",),
    "neighbour": ("slow", "timeouts"),
    "slow": (),
    "error_rate": (),
    "indexes": (),
    "idle_pool": (),
}
# Of two that explain as much: what breaks a service for all comes before what makes it slow.
_ORDER = tuple(_EXPLAINS)


def ranked(found: Sequence[Cause]) -> tuple[Cause, ...]:
    """By how many of the others each explains; a stable one explains nothing and comes last.

    Each that another one before it explains says so.
    """
    news = {cause.kind for cause in found if not cause.stable}
    order = sorted(
        found,
        key=lambda cause: (
            cause.stable,
            -len(reach(cause.kind) & news) if not cause.stable else 0,
            _ORDER.index(cause.kind),
            -cause.ratio,
        ),
    )
    return tuple(_explained(cause, order[:place]) for place, cause in enumerate(order))


def reach(kind: str) -> set[str]:
    """Every kind that this one may explain, directly or by what it explains."""
    found: set[str] = set()
    waiting = [kind]
    while waiting:
        for following in _EXPLAINS[waiting.pop()]:
            if following not in found and following != kind:
                found.add(following)
                waiting.append(following)
    return found


def _explained(cause: Cause, before: Sequence[Cause]) -> Cause:
    by = next(
        (one.kind for one in before if not one.stable and cause.kind in reach(one.kind)), None
    )
    return replace(cause, explained_by=by) if by and not cause.stable else cause

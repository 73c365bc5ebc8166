"""What a request of a tool that deploys says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.intake import DeploySource
from bot.rules.foreign import Unreadable, found, moment, text_of

MOST = 100
"""In one message: they are stored together, while everybody else waits."""


@dataclass(frozen=True)
class Deployed:
    """``at`` in milliseconds since the epoch; None: just now."""

    target: str
    title: str
    at: int | None


def deployed(source: DeploySource, body: object) -> tuple[Deployed, ...]:
    """The deploys of a body that were done. Raises ``Unreadable``: all of them, or none."""
    found = tuple(_each(source, body))
    if len(found) > MOST:
        raise Unreadable(f"expected {MOST} deploys at most, there are {len(found)}")
    return found


def _each(source: DeploySource, body: object) -> Iterator[Deployed]:
    where = source.map
    items = body if source.items is None else found(source.items, body)
    for item in items if isinstance(items, list) else [items]:
        status = text_of(found(where.status, item), 100) if where.status else ""
        if where.status and not source.counts(status):
            continue
        title = text_of(found(where.title, item), 200)
        if not title:
            raise Unreadable(f"expected a title at `{where.title}` of each deploy")
        target = text_of(found(where.target, item), 100) if where.target else ""
        at = moment(found(where.at, item)) if where.at else None
        yield Deployed(target or source.target or "", title, at)

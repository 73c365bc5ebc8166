"""What a request of a tool that deploys says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.intake import DeploySource
from bot.rules.foreign import Unreadable, found, moment, text_of


@dataclass(frozen=True)
class Deployed:
    """``at`` in milliseconds since the epoch; None: just now."""

    target: str
    title: str
    at: int | None


def deployed(source: DeploySource, body: object) -> tuple[Deployed, ...]:
    """The deploys of a body that were done. Raises ``Unreadable``: all of them, or none."""
    return tuple(_each(source, body))


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

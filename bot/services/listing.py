"""Lists of incidents, as a person asks for them."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.actor import Actor
from bot.model.answer import Answer
from bot.model.command import Incidents
from bot.model.incident import Incident, Status
from bot.model.overview import Overview
from bot.store import incidents
from bot.store.database import Tx

_LISTED, _LOOKED_AT = 30, 500


def listing(tx: Tx, command: Incidents, actor: Actor) -> Answer:
    """The incidents that a person asks for, in their statuses, by words of their titles."""
    match command.which:
        case "open":
            looked_at = incidents.live(tx, _LOOKED_AT)
        case "mine":
            looked_at = incidents.live(tx, _LOOKED_AT, actor.holder)
        case "resolved":
            looked_at = incidents.recent(tx, (Status.RESOLVED,), _LOOKED_AT)
        case "all":
            looked_at = incidents.recent(tx, tuple(Status), _LOOKED_AT)
    words = command.words.lower().split()
    found = [one for one in looked_at if all(word in one.title.lower() for word in words)]
    return Answer(
        kind="incidents",
        facts={
            "which": command.which,
            "overviews": _shown(tx, found[:_LISTED], timelines=command.timelines),
            "more": len(found) > _LISTED or len(looked_at) == _LOOKED_AT,
        },
    )


def _shown(tx: Tx, found: Iterable[Incident], *, timelines: bool) -> list[Overview]:
    """Incidents as a list shows them: no pings, nothing upcoming, entries only where they are asked for."""
    return [
        Overview(
            incident,
            tuple(incidents.timeline(tx, incident.id)) if timelines else (),
            pings=(),
            upcoming=None,
            now=tx.now,
        )
        for incident in found
    ]

"""The emergency collection of an incident: a report of each target, before anyone restarts anything."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.actor import BOT
from bot.model.book import Books
from bot.model.config import Config
from bot.model.report import Report, Wanted
from bot.model.timer import Timer
from bot.rules.report import RELATED_AMONG, related
from bot.services import asking, offers
from bot.services.incidents import add_reply
from bot.store import incidents, outbox, reports, timers
from bot.store.database import Tx


def wanted(tx: Tx, incident_id: int) -> tuple[str, ...]:
    """The targets whose state is evidence for the incident."""
    incident = incidents.get(tx, incident_id)
    return incident.targets if incident else ()


def wanted_report(report_id: str, target: str, incident_id: int) -> Wanted:
    """The report that the declaration asks for by itself."""
    return Wanted(
        id=report_id,
        target=target,
        description=f"declared as INC-{incident_id}",
        by=BOT,
        incident=incident_id,
    )


def keep(tx: Tx, timer: Timer, made: Sequence[Report], config: Config, books: Books) -> None:
    """Keep the reports, and put what was found on the timeline, the card and into the thread, once."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    incident = incidents.get(tx, timer.incident_id)
    if incident is None:
        return
    for report in made:
        reports.add(tx, report, incident.id, config.reports.keep)
    healths = [dict(report.details["health"]) for report in made]
    facts = {
        "healths": healths,
        "reports": [
            {
                "id": report.id,
                "target": report.target,
                "finding": asking.first(report),
                "partial": dict(report.partial),
            }
            for report in made
        ],
        "related": [one.key for one in related(incident, incidents.live(tx, RELATED_AMONG))],
    }
    seq = incidents.add_entry(tx, incident.id, BOT, "evidence", facts)
    outbox.revise(tx, incident.id, ("card", "ping"))
    add_reply(tx, incident, seq)
    card = outbox.by_key(tx, f"card:{incident.id}")
    for report in made:
        destination = f"channel:{incident.channel}"
        asking.add_files(
            tx, report.id, destination, card.id if card else None, ("html",), incident.id
        )
    offers.opened(tx, config, books, incident, healths)


def give_up(tx: Tx, timer: Timer, config: Config, books: Books) -> None:
    """Nothing could be collected: the timeline says so, once."""
    incident = incidents.get(tx, timer.incident_id) if timer.incident_id is not None else None
    if incident is not None and timers.fire(tx, timer):
        text = "The evidence could not be collected: see the bot's log."
        incidents.add_entry(tx, incident.id, BOT, "note", {"text": text})
        offers.opened(tx, config, books, incident, ())

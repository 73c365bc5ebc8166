"""A ping in plain words, for ways where Slack's markup, buttons and names mean nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import at
from bot.model.digest import Digest
from bot.model.incident import Incident, Severity, Status
from bot.model.message import Drawing, Message
from bot.model.overview import Overview
from bot.model.units import format_value
from bot.model.way import NOBODY, Contact, Page, thread_of
from bot.render import plain
from bot.render.digest import digest, heading
from bot.render.ping import ping
from bot.rules.verdict import title
from bot.text import clean, escape

Contacts = Mapping[str, Contact]

_DATE = re.compile(r"<!date\^([0-9]{1,12})\^([^<>|]*)\|[^<>]*>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]{2,30})>")


def page(
    seen: Overview,
    message: Message,
    *,
    house: str,
    contacts: Contacts,
    link: str | None = None,
    repeated: bool = False,
) -> Page:
    """What a ping's row of the outbox says by another way, as things are now.

    ``house``: the team's id. ``link``: where it can be answered in Slack. After an acknowledgement it
    says who did it, as every copy in Slack does.
    """
    incident, facts = seen.incident, message.facts
    person = facts["person"]
    contact = contacts.get(person, NOBODY)
    return Page(
        key=message.key,
        thread=thread_of(house, incident.id),
        incident=incident.key,
        severity=incident.severity,
        title=_line(incident.title),
        text=_text(seen, facts, contacts, contact, link, repeated=repeated),
        reason=_line(facts["reason"]),
        at=facts["at"],
        person=person,
        address=contact.email,
        link=link,
        targets=incident.targets,
        readings=_readings(seen),
        drill=incident.drill,
        repeated=repeated,
        anew=facts.get("anew", 0),
    )


def digest_page(
    found: Digest, message: Message, *, house: str, contacts: Contacts, repeated: bool = False
) -> Page:
    """What a digest says by another way: one page for many incidents."""
    person = message.facts["person"]
    contact = contacts.get(person, NOBODY)
    drawn = digest(found, repeated=repeated)
    worst = min((one.severity for one in found.first), default=Severity.SEV2)
    return Page(
        key=message.key,
        thread=f"iora:{house}:{message.key}",
        incident=f"{found.listed} incidents",
        severity=worst,
        title=_line(heading(found)),
        text=words(drawn, contacts, contact.timezone),
        reason="too many at once to page one by one",
        at=message.facts["at"],
        person=person,
        address=contact.email,
        repeated=repeated,
    )


def words(drawing: Drawing, contacts: Contacts, zone: str | None = None) -> str:
    """A drawing as lines: times in the zone (UTC without one), people by the names that are known."""
    place = ZoneInfo(zone or "UTC")

    def told(value: Any) -> Any:
        match value:
            case str():
                dated = _DATE.sub(lambda found: _time(found, place), value)
                return _PERSON.sub(lambda found: _name(found, contacts), dated)
            case Mapping():
                return {key: told(item) for key, item in value.items()}
            case list() | tuple():
                return [told(item) for item in value]
        return value

    return plain.text(Drawing(told(drawing.text), told(drawing.blocks)))


def _text(
    seen: Overview,
    facts: Mapping[str, Any],
    contacts: Contacts,
    contact: Contact,
    link: str | None,
    *,
    repeated: bool,
) -> str:
    said = words(ping(seen, facts, repeated=repeated), contacts, contact.timezone)
    lines = [said]
    if seen.asks(facts):
        lines.append(_how_to_answer(seen.incident))
    if link:
        lines.append(link)
    return "\n\n".join(lines)


def _how_to_answer(incident: Incident) -> str:
    """What was acknowledged already can't be once more: there a note says that somebody is on it."""
    if incident.status is Status.ACKNOWLEDGED:
        return f"To answer in Slack: /iora note {incident.key} I am on it"
    return f"To answer: /iora ack {incident.key} in Slack."


def _readings(seen: Overview) -> dict[str, str]:
    """What the evidence holds: ``iora CPU``: ``96 %``, or that it is unknown, with the reason."""
    found = seen.last("evidence")
    return {
        f"{health['target']} {title(reading['metric'])}": _value(reading)
        for health in (found.facts["healths"] if found else ())
        for reading in health["readings"]
    }


def _value(reading: Mapping[str, Any]) -> str:
    if reading["value"] is None:
        return f"unknown: {_line(reading['reason'] or 'no reason given')}"
    return format_value(reading["value"], reading["unit"])


def _time(found: re.Match[str], place: ZoneInfo) -> str:
    moment = at(int(found[1]) * 1_000).astimezone(place)
    return f"{moment:%H:%M %Z}" if found[2] == "{time}" else f"{moment:%Y-%m-%d %H:%M %Z}"


def _name(found: re.Match[str], contacts: Contacts) -> str:
    """The name, escaped as the text around it is: ``plain`` undoes that."""
    return escape(contacts.get(found[1], NOBODY).name) or found[0]


def _line(text: str) -> str:
    return " ".join(clean(text, 300).split())

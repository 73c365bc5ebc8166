"""A ping: a direct message that says what, why you, what to do, and who is next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.incident import Status
from bot.model.message import Block, Drawing, State
from bot.model.overview import Overview, Ping
from bot.model.units import format_duration
from bot.render.blocks import actions, button, context, section, time
from bot.render.card import heading, upcoming
from bot.render.entry import holder, sentence, who
from bot.render.health import evidence
from bot.text import escape, outside


def ping(seen: Overview, facts: Mapping[str, Any], *, repeated: bool = False) -> Drawing:
    """The ping as it should read now: after an acknowledgement every copy says who did it."""
    incident = seen.incident
    if not seen.asks(facts):
        return _answered(seen)
    if incident.status is Status.ACKNOWLEDGED:
        return _called(seen, facts)
    # A possible repeat is said first: nobody should wonder why it came twice.
    mark = "(possible repeat) " if repeated else ""
    headline = f"{mark}{incident.key} {incident.severity.upper()}: {outside(incident.title, 200)}"
    told = [_why(seen, facts), _evidence(seen)]
    blocks: list[Block] = [
        section(f"*{mark}{outside(heading(incident), 300)}*"),
        section(f"{_before(seen, facts)} {_evidence(seen)}".strip()),
        section("Do: acknowledge and look. Evidence is saved; restarting loses nothing.")
        if seen.last("evidence")
        else section("Do: acknowledge and look."),
        context(*_small(seen, facts)),
        actions(
            [
                button("Acknowledge", "iora:incident:ack", incident.key, style="primary"),
                button("Hand over", "iora:incident:handover", incident.key),
                button(f"Open {incident.key}", "iora:incident:open", incident.key),
            ]
        ),
    ]
    return Drawing(f"{headline}. {' '.join(told).strip()}", blocks)


def _why(seen: Overview, facts: Mapping[str, Any]) -> str:
    """The reason; that of a level says itself for how long it has been open."""
    reason = f"{escape(facts['reason'].capitalize())}."
    age = format_duration(facts["at"] - seen.incident.opened_at)
    return reason if facts["stage"] == "level" else f"Open for {age}. {reason}"


def _answered(seen: Overview) -> Drawing:
    incident = seen.incident
    last = seen.last(str(incident.status))
    done = sentence(last) if last else f"It is {incident.status}."
    text = f"{incident.key} {incident.severity.upper()} is {incident.status}: {done}"
    show = button(f"Open {incident.key}", "iora:incident:open", incident.key)
    return Drawing(
        text,
        (
            section(f"*{outside(heading(incident), 300)}*\n{incident.status.upper()}: {done}"),
            actions([show]),
        ),
    )


def _called(seen: Overview, facts: Mapping[str, Any]) -> Drawing:
    """Somebody is on it, and called for more people."""
    incident = seen.incident
    call = seen.last("escalated")
    why = sentence(call) if call else f"You are told: {escape(facts['reason'])}."
    on_it = f"{holder(incident.commander)} has acknowledged."
    text = f"{incident.key} {incident.severity.upper()}: {outside(incident.title, 200)}. {why}"
    buttons = [
        button(f"Open {incident.key}", "iora:incident:open", incident.key, style="primary"),
        button("Hand over", "iora:incident:handover", incident.key),
    ]
    return Drawing(
        f"{text} {on_it}",
        (
            section(f"*{outside(heading(incident), 300)}*"),
            section(f"{why} {_evidence(seen)}".strip()),
            section(f"Do: join them. {on_it}"),
            actions(buttons),
        ),
    )


def _before(seen: Overview, facts: Mapping[str, Any]) -> str:
    """Who was told earlier and has not answered."""
    earlier: dict[str, Ping] = {
        one.person: one
        for one in seen.pings
        if seen.incident.opened_at <= one.at < facts["at"]
        and one.person != facts["person"]
        and one.state not in {State.REFUSED, State.WITHDRAWN}  # they were never told
    }
    if not earlier:
        began = seen.last(facts["reason"]) if facts["reason"] in {"declared", "reopened"} else None
        if began is not None:
            return f"{who(began.actor)} {facts['reason']} it at {time(began.at)}."
        return f"You are told: {escape(facts['reason'])}."
    told = ", ".join(f"<@{person}>" for person in earlier)
    was = "was" if len(earlier) == 1 else "were"
    has = "has" if len(earlier) == 1 else "have"
    first = min(one.at for one in earlier.values())
    return f"{told} {was} paged at {time(first)} and {has} not answered."


def _evidence(seen: Overview) -> str:
    found = seen.last("evidence")
    return f"At {time(found.at)}: {evidence(found.facts['healths'])}." if found else ""


def _small(seen: Overview, facts: Mapping[str, Any]) -> list[str]:
    levels = len(seen.incident.policy["policy"]["levels"])
    place = {
        "level": f"Level {facts['number'] + 1} of {levels}",
        "repeat": f"Repeat {facts['number'] + 1}",
        "last_resort": "Last resort",
    }[facts["stage"]]
    following = upcoming(seen)
    return [f"{place} | next: {following}" if following else place]

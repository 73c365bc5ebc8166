"""A ping: a direct message that says what, why you, what to do, and who is next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.actor import person_of
from bot.model.incident import Incident, Status
from bot.model.message import Block, Drawing, State
from bot.model.overview import Overview, Ping, last_entry
from bot.model.units import format_duration
from bot.model.way import SLACK
from bot.render.blocks import actions, button, context, section, time
from bot.render.card import heading
from bot.render.entry import holder, sentence, who
from bot.render.health import evidence
from bot.render.outlook import upcoming
from bot.rules.firing import own
from bot.rules.idle import ANSWER_WITHIN_MS
from bot.text import escape, outside


def ping(seen: Overview, facts: Mapping[str, Any], *, repeated: bool = False) -> Drawing:
    """The ping as it should read now: after an acknowledgement every copy says who did it."""
    incident = seen.incident
    if not seen.asks(facts):
        return _answered(seen, facts)
    if incident.status is Status.ACKNOWLEDGED:
        return _called(seen, facts) if facts.get("called") else _unanswered(seen, facts)
    # Said first: nobody should wonder why it came twice.
    mark = "(possible repeat) " if repeated else _copy(seen, facts)
    headline = f"{mark}{_named(incident)}"
    told = [_why(seen, facts), _because(facts), _evidence(seen)]
    blocks: list[Block] = [
        section(f"*{mark}{outside(heading(incident), 300)}*"),
        section(_words(_before(seen, facts), _own(facts), _because(facts), _evidence(seen))),
        section(_do(seen)),
        context(*_small(seen, facts)),
        actions(
            [
                button("Acknowledge", "iora:incident:ack", incident.key, style="primary"),
                button("Hand over", "iora:incident:handover", incident.key),
                button(f"Open {incident.key}", "iora:incident:open", incident.key),
            ]
        ),
    ]
    return Drawing(f"{headline}. {_words(*told)}", blocks)


def _copy(seen: Overview, facts: Mapping[str, Any]) -> str:
    """That the same page has arrived by another way already."""
    for one in seen.pings:
        same = one.person == facts["person"] and one.entry == facts.get("entry")
        if same and one.via != SLACK and one.state is State.SENT and one.sent_at is not None:
            return f"(copy: paged by {outside(one.via, 63)} at {time(one.sent_at)}) "
    return ""


def still(seen: Overview, facts: Mapping[str, Any]) -> Drawing:
    """Whoever acknowledged is asked whether they are on it, and what happens if they don't answer."""
    incident = seen.incident
    show = button(f"Open {incident.key}", "iora:incident:open", incident.key)
    title = section(f"*{outside(heading(incident), 300)}*")
    if not seen.asks_still(facts):
        text = f"{_named(incident)}. You were asked whether you are on it: that is settled."
        return Drawing(text, (title, section("You were asked: that is settled."), actions([show])))
    why = _capital("; ".join(outside(one, 200) for one in facts["because"]))
    then = f"Without an answer others are told at {time(facts['at'] + ANSWER_WITHIN_MS)}."
    yes = button("Yes, on it", "iora:incident:on_it", incident.key, style="primary")
    hand = button("Hand over", "iora:incident:handover", incident.key)
    return Drawing(
        f"{_named(incident)}. {why}: still on it? {then}",
        (title, section(f"{why}: still on it?"), context(then), actions([yes, hand, show])),
    )


def _do(seen: Overview) -> str:
    if seen.incident.drill:
        return "Do: acknowledge. This is a drill: nothing is wrong, only pings are tried."
    saved = " Evidence is saved; restarting loses nothing." if seen.last("evidence") else ""
    return f"Do: acknowledge and look.{saved}"


def _named(incident: Incident) -> str:
    return (
        f"{incident.mark}{incident.key} {incident.severity.upper()}: {outside(incident.title, 200)}"
    )


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _own(facts: Mapping[str, Any]) -> str:
    """A reason of the level's own, beside that nobody has answered: ``Critical CPU usage.``"""
    found = own(facts["reason"])
    return f"*{escape(_capital('; '.join(found)))}.*" if found else ""


def _because(facts: Mapping[str, Any]) -> str:
    """The readings behind it, where the reason does not say them already."""
    found = [one for one in facts.get("because", ()) if one not in facts["reason"]]
    return f"{'; '.join(outside(_capital(one), 200) for one in found)}." if found else ""


def _why(seen: Overview, facts: Mapping[str, Any]) -> str:
    """The reason; that of a level says itself for how long it has been open."""
    reason = f"{escape(_capital(facts['reason']))}."
    age = format_duration(facts["at"] - seen.incident.opened_at)
    return reason if facts["stage"] == "level" else f"Open for {age}. {reason}"


def _answered(seen: Overview, facts: Mapping[str, Any]) -> Drawing:
    incident = seen.incident
    last = seen.last(str(incident.status))
    if incident.status is Status.ACKNOWLEDGED:
        last = seen.last("acknowledged", "on_it", "assigned")
    if incident.drill and incident.live:
        own = (one for one in seen.entries if person_of(one.actor) == facts["person"])
        last = last_entry(own, "answered")
    if seen.silenced is not None:
        last = seen.last("silenced")
    done = sentence(last) if last else f"It is {incident.status}."
    text = f"{incident.mark}{incident.key} {incident.severity.upper()} is {incident.status}: {done}"
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
    text = f"{_named(incident)}. {why}"
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


def _unanswered(seen: Overview, facts: Mapping[str, Any]) -> Drawing:
    """Somebody acknowledged, and gave no answer when they were asked."""
    incident = seen.incident
    reason = f"{escape(_capital(facts['reason']))}."
    quiet = f"{holder(incident.commander)} acknowledged and did not answer when asked."
    why = _words(reason, _because(facts), _evidence(seen))
    buttons = [
        button("I am on it", "iora:incident:on_it", incident.key, style="primary"),
        button("Hand over", "iora:incident:handover", incident.key),
        button(f"Open {incident.key}", "iora:incident:open", incident.key),
    ]
    return Drawing(
        f"{_named(incident)}. {reason} {quiet}",
        (
            section(f"*{outside(heading(incident), 300)}*"),
            section(f"{quiet} {why}"),
            section("Do: look, and say that you are on it."),
            context(*_small(seen, facts)),
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
        return "" if _own(facts) else f"You are told: {escape(facts['reason'])}."
    told = ", ".join(f"<@{person}>" for person in earlier)
    was = "was" if len(earlier) == 1 else "were"
    has = "has" if len(earlier) == 1 else "have"
    first = min(one.at for one in earlier.values())
    return f"{told} {was} paged at {time(first)} and {has} not answered."


def _evidence(seen: Overview) -> str:
    found = seen.last("evidence")
    return f"At {time(found.at)}: {evidence(found.facts['healths'])}." if found else ""


def _small(seen: Overview, facts: Mapping[str, Any]) -> list[str]:
    count = len(seen.incident.policy["policy"]["levels"])
    levels = [str(one + 1) for one in facts.get("levels") or (facts["number"],)]
    place = {
        "level": f"Level {' and '.join(levels)} of {count}",
        "repeat": f"Repeat {facts['number'] + 1}",
        "last_resort": "Last resort",
    }[facts["stage"]]
    following = upcoming(seen)
    return [f"{place} | next: {following}" if following else place]

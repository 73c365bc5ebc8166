"""An entry of a timeline as one sentence, the same in threads, answers and terminals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.model.actor import BOT, outsider_of, person_of
from bot.model.incident import Entry, Incident
from bot.model.message import Drawing
from bot.model.silence import Muted
from bot.model.units import format_duration
from bot.model.way import SLACK
from bot.render import alerting, health, worse
from bot.render.blocks import context, day_and_time, paragraphs, section, time
from bot.text import escape, outside

Facts = Mapping[str, Any]

_FAILING = 8


def who(actor: str) -> str:
    """An actor as a mention, or as the words that name it."""
    person = person_of(actor)
    if person:
        return f"<@{person}>"
    return "The bot" if actor == BOT else outside(outsider_of(actor) or actor, 80)


def holder(text: str | None) -> str:
    """A member id or a ``cli:`` login as people read it."""
    if text is None:
        return "nobody"
    return outside(text[4:], 60) if text.startswith("cli:") else f"<@{text}>"


def sentence(entry: Entry) -> str:
    """What happened, by whom. Escaped."""
    return _SENTENCES[entry.kind](who(entry.actor), entry.facts)


def line(entry: Entry) -> str:
    """The sentence with its time."""
    return f"{day_and_time(entry.at)}  {sentence(entry)}"


def reply(incident: Incident, entry: Entry, *later: Entry) -> Drawing:
    """The entry in the card's thread; with those that came while nothing could be told."""
    text = f"{incident.mark}{sentence(entry)}"
    if later:
        lines = [line(one) for one in (entry, *later)]
        note = context(f"{incident.key} | told late, in one message")
        return Drawing(f"{incident.key}: {' '.join(lines)}", (*paragraphs(lines), note))
    note = context(f"{incident.key} | {time(entry.at)}")
    return Drawing(f"{incident.key}: {text}", (section(text), note))


def _declared(actor: str, facts: Facts) -> str:
    on = f" on {', '.join(facts['targets'])}" if facts["targets"] else ""
    practice = "the drill " if facts.get("drill") else ""
    said = f"{actor} declared {practice}{facts['severity'].upper()} *{outside(facts['title'], 200)}*{on}"
    seen = "; ".join(outside(one, 200) for one in facts.get("because", ()))
    return f"{said}: {seen}." if seen else f"{said}."


def deployed(facts: Facts) -> str:
    """``Deployed 12 min before: v1.2.3 on api by ci``; after the declaration: meanwhile. Escaped."""
    before = facts["before"]
    when = f"{format_duration(before)} before" if before >= 0 else "meanwhile"
    title = f"{outside(facts['title'], 100)} on " if facts["title"] else ""
    return f"Deployed {when}: {title}{outside(facts['target'], 63)} by {who(facts['source'])}"


def _cleared(actor: str, facts: Facts) -> str:
    why = "; ".join(outside(one, 200) for one in facts["because"])
    target = outside(facts["target"], 63)
    over = (
        f"{target} can be read again"
        if facts.get("lost")
        else f"What was found on {target} is over"
    )
    return f"{over}: {why}. Resolve it if that is all."


def _returned(actor: str, facts: Facts) -> str:
    why = "; ".join(outside(one, 200) for one in facts["because"])
    return f"It is back on {outside(facts['target'], 63)}: {why}."


def _joined(actor: str, facts: Facts) -> str:
    why = "; ".join(outside(one, 200) for one in facts["because"])
    return f"It is found on {outside(facts['target'], 63)} too: {why}."


def _with_text(words: str) -> Callable[[str, Facts], str]:
    def drawn(actor: str, facts: Facts) -> str:
        said = facts.get("text")
        return f"{actor} {words}: {outside(said)}" if said else f"{actor} {words}."

    return drawn


def _resolved(actor: str, facts: Facts) -> str:
    took = f"{actor} resolved it after {format_duration(facts['took'])}"
    if facts.get("failing"):
        shown = [outside(one, 200) for one in facts["failing"][:_FAILING]]
        more = len(facts["failing"]) - len(shown)
        failed = "; ".join([*shown, *([f"{more} more"] if more else [])])
        return f"{took} all the same: {outside(facts['text'])} ({failed})"
    return f"{took}: {outside(facts['text'])}" if facts.get("text") else f"{took}."


def _assigned(actor: str, facts: Facts) -> str:
    return f"{actor} made {holder(facts['person'])} {outside(facts['role'], 60)}."


def _severity(actor: str, facts: Facts) -> str:
    return f"{actor} changed the severity from {facts['from']} to {facts['to']}."


def changes(facts: Facts) -> str:
    """What an update said: the title, the impact, when it began. Escaped."""
    parts = []
    if "title" in facts:
        parts.append(f"the title is now *{outside(facts['title'], 200)}*")
    if "impact" in facts:
        parts.append(f"impact: {outside(facts['impact'], 500)}")
    if "started_at" in facts:
        parts.append(f"it began {day_and_time(facts['started_at'])}")
    return "; ".join(parts)


def _updated(actor: str, facts: Facts) -> str:
    return f"{actor} updated: {changes(facts)}."


def _refused(actor: str, facts: Facts) -> str:
    return f"{actor} was refused `{escape(facts['command'])}`: {facts['reason']}"


def _escalation(actor: str, facts: Facts) -> str:
    groups = facts.get("groups", {})
    alone = [one for one in facts["people"] if not any(one in who for who in groups.values())]
    told = [_people(alone)] if alone else []
    told += [f"the group {escape(name)} ({_people(who)})" for name, who in groups.items()]
    if "channel" in facts["notify"]:
        told.append("the channel")
    parts = [f"Told {' and '.join(told) or 'nobody'}: {escape(facts['reason'])}."]
    if facts["nobody"]:
        parts.append(f"Nobody is behind {escape(', '.join(facts['nobody']))}.")
    return " ".join(parts)


def _people(members: Sequence[str]) -> str:
    return ", ".join(f"<@{one}>" for one in members)


def _drill(actor: str, facts: Facts) -> str:
    pings = facts["pings"]
    if not pings:
        return "The drill is over: nobody was pinged."
    told = f"{facts['answered']} of {len(pings)} pings were acknowledged"
    return f"The drill is over: {told}: {', '.join(map(_how_long, pings))}."


def _how_long(ping: Facts) -> str:
    took = ping["took"]
    return f"<@{ping['person']}> " + (
        f"after {format_duration(took)}" if took is not None else "*not*"
    )


def _asked(actor: str, facts: Facts) -> str:
    person = f"<@{facts['person']}>" if facts["person"] else "whoever acknowledged"
    why = "; ".join(outside(one, 200) for one in facts["because"])
    return f"{actor} asked {person}: still on it? ({why})"


def _unreached(actor: str, facts: Facts) -> str:
    where = f"<@{facts['person']}>" if "person" in facts else f"#{escape(facts['channel'])}"
    place = f"by {outside(facts['way'], 63)}" if facts.get("way", SLACK) != SLACK else "in Slack"
    return f"{where} can't be reached {place}: `{outside(facts['reason'], 200)}`."


def _way(actor: str, facts: Facts) -> str:
    reason = outside(facts["reason"], 200)
    if facts["way"] is None:
        return f"<@{facts['person']}> may not hear of it, and has no other way: {reason}."
    by = "Slack" if facts["way"] == SLACK else outside(facts["way"], 63)
    return f"<@{facts['person']}> is paged by {by}: {reason}."


def _evidence(actor: str, facts: Facts) -> str:
    parts = [f"Evidence: {health.evidence(facts['healths'])}"]
    parts += [_reported(one) for one in facts.get("reports", ())]
    if facts.get("related"):
        parts.append(f"Open too: {', '.join(facts['related'])}")
    return ". ".join(parts)


def _reported(one: Facts) -> str:
    """The first finding of a report, and whether it is partial."""
    partial = ", partial: " + ", ".join(map(escape, one["partial"])) if one["partial"] else ""
    return (
        f"First finding of {one['target']}: {outside(one['finding'], 300)} (`{one['id']}`{partial})"
    )


def _diagnosed(actor: str, facts: Facts) -> str:
    found = outside(facts["finding"], 300)
    return (
        f"{actor} had {escape(facts['target'])} diagnosed: {found} (`{escape(facts['report'])}`)."
    )


def _postmortem(actor: str, facts: Facts) -> str:
    if "refused" in facts:
        return outside(facts["refused"], 500)
    entries = "1 entry" if facts["entries"] == 1 else f"{facts['entries']} entries"
    charts = {0: "", 1: ", 1 chart"}.get(facts["charts"], f", {facts['charts']} charts")
    held = f"{facts['sections']} sections, {entries}{charts}"
    still = ", of an incident that is still open" if facts["live"] else ""
    text = (
        f"Draft of the post-mortem{still}, for {actor}: {held}; kept as `{escape(facts['file'])}`."
    )
    kept = facts["kept"]
    return f"{text} `{escape(kept)}` was edited and is left as it is." if kept else text


def _offered(actor: str, facts: Facts) -> str:
    why = ", ".join(outside(one, 150) for one in facts["because"])
    return f"{actor} offers the runbook `{facts['runbook']}` for {outside(facts['target'], 63)}: {why}."


def _run(actor: str, facts: Facts) -> str:
    named = f"{facts['run']} ({outside(facts['title'], 150)} on {outside(facts['target'], 63)})"
    reason = facts["reason"].removeprefix("cancelled").removeprefix(": ")
    why = f": {outside(reason)}" if reason else ""
    match facts["what"]:
        case "done" | "stopped" | "expired" as end:
            return f"{named} is {end}{why}."
        case "undoing":
            return f"{actor} takes back what {named} did."
        case what:
            return f"{actor} {what} {named}{why}."


def _step(actor: str, facts: Facts) -> str:
    """What came of a step: what it said, and why it was skipped all the same."""
    state = "unclear" if facts["state"] == "stuck" else facts["state"]
    told = [str(part).removeprefix(f"{state}: ") for part in (facts["text"], facts["reason"])]
    parts = [outside(part, 500) for part in dict.fromkeys(told) if part]
    by = f" ({who(facts['by'])})" if facts["by"] else ""
    said = f": {'; '.join(parts)}" if parts else ""
    return f"{facts['run']} “{outside(facts['title'], 150)}” {state}{by}{said}."


def _approval(actor: str, facts: Facts) -> str:
    said = f" ({outside(facts['text'])})" if facts["text"] else ""
    return f"{actor} {facts['choice']} “{outside(facts['title'], 150)}” of {facts['run']}{said}."


def silenced(muted: Muted) -> str:
    """By whom, until when and why, without the verb: ``by @bob until 14:30: deploy``."""
    by = escape(muted.name) if muted.by == BOT else who(muted.by)
    return f"by {by} until {time(muted.until)}: {outside(muted.reason, 200)}"


def _silenced(actor: str, facts: Facts) -> str:
    return f"Silenced {silenced(Muted(**facts, key=''))}."


def _unsilenced(actor: str, facts: Facts) -> str:
    named = f"{escape(facts['name'])} ({outside(facts['reason'], 200)})"
    if facts["by"]:
        return f"{who(facts['by'])} took it: {named} does not hold it back any more."
    return f"It goes on: {named} is over."


_SENTENCES: Mapping[str, Callable[[str, Facts], str]] = {
    "declared": _declared,
    "acknowledged": lambda actor, facts: f"{actor} acknowledged.",
    "assigned": _assigned,
    "severity": _severity,
    "mitigated": _with_text("mitigated it"),
    "resolved": _resolved,
    "reopened": _with_text("reopened it"),
    "escalated": _with_text("asked for the next level"),
    "note": _with_text("noted"),
    "updated": _updated,
    "refused": _refused,
    "escalation": _escalation,
    "silenced": _silenced,
    "unsilenced": _unsilenced,
    "asked": _asked,
    "answered": lambda actor, facts: f"{actor} answered after {format_duration(facts['took'])}.",
    "drill": _drill,
    "on_it": lambda actor, facts: f"{actor} is on it.",
    "unreached": _unreached,
    "way": _way,
    "evidence": _evidence,
    "diagnosed": _diagnosed,
    "postmortem": _postmortem,
    "deployed": lambda actor, facts: f"{deployed(facts)}.",
    "cleared": _cleared,
    "returned": _returned,
    "joined": _joined,
    "offered": _offered,
    "run": _run,
    "step": _step,
    "approval": _approval,
    "regression": lambda actor, facts: worse.entry(facts),
    "alerts": lambda actor, facts: alerting.sentence(facts),
}

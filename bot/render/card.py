"""The card of an incident: one message in the channel, edited in place."""

from __future__ import annotations

from bot.model.found import LOST
from bot.model.incident import Facts, Incident, Status
from bot.model.message import Drawing, State
from bot.model.offer import Offer
from bot.model.overview import Overview, Ping
from bot.model.units import format_duration
from bot.model.way import SLACK
from bot.render import alerting
from bot.render.blocks import (
    Block,
    actions,
    button,
    context,
    fields,
    header,
    overflow,
    section,
    time,
)
from bot.render.entry import deployed, holder, sentence
from bot.render.health import evidence
from bot.render.outlook import outlook, upcoming
from bot.render.runbooks import start_button
from bot.text import clean, outside

_RUN_WORDS = {"started": "running", "resumed": "running", "undoing": "being taken back"}
_TARGETS = 10


def card(seen: Overview) -> Drawing:
    """Status and impact first; then who, what is known, who was told; then one primary button."""
    incident = seen.incident
    blocks = [header(heading(incident)), section(_status_line(seen)), fields(_facts(seen))]
    firing = alerting.line(seen.alerts)
    if firing:
        blocks.append(section(firing))
    found = seen.last("evidence")
    if found:
        blocks.append(section(f"*Evidence* {time(found.at)}: {evidence(found.facts['healths'])}"))
    lines = [*_normal(seen), *_deployed(seen), *_runbooks(seen)]
    if lines:
        blocks.append(section("\n".join(lines)))
    small = [*_told(seen), *_durations(incident)]
    if incident.drill:
        small.insert(0, "*A drill: nothing is wrong. Whoever is pinged acknowledges.*")
    if small:
        blocks.append(context(*small))
    blocks.append(actions(_buttons(seen)))
    return Drawing(summary(seen), blocks)


def heading(incident: Incident) -> str:
    """``SEV2 INC-7 API slow``, with DRILL where it is practice. Plain text, as a header wants it."""
    drill = "DRILL " if incident.drill else ""
    return f"{drill}{incident.severity.upper()} {incident.key} {clean(incident.title)}"


def summary(seen: Overview) -> str:
    """The card in one sentence, for screen readers and notifications. Escaped."""
    incident = seen.incident
    drill = "DRILL " if incident.drill else ""
    words = [f"{drill}{incident.key} {incident.severity.upper()} {incident.status.upper()}"]
    words.append(outside(incident.title, 200))
    if incident.targets:
        words.append(f"targets: {_targets(incident)}")
    if incident.impact:
        words.append(f"impact: {outside(incident.impact, 500)}")
    firing = alerting.summary(seen.alerts)
    if firing:
        words.append(firing)
    found = seen.last("evidence")
    if found:
        words.append(f"evidence: {evidence(found.facts['healths'])}")
    words += _deployed(seen)
    if seen.normal_since is not None:
        words.append(f"{_over(incident)}: resolve it if that is all")
    if incident.live:
        words.append(f"commander: {holder(incident.commander)}")
    else:
        words.append(f"resolved after {format_duration(incident.time_to_resolve or 0)}")
    following = upcoming(seen)
    if following:
        words.append(f"next: {following}")
    return "; ".join(words)


def _status_line(seen: Overview) -> str:
    incident = seen.incident
    since = time(incident.opened_at)  # a length of time would be stale as soon as it is read
    impact = outside(incident.impact, 500) if incident.impact else "not said yet"
    match incident.status:
        case Status.RESOLVED:
            state = f"*RESOLVED* after {format_duration(incident.time_to_resolve or 0)}"
        case Status.MITIGATED:
            state = f"*MITIGATED* after {format_duration(incident.time_to_mitigate or 0)}"
        case Status.ACKNOWLEDGED:
            state = f"*ACKNOWLEDGED*, open since {since}"
        case _:
            state = f"*OPEN* since {since}"
    return f"{state} | impact: {impact}"


def _facts(seen: Overview) -> list[str]:
    incident = seen.incident
    drawn = [
        f"*Commander:* {holder(incident.commander)}",
        f"*Targets:* {_targets(incident) or 'none named'}",
    ]
    drawn += outlook(seen)
    last = seen.last("acknowledged", "mitigated", "resolved", "reopened", "severity", "assigned")
    if last:
        drawn.append(f"*Last:* {time(last.at)} {sentence(last)}")
    return drawn


def _targets(incident: Incident) -> str:
    more = len(incident.targets) - _TARGETS
    named = ", ".join(incident.targets[:_TARGETS])
    return f"{named} and {more} more" if more > 0 else named


def _told(seen: Overview) -> list[str]:
    newest: dict[str, list[Ping]] = {}
    for ping in seen.pings:
        copies = newest.setdefault(ping.person, [])
        newest[ping.person] = [*(one for one in copies if one.entry == ping.entry), ping]
    lines = [
        f"{time(copies[0].at)} <@{person}> {'; '.join(map(_fate, copies))}"
        for person, copies in newest.items()
    ]
    escalation = seen.last("escalation")
    unanswered = seen.incident.status is Status.OPEN
    if unanswered and escalation and escalation.facts["stage"] == "last_resort":
        lines.append("*Everyone was told, nobody has acknowledged: the last resort was told*")
    return lines[-8:]


def _fate(ping: Ping) -> str:
    """What became of it; by another way than Slack, which one, and why."""
    if ping.via == SLACK:
        return _state(ping)
    why = f" ({outside(ping.instead, 80)})" if ping.instead else ""
    return f"by {outside(ping.via, 63)}{why}: {_state(ping)}"


def _state(ping: Ping) -> str:
    match ping.state:
        case State.SENT:
            return "paged, delivered"
        case State.REFUSED:
            return f"*can't be reached*: {outside(ping.error or 'no reason given', 80)}"
        case State.WITHDRAWN:
            return "not paged any more"
        case _:
            return "is being paged"


def _durations(incident: Incident) -> list[str]:
    known = (
        ("to detect", incident.time_to_detect or None),
        ("to acknowledge", incident.time_to_acknowledge),
        ("to mitigate", incident.time_to_mitigate),
        ("to resolve", incident.time_to_resolve),
    )
    parts = [f"{name} {format_duration(took)}" for name, took in known if took is not None]
    return [f"Time {', '.join(parts)}"] if parts else []


def _normal(seen: Overview) -> list[str]:
    """The bot resolves nothing by itself: it says when somebody may."""
    if seen.normal_since is None:
        return []
    over = _over(seen.incident).capitalize()
    return [f"*{over}* since {time(seen.normal_since)}: resolve it if that is all"]


def _over(incident: Incident) -> str:
    """Not that all is well: other readings may be bad, and data that is there again too."""
    lost = incident.rule_key is not None and incident.rule_key.startswith(LOST)
    return "all can be read again" if lost else "what was found is over"


def _deployed(seen: Overview) -> list[str]:
    """What was deployed shortly before it or meanwhile; of many, the newest."""
    found = [entry for entry in seen.entries if entry.kind == "deployed"]
    return [deployed(entry.facts) for entry in found[-3:]]


def _runbooks(seen: Overview) -> list[str]:
    """The runbook that fits, until it is started; then what became of each run."""
    runs = {entry.facts["run"]: entry.facts for entry in seen.entries if entry.kind == "run"}
    lines = [
        f"*{key}* {outside(facts['title'], 100)}: {_RUN_WORDS.get(facts['what'], facts['what'])}"
        for key, facts in list(runs.items())[-5:]
    ]
    offered = _offered(seen)
    if offered is not None:
        why = ", ".join(outside(one, 100) for one in offered["because"][:2])
        lines.append(f"*Runbook* {outside(offered['title'], 100)} fits: {why}")
    return lines


def _offered(seen: Overview) -> Facts | None:
    """What was offered at the declare, while nobody has run it."""
    offered = seen.last("offered")
    if offered is None or not seen.incident.live:
        return None
    wanted = offered.facts["runbook"]
    run = any(entry.kind == "run" and entry.facts["runbook"] == wanted for entry in seen.entries)
    return None if run else offered.facts


def _buttons(seen: Overview) -> list[Block]:
    incident = seen.incident
    key = incident.key
    match incident.status:
        case Status.OPEN:
            first = [button("Acknowledge", "iora:incident:ack", key, style="primary")]
            if seen.normal_since is not None:
                first.append(button("Resolve", "iora:incident:resolve", key))
        case Status.ACKNOWLEDGED:
            first = [
                button("Mitigated", "iora:incident:mitigate", key, style="primary"),
                button("Resolve", "iora:incident:resolve", key),
            ]
        case Status.MITIGATED:
            first = [
                button("Resolve", "iora:incident:resolve", key, style="primary"),
                button("Reopen", "iora:incident:reopen", key),
            ]
        case Status.RESOLVED:
            first = [
                button("Post-mortem", "iora:incident:postmortem", key, style="primary"),
                button("Reopen", "iora:incident:reopen", key),
            ]
    offered = _offered(seen)
    if offered is not None:
        offer = Offer(offered["runbook"], incident.id, offered["target"])
        first.append(start_button(offer, f"Run {offered['runbook']}"))
    more = [("Note", f"note {key}"), ("Timeline", f"timeline {key}")]
    if incident.live:
        more = [
            ("Change severity", f"severity {key}"),
            ("Add a note", f"note {key}"),
            ("Assign", f"assign {key}"),
            ("Escalate now", f"escalate {key}"),
            ("Timeline", f"timeline {key}"),
        ]
    return [*first, overflow("iora:incident:more", more)]

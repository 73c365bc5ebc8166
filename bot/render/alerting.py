"""Alerts of other tools: on a card, on a timeline, and in a message that suggests an incident."""

from __future__ import annotations

from bot.model.alert import Firing
from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.offer import Offer
from bot.render.blocks import Block, actions, button, context, section, time
from bot.render.runbooks import start_button
from bot.rules.alert import counted, named
from bot.text import outside


def line(alerts: Firing | None) -> str:
    """The line of a card; empty where there are none. Escaped."""
    if alerts is None or not (alerts.firing or alerts.resolved):
        return ""
    said = counted(alerts.firing, alerts.resolved)
    words = f"*{said[:1].upper()}{said[1:]}*"
    if not alerts.firing:
        return f"{words}; resolve it once you have seen why"
    cut = f" _(their source left {alerts.cut} more out)_" if alerts.cut else ""
    return f"{words}: {outside(named(alerts.titles), 500)}{cut}"


def summary(alerts: Firing | None) -> str:
    """The same for a sentence, without markup."""
    if alerts is None or not (alerts.firing or alerts.resolved):
        return ""
    said = counted(alerts.firing, alerts.resolved)
    return f"{said}: {outside(named(alerts.titles), 200)}" if alerts.firing else said


def sentence(facts: Facts) -> str:
    """An entry of a timeline. Escaped."""
    said = counted(facts["firing"], facts["resolved"])
    titles, source = outside(named(facts["titles"]), 500), outside(facts["source"], 63)
    match facts["what"]:
        case "cleared":
            whole = f"{said[:1].upper()}{said[1:]}"
            return f"{whole} ({source}). The incident stays open until somebody resolves it."
        case "back":
            return f"It fires again: {said} ({source}): {titles}."
    return f"{said[:1].upper()}{said[1:]} ({source}): {titles}."


def suggestion(facts: Facts) -> Drawing:
    """Alerts that may be an incident: what fires, since when, and the button that declares one."""
    said = counted(facts["firing"], facts["resolved"])
    title, number = outside(facts["title"], 200), facts.get("incident")
    source = outside(facts["source"], 63)
    head = f"*{title}*\n{said[:1].upper()}{said[1:]}: {outside(named(facts['titles']), 500)}"
    lines = [head, *(outside(one, 300) for one in facts["because"])]
    note = f"{source} | {str(facts['severity']).upper()} | since {time(facts['since'])}"
    blocks: list[Block] = [section("\n".join(lines))]
    if number is not None:
        note = f"{note} | declared as INC-{number}"
    blocks.append(context(note))
    if number is None and facts["firing"]:
        blocks.append(actions(_buttons(facts)))
    state = f"declared as INC-{number}" if number is not None else said
    return Drawing(f"{title}: {state} ({source}).", blocks)


def _buttons(facts: Facts) -> list[Block]:
    group = str(facts["group"])
    buttons = [button("Declare", "iora:alerts:declare", group, style="danger")]
    if facts["runbook"]:
        target = next(iter(facts["targets"]), None)
        offer = Offer(facts["runbook"], None, target)
        buttons.append(start_button(offer, f"Run {facts['runbook']}"))
    return buttons

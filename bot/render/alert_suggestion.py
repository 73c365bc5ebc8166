"""Alerts that may be an incident: one message, edited as they come and go."""

from __future__ import annotations

from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.offer import Offer
from bot.render.alerting import DROPPED
from bot.render.blocks import Block, actions, button, context, section, time
from bot.render.entry import who
from bot.render.runbooks import start_button
from bot.rules.alert import counted, named
from bot.text import link, outside


def suggestion(facts: Facts) -> Drawing:
    """What fires, since when, and the button that declares an incident."""
    title, source = outside(facts["title"], 200), outside(facts["source"], 63)
    said = counted(facts["firing"], facts["resolved"])
    head = f"*{title}*: {_state(facts)}"
    count = f"{said[:1].upper()}{said[1:]}: {outside(named(facts['titles']), 500)}"
    lines = [head, count, *(outside(one, 300) for one in facts["because"])]
    notes = [source, str(facts["severity"]).upper(), f"since {time(facts['since'])}"]
    notes += filter(None, [link(facts["url"], "look at it there")])
    blocks: list[Block] = [section("\n".join(lines)), context(" | ".join(notes))]
    if "by" not in facts and facts["firing"]:
        blocks.append(actions(_buttons(facts)))
    return Drawing(f"{title}: {said} ({source}). {_state(facts)}", blocks)


def _state(facts: Facts) -> str:
    if "incident" in facts:
        return f"{who(facts['by'])} made it INC-{facts['incident']}."
    if "by" in facts:
        return f"dismissed by {who(facts['by'])}."
    if facts["firing"]:
        return "Nobody was paged. Is it an incident?"
    return DROPPED if facts.get("dropped") else "It is over."


def _buttons(facts: Facts) -> list[Block]:
    buttons = [button("Declare", "iora:finding:declare", facts["key"], style="primary")]
    if facts["runbook"]:
        offer = Offer(facts["runbook"], None, next(iter(facts["targets"]), None))
        buttons.append(start_button(offer, f"Run {facts['runbook']}"))
    buttons.append(button("Dismiss", "iora:finding:dismiss", facts["key"]))
    return buttons

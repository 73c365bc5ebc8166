"""What a rule found: one message, edited when it is over, comes back or becomes an incident."""

from __future__ import annotations

from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.offer import Offer
from bot.render.blocks import Block, actions, button, context, section, time
from bot.render.entry import who
from bot.render.runbooks import start_button
from bot.text import outside

_WHY = 6  # lines of what decided it


def finding(key: str, facts: Facts) -> Drawing:
    """What was found with what decided it, since when, and what can be done; ``key`` is its message's."""
    text = f"{outside(facts['title'], 200)}: {_state(facts)}"
    blocks: list[Block] = [section("\n".join(_lines(facts))), context(*_small(facts))]
    buttons = _buttons(key, facts)
    if buttons:
        blocks.append(actions(buttons))
    return Drawing(text, blocks)


def flood(facts: Facts) -> Drawing:
    """How much more was found at once, which has no message of its own."""
    count, total = facts["count"], facts["total"]
    if not count:
        text = f"{_many(total)} at {time(facts['since'])}: over since {time(facts['cleared_at'])}."
        return Drawing(text, (section(text),))
    whom = "it" if count == 1 else "them"
    text = f"{_many(count)} at once, since {time(facts['since'])}. Nobody was paged for {whom}."
    named = [outside(title, 200) for title in facts["named"].values()]
    if named and count > len(named):
        named.append(f"and {count - len(named)} more")
    note = "`/iora health` shows what fails; `/iora declare TARGET TITLE` makes it an incident"
    return Drawing(text, (section("\n".join([f"*{text}*", *named])), context(note)))


def _many(count: int) -> str:
    return f"{count} more {'finding' if count == 1 else 'findings'}"


def _state(facts: Facts) -> str:
    match facts["state"]:
        case "declared":
            return f"{who(facts['by'])} made it INC-{facts['incident']}."
        case "dismissed":
            return f"dismissed by {who(facts['by'])}."
        case "cleared":
            return f"over since {time(facts['cleared_at'])}."
    nobody = "Nobody can tell; nobody" if facts["lost"] else "Nobody"
    return f"since {time(facts['since'])}. {nobody} was paged for it. Is it an incident?"


def _lines(facts: Facts) -> list[str]:
    lines = [f"*{outside(facts['title'], 200)}*: {_state(facts)}"]
    seen = dict.fromkeys(one for because in facts["rules"].values() for one in because)
    if facts["state"] == "cleared":
        return [*lines, *(f"Now: {outside(one, 200)}" for one in facts["over"][:_WHY])]
    lines += [f"{time(facts['at'])} {outside(one, 200)}" for one in list(seen)[:_WHY]]
    related = facts["related"]
    if facts["state"] == "open" and "open" in related:
        lines.append(f"Open there already: INC-{related['open']}")
    if facts["runbook"] is not None:
        runbook = facts["runbook"]
        lines.append(f"*Runbook* {outside(runbook['title'], 150)}  `{runbook['runbook']}`")
    return lines


def _small(facts: Facts) -> list[str]:
    rules = ", ".join(f"`{name}`" for name in facts["rules"])
    back = ["it came back"] if facts["again"] and facts["state"] == "open" else []
    return [f"Found by {rules} on {outside(facts['target'], 63)}", *back]


def _buttons(key: str, facts: Facts) -> list[Block]:
    if facts["state"] == "dismissed":
        return [button(_declare(facts), "iora:finding:declare", key)]
    if facts["state"] != "open":
        return []
    target = facts["target"]
    drawn = [button(_declare(facts), "iora:finding:declare", key, style="primary")]
    if facts["runbook"] is not None:
        runbook = facts["runbook"]["runbook"]
        drawn.append(start_button(Offer(runbook, None, target), f"Run {runbook}"))
    mark = f"{target}@{facts['at']}"
    drawn.append(button("Diagnose", "iora:health:diagnose", mark))
    drawn.append(button("Dismiss", "iora:finding:dismiss", key))
    return drawn


def _declare(facts: Facts) -> str:
    reopens = facts["related"].get("reopens")
    return f"Reopen INC-{reopens}" if reopens else f"Declare {facts['severity'].upper()}"

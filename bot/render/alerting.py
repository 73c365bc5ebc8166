"""Alerts of other tools: how many fire, on a card and on a timeline."""

from __future__ import annotations

from bot.model.alert import Firing
from bot.model.incident import Facts
from bot.rules.alert import counted, named
from bot.text import link, outside

DROPPED = "Its source was dropped from the config: nobody can tell whether it is over."


def line(alerts: Firing | None) -> str:
    """What a card says; empty where there are none. Escaped."""
    if alerts is None or not (alerts.firing or alerts.resolved):
        return ""
    said = counted(alerts.firing, alerts.resolved)
    words = f"*{said[:1].upper()}{said[1:]}*"
    if not alerts.firing:
        return f"{words}: resolve the incident once you have seen why"
    cut = f" _(their source left {alerts.cut} more out)_" if alerts.cut else ""
    seen = link(alerts.url, "the newest")
    says = "" if alerts.says in alerts.titles else outside(alerts.says, 300)
    whole = f"{words}: {outside(named(alerts.titles), 500)}{cut}{seen and f' | {seen}'}"
    return f"{whole}\n{says}" if says else whole


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
            if facts.get("dropped"):
                return f"{DROPPED} ({source}: {titles}) The incident stays open until somebody resolves it."
            return f"{whole} ({source}). The incident stays open until somebody resolves it."
        case "back":
            return f"It fires again: {said} ({source}): {titles}."
    return f"{said[:1].upper()}{said[1:]} ({source}): {titles}."

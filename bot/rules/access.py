"""Who may do what. Asked when a click arrives, and again when the thing is done."""

from __future__ import annotations

from collections.abc import Collection

from bot.model.actor import Actor, outsider_of
from bot.model.answer import Refusal
from bot.model.command import (
    Assign,
    Command,
    Mitigate,
    Resolve,
    SetSeverity,
)
from bot.model.config import Config
from bot.model.incident import Incident

RESTRICTED = (Mitigate, Resolve, SetSeverity, Assign)


def refuse_outsider(config: Config, actor: Actor) -> Refusal | None:
    """Guests and people of connected teams are refused unless the config lists them."""
    if not actor.guest or actor.person in config.slack.guests:
        return None
    return Refusal(
        "This bot is for full members of its team.",
        "An admin can list you under `slack.guests` in its config.",
    )


def refuse(
    config: Config, actor: Actor, command: Command, incident: Incident, paged: Collection[str]
) -> Refusal | None:
    """Responders, the commander and whoever was paged may mitigate, resolve, assign and re-rate."""
    if not isinstance(command, RESTRICTED) or stands(config, actor, incident, paged):
        return None
    verb = type(command).__name__.lower().replace("setseverity", "change the severity of")
    remedy = f"Who may: {who_may(config, incident, paged)}."
    if actor.person is None:
        remedy += f" To be one of them, add {actor.holder} under `roles` in the config."
    return Refusal(f"You may not {verb} {incident.key}.", remedy)


def refuse_without_role(config: Config, actor: Actor, verb: str) -> Refusal | None:
    """Responders and commanders only; ``verb`` such as ``end this silence``."""
    holders = dict.fromkeys((*config.holders("responder"), *config.holders("commander")))
    if actor.holder in holders:
        return None
    names = ", ".join(map(mention, holders))
    remedy = f"Who may: {names or 'nobody yet: list people under `roles` in the config'}."
    if names and actor.person is None:
        remedy += f" To be one of them, add {actor.holder} under `roles` in the config."
    return Refusal(f"You may not {verb}.", remedy)


def who_may(config: Config, incident: Incident, paged: Collection[str]) -> str:
    """The people who may change the incident, as a line for a person."""
    people = dict.fromkeys(
        (*config.holders("responder"), *config.holders("commander"), incident.commander, *paged)
    )
    names = [mention(holder) for holder in people if holder]
    return ", ".join(names) if names else "nobody yet: list people under `roles` in the config"


def mention(holder: str) -> str:
    """A member id as a mention, anybody else as their name."""
    if holder.startswith("cli:"):
        return f"the login {holder[4:]}"
    return outsider_of(holder) or f"<@{holder}>"


def stands(config: Config, actor: Actor, incident: Incident, paged: Collection[str]) -> bool:
    """Whether someone has a part in the incident: by role, as its commander, or because paged."""
    return (
        actor.holder in config.holders("responder")
        or actor.holder in config.holders("commander")
        or actor.holder == incident.commander
        or actor.holder in paged
    )

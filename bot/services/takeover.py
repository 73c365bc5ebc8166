"""Whoever acknowledges what others were paged for is asked whether they take it over."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.actor import Actor
from bot.model.answer import Confirm
from bot.model.command import Acknowledge, OnIncident
from bot.model.config import Config
from bot.model.incident import Entry, Incident
from bot.rules import access
from bot.services.overview import paged
from bot.services.roster import roster
from bot.store.database import Tx


def confirm(
    tx: Tx,
    config: Config,
    incident: Incident,
    command: OnIncident,
    actor: Actor,
    entries: Sequence[Entry],
) -> Confirm | None:
    """The question, where somebody else was paged and this one neither was nor is its commander; else None."""
    if not isinstance(command, Acknowledge) or command.take_over or incident.drill:
        return None
    people = paged(entry for entry in entries if entry.at >= incident.opened_at)
    if not people or actor.holder in {incident.commander, *people}:
        return None
    key = incident.key
    told = (
        f"{', '.join(map(access.mention, people))} {'was' if len(people) == 1 else 'were'} paged."
    )
    return Confirm(
        f"You were not paged for {key}: nothing is acknowledged yet.",
        f"{told} {_on_call(tx, config)}Take it over? Others are told nothing more then. "
        f"In words: `/iora ack {key} take over`.",
        "Take it over",
        "iora:incident:takeover",
        key,
    )


def _on_call(tx: Tx, config: Config) -> str:
    """``On call: @alice (primary), nobody (secondary). ``"""
    behind = roster(tx, config)
    now = [(name, behind.duty(name, tx.now).person) for name in config.oncall]
    said = [f"{access.mention(who) if who else 'nobody'} ({name})" for name, who in now]
    return f"On call: {', '.join(said)}. " if said else ""

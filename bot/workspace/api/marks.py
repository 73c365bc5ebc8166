"""Reactions and pins."""

from __future__ import annotations

import re

from bot.workspace.api.call import Call
from bot.workspace.records import Json
from bot.workspace.refusal import Refusal

EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def add_reaction(call: Call) -> Json:
    """React to a message, once."""
    call.require("channel", "timestamp", "name")
    channel = call.channel(member=True, writable=True)
    message = call.message(channel, "timestamp")
    name = call.text("name")
    if not EMOJI.fullmatch(name):
        raise Refusal("invalid_name")
    if call.user in message.reactions.get(name, []):
        raise Refusal("already_reacted")
    call.workspace.react(message, call.user, name)
    return {}


def remove_reaction(call: Call) -> Json:
    """Take a reaction of the app's own back."""
    call.require("channel", "timestamp", "name")
    channel = call.channel(member=True, writable=True)
    message = call.message(channel, "timestamp")
    if call.user not in message.reactions.get(call.text("name"), []):
        raise Refusal("no_reaction")
    call.workspace.react(message, call.user, call.text("name"), on=False)
    return {}


def add_pin(call: Call) -> Json:
    """Pin a message to its channel, once."""
    call.require("channel", "timestamp")
    channel = call.channel(member=True, writable=True)
    message = call.message(channel, "timestamp")
    if message.ts in channel.pins:
        raise Refusal("already_pinned")
    channel.pins.append(message.ts)
    call.workspace.announce("pin", channel.id)
    return {}

"""``conversations.*``: channels, direct channels and their members."""

from __future__ import annotations

import re

from bot.workspace.api.call import Call
from bot.workspace.api.pages import cut
from bot.workspace.payload import channel_json
from bot.workspace.records import Channel, Json
from bot.workspace.refusal import Refusal

READ_SCOPE = {"channel": "channels:read", "im": "im:read"}
NAME = re.compile(r"[\w-]{1,80}")
TOPIC_CHARACTERS = 250


def open_direct(call: Call) -> Json:
    """Open the direct channel with one person (``users``), or look at it by id (``channel``)."""
    if call.text("channel"):
        channel = call.channel(member=True)
        if channel.kind != "im":
            raise Refusal("channel_not_found")
        return _opened(call, channel, already=True)
    ids = [part.strip() for part in _users(call).split(",") if part.strip()]
    if not ids:
        raise Refusal("users_list_not_supplied")
    if len(ids) > 1:
        call.needs("mpim:write")
        raise Refusal("method_not_supported_for_channel_type")
    person = call.workspace.people.get(ids[0])
    if person is None:
        raise Refusal("user_not_found")
    if person.kind == "deactivated":
        raise Refusal("user_disabled")
    if person.kind == "bot":
        raise Refusal("cannot_dm_bot")
    before = len(call.workspace.channels)
    channel = call.workspace.direct(call.user, person.id)
    return _opened(call, channel, already=len(call.workspace.channels) == before)


def _users(call: Call) -> str:
    users = call.arguments.get("users", "")
    return ",".join(map(str, users)) if isinstance(users, list) else str(users)


def _opened(call: Call, channel: Channel, already: bool) -> Json:
    shown = channel_json(channel, call.user) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown} | ({"no_op": True, "already_open": True} if already else {})


def list_all(call: Call) -> Json:
    """Public channels (and the app's direct channels, with ``types=im``), a page at a time."""
    types = set(call.text("types", "public_channel").split(","))
    unknown = types - {"public_channel", "private_channel", "mpim", "im"}
    if unknown:
        raise Refusal("invalid_types")
    for kind, scope in (("public_channel", "channels:read"), ("im", "im:read")):
        if kind in types:
            call.needs(scope)
    channels = [
        channel for channel in call.workspace.channels.values() if _listed(call, channel, types)
    ]
    page, metadata, _ = cut(call, channels)
    shown = [channel_json(channel, call.user) for channel in page]
    return {"channels": shown, "response_metadata": metadata}


def _listed(call: Call, channel: Channel, types: set[str]) -> bool:
    if channel.archived and call.flag("exclude_archived"):
        return False
    if channel.kind == "im":
        return "im" in types and call.user in channel.members
    return "public_channel" in types


def info(call: Call) -> Json:
    """One channel."""
    call.require("channel")
    channel = call.channel()
    call.needs(READ_SCOPE[channel.kind])
    return {"channel": channel_json(channel, call.user)}


def members(call: Call) -> Json:
    """The ids of a channel's members, a page at a time."""
    call.require("channel")
    channel = call.channel()
    call.needs(READ_SCOPE[channel.kind])
    page, metadata, _ = cut(call, channel.members)
    return {"members": page, "response_metadata": metadata}


def join(call: Call) -> Json:
    """Enter a public channel."""
    call.require("channel")
    channel = _public(call)
    already = call.user in channel.members
    call.workspace.join(channel.id, call.user)
    body: Json = {"channel": channel_json(channel, call.user)}
    return body | {"warning": "already_in_channel"} if already else body


def create(call: Call) -> Json:
    """Make a public channel; the app's user is its first member."""
    call.require("name")
    name = call.text("name")
    if len(name) > 80:
        raise Refusal("invalid_name_maxlength")
    if not NAME.fullmatch(name) or name != name.lower():
        raise Refusal("invalid_name_specials")
    if call.workspace.channel_named(name) is not None:
        raise Refusal("name_taken")
    channel = call.workspace.add_channel(name, [call.user], creator=call.user)
    return {"channel": channel_json(channel, call.user)}


def invite(call: Call) -> Json:
    """Bring people into a channel that the app is in."""
    call.require("channel", "users")
    channel = _public(call)
    if call.user not in channel.members:
        raise Refusal("not_in_channel")
    ids = [part.strip() for part in _users(call).split(",")]
    for person in ids:
        if person not in call.workspace.people:
            raise Refusal("user_not_found")
        if person == call.user:
            raise Refusal("cant_invite_self")
        if person in channel.members:
            raise Refusal("already_in_channel")
    for person in ids:
        call.workspace.join(channel.id, person)
    return {"channel": channel_json(channel, call.user)}


def set_topic(call: Call) -> Json:
    """Set the topic of a channel that the app is in."""
    call.require("channel")
    channel = _public(call)
    if call.user not in channel.members:
        raise Refusal("not_in_channel")
    topic = call.text("topic")
    if len(topic) > TOPIC_CHARACTERS:
        raise Refusal("too_long")
    channel.topic = topic
    call.workspace.announce("channel", channel.id)
    return {"channel": channel_json(channel, call.user), "topic": topic}


def _public(call: Call) -> Channel:
    channel = call.channel(writable=True)
    if channel.kind == "im":
        raise Refusal("method_not_supported_for_channel_type")
    return channel

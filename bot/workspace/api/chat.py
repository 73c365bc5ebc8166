"""``chat.*``: post, edit, delete."""

from __future__ import annotations

from bot.workspace.api.call import Call
from bot.workspace.payload import message_json
from bot.workspace.posting import draft
from bot.workspace.records import Channel, Json, Message
from bot.workspace.refusal import Refusal
from bot.workspace.validate.metadata import parse_metadata


def post_message(call: Call) -> Json:
    """Post in a channel or a direct channel; ``thread_ts`` must be a message that is there."""
    call.require("channel")
    channel = _destination(call)
    metadata = parse_metadata(call.arguments.get("metadata"))
    checked = draft(call.site, call.arguments)
    thread_ts = _thread(call, channel)
    call.site.limits.post(channel.id)
    message = call.workspace.post(
        channel.id,
        call.user,
        checked.text,
        blocks=checked.blocks,
        thread_ts=thread_ts,
        reply_broadcast=call.flag("reply_broadcast"),
        metadata=metadata,
        by_app=True,
    )
    return _posted(call, message)


def post_ephemeral(call: Call) -> Json:
    """Show a message to one person in a channel that they are in."""
    call.require("channel", "user")
    channel = _destination(call)
    person = call.person()
    if person.id not in channel.members:
        raise Refusal("user_not_in_channel")
    checked = draft(call.site, call.arguments)
    thread_ts = _thread(call, channel)
    message = call.workspace.post(
        channel.id,
        call.user,
        checked.text,
        blocks=checked.blocks,
        thread_ts=thread_ts,
        ephemeral_to=person.id,
        by_app=True,
    )
    return {"message_ts": message.ts}


def update(call: Call) -> Json:
    """Edit a message of the app's own.

    What is left out stays: with a new ``text`` alone the old blocks are still what people see, as in Slack.
    """
    call.require("channel", "ts")
    channel = call.channel(writable=True)
    message = _own(call, channel, "cant_update_message")
    metadata = parse_metadata(call.arguments.get("metadata"))
    checked = draft(call.site, call.arguments)
    text = checked.text if "text" in call.arguments else message.text
    blocks = checked.blocks if "blocks" in call.arguments else message.blocks
    call.workspace.edit(message, text, blocks, metadata)
    return _posted(call, message) | {"text": message.text}


def delete(call: Call) -> Json:
    """Delete a message of the app's own."""
    call.require("channel", "ts")
    channel = call.channel()
    message = _own(call, channel, "cant_delete_message")
    call.workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """The address of a message on the page."""
    call.require("channel", "message_ts")
    channel = call.channel()
    message = call.message(channel, "message_ts")
    place = f"{call.site.permalink_root}/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    return {"channel": channel.id, "permalink": place + thread}


def _destination(call: Call) -> Channel:
    """Where a post goes: a channel by id or name; a person's id means their direct channel."""
    key = call.text("channel")
    named = call.workspace.channel_named(key.removeprefix("#"))
    if named is not None:
        channel = named
    elif key in call.workspace.people:
        channel = _direct(call, key)
    else:
        channel = call.channel()
    if channel.archived:
        raise Refusal("is_archived")
    if call.user not in channel.members and "chat:write.public" not in call.site.app.scopes:
        raise Refusal("not_in_channel")
    if channel.kind == "im":
        other = call.workspace.other_in(channel, call.user)
        if other.kind == "deactivated":
            raise Refusal("is_archived")
    return channel


def _direct(call: Call, person: str) -> Channel:
    """A post to a person's id works only where their direct channel is open already."""
    for channel in call.workspace.channels.values():
        if channel.kind == "im" and set(channel.members) == {call.user, person}:
            return channel
    raise Refusal("channel_not_found")


def _thread(call: Call, channel: Channel) -> str | None:
    """The parent of a reply; a reply to a reply goes to the reply's parent."""
    ts = call.text("thread_ts")
    if not ts:
        return None
    parent = call.workspace.message(channel.id, ts)
    if parent is None or parent.ephemeral_to is not None:
        raise Refusal("thread_not_found")
    return parent.thread_ts if parent.is_reply else parent.ts


def _own(call: Call, channel: Channel, code: str) -> Message:
    message = call.message(channel)
    if message.author != call.user:
        raise Refusal(code)
    return message


def _posted(call: Call, message: Message) -> Json:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "message": message_json(call.site, message, metadata=True),
    }

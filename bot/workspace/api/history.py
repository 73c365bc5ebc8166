"""``conversations.history`` and ``conversations.replies``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from bot.workspace.api.call import Call
from bot.workspace.api.pages import cut
from bot.workspace.payload import message_json
from bot.workspace.records import Channel, Json, Message
from bot.workspace.refusal import Refusal

SCOPE = {"channel": "channels:history", "im": "im:history"}


def history(call: Call) -> Json:
    """The newest messages first, without replies; ``oldest`` and ``latest`` bound them."""
    channel = _readable(call)
    messages = [
        message
        for message in reversed(call.workspace.history(channel.id, call.user))
        if message.ephemeral_to is None
    ]
    page, metadata, more = cut(call, _between(call, messages), most=999)
    body = _page(call, page, metadata, more)
    return body | {"pin_count": len(channel.pins)}


def replies(call: Call) -> Json:
    """A parent and its replies, oldest first; bounds are for the replies, the parent always comes."""
    call.require("ts")
    channel = _readable(call)
    parent = call.workspace.message(channel.id, call.text("ts"))
    if parent is None or parent.ephemeral_to is not None:
        raise Refusal("thread_not_found")
    if parent.is_reply:
        parent = call.workspace.message(channel.id, str(parent.thread_ts)) or parent
    thread = [parent, *_between(call, call.workspace.replies(parent))]
    page, metadata, more = cut(call, thread, most=1000)
    return _page(call, page, metadata, more)


def _readable(call: Call) -> Channel:
    call.require("channel")
    channel = call.channel()
    call.needs(SCOPE[channel.kind])
    if call.user not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def _between(call: Call, messages: list[Message]) -> list[Message]:
    """``oldest`` and ``latest`` are left out themselves unless ``inclusive``."""
    oldest, latest = (
        _bound(call, "oldest", "invalid_ts_oldest"),
        _bound(call, "latest", "invalid_ts_latest"),
    )
    inclusive = call.flag("inclusive")
    kept = []
    for message in messages:
        ts = Decimal(message.ts)
        if oldest is not None and (ts < oldest or (ts == oldest and not inclusive)):
            continue
        if latest is not None and (ts > latest or (ts == latest and not inclusive)):
            continue
        kept.append(message)
    return kept


def _bound(call: Call, name: str, code: str) -> Decimal | None:
    text = call.text(name)
    if not text or text == "now":
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Refusal(code) from None


def _page(call: Call, page: list[Message], metadata: Json, more: bool) -> Json:
    wanted = call.flag("include_all_metadata")
    body: Json = {
        "messages": [message_json(call.site, message, metadata=wanted) for message in page],
        "has_more": more,
    }
    return body | ({"response_metadata": metadata} if more else {})

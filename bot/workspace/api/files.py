"""``files.*``: get an address, upload there, complete."""

from __future__ import annotations

import json

from bot.workspace.api.call import Call
from bot.workspace.payload import file_json
from bot.workspace.posting import draft
from bot.workspace.records import Channel, Json
from bot.workspace.refusal import Refusal


def upload_url(call: Call) -> Json:
    """An address for one file of so many bytes."""
    call.require("filename", "length")
    length = call.number("length", 0, 1, 1_000_000_000)
    ticket, upload = call.site.uploads.begin(call.text("filename"), length, call.text("alt_txt"))
    return {"upload_url": f"{call.site.base_url}/upload/{ticket}", "file_id": upload.file}


def complete_upload(call: Call) -> Json:
    """Make the uploads files, and share them where that is wanted."""
    call.require("files")
    wanted = _wanted(call)
    channels = [_shared(call, key) for key in _channels(call)]
    checked = draft(
        call.site,
        {"text": call.arguments.get("initial_comment"), "blocks": call.arguments.get("blocks")},
        needs_text=False,
    )
    for item in wanted:
        if not call.site.uploads.ready(str(item.get("id"))):
            raise Refusal("file_not_found")
    files = [
        call.site.uploads.finish(str(item["id"]), str(item.get("title") or ""), call.user)
        for item in wanted
    ]
    for channel in channels:
        for file in files:
            file.shared_in.append(channel.id)
        call.workspace.post(
            channel.id,
            call.user,
            checked.text,
            blocks=checked.blocks,
            thread_ts=call.text("thread_ts") or None,
            files=files,
            by_app=True,
        )
    return {"files": [file_json(call.site, file) for file in files]}


def _wanted(call: Call) -> list[Json]:
    value = call.arguments["files"]
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal(
                "invalid_arguments", ["must be valid JSON [json-pointer:/files]"]
            ) from None
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(item, dict) for item in value)
    ):
        raise Refusal("invalid_arguments", ["must be an array of objects [json-pointer:/files]"])
    return value


def _channels(call: Call) -> list[str]:
    keys = f"{call.text('channel_id')},{call.text('channels')}"
    return [key for key in keys.split(",") if key]


def _shared(call: Call, key: str) -> Channel:
    """A channel that a file is shared in: the app must be there."""
    channel = call.workspace.channels.get(key)
    if channel is None:
        raise Refusal("channel_not_found")
    if call.user not in channel.members:
        raise Refusal("not_in_channel")
    if channel.archived:
        raise Refusal("is_archived")
    return channel

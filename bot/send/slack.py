"""Posts, edits and looks up messages in Slack. What a send became is an ``Outcome``, never a guess."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model.message import (
    Drawing,
    Failed,
    Limited,
    Message,
    Outcome,
    Refused,
    Sent,
    Unsure,
    Upload,
)
from bot.send.client import CALL_ERRORS, TIME_LIMIT_S, described, error_code, failure
from bot.text import cut

log = logging.getLogger(__name__)

EVENT_TYPE = "iora_message"
_ID = re.compile(r"^[CGD][A-Z0-9]{2,}$")
_NOT_OFFERED = {"missing_scope", "unknown_method", "not_allowed_token_type"}
_PAGES, _PAGE = 20, 200
# How far another machine's clock may be from Slack's: messages are looked for this long around a send.
_CLOCKS_APART_MS = 86_400_000
# The conversation is not what it was: found anew next time.
_MOVED = {"channel_not_found", "is_archived", "not_in_channel"}
_ALT = 1_000  # Slack's limit for what a file's image shows
_TEXT, _BLOCKS = 4_000, 50  # Slack's advice for a message's text, and its limit of blocks


class CantLook(Exception):
    """The history can't be read now: ``outcome`` says why."""

    def __init__(self, outcome: Limited | Refused | Unsure | Failed) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


class Slack:
    """One workspace. Channel names and people are turned into conversations once."""

    def __init__(self, client: AsyncWebClient, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._client = client
        self._time_limit_s = time_limit_s
        self._conversations: dict[str, str] = {}

    async def post(
        self, message: Message, drawing: Drawing, *, thread_ts: str | None, broadcast: bool
    ) -> Outcome:
        """Post with the message's key in the metadata and in a block.

        All of it, the opening of a direct message included, is over within the one time limit, so that
        a look-up after it finds whatever arrived.
        """
        posting = False
        try:
            async with asyncio.timeout(self._time_limit_s):
                channel = await self.conversation(message.destination)
                if not isinstance(channel, str):
                    return channel
                posting = True
                outcome = await self._post(channel, message, drawing, thread_ts, broadcast)
        except TimeoutError:
            late = f"not done within {self._time_limit_s:g} s"
            return Unsure(late) if posting else Failed(late)
        return self._noticed(message.destination, channel, outcome)

    async def _post(
        self,
        channel: str,
        message: Message,
        drawing: Drawing,
        thread_ts: str | None,
        broadcast: bool,
    ) -> Outcome:
        more: dict[str, Any] = {}
        if thread_ts is not None:
            more = {"thread_ts": thread_ts, "reply_broadcast": broadcast}
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": message.key}}
        try:
            answer = await self._client.chat_postMessage(
                channel=channel, metadata=metadata, **_body(message, drawing), **more
            )
            return Sent(str(answer["channel"]), str(answer["ts"]))
        except CALL_ERRORS as error:
            return failure(error)
        except (KeyError, TypeError):
            return Unsure("an answer of Slack without channel and ts")

    def _noticed(self, destination: str, channel: str, outcome: Outcome) -> Outcome:
        """Remember where it went, or forget the place; and say why a person's own id was not enough."""
        if isinstance(outcome, Sent):
            self._conversations[destination] = outcome.channel
        if not isinstance(outcome, Refused) or outcome.reason.partition(":")[0] not in _MOVED:
            return outcome
        self.forget(destination)
        if destination == f"user:{channel}":
            return Refused("missing_scope: im:write")
        return outcome

    async def upload(self, message: Message, upload: Upload, *, thread_ts: str | None) -> Outcome:
        """Share a file in a thread: get an address, send the content there, complete.

        Before the last step nobody can see it, so only that one leaves anybody unsure.
        """
        completing = False
        try:
            async with asyncio.timeout(self._time_limit_s):
                channel = await self.conversation(message.destination)
                if not isinstance(channel, str):
                    return channel
                file = await self._content(upload)
                if not isinstance(file, str):
                    return file
                completing = True
                return await self._complete(channel, file, upload, thread_ts)
        except TimeoutError:
            late = f"not done within {self._time_limit_s:g} s"
            return Unsure(late) if completing else Failed(late)

    async def _content(self, upload: Upload) -> str | Limited | Refused | Failed:
        """The id of the file to be, once Slack has its content."""
        try:
            answer = await self._client.files_getUploadURLExternal(
                filename=upload.name,
                length=len(upload.content),
                **({"alt_txt": cut(upload.alt, _ALT)} if upload.alt else {}),
            )
            address, file = str(answer["upload_url"]), str(answer["file_id"])
            assert self._client.session is not None
            async with self._client.session.post(address, data=upload.content) as response:
                if response.status != 200:
                    return Failed(f"HTTP {response.status} for a file's content")
        except CALL_ERRORS as error:
            outcome = _not_offered(error) or failure(error)
            return Failed(outcome.reason) if isinstance(outcome, Unsure) else outcome
        except (KeyError, TypeError):
            return Failed("an answer of Slack without an address for the file")
        return file

    async def _complete(
        self, channel: str, file: str, upload: Upload, thread_ts: str | None
    ) -> Outcome:
        where: dict[str, Any] = {"channel_id": channel}
        if thread_ts is not None:
            where["thread_ts"] = thread_ts
        files: list[dict[str, str | None]] = [{"id": file, "title": upload.title}]
        try:
            await self._client.files_completeUploadExternal(files=files, **where)
        except CALL_ERRORS as error:
            return _not_offered(error) or failure(error)
        return Sent(channel, file)

    async def edit(self, message: Message, drawing: Drawing) -> Outcome:
        """Bring a message that is there up to date; doing so twice does no harm."""
        assert message.channel is not None
        assert message.ts is not None
        try:
            await self._client.chat_update(
                channel=message.channel, ts=message.ts, **_body(message, drawing)
            )
        except CALL_ERRORS as error:
            return failure(error)
        return Sent(message.channel, message.ts)

    async def find(self, message: Message, *, thread_ts: str | None) -> Sent | None:
        """The message with this key, if it arrived. Raises ``CantLook``.

        A channel that was not joined, or that the bot was taken out of, is joined for the next look.
        """
        channel = await self.conversation(message.destination)
        if not isinstance(channel, str):
            raise CantLook(channel)
        try:
            async for found in self._history(channel, thread_ts, message):
                if message.kind == "file":
                    for file in found.get("files") or ():
                        if file.get("name") == message.facts["name"]:
                            return Sent(channel, str(file["id"]))
                elif _has_key(found, message.key):
                    return Sent(channel, str(found["ts"]))
        except CALL_ERRORS as error:
            if isinstance(error, SlackApiError) and error_code(error) == "not_in_channel":
                await self._join(channel)
            raise CantLook(failure(error)) from error
        return None

    async def join(self, name: str) -> None:
        """Become a member of the channel, as its history wants; a private one must be invited to."""
        channel = await self.conversation(f"channel:{name}")
        if not isinstance(channel, str):
            log.warning("the channel %s can't be found: %s", name, channel)
            return
        await self._join(channel)

    async def _join(self, channel: str) -> None:
        try:
            await self._client.conversations_join(channel=channel)
        except CALL_ERRORS as error:
            log.info("not joined to %s: %s", channel, failure(error))

    async def conversation(self, destination: str) -> str | Limited | Refused | Unsure | Failed:
        """The conversation's id for ``user:U02BOB`` or ``channel:incidents``."""
        known = self._conversations.get(destination)
        if known is not None:
            return known
        kind, _, name = destination.partition(":")
        try:
            found = await (self._direct(name) if kind == "user" else self._channel(name))
        except CALL_ERRORS as error:
            outcome = failure(error)
            # Nothing was posted yet, so there is nothing to be unsure about.
            return Failed(outcome.reason) if isinstance(outcome, Unsure) else outcome
        if found is None:
            return Refused("channel_not_found")
        self._conversations[destination] = found
        return found

    def forget(self, destination: str) -> None:
        """Look the conversation up anew next time: it may have been renamed or made again."""
        self._conversations.pop(destination, None)

    async def _direct(self, person: str) -> str:
        try:
            answer = await self._client.conversations_open(users=person)
        except SlackApiError as error:
            # A server without the method, or an app without the scope, still takes the person's id.
            if error_code(error) in _NOT_OFFERED:
                return person
            raise
        return str(answer["channel"]["id"])

    async def _channel(self, name: str) -> str | None:
        name = name.removeprefix("#")
        if _ID.match(name):
            return name
        try:
            cursor = ""
            for _ in range(_PAGES):
                answer = await self._client.conversations_list(
                    exclude_archived=True, limit=1000, cursor=cursor or None
                )
                for channel in answer["channels"]:
                    if channel["name"] == name:
                        return str(channel["id"])
                cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
                if not cursor:
                    return None
        except SlackApiError as error:
            if error_code(error) in _NOT_OFFERED:
                return f"#{name}"
            raise
        return None

    async def _history(
        self, channel: str, thread_ts: str | None, message: Message
    ) -> AsyncIterator[dict[str, Any]]:
        """What is there from when it may have been sent until it was to be looked up.

        Raises ``CantLook`` where that is too much to read.
        """
        began = message.sending_at or 0
        ended = max(began, message.due_at)
        cursor: str | None = None
        for _ in range(_PAGES):
            arguments: dict[str, Any] = {
                "channel": channel,
                "oldest": str(max(0, began - _CLOCKS_APART_MS) / 1000),
                "latest": str((ended + _CLOCKS_APART_MS) / 1000),
                "limit": _PAGE,
                "cursor": cursor,
                "include_all_metadata": True,
            }
            if thread_ts is None:
                answer = await self._client.conversations_history(**arguments)
            else:
                answer = await self._client.conversations_replies(ts=thread_ts, **arguments)
            for found in answer["messages"]:
                yield found
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        raise CantLook(Failed(f"more than {_PAGES * _PAGE} messages to read"))


def _body(message: Message, drawing: Drawing) -> dict[str, Any]:
    blocks = [dict(block) for block in drawing.blocks[:_BLOCKS]]
    if blocks:
        # Found again even where the server doesn't keep metadata.
        blocks[0]["block_id"] = _key_block_id(message.key)
    return {
        "text": cut(drawing.text, _TEXT),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _not_offered(error: Exception) -> Refused | None:
    """A server without files, or an app that may not: the report goes as text instead."""
    if isinstance(error, SlackApiError) and error_code(error) in _NOT_OFFERED:
        return Refused(described(error))
    return None


def _has_key(found: dict[str, Any], key: str) -> bool:
    payload = (found.get("metadata") or {}).get("event_payload") or {}
    if payload.get("key") == key:
        return True
    return any(block.get("block_id") == _key_block_id(key) for block in found.get("blocks") or ())


def _key_block_id(key: str) -> str:
    return f"iora-key:{key}"[:255]

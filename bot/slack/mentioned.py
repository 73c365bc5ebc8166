"""Mentions of the bot: commands where slash commands do not work, such as the thread of a card."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.model.answer import Refusal
from bot.model.command import Command, Declare
from bot.send.client import CALL_ERRORS, failure
from bot.services.commands import Given
from bot.slack.desk import Ack, Body, Desk
from bot.slack.parse import parse
from bot.slack.said import usage

log = logging.getLogger(__name__)

_KEPT = 2_000
_FIRST_MENTION = re.compile(r"^\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>[\s:,]*")


class Mentioned:
    """Answers whoever mentions the bot, visible to them only, in the thread where they did.

    Slack sends an event again that was not acknowledged: one whose work is being done, or was, is
    only acknowledged.
    """

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client
        self._taken: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, ack: Ack, body: dict[str, Any]) -> None:
        event, number = body["event"], str(body.get("event_id"))
        if number not in self._taken and not event.get("bot_id") and event.get("user"):
            self._take(number)
            asker = _asker(body)
            try:
                await self._answer(asker, str(event.get("text", "")))
            except Exception:
                log.exception("a mention failed: %s", str(event.get("text", ""))[:100])
                self._desk.later(self._say(asker, self._desk.sorry()), "say that a mention failed")
        await ack()

    def _take(self, number: str) -> None:
        """From here on, for Slack may send it again while its work is being done."""
        self._taken[number] = None
        while len(self._taken) > _KEPT:
            self._taken.popitem(last=False)

    async def _answer(self, body: Body, text: str) -> None:
        """A change is committed before the event's ack; slow answers come after it."""
        desk = self._desk
        words = _FIRST_MENTION.sub("", text)
        parsed = parse(words, desk.live.config.targets, desk.clock.now())
        if isinstance(parsed, Declare) and not parsed.title:
            parsed = usage("declare", "An incident needs a title.")
        if isinstance(parsed, Refusal):
            desk.later(self._say(body, parsed), "answer a mention")
        elif parsed.slow:
            desk.later(self._say_all(body, parsed), "answer a mention")
        else:
            desk.later(self._say(body, await desk.do(parsed, body)), "answer a mention")

    async def _say_all(self, body: Body, command: Command) -> None:
        asked = await self._desk.asked(body)
        async for given in self._desk.commands.answers(command, asked):
            await self._say(body, given)

    async def _say(self, body: Body, given: Given) -> None:
        drawing = self._desk.drawn(given)
        try:
            await self._client.chat_postEphemeral(
                channel=body["channel_id"],
                user=body["user_id"],
                thread_ts=body["thread_ts"],
                text=drawing.text,
                blocks=[dict(block) for block in drawing.blocks],
            )
        except CALL_ERRORS as error:
            log.error("a mention could not be answered: %s", failure(error))


def _asker(body: Body) -> Body:
    """The event in the words of a command's payload."""
    event = body["event"]
    return {
        "user_id": event["user"],
        "team_id": event.get("user_team") or event.get("team") or body.get("team_id"),
        "channel_id": event["channel"],
        "thread_ts": event.get("thread_ts"),
    }

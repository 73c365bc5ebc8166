"""The one listener of `/iora`."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.model.answer import Refusal
from bot.model.command import Command, Declare, StartRun
from bot.model.message import Drawing
from bot.model.runbook import Runbook
from bot.slack import form, run_form
from bot.slack.desk import Ack, Body, Desk
from bot.slack.parse import parse


class Typed:
    """Parses what was typed; quick commands are answered by the ack, slow ones after it."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client

    async def __call__(self, ack: Ack, body: dict[str, Any]) -> None:
        desk = self._desk
        parsed = parse(body.get("text", ""), desk.live.config.targets, desk.clock.now())
        if isinstance(parsed, Refusal):
            await _say(ack, desk.drawn(parsed))
        elif isinstance(parsed, Declare) and not parsed.title:
            outsider = await desk.outsider(body)
            if outsider is None:
                await ack()
                desk.later(self._open_form(body, parsed), "open the declare form")
            else:
                await _say(ack, desk.drawn(outsider))
        elif isinstance(parsed, StartRun) and (runbook := await self._asks(body, parsed)):
            await ack()
            view = run_form.inputs(runbook, parsed, desk.live.config, str(body["channel_id"]))
            desk.open(self._client, body, view)
        elif parsed.slow:
            await ack()
            desk.later(self._answer(body, parsed), f"answer /iora {body.get('text', '')[:60]}")
        else:
            await _say(ack, desk.drawn(await desk.do(parsed, body)))

    async def _asks(self, body: Body, command: StartRun) -> Runbook | None:
        return await self._desk.commands.asks(command, await self._desk.asked(body))

    async def _answer(self, body: Body, command: Command) -> None:
        """An answer to a command can't be replaced in Slack: the whole follows the first words."""
        asked = await self._desk.asked(body)
        async for given in self._desk.commands.answers(command, asked):
            await self._desk.respond(body, self._desk.drawn(given))

    async def _open_form(self, body: Body, command: Declare) -> None:
        view = form.declare(self._desk.live.config, command)
        await self._desk.show_form(self._client, body, view)


async def _say(ack: Ack, drawing: Drawing) -> None:
    await ack(text=drawing.text, blocks=list(drawing.blocks), response_type="ephemeral")

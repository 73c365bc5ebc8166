"""What every listener needs: who asks, the commands, and a place to answer later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import aiohttp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.clock import Clock
from bot.errors import StoreError
from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import Command, OnIncident, OnRun
from bot.model.message import Drawing
from bot.render.answer import answer, refusal
from bot.rules import access
from bot.send.client import CALL_ERRORS, failure
from bot.send.identity import Directory
from bot.services.commands import Commands, Given
from bot.services.incidents import Asked
from bot.services.live import Live
from bot.slack.view import View, problem

log = logging.getLogger(__name__)

Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[BoltResponse]]

# The ack waits for it, and Slack gives three seconds in all.
LOOK_UP_S = 1.0


class Desk:
    """Shared by the listeners; ``team`` is the bot's own, once Slack has said so."""

    def __init__(
        self,
        commands: Commands,
        directory: Directory,
        live: Live,
        pool: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        self.commands = commands
        self.live = live
        self.clock = clock
        self.team: str | None = None
        self._directory = directory
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()

    async def asked(self, body: Body) -> Asked:
        """Who asks and where, from a command's or an interaction's payload."""
        user = body.get("user") or {}
        person = str(body.get("user_id") or user.get("id"))
        team = str(user.get("team_id") or body.get("team_id") or (body.get("team") or {}).get("id"))
        channel = body.get("channel") or {}
        names = {
            body.get("channel_id"),
            body.get("channel_name"),
            channel.get("id"),
            channel.get("name"),
        }
        return Asked(
            Actor.slack(team, person, guest=await self._is_guest(team, person)),
            frozenset(str(name) for name in names if name),
            body.get("thread_ts"),
        )

    def drawn(self, given: Given) -> Drawing:
        """An answer or a refusal as Slack takes it."""
        if isinstance(given, Refusal):
            return refusal(given)
        return answer(given, self.clock.now())

    async def do(self, command: Command, body: Body) -> Given:
        """Carry out a command for the one who sent the payload."""
        return await self.commands.carry_out(command, await self.asked(body))

    async def refused(self, command: OnIncident | OnRun, body: Body) -> Refusal | None:
        """Why the one who sent the payload would be refused this, if they would."""
        return await self.commands.refused(command, await self.asked(body))

    async def outsider(self, body: Body) -> Refusal | None:
        """Why the one who sent the payload may ask nothing, if it is no full member of the team."""
        return access.refuse_outsider(self.live.config, (await self.asked(body)).actor)

    def say(self, body: Body, given: Given) -> None:
        """Answer a click after its ack, to the one who clicked."""
        self.later(self.respond(body, self.drawn(given)), "answer a click")

    def open(self, client: AsyncWebClient, body: Body, view: View) -> None:
        """Open a form after the ack of what asked for it."""
        self.later(self.show_form(client, body, view), f"open the form {view['callback_id']}")

    async def show_form(self, client: AsyncWebClient, body: Body, view: View) -> None:
        """Open a form at once: Slack's trigger lives for three seconds."""
        try:
            await client.views_open(trigger_id=str(body["trigger_id"]), view=dict(view))
        except CALL_ERRORS as error:
            log.warning("the form %s was not opened: %s", view["callback_id"], failure(error))
            trouble = Refusal(
                "The form could not be opened.", "Try again, or type it: see `/iora help`."
            )
            await self.respond(body, self.drawn(trouble))

    def sorry(self, error: Exception | None = None) -> Refusal:
        """What is said where something of ours failed; of a file that can't be written, what is wrong."""
        if isinstance(error, StoreError):
            why = str(error).partition(": ")[2] or str(error)  # without the path
            return Refusal(
                f"Nothing was stored: {why}.", "Then try again: what is due still pages."
            )
        reason = f"The bot failed at this (request {logs.request()} in its log)."
        return Refusal(reason, "See `/iora incidents` for what was done, and try again.")

    async def apologize(self, ack: Ack, body: Body, error: Exception | None = None) -> None:
        """Something of ours failed: the person who asked is told, wherever they asked."""
        sorry = self.sorry(error)
        drawing = self.drawn(sorry)
        if body.get("type") == "view_submission":
            await ack(response_action="errors", errors=problem(sorry, body["view"]))
        elif "command" in body:
            await ack(text=drawing.text, response_type="ephemeral")
        else:
            await ack()
            self.later(self.respond(body, drawing), "say that a click failed")

    def later(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Slow work after the ack, as a task that the end of the bot waits for."""
        task = asyncio.create_task(self._guarded(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def respond(self, body: Body, drawing: Drawing, *, in_channel: bool = False) -> None:
        """Answer through the ``response_url`` (Slack: 5 uses in 30 minutes)."""
        url = body.get("response_url")
        if not url:
            return
        payload = {
            "text": drawing.text,
            "blocks": list(drawing.blocks),
            "response_type": "in_channel" if in_channel else "ephemeral",
            "replace_original": False,
        }
        try:
            async with self._pool.post(url, json=payload) as response:
                if response.status != 200:
                    said = (await response.text())[:300]
                    log.error("an answer was refused: HTTP %s %s", response.status, said)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.error("an answer could not be given: %s", error)

    async def drain(self, within_s: float) -> None:
        """Let the answers under way come to their end."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                task.cancel()

    async def _is_guest(self, team: str, person: str) -> bool:
        """People of the roles and groups are known; others are looked up once."""
        config = self.live.config
        own = config.slack.team or self.team
        if own is not None and team != own:
            return True
        listed = {*config.holders("responder"), *config.holders("commander")}
        if person in listed or any(person in group for group in config.groups.values()):
            return False
        try:
            async with asyncio.timeout(LOOK_UP_S):
                return await self._directory.is_guest(person)
        except TimeoutError:
            log.warning("users.info of %s took too long: taken for a full member", person)
            return False

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:
            log.exception("%s failed", name)

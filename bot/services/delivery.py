"""Brings the outbox into the world: a destination at a time in order, each message once.

Commit ``sending``, send, commit what became of it. Where nobody knows, wait until the attempt must be
over, look the message's key up, and send again only when it isn't there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot import logs
from bot.clock import Clock
from bot.errors import StoreError
from bot.model.attempt import Attempt
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
from bot.model.way import SLACK
from bot.send.slack import CantLook
from bot.services import charts, digest, heartbeat, paging
from bot.services.attachment import upload_of
from bot.services.live import Live
from bot.services.sending import Told, begin, code, drawn, finish, put_off
from bot.store import outbox, pages
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

PACE_MS = 1_000  # Slack takes about one message a second a channel
_BADLY_DRAWN = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "invalid_arguments",
}


class Sender(Protocol):
    """A way out."""

    async def post(
        self, message: Message, drawing: Drawing, *, thread_ts: str | None, broadcast: bool
    ) -> Outcome: ...

    async def edit(self, message: Message, drawing: Drawing) -> Outcome: ...

    async def upload(
        self, message: Message, upload: Upload, *, thread_ts: str | None
    ) -> Outcome: ...

    async def find(self, message: Message, *, thread_ts: str | None) -> Sent | None: ...


Elsewhere = Callable[[Attempt], Awaitable[Outcome]]
"""Tells by another way than Slack."""
Quiet = Callable[[str], Awaitable[bool]]
"""Whether a person is in do-not-disturb; False where nobody knows."""


class Delivery:
    """One task a destination that has something due; no destination waits for another."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        live: Live,
        clock: Clock,
        *,
        elsewhere: Elsewhere,
        quiet: Quiet,
        told: Told,
        came_through: Callable[[], None],
        pace_ms: int = PACE_MS,
        digest_over: int = digest.OVER,
    ) -> None:
        self._elsewhere = elsewhere
        self._quiet = quiet
        self._told = told
        self._came_through = came_through
        self._digest_over = digest_over
        self._began = clock.now()
        self._database = database
        self._sender = sender
        self._live = live
        self._clock = clock
        self._pace_ms = pace_ms
        self.paged = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, int] = {}
        self._edits_not_before = 0
        self._stopped = asyncio.Event()

    async def work(self) -> None:
        """Pass on what nobody gets, and start on every destination where something is due."""
        if self._clock.now() - self._began >= paging.PASS_ON_AFTER_MS:
            late = await self._database.read(paging.overdue)
            await asyncio.gather(*map(self._pass_on, late))
        for destination in await self._database.read(
            outbox.due_destinations, self._edits_in_turn()
        ):
            if destination not in self._tasks and not self._stopped.is_set():
                self._tasks[destination] = asyncio.create_task(
                    self._serve(destination), name=f"send {destination}"
                )

    async def _pass_on(self, message: Message) -> None:
        """One that can't be passed on holds up nobody else's."""
        try:
            await self._database.write(paging.pass_on_late, self._live.config, message)
        except StoreError:
            raise
        except Exception:
            log.exception("page %s can't be passed on", message.key)
            await self._database.write(pages.passed_on, message.id)

    async def drain(self, within_s: float) -> None:
        """Let what is being sent come to its end; cut off what takes longer.

        What was cut off stays ``sending``: the next start looks it up.
        """
        self._stopped.set()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, destination: str) -> None:
        try:
            while await self._in_turn(destination):
                attempt = await self._next(destination)
                if attempt is None:
                    return
                logs.about(incident=attempt.message.incident_id, request=attempt.message.key)
                started = self._clock.now()
                outcome = await self._carry_out(attempt)
                await self._database.write(finish, attempt, outcome, self._live.config)
                self._set_pace(destination, attempt, outcome, started)
                if attempt.message.via == SLACK and attempt.message.kind in paging.KINDS:
                    self.paged += attempt.what == "post" and isinstance(outcome, Sent)
                if attempt.message.kind == heartbeat.KIND:
                    self._came_through()
        except Exception:
            log.exception("sending to %s stopped; it is taken up again", destination)
        finally:
            del self._tasks[destination]

    async def _next(self, destination: str) -> Attempt | None:
        """What goes next. One that can't be read holds up nobody else's message."""
        edits = self._edits_in_turn()
        try:
            quiet = await self._is_quiet(destination, edits)
            return await self._database.write(
                begin,
                destination,
                self._live.config,
                edits,
                quiet,
                self._told,
                self._digest_over,
            )
        except StoreError:
            raise
        except Exception:
            log.exception("the next message to %s can't be read; it is put off", destination)
            await self._database.write(put_off, destination, edits)
            return None

    async def _is_quiet(self, destination: str, edits: bool) -> bool:
        """Before a page in Slack: whether the person is in do-not-disturb."""
        person = await self._database.read(_paged_next, destination, edits)
        return person is not None and destination == f"user:{person}" and await self._quiet(person)

    async def _in_turn(self, destination: str) -> bool:
        """Wait as long as the pace or a 429 asks to; False once the bot stops."""
        wait = self._not_before.get(destination, 0) - self._clock.now()
        if wait > 0 and not self._stopped.is_set():
            try:
                async with asyncio.timeout(wait / 1000):
                    await self._stopped.wait()
            except TimeoutError:
                pass
        return not self._stopped.is_set()

    def _edits_in_turn(self) -> bool:
        return self._clock.now() >= self._edits_not_before

    def _set_pace(self, destination: str, attempt: Attempt, outcome: Outcome, started: int) -> None:
        """A 429 of a post holds its destination; one of an edit holds edits, and never a page.

        Slack counts ``chat.update`` a workspace, posts a channel.
        """
        if attempt.what == "look up":
            return
        self._not_before[destination] = started + self._pace_ms
        if isinstance(outcome, Limited):
            until = self._clock.now() + outcome.retry_ms
            if attempt.what == "edit":
                self._edits_not_before = until
            else:
                self._not_before[destination] = until

    async def _carry_out(self, attempt: Attempt) -> Outcome:
        if attempt.what == "look up":
            return await self._look_up(attempt)
        if attempt.message.via != SLACK:
            return await self._elsewhere(attempt)
        if attempt.message.kind == "file":
            return await self._share(attempt)
        drawing = drawn(attempt)
        outcome = await self._send(attempt, drawing)
        if isinstance(outcome, Refused) and code(outcome.reason) in _BADLY_DRAWN and drawing.blocks:
            log.error("message %s: %s; it goes as text", attempt.message.key, outcome.reason)
            outcome = await self._send(attempt, Drawing(drawing.text))
        return outcome

    async def _share(self, attempt: Attempt) -> Outcome:
        facts = attempt.message.facts
        chart = None
        if "chart" in facts:
            chart = await self._database.read(charts.of_facts, self._live.config, facts)
        file = await asyncio.to_thread(upload_of, attempt, self._database.path.parent, chart)
        if isinstance(file, Refused):
            return file
        return await self._sender.upload(attempt.message, file, thread_ts=attempt.thread_ts)

    async def _send(self, attempt: Attempt, drawing: Drawing) -> Outcome:
        if attempt.what == "edit":
            return await self._sender.edit(attempt.message, drawing)
        return await self._sender.post(
            attempt.message,
            drawing,
            thread_ts=attempt.thread_ts,
            broadcast=bool(attempt.message.facts.get("broadcast")),
        )

    async def _look_up(self, attempt: Attempt) -> Outcome:
        try:
            found = await self._sender.find(attempt.message, thread_ts=attempt.thread_ts)
        except CantLook as error:
            if isinstance(error.outcome, Limited):
                return error.outcome
            return Unsure(f"the look-up is not to be had: {error.outcome.reason}")
        return found or Failed("looked up: it is not there")


def _paged_next(tx: Tx, destination: str, edits: bool) -> str | None:
    """Who is paged next at a destination; None: something else is next."""
    message = outbox.head(tx, destination, edits)
    if message is None or message.kind not in paging.KINDS or message.ts is not None:
        return None
    return str(message.facts["person"])

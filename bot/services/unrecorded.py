"""While nothing can be stored, what is due goes out from memory, and says that it is not recorded."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.clock import Clock
from bot.errors import StoreError
from bot.model.attempt import Attempt
from bot.model.config import Config
from bot.model.message import Drawing, Message, Outcome, Sent
from bot.model.way import SLACK
from bot.render.blocks import section
from bot.send.slack import Slack
from bot.services import escalation, paging, sending
from bot.services.live import Live
from bot.services.other_ways import OtherWays
from bot.services.sending import Told, drawn, told_as
from bot.store import pages, timers
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

MARK = "(unrecorded: the bot's database can't be written)"
_AT_ONCE = 64
_KEPT_MS = 600_000
_ANSWERS_WITHIN_S = 30
"""Not for ever: who looks after the bot itself has its turn next."""


class Unrecorded:
    """Decides as ever, in a transaction that is undone; keeps in mind whom it told, and tells nobody twice.

    ``told`` is what the delivery goes by when things can be stored again.
    """

    def __init__(
        self, database: Database, live: Live, slack: Slack, ways: OtherWays, clock: Clock
    ) -> None:
        self._database = database
        self._live = live
        self._slack = slack
        self._ways = ways
        self._clock = clock
        self._last_trouble = 0
        self.told: dict[tuple[object, ...], tuple[str, Sent] | None] = {}
        self.pages = 0

    async def work(self) -> None:
        """Page whoever is to be paged now, if nothing can be stored."""
        if self._database.trouble is None:
            self._forget()
            return
        self._last_trouble = self._clock.now()
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                if not await self._database.read(_any_due):
                    return
                due = await self._database.rehearse(due_pages, self._live.config, self.told)
        except (StoreError, TimeoutError) as error:
            log.error("what is due can't be read: %s", str(error) or "no answer")
            return
        await asyncio.gather(*(self._tell(attempt) for attempt in due))

    def _forget(self) -> None:
        """All of it is recorded by now. A level that fires anew, after a reopening, is another page."""
        if self.told and self._clock.now() - self._last_trouble >= _KEPT_MS:
            self.told.clear()

    async def _tell(self, attempt: Attempt) -> None:
        known = told_as(attempt.message)
        self.told[known] = None  # there may be room again while it is sent
        try:
            sent = await self._by_some_way(attempt)
            if sent is not None:
                self.told[known] = sent
                self.pages += 1
        finally:
            if self.told.get(known) is None:
                self.told.pop(known, None)

    async def _by_some_way(self, attempt: Attempt) -> tuple[str, Sent] | None:
        """The way that took it, and where it is; None where none did."""
        message = attempt.message
        ways = paging.ways_of(self._live.config, message.facts["person"])
        for way in (message.via, *(one for one in ways if one != message.via)):
            outcome = await self._by(way, attempt)
            if isinstance(outcome, Sent):
                log.error("unrecorded: %s was paged by %s (%s)", message.facts, way, message.key)
                return way, outcome
            log.error("unrecorded: %s not paged by %s: %s", message.facts, way, outcome)
        return None

    async def _by(self, way: str, attempt: Attempt) -> Outcome:
        if way != SLACK:
            return await self._ways(_through(attempt, way))
        drawing = marked(attempt)
        to = f"user:{attempt.message.facts['person']}"
        message = _redirected(attempt.message, SLACK, to)
        return await self._slack.post(message, drawing, thread_ts=None, broadcast=False)


def _any_due(tx: Tx) -> bool:
    """A look that costs nothing: a rehearsal may have to copy the file."""
    return timers.any_due(tx, "level") or bool(pages.pages_due(tx, 1))


def due_pages(tx: Tx, config: Config, told: Told) -> list[Attempt]:
    """Fire what is due, and take every page that waits by then; in a rehearsal, which is undone."""
    for timer in timers.claim(tx, _AT_ONCE, "level"):
        escalation.fire(tx, timer, config)
    found = (sending.attempt_of(tx, message, config) for message in pages.pages_due(tx, _AT_ONCE))
    return [
        one
        for one in found
        if told_as(one.message) not in told
        and one.event == "page"
        and not sending.not_wanted(tx, one)
    ]


def marked(attempt: Attempt) -> Drawing:
    """The page with the mark before it."""
    found = drawn(attempt)
    return Drawing(f"{MARK} {found.text}", (section(f"*{MARK}*"), *found.blocks))


def _redirected(message: Message, way: str, destination: str) -> Message:
    return replace(message, via=way, destination=destination)


def _through(attempt: Attempt, way: str) -> Attempt:
    return replace(attempt, message=replace(attempt.message, via=way), note=MARK)

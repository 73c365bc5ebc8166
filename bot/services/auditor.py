"""Looks after the bot itself: what is late, whether the file can be written, whether the clock was set."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.clock import SystemClock
from bot.errors import StoreError
from bot.model.units import format_duration
from bot.services.alarm import Alarm
from bot.store import lateness
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

LATE_MS = 60_000
SETTLE_S = 5.0
"""What is late at one look only, as after a machine slept, is being caught up with."""
JUMP_MS = 30_000
ANSWERS_WITHIN_S = 30.0
STORE, CLOCK = "store", "clock"
_CLAIMS = 3  # of half a minute each


@dataclass(frozen=True)
class Late:
    """How much is over a minute late, and by how many milliseconds the oldest of it is."""

    timers: int = 0
    timers_ms: int = 0
    messages: int = 0
    messages_ms: int = 0


class Auditor:
    """``steady``: seconds of a clock that nobody sets or moves."""

    def __init__(
        self,
        database: Database,
        alarm: Alarm,
        clock: SystemClock,
        steady: Callable[[], float],
        *,
        settle_s: float | None = None,
    ) -> None:
        self._database = database
        self._alarm = alarm
        self._clock = clock
        self._steady = steady
        self._settle_s = SETTLE_S if settle_s is None else settle_s
        self._began = clock.now()
        self._drift = clock.drift_ms()
        self._since: dict[str, float] = {}
        self._newest: int | None = None
        self.jumps = 0
        self.late = Late()

    async def look(self) -> None:
        """Raise the alarm, or end it, for each kind of trouble that could be looked for."""
        self._look_at_the_clock()
        for kind, reason in (await self._found()).items():
            if reason is None:
                self._since.pop(kind, None)
                await self._alarm.over(kind)
            elif self._steady() - self._since.setdefault(kind, self._steady()) >= self._settle_s:
                await self._alarm.raised(kind, reason)

    async def _found(self) -> Mapping[str, str | None]:
        """What is wrong, by kind. While the database is in trouble nobody knows what else is late."""
        store = self._store_trouble()
        if store is not None:
            return {STORE: store}
        before = self._clock.now() - LATE_MS
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                if self._newest is None:
                    self._newest = await self._database.read(lateness.newest)
                if before >= self._began:
                    self.late = await self._database.read(late, before)
        except TimeoutError:
            return {STORE: f"the database does not answer within {ANSWERS_WITHIN_S:g} s"}
        except StoreError as error:
            return {STORE: str(error)}
        return {STORE: None, CLOCK: self._behind(self._newest), **reasons(self.late)}

    def _behind(self, newest: int) -> str | None:
        """What was stored when the bot started was stored by a clock that went ahead of this one."""
        ahead = newest - self._clock.now()
        if ahead <= JUMP_MS:
            return None
        return (
            f"the machine's clock is {format_duration(ahead)} behind what is stored: what is due for the "
            "open incidents comes as much later"
        )

    def _store_trouble(self) -> str | None:
        if self._database.trouble is not None:
            return self._database.trouble
        if self._database.reserve.spent:
            return "the disk is full: the last of its room keeps what is due going; free some space"
        return None

    def _look_at_the_clock(self) -> None:
        drift = self._clock.drift_ms()
        if abs(drift - self._drift) > JUMP_MS:
            self.jumps += 1
            log.warning(
                "the wall clock was set %s by %s; nothing fires early or late by it",
                "forward" if drift > self._drift else "back",
                format_duration(abs(drift - self._drift)),
            )
            self._drift = drift


def late(tx: Tx, before: int) -> Late:
    """What was due before a time, or wanted since before it."""
    number, oldest = lateness.timers(tx, before, _CLAIMS)
    waiting, wanted = lateness.messages(tx, before)
    return Late(number, tx.now - oldest, waiting, tx.now - wanted)


def reasons(found: Late) -> Mapping[str, str | None]:
    """What is late, in words, by kind; None where nothing is."""
    timers = f"{found.timers} timers are late by up to {format_duration(found.timers_ms)}"
    took = format_duration(found.messages_ms)
    messages = f"{found.messages} messages wait to be sent for up to {took}"
    return {
        "timers": timers if found.timers else None,
        "messages": messages if found.messages else None,
    }

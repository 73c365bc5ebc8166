"""The loops of a running bot: due timers, due messages, and the bot itself. They sleep until something is due.

Each sleep is one of the monotonic clock and ends after a second at the latest, so that a missed wake-up, or a
wall clock that is set, costs a second and no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot import logs
from bot.clock import Clock
from bot.model.timer import Timer
from bot.services.delivery import Delivery
from bot.services.keeper import Keeper
from bot.store import timers
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

TICK_S = 1.0
AT_ONCE = 64
POLLS_AT_ONCE = 1_000
URGENT, POLL = "level", "poll"

Handler = Callable[[Timer], Awaitable[None]]


class Alarm:
    """Wakes a loop early: after every commit, and when the bot stops."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._rung.set()

    async def wait(self, at_most_s: float) -> None:
        """Until rung, or for that long."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()


class Loop:
    """Does its work whenever it is woken; ``beat`` is when it last came round, for the health page."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.alarm = Alarm()
        self.beat = clock.now()
        self.stopping = False
        self._clock = clock

    async def run(self) -> None:
        """Until it is stopped. What goes wrong is logged, and the loop goes on."""
        while not self.stopping:
            try:
                await self.work()
                wait = await self.wait_s()
            except Exception:
                log.exception("the %s loop failed; it goes on", self.name)
                wait = TICK_S
            self.beat = self._clock.now()
            await self.alarm.wait(max(0.0, min(wait, TICK_S)))

    def stop(self) -> None:
        """Take nothing new."""
        self.stopping = True
        self.alarm.ring()

    async def work(self) -> None:
        """One pass."""
        raise NotImplementedError

    async def wait_s(self) -> float:
        """How long nothing will be due, in seconds."""
        return TICK_S


@dataclass(frozen=True)
class _Free:
    """How many more may be worked on."""

    polls: int
    others: int


class TimerLoop(Loop):
    """Claims due timers and hands each to the handler of its kind, side by side.

    Levels go first, and never wait for room: when everything times out, people are to hear of it.
    Polls have a room of their own, where a target that hangs takes one place of a thousand: it holds
    up neither another target nor other work. With ``only``, timers of that kind alone are claimed.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        clock: Clock,
        only: str | None = None,
    ) -> None:
        super().__init__("timer", clock)
        self._database = database
        self._handlers = handlers
        self._only = only
        self._polls: set[asyncio.Task[None]] = set()
        self._others: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        free = self._free()
        if not await self._database.read(_any_due, free, self._only):
            return
        for timer in await self._database.write(_claim, free, self._only):
            task = asyncio.create_task(self._handle(timer), name=f"{timer.kind} {timer.subject}")
            room = self._polls if timer.kind == POLL else self._others
            room.add(task)
            task.add_done_callback(room.discard)

    async def wait_s(self) -> float:
        due = await self._database.read(_next_due, self._free(), self._only)
        return TICK_S if due is None else (due - self._clock.now()) / 1000

    async def drain(self, within_s: float) -> None:
        """Let what was claimed come to its end; cut off what takes longer: its lease runs out."""
        if tasks := self._polls | self._others:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()

    def _free(self) -> _Free:
        return _Free(
            polls=max(0, POLLS_AT_ONCE - len(self._polls)),
            others=max(0, AT_ONCE - len(self._others)),
        )

    async def _handle(self, timer: Timer) -> None:
        logs.about(incident=timer.incident_id)
        try:
            await self._handlers[timer.kind](timer)
        except Exception:
            log.exception("the %s timer %s failed; it is tried again", timer.kind, timer.subject)


class DeliveryLoop(Loop):
    """Brings the outbox into the world."""

    def __init__(self, delivery: Delivery, clock: Clock) -> None:
        super().__init__("delivery", clock)
        self._delivery = delivery

    async def work(self) -> None:
        await self._delivery.work()


class UpkeepLoop(Loop):
    """Looks after the bot itself, once a second."""

    def __init__(self, keeper: Keeper, clock: Clock) -> None:
        super().__init__("upkeep", clock)
        self._keeper = keeper

    async def work(self) -> None:
        await self._keeper.work()


def _any_due(tx: Tx, free: _Free, only: str | None) -> bool:
    due = _next_due(tx, free, only)
    if due is not None and due <= tx.now:
        return True
    return only is None and timers.any_due(tx, URGENT)


def _next_due(tx: Tx, free: _Free, only: str | None) -> int | None:
    """When the soonest timer is due for which there is room."""
    if only is not None:
        return timers.next_due(tx, only) if free.others else None
    if free.polls and free.others:
        return timers.next_due(tx)
    if free.polls:
        return timers.next_due(tx, POLL)
    return timers.next_due(tx, but=POLL) if free.others else None


def _claim(tx: Tx, free: _Free, only: str | None) -> list[Timer]:
    if only is not None:
        return timers.claim(tx, free.others, only)
    return [
        *timers.claim(tx, AT_ONCE, URGENT),
        *timers.claim(tx, free.others, but=POLL),
        *timers.claim(tx, min(free.polls, AT_ONCE), POLL),
    ]

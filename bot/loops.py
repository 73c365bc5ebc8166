"""The loops of a running bot: due timers, due messages, and the bot itself. They sleep until something is due.

Each sleep is one of the monotonic clock and ends after a second at the latest, so that a missed wake-up, or a
wall clock that is set, costs a second and no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

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
URGENT = "level"

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


class TimerLoop(Loop):
    """Claims due timers and hands each to the handler of its kind, side by side.

    Levels go first, and never wait until slow polls have made room: when everything times out, people
    are to hear of it. With ``only``, timers of that kind alone are claimed.
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
        self._tasks: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        free = AT_ONCE - len(self._tasks)
        if not await self._database.read(_any_due, free > 0, self._only):
            return
        for timer in await self._database.write(_claim, max(0, free), self._only):
            task = asyncio.create_task(self._handle(timer), name=f"{timer.kind} {timer.subject}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def wait_s(self) -> float:
        due = await self._database.read(timers.next_due, self._only)
        if due is None or len(self._tasks) >= AT_ONCE:
            return TICK_S
        return (due - self._clock.now()) / 1000

    async def drain(self, within_s: float) -> None:
        """Let what was claimed come to its end; cut off what takes longer: its lease runs out."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                task.cancel()

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


def _any_due(tx: Tx, room: bool, only: str | None) -> bool:
    if not room:
        return only in {None, URGENT} and timers.any_due(tx, URGENT)
    due = timers.next_due(tx, only)
    return due is not None and due <= tx.now


def _claim(tx: Tx, free: int, only: str | None) -> list[Timer]:
    if only is not None:
        return timers.claim(tx, free, only)
    return [*timers.claim(tx, AT_ONCE, URGENT), *timers.claim(tx, free)]

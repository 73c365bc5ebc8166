"""The sign of life: it goes out only after a timer has gone through the store, the rules and the outbox."""

from __future__ import annotations

import asyncio
import logging

from bot.http import Client, RequestFailed
from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.incident import Incident, Severity, Status
from bot.model.policy import Policy
from bot.model.timer import Timer
from bot.rules import escalation
from bot.rules.arming import Seen
from bot.services import course
from bot.services.live import Live
from bot.services.other_ways import NOWHERE
from bot.store import outbox, pages, timers
from bot.store.database import Tx

log = logging.getLogger(__name__)

KIND = "heartbeat"
_TIMEOUT_MS = 10_000
_POLICY = {"levels": [{"after": "0s", "notify": ["channel"]}]}


class Heartbeat:
    """Calls the config's URL whenever the row of a beat has come out of the outbox."""

    def __init__(self, client: Client, live: Live) -> None:
        self._client = client
        self._live = live
        self._calls: set[asyncio.Task[None]] = set()
        self.beats = 0

    def came_through(self) -> None:
        """A beat has gone all the way: say so outside. Nothing waits for the answer."""
        task = asyncio.create_task(self._call(), name="heartbeat")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def close(self) -> None:
        """Let a call come to its end."""
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _call(self) -> None:
        settings = self._live.config.heartbeat
        if settings is None:
            return
        try:
            answer = await self._client.call("POST", settings.url, b"", timeout_ms=_TIMEOUT_MS)
        except RequestFailed as error:
            log.warning("the heartbeat did not arrive: %s", error)
            return
        if answer.status >= 300:
            log.warning("the heartbeat was answered with HTTP %d", answer.status)
        else:
            self.beats += 1


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload."""
    if config.heartbeat is None:
        timers.remove(tx, KIND, "")
    else:
        timers.arm(tx, KIND, "", tx.now)


def beat(tx: Tx, timer: Timer, config: Config) -> None:
    """Decide as about a real incident that was declared just now, and tell it to nobody."""
    if not timers.fire(tx, timer) or config.heartbeat is None:
        return
    timers.arm(tx, KIND, "", tx.now + config.heartbeat.every)
    pages.forget(tx, KIND)
    case = course.case(config, _practice(tx.now), Policy.from_pinned(_POLICY))
    decision = escalation.decide(case, Seen(), tx.now)
    if decision.fire is None:
        log.error("the rules tell nobody of an incident that is due: no heartbeat")
        return
    key = f"{KIND}:{timer.id}:{tx.now}"
    outbox.add(tx, key, KIND, f"{NOWHERE}:{KIND}", {"at": tx.now}, via=NOWHERE)


def _practice(now: int) -> Incident:
    """An incident that is in no table."""
    return Incident(
        id=0,
        title="heartbeat",
        severity=Severity.SEV4,
        status=Status.OPEN,
        policy={},
        declared_by=BOT,
        channel="",
        started_at=now,
        declared_at=now,
        opened_at=now,
    )

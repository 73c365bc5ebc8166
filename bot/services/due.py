"""What each kind of timer does when it is due."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.model.config import Config
from bot.model.reading import Health
from bot.model.timer import Timer
from bot.rules import pace
from bot.rules.known import Values
from bot.services import (
    alerting,
    asking,
    backups,
    deploys,
    detection,
    drill,
    escalation,
    evidence,
    handover,
    heartbeat,
    intake,
    jobs,
    regression,
    silencing,
)
from bot.services.backups import Backups
from bot.services.diagnosis import Diagnosis
from bot.services.healthy import Healthy
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.services.postmortem import Postmortems
from bot.services.running import Running
from bot.store import sketches, timers
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

EVIDENCE_WITHIN_MS = 10_000
LOOK_WITHIN_MS = 3_000  # a level is late by no more than that
PRUNE_EVERY_MS = 300_000
RESERVE_EVERY_MS = 60_000
_ATTEMPTS = 3  # of a diagnosis that somebody waits for


class Due:
    """The handlers of the timer loop, by the timer's kind."""

    def __init__(
        self,
        database: Database,
        monitoring: Monitoring,
        diagnosis: Diagnosis,
        postmortems: Postmortems,
        running: Running,
        copies: Backups,
        live: Live,
    ) -> None:
        self._backups = copies
        self._database = database
        self._monitoring = monitoring
        self._diagnosis = diagnosis
        self._postmortems = postmortems
        self._running = running
        self._healthy = Healthy(database)
        self._live = live

    def handlers(self) -> Mapping[str, Callable[[Timer], Awaitable[None]]]:
        """Every kind of timer that there is."""
        return {
            "poll": self._poll,
            "level": self._level,
            "collect": self._collect,
            "diagnose": self._diagnose,
            "postmortem": self._postmortems.work,
            "run": self._running.due,
            "prune": self._prune,
            "reserve": self._reserve,
            handover.KIND: self._hand_over,
            drill.KIND: self._drill,
            heartbeat.KIND: self._beat,
            silencing.KIND: self._silence,
            silencing.WINDOW: self._window,
            backups.KIND: self._backups.work,
            intake.KIND: self._alerts,
            regression.KIND: self._regression,
            jobs.KIND: self._job,
            jobs.ALIVE: self._alive,
        }

    async def _poll(self, timer: Timer) -> None:
        again = await self._database.write(poll_again, timer, self._live.config)
        target = self._live.config.targets.get(timer.subject)  # a reload may have come in between
        if again and target is not None:
            within = target.timeout + 1_000
            healths = await self._monitoring.refresh((timer.subject,), within, poll=True)
            await self._healthy.keep(healths)
            await self._detect(healths)

    async def _detect(self, healths: Sequence[Health]) -> None:
        """What fails here is logged by the loop: the next poll is armed already."""
        config, books = self._live.config, self._live.books
        if config.detection:
            for health in healths:
                await self._database.write(detection.look, config, books, health)

    async def _regression(self, timer: Timer) -> None:
        await self._database.write(regression.work, timer, self._live.config, self._live.books)

    async def _level(self, timer: Timer) -> None:
        """With fresh readings where a condition asks for them; what is late by then is unknown."""
        config = self._live.config
        wanted = await self._database.read(escalation.wanted, timer, config)
        read: Mapping[str, Values] = {}
        if wanted is not None:
            healths = await self._look(wanted.targets)
            read = await self._database.read(escalation.seen, wanted, healths)
        await self._database.write(escalation.fire, timer, self._live.config, read)

    async def _look(self, names: Sequence[str]) -> Sequence[Health]:
        known = [name for name in names if name in self._live.config.targets]
        if not known:  # a reload took them away
            return ()
        within = min(self._monitoring.time_limit(known), LOOK_WITHIN_MS)
        return await self._monitoring.refresh(known, within)

    async def _collect(self, timer: Timer) -> None:
        assert timer.incident_id is not None
        named = await self._database.read(evidence.wanted, timer.incident_id)
        wanted = [
            evidence.wanted_report(self._diagnosis.new_id(), name, timer.incident_id)
            for name in named
            if name in self._live.config.targets
        ]
        found = await asyncio.gather(
            *(self._diagnosis.report(one, within_ms=EVIDENCE_WITHIN_MS) for one in wanted),
            return_exceptions=True,
        )
        failed = [one for one in found if isinstance(one, BaseException)]
        for error in failed:
            log.error("a part of the evidence failed", exc_info=error)
        made = [one for one in found if not isinstance(one, BaseException)]
        if made or not failed:
            await self._database.write(
                evidence.keep, timer, made, self._live.config, self._live.books
            )
        elif timer.attempts > _ATTEMPTS:
            await self._database.write(evidence.give_up, timer, self._live.config, self._live.books)
        else:
            raise failed[0]

    async def _diagnose(self, timer: Timer) -> None:
        wanted = asking.wanted(timer)

        async def progress(done: int, total: int) -> None:
            await self._database.write(asking.progress, wanted.id, done, total)

        if wanted.target not in self._live.config.targets:
            reason = f"there is no target {wanted.target} any more"
            await self._database.write(asking.give_up, timer, reason)
        elif timer.attempts > _ATTEMPTS:
            await self._database.write(asking.give_up, timer, "it failed: see the bot's log")
        else:
            made = await self._diagnosis.report(wanted, progress=progress)
            await self._database.write(asking.finish, timer, made, self._live.config)

    async def _drill(self, timer: Timer) -> None:
        await self._database.write(drill.look, timer, self._live.config)

    async def _hand_over(self, timer: Timer) -> None:
        await self._database.write(handover.hand_over, timer, self._live.config)

    async def _silence(self, timer: Timer) -> None:
        """What still holds is read first, for it is said with the end."""
        named = await self._database.read(silencing.targets_of, self._live.config, timer)
        seen = await self._look(named)
        await self._database.write(silencing.expire, timer, self._live.config, seen)

    async def _window(self, timer: Timer) -> None:
        named = await self._database.read(silencing.targets_of, self._live.config, timer)
        seen = await self._look(named)
        await self._database.write(silencing.turn, timer, self._live.config, seen)

    async def _beat(self, timer: Timer) -> None:
        await self._database.write(heartbeat.beat, timer, self._live.config)

    async def _alerts(self, timer: Timer) -> None:
        await self._database.write(alerting.settle, timer, self._live.config)

    async def _job(self, timer: Timer) -> None:
        await self._database.write(jobs.miss, timer, self._live.config)

    async def _alive(self, timer: Timer) -> None:
        await self._database.write(jobs.live_on, timer)

    async def _prune(self, timer: Timer) -> None:
        """In portions, so that nobody's commit waits for the samples of a day."""
        keep = self._live.config.samples
        after = 0 if await self._database.write(later, timer, PRUNE_EVERY_MS) else None
        while after is not None:
            after = await self._database.write(sketches.portion, after, keep.raw, keep.hours)
        await self._database.write(deploys.forget, keep.hours)

    async def _reserve(self, timer: Timer) -> None:
        await self._database.write(later, timer, RESERVE_EVERY_MS)
        await asyncio.to_thread(self._database.reserve.refill)


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload: polls, none of what is gone; what comes round; and who is on call."""
    _schedule_polls(tx, config)
    for kind, every in (("prune", PRUNE_EVERY_MS), ("reserve", RESERVE_EVERY_MS)):
        planned = timers.due_of(tx, kind, "")
        if planned is None or planned > tx.now + every:  # by a clock that was ahead
            timers.arm(tx, kind, "", tx.now + every)
    detection.tidy(tx, config)
    regression.schedule(tx, config)
    handover.schedule(tx, config)
    silencing.schedule(tx, config)
    heartbeat.schedule(tx, config)
    jobs.schedule(tx, config)
    intake.schedule(tx, config)
    backups.schedule(tx, config.backups)


def _schedule_polls(tx: Tx, config: Config) -> None:
    """A poll for each target, not later than its ``poll`` says now, though it was put off before.

    They are spread over that time, so that a thousand targets are not asked at once.
    """
    for name in set(timers.armed(tx, "poll")) - set(config.targets):
        timers.remove(tx, "poll", name)
    many = len(config.targets) > 8
    for name, target in config.targets.items():
        planned = timers.due_of(tx, "poll", name)
        if planned is None or planned > tx.now + target.poll * (1 + pace.JITTER):
            spread = random.random() * target.poll if many else 0  # noqa: S311
            timers.arm(tx, "poll", name, tx.now + round(spread))


def poll_again(tx: Tx, timer: Timer, config: Config) -> bool:
    """Arm the next poll before this one is done; False where the target is gone."""
    if not timers.fire(tx, timer):
        return False
    target = config.targets.get(timer.subject)
    if target is None:
        return False
    wait = pace.shifted(target.poll, timer.subject, tx.now)
    timers.arm(tx, "poll", timer.subject, tx.now + wait)
    return True


def later(tx: Tx, timer: Timer, every_ms: int) -> bool:
    """Arm a timer that comes round again; False where its claim was lost."""
    if not timers.fire(tx, timer):
        return False
    timers.arm(tx, timer.kind, timer.subject, tx.now + every_ms)
    return True

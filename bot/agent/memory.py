"""The memory monitor: samples RSS all the time, says who takes the memory once there is too much of it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import psutil

from bot.agent.flight import Flight
from bot.agent.growth import Growth, Sample, Trend
from bot.agent.heap import Consumer, consumers, heap
from bot.agent.part import PartFailed
from bot.agent.reading import MEGABYTE, attempt
from bot.agent.search import NotFound
from bot.agent.watch import Target, Watch
from bot.clock import Clock
from bot.model.agent import LeakRule

LIMIT_S = 2.5
TOO_FEW = "needs more samples"

log = logging.getLogger("bot.agent")


@dataclass(frozen=True)
class Leak:
    """What the monitor thinks: ``current_mb`` is RSS; times in ms since the epoch."""

    rule: LeakRule
    current_mb: float
    trend: Trend | None
    reaches_at: int | None
    consumers: tuple[Consumer, ...] = ()
    unread: str | None = None

    @property
    def over(self) -> bool:
        return self.current_mb > self.rule.threshold_mb

    def json(self) -> dict[str, object]:
        unknown = {}
        if self.trend is None:
            unknown["slope_mb_per_min"] = TOO_FEW
        if self.unread is not None:
            unknown["consumers"] = self.unread
        return {
            "threshold_mb": self.rule.threshold_mb,
            "over": self.over,
            "current_mb": self.current_mb,
            "slope_mb_per_min": self.trend and self.trend.slope_mb_per_min,
            "since": self.trend and self.trend.since,
            "reaches_threshold_at": self.reaches_at,
            "consumers": [one.json() for one in self.consumers],
            "unknown": unknown,
        }


class Monitor:
    """Changes of state happen on the event loop; the reads of /proc aside."""

    def __init__(self, watch: Watch, rule: LeakRule, clock: Clock) -> None:
        self._watch = watch
        self._rule = rule
        self._clock = clock
        self._sampling: Flight[Sample] = Flight("agent-rss", LIMIT_S)
        self._reading: Flight[dict[str, object]] = Flight("agent-heap", LIMIT_S)
        self._ranking: Flight[tuple[list[Consumer] | None, str | None]] = Flight(
            "agent-consumers", LIMIT_S
        )
        self._growth = Growth(rule.window / 1000)
        self._about: psutil.Process | None = None
        self._said = False

    async def run(self) -> None:
        """Sample until cancelled; each crossing of the threshold is logged once, with the consumers."""
        while True:
            try:
                await self._watch_over()
            except (TimeoutError, PartFailed, psutil.Error, OSError) as error:
                log.debug("memory not sampled", extra={"facts": {"error": str(error)}})
            except Exception:
                log.exception("sampling memory failed")
            await asyncio.sleep(self._growth.interval_s)

    async def _watch_over(self) -> None:
        sample = await self.sample()
        over = sample.rss_mb > self._rule.threshold_mb
        if over and not self._said:
            facts = (await self.leak()).json()
            log.warning("memory is over the threshold", extra={"facts": facts})
        self._said = over

    async def sample(self) -> Sample:
        """Raises ``PartFailed`` where there is no process, else what psutil raises."""
        process = self._process()

        def read() -> Sample:
            rss = process.memory_info().rss
            return Sample(self._clock.now(), self._clock.monotonic(), round(rss / MEGABYTE, 3))

        sample = await self._sampling.result(read, about=process)
        if process != self._about:
            self._about, self._said = process, False
            self._growth = Growth(self._rule.window / 1000)
        last = self._growth.last
        if last is None or sample.monotonic - last.monotonic >= self._growth.interval_s / 2:
            self._growth.add(sample)
        return sample

    async def leak(self) -> Leak:
        """Who takes the memory is read only where there is too much of it, or soon will be."""
        sample = await self.sample()
        trend = self._growth.trend()
        reaches_at = None if trend is None else trend.reaches(self._rule.threshold_mb, sample)
        thought = Leak(self._rule, sample.rss_mb, trend, reaches_at)
        if not thought.over and reaches_at is None:
            return thought
        process = self._process()
        found, unread = await self._ranking.result(
            lambda: attempt(lambda: consumers(process)), process
        )
        return Leak(self._rule, sample.rss_mb, trend, reaches_at, tuple(found or ()), unread)

    async def heap(self) -> dict[str, object]:
        """The totals, the largest pieces, and the growth of about the last minute."""
        await self.sample()
        process = self._process()
        data = await self._reading.result(lambda: heap(process), about=process)
        recent = self._growth.recent()
        unknown = data["unknown"]
        if recent is None and isinstance(unknown, dict):
            unknown["growth_mb_per_min"] = TOO_FEW
        growth = {
            "growth_mb_per_min": recent and recent.slope_mb_per_min,
            "since": recent and recent.since,
        }
        return data | growth

    def _process(self) -> psutil.Process:
        found: Target | NotFound = self._watch.found
        if isinstance(found, NotFound):
            raise PartFailed(f"no process: {found.error}")
        return found.process

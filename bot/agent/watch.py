"""Keeps hold of the watched process: finds it, samples its CPU, notices that it was restarted."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bot.agent.cores import allowed_cores
from bot.agent.flight import Flight
from bot.agent.reading import (
    CHEAP,
    PERMISSION_DENIED,
    CpuSample,
    CpuWindow,
    Measured,
    measured,
    read_cheap,
    uss_mb,
)
from bot.agent.search import NotFound, alive, find
from bot.clock import Clock
from bot.model.agent import ProcessRule

INTERVAL_S = 1.0
SEARCH_EVERY_S = 5.0  # also while the process lives: a pid file or a port may have a new owner
USS_EVERY_S = 15.0
LIMIT_S = 2.0  # of each read, so that a whole answer is there within the bot's 5 s
LATE = f"reading it took over {LIMIT_S:g} s"
KEPT = "the process that was found before still runs, and is watched on"

log = logging.getLogger("bot.agent")


@dataclass(frozen=True)
class Target:
    """The process that is watched; ``started_at`` in ms since the epoch, ``note`` why it is doubtful."""

    process: psutil.Process
    name: str
    started_at: int
    cores: float
    note: str | None = None

    def same_process(self, other: object) -> bool:
        """Whether the other target is this very process, not only its pid."""
        return isinstance(other, Target) and self.process == other.process

    def json(self) -> dict[str, object]:
        return {
            "pid": self.process.pid,
            "name": self.name,
            "started_at": self.started_at,
            "cores": round(self.cores, 2),
            "scope": "this process only, its children not included",
            "note": self.note,
        }


@dataclass(frozen=True)
class Metrics:
    """All readings of one moment."""

    target: Target
    at: int
    readings: tuple[Measured, ...]

    def json(self) -> dict[str, object]:
        return {
            "target": self.target.json(),
            "at": self.at,
            "readings": [reading.json() for reading in self.readings],
        }


@dataclass(frozen=True)
class _Look:
    """What one look at the host gave: a sample of the CPU times, or why they can't be read."""

    found: Target | NotFound
    searched: bool
    sample: CpuSample | None = None
    refusal: str | None = None


class Watch:
    """All state changes happen on the event loop; the reads of /proc happen aside."""

    def __init__(self, rule: ProcessRule, folder: Path, clock: Clock) -> None:
        self._rule = rule
        self._folder = folder
        self._clock = clock
        self._looking: Flight[_Look] = Flight("agent-look", LIMIT_S)
        self._reading: Flight[tuple[Measured, ...]] = Flight("agent-read", LIMIT_S)
        self._reading_uss: Flight[Measured] = Flight("agent-uss", LIMIT_S)
        self._window = CpuWindow()
        self._uss: tuple[Target, float, Measured] | None = None
        self._searched_at: float | None = None
        self.found: Target | NotFound = NotFound("not looked for yet", "ask again in a second")

    async def run(self) -> None:
        """Look every second until cancelled."""
        while True:
            try:
                await self.look()
            except TimeoutError:
                log.warning("looking at the process takes too long", extra={"facts": self._facts()})
            except Exception:
                log.exception("looking at the process failed", extra={"facts": self._facts()})
            await asyncio.sleep(INTERVAL_S)

    async def look(self, anew: bool = False) -> Target | NotFound:
        """Sample the process. It is searched for when it ended, when that is due, and with ``anew``.

        Raises ``TimeoutError``.
        """
        since = self._clock.monotonic()
        due = self._searched_at is None or since - self._searched_at >= SEARCH_EVERY_S
        before = self.found
        seen = await self._looking.result(lambda: self._look(before, due or anew))
        if seen.searched:
            self._searched_at = since
        self._keep(seen)
        return self.found

    async def present(self) -> Target | NotFound:
        """The process as it is now, or as it was found last where looking takes too long."""
        try:
            return await self.look(anew=isinstance(self.found, NotFound))
        except TimeoutError:
            return self.found

    async def metrics(self) -> Metrics | NotFound:
        """Everything that can be read now; what can't be is in it with its reason."""
        found = await self.present()
        if isinstance(found, NotFound):
            return found
        now = self._clock.now()
        cpu = self._window.readings(found.cores, self._clock.monotonic(), now)
        cheap, uss = await asyncio.gather(self._cheap(found, now), self._uss_of(found, now))
        return Metrics(found, now, (*cpu, *cheap, uss))

    async def _cheap(self, target: Target, now: int) -> tuple[Measured, ...]:
        try:
            return await self._reading.result(
                lambda: read_cheap(target.process, now), about=target.process
            )
        except TimeoutError:
            return tuple(Measured(metric, None, LATE, now) for metric in CHEAP)

    async def _uss_of(self, target: Target, now: int) -> Measured:
        monotonic = self._clock.monotonic()
        if self._uss is not None and self._uss[0].same_process(target):
            _, taken, known = self._uss
            if monotonic - taken < USS_EVERY_S:
                return known
        try:
            fresh = await self._reading_uss.result(
                lambda: measured("uss_mb", lambda: uss_mb(target.process), now),
                about=target.process,
            )
        except TimeoutError:
            return Measured("uss_mb", None, LATE, now)
        self._uss = (target, monotonic, fresh)
        return fresh

    def _look(self, before: Target | NotFound, search: bool) -> _Look:
        """Runs aside from the loop."""
        current = before if isinstance(before, Target) and alive(before.process) else None
        search = search or (current is None and isinstance(before, Target))
        found = self._search(current) if search else current or before
        if isinstance(found, NotFound):
            return _Look(found, search)
        try:
            times = found.process.cpu_times()
        except psutil.AccessDenied:
            return _Look(found, search, refusal=PERMISSION_DENIED)
        except psutil.NoSuchProcess:
            return _Look(found, search)
        sample = CpuSample(self._clock.now(), self._clock.monotonic(), times.user + times.system)
        return _Look(found, search, sample)

    def _search(self, current: Target | None) -> Target | NotFound:
        """A process that lives is kept although the search lost it: it may have closed its port."""
        found = find(self._rule, self._folder)
        if isinstance(found, NotFound):
            return found if current is None else replace(current, note=f"{found.error}; {KEPT}")
        try:
            return Target(
                found, found.name(), round(found.create_time() * 1000), allowed_cores(found.pid)
            )
        except psutil.Error as error:
            return NotFound(
                f"process {found.pid} can't be read: {error}", "run the agent as the service's user"
            )

    def _keep(self, seen: _Look) -> None:
        before, self.found = self.found, seen.found
        if isinstance(seen.found, NotFound):
            self._window = CpuWindow()
            if before != seen.found:
                log.warning("process not found", extra={"facts": self._facts()})
            return
        if not seen.found.same_process(before):
            self._window = CpuWindow()
            log.info("process found", extra={"facts": self._facts()})
        self._window.refusal = seen.refusal
        if seen.sample is not None:
            self._window.add(seen.sample)

    def _facts(self) -> dict[str, object]:
        found = self.found
        if isinstance(found, NotFound):
            return {"error": found.error, "next": found.next}
        return {"pid": found.process.pid, "name": found.name, "started_at": found.started_at}

"""The only door to measurements. A poll and a person's question share one request."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.clock import Clock
from bot.collect import agent, health, metrics
from bot.collect import vantage as elsewhere
from bot.errors import StoreError
from bot.http import Client
from bot.model.config import Config
from bot.model.reading import Check, Health, Reach, Reading, Verdict
from bot.model.target import Target
from bot.model.vantage import Vantage
from bot.rules import pace, vantage, verdict, window
from bot.rules.measured import first_known
from bot.rules.verdict import Said
from bot.services.live import Live
from bot.store import samples, timers
from bot.store.database import Database, Tx
from bot.store.samples import Sample

log = logging.getLogger(__name__)

POLL = "poll_ms"
SAID = "health_verdict"
"""What the health URL said at a poll: the verdict's rank, and the reason."""
_REMEMBERED = 200
_AGENT_METRICS = (
    "cpu_percent",
    "memory_mb",
    "cpu_core_percent",
    "uss_mb",
    "threads",
    "open_files",
    "uptime_s",
)
"""Those that are held against a bound are unknown, not unmeasured, while the agent is away."""


@dataclass(frozen=True)
class _Measurement:
    """One under way, with the config that it began with: a reload may take its target away."""

    task: asyncio.Task[Health]
    config: Config
    since: int


class Monitoring:
    """Measures targets, keeps the samples, and judges."""

    def __init__(self, database: Database, client: Client, live: Live, clock: Clock) -> None:
        self._database = database
        self._client = client
        self._live = live
        self._clock = clock
        self._under_way: dict[str, _Measurement] = {}
        self._tasks: set[asyncio.Task[Health]] = set()
        self._silences: dict[str, int] = {}
        self._put_off: set[str] = set()
        self._took_ms: dict[str, float] = {}
        self._shown: OrderedDict[tuple[str, int], Health] = OrderedDict()

    async def refresh(
        self, targets: Sequence[str], within_ms: int, since: int = 0, *, poll: bool = False
    ) -> tuple[Health, ...]:
        """The health of each target, in order; one that is late is unknown, the rest is on time.

        A measurement that is late goes on, so that asking again soon gets its result. One that began
        before ``since`` (milliseconds since the epoch) is not shared: it may not see what changed then.
        ``poll``: it is the target's own poll, and the next one comes later while nothing answers.
        """
        # Who took longest last time is asked first: the whole is over when the slowest is.
        order = sorted(dict.fromkeys(targets), key=lambda name: -self._took_ms.get(name, 0.0))
        measuring = {name: self._measuring(name, since, poll=poll) for name in order}
        tasks = [one.task for one in measuring.values()]
        await asyncio.wait(tasks, timeout=within_ms / 1000)
        return tuple(self._read(name, measuring[name]) for name in targets)

    def time_limit(self, names: Sequence[str]) -> int:
        """How long the slowest of the targets may take, in milliseconds; none named: of all."""
        config = self._live.config
        chosen = [target for name, target in config.targets.items() if not names or name in names]
        return 500 + max((target.timeout for target in chosen), default=0)

    def shown(self, target: str, at: int) -> Health | None:
        """A health that was shown not long ago, as it was."""
        return self._shown.get((target, at))

    async def close(self) -> None:
        """Give up what is still being measured."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _measuring(self, name: str, since: int, *, poll: bool) -> _Measurement:
        known = self._under_way.get(name)
        if known is not None and known.since >= since:
            return known
        config = self._live.config
        task = asyncio.create_task(self._measure(name, config, poll=poll), name=f"measure {name}")
        self._tasks.add(task)
        task.add_done_callback(partial(self._measured, name))
        self._under_way[name] = _Measurement(task, config, self._clock.now())
        return self._under_way[name]

    def _measured(self, name: str, task: asyncio.Task[Health]) -> None:
        self._tasks.discard(task)
        known = self._under_way.get(name)
        if known is not None and known.task is task:
            del self._under_way[name]

    async def _measure(self, name: str, config: Config, *, poll: bool) -> Health:
        target = config.targets[name]
        now = self._clock.now()
        (check, there), given = await asyncio.gather(
            self._looked(target, now), self._given(target, config, now)
        )
        self._took_ms[name] = check.elapsed_ms
        said = vantage.settled(check, there, target.health)
        again_in = self._again_in(name, target, check, poll=poll)
        readings = await self._kept(name, target, check, said, given, again_in)
        now = self._clock.now()
        found = verdict.judge(
            name, said, check.word, readings, config.baselines, config.critical, now
        )
        silent = check.reach in vantage.SILENT
        found = replace(found, silent=silent, views=vantage.views(check, there, target.health))
        self._remember(found)
        return found

    async def _looked(self, target: Target, now: int) -> tuple[Check, Vantage | None]:
        """What the health URL says; where it gives no answer, what the agent on its host sees too."""
        check = await health.check(self._client, target, now)
        silent = check.reach in vantage.SILENT
        return check, await elsewhere.look(self._client, target, now) if silent else None

    async def _kept(
        self,
        name: str,
        target: Target,
        check: Check,
        said: Said,
        given: tuple[Reading, ...],
        again_in: int | None,
    ) -> tuple[Reading, ...]:
        """All readings, stored; a store that takes nothing hides no target that is down."""
        try:
            return await self._database.write(_record, name, target, check, said, given, again_in)
        except StoreError as error:
            log.error("what was measured of %s can't be stored: %s", name, error)
            reason = "the polls can't be stored: see the bot's log"
            own = [
                verdict.missing(metric, self._clock.now(), window.SOURCE, reason)
                for metric in _own(target)
            ]
            return first_known([*given, *own])

    def _again_in(self, name: str, target: Target, check: Check, *, poll: bool) -> int | None:
        """In how many milliseconds the next poll should be; None where it is planned already.

        Who asks between two polls may bring the next one forward, or put it off once for a busy target;
        whoever asked again and again would keep it from ever coming.
        """
        silent = check.reach in vantage.SILENT
        if silent and not poll:
            return None
        self._silences[name] = self._silences.get(name, 0) + 1 if silent else 0
        again_in = pace.interval(target.poll, self._silences[name], check.retry_after)
        usual, put_off = again_in == target.poll, name in self._put_off
        if usual:
            self._put_off.discard(name)
            return again_in if put_off else None
        self._put_off.add(name)
        return again_in if poll or not put_off else None

    async def _given(self, target: Target, config: Config, now: int) -> tuple[Reading, ...]:
        """What its sources say, in the order in which they count."""
        sources = (metrics.measure(self._client, target, one, now) for one in target.metrics)
        found = await asyncio.gather(*sources, self._agent(target, config, now))
        return tuple(reading for readings in found for reading in readings)

    async def _agent(self, target: Target, config: Config, now: int) -> tuple[Reading, ...]:
        if target.agent is None:
            return ()
        return await agent.measure(self._client, target.agent, _wanted(config), now)

    def _read(self, name: str, measurement: _Measurement) -> Health:
        """What came of it: one that failed in the bot itself is unknown, and spoils no other."""
        if not measurement.task.done():
            waited = (self._clock.now() - measurement.since) / 1000
            late = self._unread(name, measurement, f"no answer yet after {waited:.1f} s")
            return replace(late, late=True)
        error = measurement.task.exception()
        if error is not None:
            log.error("reading %s failed", name, exc_info=error)
            return self._unread(name, measurement, "the bot failed at reading it: see its log")
        return measurement.task.result()

    def _unread(self, name: str, measurement: _Measurement, reason: str) -> Health:
        config = measurement.config
        now = self._clock.now()
        said = verdict.Said(Verdict.UNKNOWN, reason, failed=False)
        unread = sources(config.targets[name], config)
        readings = first_known(
            [verdict.missing(one, now, source, "not read yet") for one, source in unread]
        )
        return verdict.judge(name, said, None, readings, config.baselines, config.critical, now)

    def _remember(self, found: Health) -> None:
        self._shown[(found.target, found.at)] = found
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)


def _wanted(config: Config) -> list[str]:
    """What verdicts, and the conditions of levels and of rules, need of an agent."""
    asked = config.asked
    return [
        one
        for one in _AGENT_METRICS
        if one in config.baselines or one in config.critical or one in asked
    ]


def sources(target: Target, config: Config) -> list[tuple[str, str]]:
    """Which source may give which metric, in the order in which they count."""
    named = [(metric, source.label) for source in target.metrics for metric in source.values]
    agents = [(metric, agent.SOURCE) for metric in _wanted(config)] if target.agent else []
    return [*named, *agents, *((metric, window.SOURCE) for metric in _own(target))]


def _own(target: Target) -> tuple[str, ...]:
    """What the bot's own polls tell of the target: nothing where a Prometheus is asked instead."""
    return window.METRICS if target.polled else ()


def _record(
    tx: Tx,
    name: str,
    target: Target,
    check: Check,
    said: Said,
    given: tuple[Reading, ...],
    again_in: int | None,
) -> tuple[Reading, ...]:
    """Keep the poll and one reading a metric: of the first source that has it, the bot's own last."""
    if again_in is not None:
        # Later only: not before the time that a busy one asked for.
        wait = pace.shifted(again_in, name, tx.now, earlier=False)
        timers.move(tx, "poll", name, tx.now + wait)
    own = _polls(tx, name, target, check, said) if target.polled else ()
    readings = first_known((*given, *own))
    measured = [(one.metric, Sample(one.at, one.value, one.reason)) for one in readings]
    heard = Sample(check.at, said.verdict.rank, said.reason)
    samples.add_all(tx, name, [(SAID, heard), *measured])
    return readings


def _polls(tx: Tx, name: str, target: Target, check: Check, said: Said) -> tuple[Reading, Reading]:
    """Keep the poll, and what the last ones together say."""
    if said.counts:
        timed = check.reach in {Reach.ANSWERED, Reach.TIMED_OUT}
        reason = (check.problem or f"HTTP {check.http_status}") if said.failed else None
        sample = Sample(check.at, check.elapsed_ms if timed else None, reason)
        samples.add(tx, name, POLL, sample)
    polls = [
        window.Poll(one.at, one.value, one.reason is not None)
        for one in samples.since(tx, name, POLL, tx.now - target.window)
    ]
    return window.readings(polls, target.window, tx.now)

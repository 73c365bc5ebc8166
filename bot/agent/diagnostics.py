"""All parts at once: what is late or fails leaves the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot import __version__
from bot.agent.flight import Flight
from bot.agent.logs import Logs
from bot.agent.memory import Monitor
from bot.agent.part import Outcome, Part, PartFailed
from bot.agent.probes import Probes
from bot.agent.search import NotFound
from bot.agent.snapshot import Snapshot
from bot.agent.threads import threads
from bot.agent.watch import Target, Watch
from bot.clock import Clock

LIMIT_S = 3.0  # of each part, so that all of it is there within the bot's 5 s


class Diagnostics:
    """Which parts there are, and their answers, alone or together."""

    def __init__(self, watch: Watch, parts: Sequence[Part], clock: Clock) -> None:
        self._watch = watch
        self._parts = {part.name: part for part in parts}
        self._clock = clock

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._parts)

    async def all(self) -> tuple[dict[str, object], list[Outcome]]:
        """The whole answer, and the parts for whoever counts them."""
        head = await self._head()
        outcomes = await asyncio.gather(
            *(part.outcome(self._clock) for part in self._parts.values())
        )
        return head | {"parts": {one.name: one.json() for one in outcomes}}, list(outcomes)

    async def one(self, name: str) -> tuple[dict[str, object], Outcome]:
        """The same for one part."""
        head = await self._head()
        del head["error"]  # the part says it, where it matters to it
        outcome = await self._parts[name].outcome(self._clock)
        return head | {"part": name} | outcome.json(), outcome

    async def _head(self) -> dict[str, object]:
        found = await self._watch.present()
        target, error = (None, found.error) if isinstance(found, NotFound) else (found.json(), None)
        return {
            "at": self._clock.now(),
            "version": __version__,
            "target": target,
            "error": error,
        }


def parts_of(
    watch: Watch, monitor: Monitor, logs: Logs, probes: Probes, clock: Clock
) -> list[Part]:
    """Those that every agent has."""
    snapshot = Snapshot(watch, clock)
    looking: Flight[dict[str, object]] = Flight("agent-threads", LIMIT_S)

    async def read_threads() -> dict[str, object]:
        found: Target | NotFound = watch.found
        if isinstance(found, NotFound):
            raise PartFailed(f"no process: {found.error}")
        process = found.process
        return await looking.result(lambda: threads(process, clock), about=process)

    async def read_leak() -> dict[str, object]:
        return (await monitor.leak()).json()

    async def read_probes() -> dict[str, object]:
        return probes.list()

    return [
        Part("snapshot", snapshot.read, LIMIT_S),
        Part("threads", read_threads, LIMIT_S),
        Part("heap", monitor.heap, LIMIT_S),
        Part("leak", read_leak, LIMIT_S),
        Part("logs", logs.read, LIMIT_S),
        Part("probes", read_probes, LIMIT_S),
    ]

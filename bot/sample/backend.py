"""The oracle behind the service: how long a call takes and whether it fails, as the visitor broke it."""

from __future__ import annotations

import asyncio
import random
from enum import StrEnum

HEALTHY_SECONDS = (0.005, 0.025)
SLOW_SECONDS = (0.7, 1.2)
FAILING_SHARE = 0.3
DEGRADED_WORK = 0.4
MAX_INSTANCES = 16


class Mode(StrEnum):
    """What the visitor chose on the panel."""

    HEALTHY = "healthy"
    SLOW = "slow"
    FAILING = "failing"
    LEAKING = "leaking"
    BURNING = "burning"
    OVERLOADED = "overloaded"
    DOWN = "down"


class Answer(StrEnum):
    """Where an answer came from."""

    FRESH = "fresh"
    CACHED = "cached"


class BackendFailedError(Exception):
    """The oracle behind the service did not answer."""


class Backend:
    """Mode and mitigations, and what they do to each call.

    An open breaker answers from the cache and never calls the oracle; scaling out divides the work by the
    number of instances; degraded mode leaves out what is not essential.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.SystemRandom()
        self.mode = Mode.HEALTHY
        self.restore()

    def restore(self) -> None:
        """Take all mitigations back."""
        self.breaker_open = False
        self.instances = 1
        self.degraded = False

    def work(self) -> float:
        """The share of the whole work that this process still does, over 0 and up to 1."""
        return (DEGRADED_WORK if self.degraded else 1.0) / self.instances

    def status(self) -> str:
        """The status word of ``/api/health``."""
        if self.mode is Mode.FAILING and not self.breaker_open:
            return "failing"
        return "ok"

    def call_seconds(self) -> float:
        """How long the next call to the oracle takes."""
        slow = self.mode in {Mode.SLOW, Mode.OVERLOADED}
        shortest, longest = SLOW_SECONDS if slow else HEALTHY_SECONDS
        return self._chance.uniform(shortest, longest) * self.work()

    def next_call_fails(self) -> bool:
        """Scaling out does not mend a failing oracle; degraded mode asks it less often."""
        share = FAILING_SHARE * (DEGRADED_WORK if self.degraded else 1.0)
        return self.mode is Mode.FAILING and self._chance.random() < share

    async def call(self) -> Answer:
        """Call the oracle; raises ``BackendFailedError``."""
        if self.breaker_open:
            return Answer.CACHED
        await asyncio.sleep(self.call_seconds())
        if self.next_call_fails():
            raise BackendFailedError("the oracle backend did not answer")
        return Answer.FRESH

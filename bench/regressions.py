"""What the learned baseline finds: in healthy days nothing, and a deploy that slows a service by a fifth once.

Each service has a day learned. Its response times are compared, and the P95s of its last polls as well, which
is what the bot itself measures and scatters more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.days import DAY_MS, MIDNIGHT, Service, found_in, hours_of, learn
from bench.table import Line

SERVICES, DAYS, DEPLOYS = 200, 5, 100
NOON = 12
FALSE_AIM, FOUND_AIM = 5, 95
_SEEDS = 1_000_000  # of services that no test knows

Days = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class _Found(NamedTuple):
    """Of a hundred deploys at noon: found once on that day, and by the end of the next one."""

    same_day: int
    once: int


async def measure(folder: Path) -> AsyncIterator[Line]:
    """False ones in a thousand healthy days, by both kinds of samples; then the deploys."""
    for what, days in (("response times", Service.days), ("P95s of polls", Service.polled_days)):
        yield _false(what, [_healthy(seed, days) for seed in range(SERVICES)])
    yield _deploys(_found([_deployed(seed) for seed in range(DEPLOYS)]))


def _healthy(seed: int, days: Callable[[Service, int], Days]) -> int:
    service = Service(_SEEDS + seed)
    known = learn(hours_of(days(service, 1), MIDNIGHT))
    return len(found_in(known, hours_of(days(service, DAYS), MIDNIGHT + DAY_MS)))


def _deployed(seed: int) -> list[tuple[int, int | None]]:
    service = Service(2 * _SEEDS + seed)
    known = learn(hours_of(service.days(1), MIDNIGHT))
    return found_in(known, hours_of(service.days(2, slower_from=NOON), MIDNIGHT + DAY_MS))


def _found(deploys: list[list[tuple[int, int | None]]]) -> _Found:
    begun = [one[0][0] for one in deploys if len(one) == 1 and one[0][1] is None]
    after = [hour for hour in begun if hour > NOON]
    return _Found(sum(hour < 24 for hour in after), len(after))


def _false(what: str, found: list[int]) -> Line:
    return Line(
        what=f"false regressions in {SERVICES * DAYS:,} healthy days, {what}",
        ours=f"{SERVICES} services, a day learned",
        beside="none",
        result=sum(found),
        low=min(found),
        high=max(found),
        unit="found",
        aim=FALSE_AIM,
    )


def _deploys(found: _Found) -> Line:
    return Line(
        what=f"{DEPLOYS} deploys at noon, slower by a fifth, found once",
        ours=f"{found.same_day} on the same day",
        beside="none",
        result=found.once,
        low=found.once,
        high=found.once,
        unit="by the next midnight",
        aim=FOUND_AIM,
        at_least=True,
    )

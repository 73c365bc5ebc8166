"""Takes turns between works, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

Work = Callable[[int], Awaitable[object]]

WARM_UP = 30
BLOCKS = 10
"""A run is cut into this many blocks; each gives one figure, and the spread is between them."""


async def _nothing() -> None: ...


async def take_turns(
    rounds: int, *works: Work, between: Callable[[], Awaitable[None]] = _nothing
) -> list[list[float]]:
    """How long each work took in each round, in milliseconds. Every round begins with another work.

    A work is given the number of its round, from 0; the rounds of the warm-up come first. What is
    done ``between`` works is not measured.
    """
    took: list[list[float]] = [[] for _ in works]
    for number in range(WARM_UP + rounds):
        for turn in range(len(works)):
            at = (number + turn) % len(works)
            began = time.perf_counter()
            await works[at](number)
            took[at].append((time.perf_counter() - began) * 1000)
            await between()
    return [times[WARM_UP:] for times in took]


def in_blocks(
    figure: Callable[..., float], *series: Sequence[float]
) -> tuple[float, tuple[float, float]]:
    """A figure of the medians of several series, and the lowest and highest that a block gave."""
    size = max(1, len(series[0]) // BLOCKS)
    starts = range(0, len(series[0]) - size + 1, size)
    found = [figure(*(median(one[at : at + size]) for one in series)) for at in starts]
    return figure(*map(median, series)), (min(found), max(found))

"""A chart's points as what a line can be drawn from: where it breaks, with no more than a screen shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from bot.model.chart import Limit, Point

Run = list[tuple[float, float]]
"""Known readings that are joined by a line: (at, value)."""

MOST = 2_000


def runs(points: Sequence[Point], joined_within: int | None = None, most: int = MOST) -> list[Run]:
    """The stretches of known readings, in order; a gap lies between any two of them.

    Of more than ``most`` readings the lowest and the highest of each short while are kept, so that
    peaks stay; gaps shorter than such a while are closed then, as nobody could see them.
    """
    found = list(_split(points, joined_within))
    if sum(map(len, found)) <= most:
        return found
    start, end = found[0][0][0], found[-1][-1][0]
    while_ = max(1.0, (end - start) / (most // 2 - 1))
    return [_thinned(run, start, while_) for run in _closed(found, while_)]


def beyond(run: Run, limit: Limit) -> Iterator[Run]:
    """The parts of a run that break a limit, from and to where its line crosses it."""
    part: Run = []
    for (at, value), (next_at, next_value) in pairwise([*run, run[-1]]):
        broken, next_broken = limit.broken_by(value), limit.broken_by(next_value)
        if broken:
            part.append((at, value))
        if broken != next_broken:
            share = (limit.bound.limit - value) / (next_value - value)
            part.append((at + share * (next_at - at), limit.bound.limit))
        if part and not next_broken:
            yield part
            part = []
    if part:
        yield part


def _split(points: Sequence[Point], joined_within: int | None) -> Iterator[Run]:
    run: Run = []
    for point in points:
        lost = joined_within is not None and run and point.at - run[-1][0] > joined_within
        if run and (lost or not point.known):
            yield run
            run = []
        if point.known and point.value is not None:
            run.append((point.at, point.value))
    if run:
        yield run


def _closed(found: Sequence[Run], while_: float) -> Iterator[Run]:
    joined = list(found[0])
    for run in found[1:]:
        if run[0][0] - joined[-1][0] > while_:
            yield joined
            joined = []
        joined += run
    yield joined


def _thinned(run: Run, start: float, while_: float) -> Run:
    kept: Run = []
    for _, group in groupby(run, key=lambda point: int((point[0] - start) / while_)):
        together = list(group)
        ends = {min(together, key=_value), max(together, key=_value)}
        kept += sorted(ends)
    return kept


def _value(point: tuple[float, float]) -> float:
    return point[1]

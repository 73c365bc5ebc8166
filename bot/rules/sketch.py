"""Statistics of many values from their sketches, which can be merged: hours into days.

A value falls into the bucket of its magnitude: each reaches 2 % further than the one before, so that
a bucket's middle is within 1 % of every value in it (the log histogram of Masson, Rim and Lee,
"DDSketch", 2019). Buckets are numbered in the order of their values: 0 is zero, a negative value has
the number of its magnitude with a minus.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil as _ceil
from math import log as _log

from bot.model.sketch import COUNT_BYTES, EMPTY, Buckets, Sketch

ERROR = 0.01
"""The most by which a quantile is off, as a part of the exact one."""
LARGEST = 1e100
"""Larger magnitudes count as this one, so that no sum of squares is infinite."""
SMALLEST = 1e-9
"""Smaller magnitudes count as zero in the histogram."""
_GAMMA = (1 + ERROR) / (1 - ERROR)
_PER_LOG = 1 / math.log(_GAMMA)
_FIRST = 1 - math.ceil(math.log(SMALLEST) * _PER_LOG)


def of(values: Iterable[float]) -> Sketch:
    """The sketch of the values; what is not a number is left out."""
    kept = list(values)
    if not kept:
        return EMPTY
    least, most = min(kept), max(kept)
    if not (math.isfinite(sum(kept)) and least >= -LARGEST and most <= LARGEST):
        return of([max(-LARGEST, min(LARGEST, value)) for value in kept if not math.isnan(value)])
    return Sketch(
        count=len(kept),
        sum=math.fsum(kept),
        squares=math.fsum([value * value for value in kept]),
        min=least,
        max=most,
        buckets=_run(kept, positive=least >= SMALLEST),
    )


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """The sketch of all the values of the sketches: the sums up to rounding, the rest exactly."""
    some = [sketch for sketch in sketches if sketch.count]
    if len(some) < 2:
        return some[0] if some else EMPTY
    return Sketch(
        count=sum(sketch.count for sketch in some),
        sum=math.fsum(sketch.sum for sketch in some),
        squares=math.fsum(sketch.squares for sketch in some),
        min=min(sketch.min for sketch in some),
        max=max(sketch.max for sketch in some),
        buckets=_added([sketch.buckets for sketch in some]),
    )


def mean(sketch: Sketch) -> float:
    """The mean. Raises ``ValueError`` where nothing was counted, as all of these do."""
    _counted(sketch)
    return sketch.sum / sketch.count


def deviation(sketch: Sketch) -> float:
    """The standard deviation of the values themselves (divided by their count, as in the guide).

    From the sums, so it can't tell a deviation below about a hundred-millionth of the mean from none.
    """
    _counted(sketch)
    if sketch.min == sketch.max:
        return 0.0
    return math.sqrt(max(0.0, sketch.squares / sketch.count - mean(sketch) ** 2))


def quantile(sketch: Sketch, part: float) -> float:
    """The nearest-rank quantile, as ``bot.rules.window`` takes its P95, within 1 %; 0.5 is the median.

    The least and the greatest value are exact.
    """
    _counted(sketch)
    if not 0 <= part <= 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {part}")
    rank = max(1, math.ceil(part * sketch.count))
    if rank in {1, sketch.count}:
        return sketch.min if rank == 1 else sketch.max
    reached = list(accumulate(_counts(sketch.buckets)))
    middle = _middle(sketch.buckets.first + bisect_left(reached, rank))
    return max(sketch.min, min(sketch.max, middle))


def _run(values: Sequence[float], *, positive: bool) -> Buckets:
    """``positive``: as nearly every metric is, and then it is done without a call a value."""
    counts = (
        Counter([_ceil(_log(value) * _PER_LOG) + _FIRST for value in values])
        if positive
        else Counter(map(_bucket, values))
    )
    first, last = min(counts), max(counts)
    dense = [counts[number] for number in range(first, last + 1)]
    return Buckets(first, struct.pack(f"<{len(dense)}I", *dense))


def _counts(buckets: Buckets) -> tuple[int, ...]:
    return struct.unpack(f"<{len(buckets)}I", buckets.counts)


def _added(some: Sequence[Buckets]) -> Buckets:
    """Bucket by bucket: each run is one large number with a digit a bucket, so that no loop is needed."""
    first = min(one.first for one in some)
    last = max(one.first + len(one) for one in some)
    total = sum(
        int.from_bytes(one.counts, "little") << 8 * COUNT_BYTES * (one.first - first)
        for one in some
    )
    return Buckets(first, total.to_bytes((last - first) * COUNT_BYTES, "little"))


def _bucket(value: float) -> int:
    if value >= SMALLEST:
        return math.ceil(math.log(value) * _PER_LOG) + _FIRST
    if value <= -SMALLEST:
        return -math.ceil(math.log(-value) * _PER_LOG) - _FIRST
    return 0


def _middle(number: int) -> float:
    if number == 0:
        return 0.0
    edge = math.exp((abs(number) - _FIRST) / _PER_LOG)
    return math.copysign(2 * edge / (1 + _GAMMA), number)


def _counted(sketch: Sketch) -> None:
    if sketch.count == 0:
        raise ValueError("nothing was counted: there are no statistics of no values")

"""Many values in a small record: how many, their sums and extremes, and a histogram by magnitude."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import accumulate, chain
from typing import Self

Buckets = tuple[tuple[int, int], ...]
"""Pairs of a bucket's number and how many values fell into it, in the order of the values."""


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """``sum``, ``squares`` (the sum of the squares), ``min`` and ``max`` are exact, in the metric's unit.

    Which values fall into which bucket is told by ``bot.rules.sketch``. Where nothing was counted,
    everything is 0.
    """

    count: int
    sum: float
    squares: float
    min: float
    max: float
    buckets: Buckets

    @classmethod
    def parse(cls, text: str) -> Self:
        """What ``text`` wrote."""
        facts = json.loads(text)
        return cls(**facts | {"buckets": unpacked(facts["buckets"])})

    def text(self) -> str:
        """As JSON; the same text for the same values."""
        return json.dumps(asdict(self) | {"buckets": packed(self.buckets)}, separators=(",", ":"))


EMPTY = Sketch(count=0, sum=0.0, squares=0.0, min=0.0, max=0.0, buckets=())


def packed(buckets: Buckets) -> list[int]:
    """Each bucket as two small numbers: its distance from the one before, and its count."""
    before = chain((0,), (number for number, _ in buckets))
    return list(
        chain.from_iterable(
            (number - last, count) for last, (number, count) in zip(before, buckets, strict=False)
        )
    )


def unpacked(numbers: list[int]) -> Buckets:
    """What ``packed`` wrote."""
    return tuple(zip(accumulate(numbers[::2]), numbers[1::2], strict=True))

"""Many values in a small record: how many, their sums and extremes, and a histogram by magnitude."""

from __future__ import annotations

import json
import zlib
from binascii import a2b_base64, b2a_base64
from dataclasses import asdict, dataclass
from typing import Self

COUNT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Buckets:
    """A run of buckets without a gap: the number of its first one, and the count of each.

    A count is 32 bits, little-endian. The numbers' meaning is told by ``bot.rules.sketch``.
    """

    first: int = 0
    counts: bytes = b""

    @classmethod
    def parse(cls, text: str) -> Self:
        """What ``text`` wrote."""
        first, _, counts = text.partition(" ")
        return cls(int(first), zlib.decompress(a2b_base64(counts)))

    def text(self) -> str:
        """``1210 eJwz...``: an hour of latencies is some hundred characters."""
        return f"{self.first} {b2a_base64(zlib.compress(self.counts), newline=False).decode()}"

    def __len__(self) -> int:
        """How many buckets the run has."""
        return len(self.counts) // COUNT_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """``sum``, ``squares`` (the sum of the squares), ``min`` and ``max`` are exact, in the metric's unit.

    Where nothing was counted, everything is 0.
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
        return cls(**facts | {"buckets": Buckets.parse(facts["buckets"])})

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self) | {"buckets": self.buckets.text()})


EMPTY = Sketch(count=0, sum=0.0, squares=0.0, min=0.0, max=0.0, buckets=Buckets())

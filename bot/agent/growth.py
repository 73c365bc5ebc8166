"""Whether memory grows: samples over a window, their trend, and when it would reach a threshold."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

MINUTE_S = 60.0
FEWEST = 5
STEADY = 0.9
"""The correlation of time and memory from which on growth is a trend: a cache that fills once, or a
collector's saw, stays below."""
HORIZON_MS = 24 * 3_600_000
"""What a trend would reach later than this is not worth a word."""


@dataclass(frozen=True)
class Sample:
    """Resident memory at a moment: ``at`` in ms since the epoch, ``monotonic`` in s."""

    at: int
    monotonic: float
    rss_mb: float


@dataclass(frozen=True)
class Trend:
    """``steady``: whether it grew all the time, rather than up and down; ``since`` in ms."""

    slope_mb_per_min: float
    steady: bool
    since: int

    def reaches(self, threshold_mb: float, last: Sample) -> int | None:
        """When, in ms since the epoch, memory gets over the threshold; None: not within a day."""
        if not self.steady or self.slope_mb_per_min <= 0 or last.rss_mb > threshold_mb:
            return None
        minutes = (threshold_mb - last.rss_mb) / self.slope_mb_per_min
        wait_ms = minutes * 60_000
        return round(last.at + wait_ms) if wait_ms <= HORIZON_MS else None


class Growth:
    """The samples of one process within ``window_s``; ``INTERVAL`` of it lies between them."""

    SAMPLES = 120

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._samples: deque[Sample] = deque()

    @property
    def interval_s(self) -> float:
        """How often a sample is worth taking."""
        return min(15.0, max(0.5, self._window_s / self.SAMPLES))

    @property
    def last(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)
        while sample.monotonic - self._samples[0].monotonic > self._window_s:
            self._samples.popleft()

    def trend(self) -> Trend | None:
        """Of the whole window; None while the samples are too few or too close."""
        if len(self._samples) < FEWEST or self._span_s() < min(MINUTE_S, self._window_s / 4):
            return None
        minutes = [one.monotonic / MINUTE_S for one in self._samples]
        sizes = [one.rss_mb for one in self._samples]
        if min(sizes) == max(sizes):
            return Trend(0.0, False, self._samples[0].at)
        slope = statistics.linear_regression(minutes, sizes).slope
        steady = statistics.correlation(minutes, sizes) >= STEADY
        return Trend(round(slope, 3), steady, self._samples[0].at)

    def recent(self) -> Trend | None:
        """Of about the last minute: the difference between its ends."""
        if len(self._samples) < 2:
            return None
        last = self._samples[-1]
        first = _about(self._samples, last.monotonic - MINUTE_S)
        minutes = (last.monotonic - first.monotonic) / MINUTE_S
        return Trend(round((last.rss_mb - first.rss_mb) / minutes, 3), False, first.at)

    def _span_s(self) -> float:
        return self._samples[-1].monotonic - self._samples[0].monotonic


def _about(samples: Sequence[Sample], monotonic: float) -> Sample:
    """The last sample that is not younger, else the first."""
    older = [one for one in samples if one.monotonic <= monotonic]
    return older[-1] if older else samples[0]

"""Days of samples as services really give them, with drifts and short bursts; and what is found in them."""

from __future__ import annotations

import math

import numpy as np

from bot.model.regression import HOUR_MS, Learned, RegressionSettings, Untold
from bot.model.sketch import Sketch
from bot.rules import learned, sketch

MIDNIGHT = 1_749_945_600_000
"""2025-06-15 00:00 UTC, in milliseconds since the epoch."""
METRIC = "response_time_p95_ms"
SETTINGS = RegressionSettings()
PER_HOUR = 120
POLLS = 10
DAY_MS = 24 * HOUR_MS


class Service:
    """A service's response time in ms, a value each 30 s; the same seed gives the same days."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def days(
        self, many: int, *, slower_from: int | None = None, by: float = 1.2
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """One row an hour; ``slower_from``: from that hour on all is ``by`` times as slow."""
        draw, count = self._random, many * 24 * PER_HOUR
        day = np.arange(count) / (24 * PER_HOUR)
        shape = 1 + 0.25 * np.sin(2 * np.pi * (day - 0.35)) + 0.08 * np.sin(4 * np.pi * (day - 0.1))
        days = np.repeat(np.exp(draw.normal(0, 0.015, many)), 24 * PER_HOUR)
        drift = np.repeat(np.exp(self._wandering(many * 24, 0.015)), PER_HOUR)
        noise = np.exp(draw.normal(0, 0.3, count) + self._wandering(count, 0.12))
        values = 120 * shape * days * drift * noise
        for _ in range(draw.poisson(many)):
            start, length = draw.integers(count), draw.integers(4, 20)
            values[start : start + length] *= draw.uniform(1.3, 3)
        if slower_from is not None:
            values[slower_from * PER_HOUR :] *= by
        return values.reshape(many * 24, PER_HOUR)

    def polled_days(
        self, many: int, *, slower_from: int | None = None, by: float = 1.2
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """The same as the bot tells it of its own polls: each value the P95 of the last ten, their worst."""
        times = self.days(many, slower_from=slower_from, by=by).reshape(-1)
        before = np.concatenate([times[: POLLS - 1], times])
        worst = np.lib.stride_tricks.sliding_window_view(before, POLLS).max(axis=1)
        return worst.reshape(many * 24, PER_HOUR)

    def _wandering(
        self, count: int, scatter: float
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Each value keeps seven tenths of the one before it."""
        steps = self._random.normal(0, scatter * math.sqrt(1 - 0.49), count).tolist()
        value = 0.0
        found = []
        for step in steps:
            value = 0.7 * value + step
            found.append(value)
        return np.array(found)


def hours_of(
    rows: np.ndarray[tuple[int, int], np.dtype[np.float64]], first: int
) -> dict[int, Sketch]:
    """A sketch an hour, from ``first`` on."""
    return {first + at * HOUR_MS: sketch.of(row.tolist()) for at, row in enumerate(rows)}


def learn(hours: dict[int, Sketch], metric: str = METRIC) -> Learned:
    """A window of at least six hours."""
    known = learned.learn(metric, hours, SETTINGS)
    assert known is not None
    return known


def found_in(known: Learned, hours: dict[int, Sketch]) -> list[tuple[int, int | None]]:
    """When regressions begin and end, looked at after every hour; hours since the first."""
    found: list[tuple[int, int | None]] = []
    opened = None
    for number, at in enumerate(sorted(hours)):
        change = learned.compare(METRIC, known, hours, at, "higher", SETTINGS)
        if isinstance(change, Untold):
            continue
        if opened is None and change.shows:
            opened = number
        elif opened is not None and change.gone:
            found.append((opened, number))
            opened = None
    return found if opened is None else [*found, (opened, None)]

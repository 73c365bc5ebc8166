"""Regressions by a learned baseline: like with like, the hours now with the same hours of a healthy window.

Each hour's P95 stands against that hour's P95, and its mean against its mean, as a ratio. One worse hour
says little, and neither do a few bursts: nearly all of the last five, eight or twelve hours must be worse by
more than the threshold, and the middle one by more than what the learned window itself scatters. P95s scatter
more, and more wildly, than means: they need eight hours at least, and more of a difference.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bot.model.regression import (
    HOUR_MS,
    Change,
    Learned,
    RegressionSettings,
    Statistic,
    Untold,
    Usual,
    hour_of_day,
)
from bot.model.sketch import Sketch
from bot.model.units import unit_of
from bot.rules import sketch as sketches
from bot.rules.regression import CLOSES_AT, Worse, worse_by

Hours = Mapping[int, Sketch]
"""Sketches by the start of their hour, in milliseconds since the epoch."""
STATISTICS: tuple[Statistic, ...] = ("mean", "p95")
SPANS: Mapping[Statistic, tuple[int, ...]] = {"mean": (5, 8, 12), "p95": (8, 12)}
"""So many hours back it looks; the shorter finds a large step, the longer a small one."""
LOOKS_BACK = max(map(max, SPANS.values()))
LEAST_HOURS = 6
"""A window with fewer hours shows neither a day's shape nor how much its hours scatter."""
_NEWEST = 4
"""Of so many hours two must be worse for it to last: it neither ends nor begins anew by an hour's accident."""
_Z: Mapping[Statistic, float] = {"mean": 3.2, "p95": 4.0}
"""How many standard deviations are no accident, with an hour a look, two figures and many metrics."""
_BETWEEN_DAYS = 0.03
"""Two healthy days differ by that, whatever the hours of one of them scatter."""
_LEAST_NOISE = 0.01  # a sketch's own error
_UNKNOWN_NOISE = 0.1  # where no hour of the window has both neighbours
_DAY_MS = 24 * HOUR_MS
# Smaller values than these are all alike: 2 % of CPU are not twice as bad as 1 %.
_LEAST = {"ms": 5.0, "%": 5.0, "MB": 10.0}
_LEAST_OF = {"error_rate_percent": 0.1}


def learn(metric: str, hours: Hours, settings: RegressionSettings) -> Learned | None:
    """From whole hours; None where fewer than six have enough samples."""
    full = {at: one for at, one in hours.items() if one.count >= settings.min_samples}
    if len(full) < LEAST_HOURS:
        return None
    by_hour: dict[int, list[Sketch]] = defaultdict(list)
    for at, one in sorted(full.items()):
        by_hour[hour_of_day(at, settings.timezone)].append(one)
    merged = {hour: _usual(sketches.merged(some)) for hour, some in sorted(by_hour.items())}
    each = {at: _usual(one) for at, one in full.items()}
    noise: dict[str, float] = {which: _noise(metric, each, which) for which in STATISTICS}
    return Learned(merged, noise, settings.timezone)


def compare(
    metric: str,
    learned: Learned,
    hours: Hours,
    newest: int,
    worse: Worse,
    settings: RegressionSettings,
) -> Change | Untold:
    """The last hours, up to the one that begins at ``newest``, against the same hours of the window.

    Where it shows a regression, the figure that says so most clearly; else the mean of the shortest span.
    """
    looked_at = [newest - back * HOUR_MS for back in range(LOOKS_BACK)]
    read = [at for at in looked_at if at in hours and hours[at].count >= settings.min_samples]
    pairs = [
        _Pair(at, _usual(hours[at]), usual, _least(metric), worse)
        for at in read
        if (usual := learned.usual(at)) is not None
    ]
    left_out = len(read) - len(pairs)
    found = [
        change
        for which in STATISTICS
        for span in SPANS[which]
        if (change := _over(span, pairs, newest, which, learned, metric, settings)) is not None
    ]
    if not found:
        reason = f"{len(pairs)} of the last {LOOKS_BACK} hours can be compared"
        beside = f"; the learned window doesn't have {left_out}" if left_out else ""
        return Untold(metric=metric, method="learned", reason=f"{reason}{beside}")
    lately = len(_since(pairs, newest, _NEWEST)) * 2 > _NEWEST  # no data is no good news
    gone = lately and not any(_still(pairs, newest, which, settings) for which in STATISTICS)
    showing = [one for one in found if one.shows]
    told = max(showing, key=lambda one: one.confidence, default=found[0])
    return replace(told, left_out=left_out, gone=gone)


@dataclass(frozen=True)
class _Pair:
    """An hour and the same hour as it was learned; ``least``: smaller values are all alike."""

    at: int
    now: Usual
    before: Usual
    least: float
    worse: Worse

    def figures(self, which: Statistic) -> tuple[float, float]:
        """Now, and as it was learned; what is too small to matter as the smallest that does."""
        return max(self.now.of(which), self.least), max(self.before.of(which), self.least)

    def ratio(self, which: Statistic) -> float:
        """The logarithm of how much worse it is: above 0 is worse."""
        now, before = self.figures(which)
        ratio = math.log(now / before)
        return ratio if self.worse == "higher" else -ratio

    def degradation(self, which: Statistic) -> float:
        """How much worse it is, as the guide counts it."""
        return worse_by(*self.figures(which), self.worse)


def _over(
    span: int,
    pairs: Sequence[_Pair],
    newest: int,
    which: Statistic,
    learned: Learned,
    metric: str,
    settings: RegressionSettings,
) -> Change | None:
    """The hours of a span by one figure, told by the middle one; None where over a third is missing."""
    used = sorted(
        _since(pairs, newest, span), key=lambda one: one.ratio(which)
    )  # the worst is last
    if len(used) * 3 < span * 2:
        return None
    middle, low = used[(len(used) - 1) // 2], used[max(0, len(used) // 4 - 1)]
    # The middle of many scatters by sqrt(pi / 2) more than their mean, and the learned hours scatter too.
    noise = math.hypot(learned.noise[which] * math.sqrt(math.pi / len(used)), _BETWEEN_DAYS)
    shows = (
        low.degradation(which) > settings.threshold
        and middle.ratio(which) > _Z[which] * noise
        and _still(pairs, newest, which, settings)
    )
    return Change(
        metric=metric,
        method="learned",
        statistic=which,
        now=middle.now.of(which),
        before=middle.before.of(which),
        degradation=middle.degradation(which),
        confidence=1 / (1 + noise / middle.ratio(which)) if middle.ratio(which) > 0 else 0.5,
        samples=sum(one.now.count for one in used),
        hours=len(used),
        shows=shows,
    )


def _still(
    pairs: Sequence[_Pair], newest: int, which: Statistic, settings: RegressionSettings
) -> bool:
    """Whether the last hours are worse still: what is over is not told, and closes."""
    last = sorted(one.degradation(which) for one in _since(pairs, newest, _NEWEST))
    return bool(last) and last[len(last) // 2] > settings.threshold * CLOSES_AT


def _since(pairs: Sequence[_Pair], newest: int, span: int) -> list[_Pair]:
    return [one for one in pairs if one.at > newest - span * HOUR_MS]


def _usual(sketch: Sketch) -> Usual:
    return Usual(sketch.count, sketches.mean(sketch), sketches.quantile(sketch, 0.95))


def _least(metric: str) -> float:
    return _LEAST_OF.get(metric, _LEAST.get(unit_of(metric), 1.0))


def _noise(metric: str, hours: Mapping[int, Usual], which: Statistic) -> float:
    """How much an hour's figure scatters, as a ratio: around its neighbours', and from day to day.

    By the middle deviation (1.4826 times it is the standard deviation), so that a burst counts little. The
    difference from the mean of two neighbours has one and a half times an hour's variance, that of two
    days twice.
    """
    logs = {at: math.log(max(one.of(which), _least(metric))) for at, one in hours.items()}
    around = [
        (logs[at] - (logs[at - HOUR_MS] + logs[at + HOUR_MS]) / 2) / math.sqrt(1.5)
        for at in logs
        if at - HOUR_MS in logs and at + HOUR_MS in logs
    ]
    days = [(logs[at] - logs[at - _DAY_MS]) / math.sqrt(2) for at in logs if at - _DAY_MS in logs]
    some = [1.4826 * median(map(abs, one)) for one in (around, days) if one]
    return max(_LEAST_NOISE, *some) if some else _UNKNOWN_NOISE

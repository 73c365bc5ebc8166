"""Whether memory grows, from samples at chosen times."""

import random

import pytest

from bot.agent.growth import HORIZON_MS, Growth, Sample


def growth(*sizes: float, every_s: float = 15.0, window_s: float = 1800.0) -> Growth:
    made = Growth(window_s)
    for number, size in enumerate(sizes):
        made.add(Sample(round(number * every_s * 1000), number * every_s, size))
    return made


def test_a_steady_leak_reaches_the_threshold_when_its_slope_says():
    made = growth(*(100 + number for number in range(21)))
    trend = made.trend()
    assert trend.slope_mb_per_min == pytest.approx(4.0)
    assert trend.steady
    assert trend.since == 0
    assert trend.reaches(512, made.last) == pytest.approx(300_000 + (512 - 120) / 4 * 60_000, abs=2)


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ([100.0] * 30, "level"),
        ([200.0 - number for number in range(30)], "falling"),
        ([100 + number % 10 * 8 for number in range(40)], "a collector's saw"),
        ([100.0] * 15 + [160.0] * 25, "a cache that filled once"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_trend_reaches_nothing(sizes, why):
    made = growth(*sizes)
    assert made.trend().reaches(512, made.last) is None


def test_noise_alone_is_never_a_trend():
    dice = random.Random(7)
    for _ in range(200):
        made = growth(*(200 + dice.gauss(0, 5) for _ in range(120)))
        assert made.trend().reaches(512, made.last) is None


def test_what_would_take_more_than_a_day_is_not_worth_a_word():
    slow = growth(*(100 + number * 0.01 for number in range(60)))
    assert slow.trend().steady
    assert slow.trend().reaches(512, slow.last) is None
    near = slow.trend().reaches(101, slow.last)
    assert near - slow.last.at < HORIZON_MS


def test_over_the_threshold_there_is_nothing_left_to_reach():
    made = growth(*(600 + number for number in range(30)))
    assert made.trend().reaches(512, made.last) is None


@pytest.mark.parametrize(
    ("count", "every_s", "known"),
    [(4, 60.0, False), (5, 10.0, False), (5, 15.0, True), (1, 15.0, False), (0, 15.0, False)],
)
def test_a_trend_wants_five_samples_over_a_minute(count, every_s, known):
    assert (growth(*range(count), every_s=every_s).trend() is not None) is known


def test_samples_older_than_the_window_no_longer_count():
    made = growth(*([500.0] * 10 + [100.0] * 121), window_s=1800)
    assert made.trend().slope_mb_per_min == 0
    assert made.trend().since == 10 * 15_000


def test_the_growth_of_the_last_minute_is_between_its_ends():
    recent = growth(100, 100, 100, 100, 110, 120, 130, 140).recent()
    assert (recent.slope_mb_per_min, recent.since) == (40.0, 45_000)
    assert growth(100, 103, every_s=10).recent().slope_mb_per_min == 18
    assert growth(100).recent() is None


@pytest.mark.parametrize(("window_s", "interval_s"), [(5, 0.5), (600, 5), (1800, 15), (86_400, 15)])
def test_samples_are_taken_as_often_as_the_window_wants(window_s, interval_s):
    assert Growth(window_s).interval_s == interval_s

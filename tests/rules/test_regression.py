"""The guide's formula, against cases that were worked out by hand; and what is said of a regression."""

from __future__ import annotations

import pytest

from bot.model.regression import Change, RegressionSettings, Untold, parse_percent
from bot.model.target import Bound
from bot.rules import regression, sketch
from bot.rules.regression import recommendations, severity, worse_when
from tests.support.configs import config

SETTINGS = RegressionSettings()
BELOW_500, ABOVE_85 = Bound(below=500), Bound(above=85)


def by_the_guide(values: list[float], bound: Bound = BELOW_500) -> Change:
    found = regression.by_the_guide("some_ms", sketch.of(values), bound, SETTINGS)
    assert isinstance(found, Change), found
    return found


@pytest.mark.parametrize(
    ("values", "bound", "degradation", "confidence", "shows"),
    [
        # (600 - 500) / 500; all alike, so nothing takes from the confidence.
        ([600.0] * 10, BELOW_500, 0.2, 1.0, True),
        # mean 600, sigma 200: cv is 1/3.
        ([400.0, 800.0] * 5, BELOW_500, 0.2, 0.75, True),
        # mean 550: exactly at the threshold is not over it.
        ([550.0] * 10, BELOW_500, 0.1, 1.0, False),
        ([551.0] * 10, BELOW_500, 0.102, 1.0, True),
        # mean 400: better by a fifth.
        ([400.0] * 12, BELOW_500, -0.2, 1.0, False),
        # A noisy day hides: nine fast and three slow ones have a mean of 400; sigma 300 * sqrt(3) / sqrt(9).
        ([300.0] * 9 + [700.0] * 3, BELOW_500, -0.2, 400 / (400 + 173.2051), False),
        # mean 1000, twice the bound.
        ([1000.0] * 10, BELOW_500, 1.0, 1.0, True),
        # What falls when it is worse: (85 - 68) / 85.
        ([68.0] * 10, ABOVE_85, 0.2, 1.0, True),
        ([93.5] * 10, ABOVE_85, -0.1, 1.0, False),
        # A mean of 0 has no cv.
        ([0.0] * 10, BELOW_500, -1.0, 0.5, False),
        # Neither has a negative one.
        ([-50.0] * 10, BELOW_500, -1.1, 0.5, False),
    ],
)
def test_the_guides_formula(values, bound, degradation, confidence, shows):
    found = by_the_guide(values, bound)
    assert found.degradation == pytest.approx(degradation, abs=1e-9)
    assert found.confidence == pytest.approx(confidence, abs=1e-6)
    assert found.shows is shows
    assert found.method == "guide"


def test_under_ten_samples_say_nothing():
    found = regression.by_the_guide("some_ms", sketch.of([900.0] * 9), BELOW_500, SETTINGS)
    assert found == Untold(
        metric="some_ms", method="guide", reason="9 samples, at least 10 are needed"
    )


def test_under_three_samples_the_confidence_is_a_half():
    few = RegressionSettings(min_samples=1)
    found = regression.by_the_guide("some_ms", sketch.of([600.0, 600.0]), BELOW_500, few)
    assert isinstance(found, Change)
    assert found.confidence == 0.5


@pytest.mark.parametrize("bound", [Bound(below=0), Bound(above=0), Bound(below=-5)])
def test_a_baseline_of_zero_has_no_degradation(bound):
    found = regression.by_the_guide("some_ms", sketch.of([5.0] * 20), bound, SETTINGS)
    assert isinstance(found, Untold)


def test_it_is_over_only_well_below_the_threshold():
    hovering, over = by_the_guide([530.0] * 10), by_the_guide([524.0] * 10)
    assert (hovering.shows, hovering.gone) == (False, False)
    assert (over.shows, over.gone) == (False, True)


@pytest.mark.parametrize(
    ("degradation", "word"),
    [(0.05, "slight"), (0.11, "minor"), (0.16, "moderate"), (0.26, "severe"), (3.0, "severe")],
)
def test_how_bad_it_is(degradation, word):
    assert severity(degradation) == word


@pytest.mark.parametrize(
    ("metric", "first"),
    [
        ("response_time_p95_ms", "Profile API endpoints for bottlenecks"),
        ("memory_mb", "Check for memory leaks"),
        ("cpu_percent", "Profile CPU-intensive operations"),
        ("error_rate_percent", "Profile application performance"),
        ("queue_length", "Profile application performance"),
    ],
)
def test_the_guides_recommendations_over_half_the_critical_one_first(metric, first):
    assert recommendations(metric, 0.5)[0] == first
    critical, second = recommendations(metric, 0.51)[:2]
    assert critical.startswith("Critical performance regression")
    assert second == first


@pytest.mark.parametrize(
    ("metric", "worse"),
    [
        ("response_time_p95_ms", "higher"),
        ("memory_mb", "higher"),
        ("throughput_rps", "lower"),
        ("overall_score", "lower"),
        ("test_coverage_percent", "lower"),
        ("cache_hit_percent", "lower"),  # its bound says so
        ("queue_length", "higher"),
        ("uptime_s", None),
        ("requests_total", None),
    ],
)
def test_on_which_side_a_metric_is_worse(metric, worse):
    bounds = {"cache_hit_percent": {"above": 50}, "queue_length": {"below": 9}}
    assert worse_when(metric, config(baselines=bounds)) == worse


@pytest.mark.parametrize(("text", "ratio"), [("10%", 0.1), ("12.5 %", 0.125), ("150%", 1.5)])
def test_a_percentage_in_the_config(text, ratio):
    assert parse_percent(text) == pytest.approx(ratio)


@pytest.mark.parametrize("text", ["10", 10, "ten%", "-5%", ""])
def test_what_is_no_percentage(text):
    with pytest.raises(ValueError, match="such as 10%"):
        parse_percent(text)

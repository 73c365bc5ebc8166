"""Sketches: merged they are the sketch of all values, and their quantiles are within 1 % of the exact ones."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.sketch import EMPTY, Sketch
from bot.rules.sketch import ERROR, LARGEST, SMALLEST, deviation, mean, merged, of, quantile
from bot.rules.window import p95

magnitudes = st.floats(SMALLEST, 1e12)
numbers = st.one_of(magnitudes, magnitudes.map(lambda value: -value), st.just(0.0))
many = st.lists(numbers, max_size=200)


def exact(values: list[float], part: float) -> float:
    return sorted(values)[max(1, math.ceil(part * len(values))) - 1]


def within_one_percent(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= abs(wanted) * ERROR * (1 + 1e-9)


@given(many, many, many)
def test_merged_sketches_are_the_sketch_of_all_values(
    first: list[float], second: list[float], third: list[float]
) -> None:
    both = merged(map(of, (first, second, third)))
    whole = of([*first, *second, *third])
    assert (both.count, both.min, both.max) == (whole.count, whole.min, whole.max)
    assert both.buckets == whole.buckets
    assert both.sum == pytest.approx(whole.sum, rel=1e-9, abs=1e-3)
    assert both.squares == pytest.approx(whole.squares, rel=1e-9)


@given(many, many)
def test_it_does_not_matter_what_is_merged_first(first: list[float], second: list[float]) -> None:
    assert merged([of(first), of(second)]) == merged([of(second), of(first)])


@given(many.filter(bool), st.floats(0, 1))
def test_any_quantile_is_within_one_percent_of_the_nearest_rank(
    values: list[float], part: float
) -> None:
    assert within_one_percent(quantile(of(values), part), exact(values, part))


@given(many.filter(bool))
def test_the_p95_is_the_one_that_the_bot_takes_of_its_own_polls(values: list[float]) -> None:
    assert within_one_percent(quantile(of(values), 0.95), p95(values))


@given(many)
def test_json_keeps_everything(values: list[float]) -> None:
    sketch = of(values)
    assert Sketch.parse(sketch.text()) == sketch


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=200))
def test_mean_and_deviation_are_those_of_the_values(values: list[float]) -> None:
    sketch = of(values)
    assert mean(sketch) == pytest.approx(statistics.fmean(values))
    assert deviation(sketch) == pytest.approx(
        statistics.pstdev(values), abs=1e-7 * max(map(abs, values))
    )


def lognormal(dice: random.Random) -> float:
    return dice.lognormvariate(math.log(120), 0.6)


def bimodal(dice: random.Random) -> float:
    return dice.gauss(8, 1) if dice.random() < 0.93 else dice.gauss(900, 120)


def heavy(dice: random.Random) -> float:
    return 40 * dice.paretovariate(1.2)


def percent(dice: random.Random) -> float:
    return min(100.0, max(0.0, dice.gauss(55, 30)))


def rare_errors(dice: random.Random) -> float:
    return 0.0 if dice.random() < 0.97 else dice.uniform(1, 100)


def drift(dice: random.Random) -> float:
    return dice.gauss(-0.5, 2)


def tiny(dice: random.Random) -> float:
    return dice.lognormvariate(math.log(1e-6), 1)


def constant(dice: random.Random) -> float:
    return 256.0


@pytest.mark.parametrize("part", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(
    "shape", [lognormal, bimodal, heavy, percent, rare_errors, drift, tiny, constant]
)
def test_quantiles_of_a_day_in_hours_are_within_one_percent_on_what_looks_real(
    shape: Callable[[random.Random], float], part: float
) -> None:
    dice = random.Random(7)
    hours = [[shape(dice) for _ in range(360)] for _ in range(24)]
    day = [value for hour in hours for value in hour]
    assert within_one_percent(quantile(merged(map(of, hours)), part), exact(day, part))


def test_values_that_are_all_the_same_have_exactly_that_quantile_and_no_deviation() -> None:
    sketch = of([0.1] * 977)
    assert {quantile(sketch, part) for part in (0, 0.5, 0.95, 1)} == {0.1}
    assert deviation(sketch) == 0


def test_the_least_and_the_greatest_value_are_exact() -> None:
    sketch = of([17.3, 4.2, 981.7])
    assert (quantile(sketch, 0), quantile(sketch, 1)) == (4.2, 981.7)
    assert (sketch.min, sketch.max) == (4.2, 981.7)


@pytest.mark.parametrize("ask", [mean, deviation, lambda sketch: quantile(sketch, 0.5)])
def test_no_values_have_no_statistics(ask: Callable[[Sketch], float]) -> None:
    with pytest.raises(ValueError, match="nothing was counted"):
        ask(EMPTY)


def test_no_values_merge_into_nothing() -> None:
    assert merged([]) == of([]) == merged([EMPTY, EMPTY]) == EMPTY
    assert merged([EMPTY, of([3.0])]) == of([3.0])


@pytest.mark.parametrize("part", [-0.1, 1.1, 95, math.nan])
def test_a_quantile_beyond_0_and_1_is_refused(part: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(of([1.0]), part)


def test_what_is_not_a_number_is_left_out_and_what_is_infinite_stays_finite() -> None:
    sketch = of([math.nan, math.inf, -math.inf, 1.0])
    assert (sketch.count, sketch.min, sketch.max) == (3, -LARGEST, LARGEST)
    assert math.isfinite(deviation(sketch))
    assert Sketch.parse(sketch.text()) == sketch


def test_an_hour_of_latencies_is_some_hundred_bytes() -> None:
    dice = random.Random(1)
    assert len(of([lognormal(dice) for _ in range(120)]).text()) < 400

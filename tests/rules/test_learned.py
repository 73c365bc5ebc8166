"""The learned baseline: it finds a step of a fifth within hours, and takes no healthy day for one."""

from __future__ import annotations

import pytest

from bot.model.regression import HOUR_MS, Change, Learned, RegressionSettings, Untold
from bot.rules import learned, sketch
from tests.support.real_days import DAY_MS, MIDNIGHT, Service, hours_of

SETTINGS = RegressionSettings()
METRIC = "response_time_p95_ms"


def learn(hours: dict[int, sketch.Sketch], metric: str = METRIC) -> Learned:
    found = learned.learn(metric, hours, SETTINGS.min_samples)
    assert found is not None
    return found


def compare(known: Learned, hours, newest: int, metric: str = METRIC, worse="higher"):
    return learned.compare(metric, known, hours, newest, worse, SETTINGS)


def found_in(known: Learned, hours: dict[int, sketch.Sketch]) -> list[tuple[int, int | None]]:
    """When regressions begin and end, looked at after every hour; hours since the first."""
    first, found, opened = min(hours), [], None
    for number, at in enumerate(sorted(hours)):
        change = compare(known, hours, at)
        if isinstance(change, Untold):
            continue
        if opened is None and change.shows:
            opened = number
        elif opened is not None and change.gone:
            found.append((opened, number))
            opened = None
    assert first == min(hours)
    return found if opened is None else [*found, (opened, None)]


def steady(value: float, hours: int, first: int = MIDNIGHT, count: int = 20):
    """Hours that are all alike but for two per cent."""
    values = [value * (0.98 if at % 2 else 1.02) for at in range(count)]
    return {first + at * HOUR_MS: sketch.of(values) for at in range(hours)}


@pytest.mark.parametrize("seed", [2, 4, 5])
def test_a_deploy_at_noon_that_slows_it_by_a_fifth_is_one_regression_found_within_hours(seed):
    service = Service(seed)
    known = learn(hours_of(service.days(1), MIDNIGHT))
    day = service.days(1, slower_from=12)
    ((opened, ended),) = found_in(known, hours_of(day, MIDNIGHT + DAY_MS))
    assert 12 < opened <= 18
    assert ended is None


@pytest.mark.parametrize("seed", [2, 4, 5])
def test_the_same_day_without_the_deploy_has_none(seed):
    service = Service(seed)
    known = learn(hours_of(service.days(1), MIDNIGHT))
    assert not found_in(known, hours_of(service.days(1), MIDNIGHT + DAY_MS))


def test_of_a_hundred_such_deploys_most_are_found_once_and_none_before_it_is_there():
    found = []
    for seed in range(100):
        service = Service(1_000 + seed)
        known = learn(hours_of(service.days(1), MIDNIGHT))
        day = service.days(1, slower_from=12)
        found.append(found_in(known, hours_of(day, MIDNIGHT + DAY_MS)))
    once = [one for one in found if len(one) == 1 and one[0][0] > 12]
    print(f"{len(once)} of 100 deploys found, once, the same day")
    assert len(once) >= 85
    assert all(len(one) <= 1 for one in found)


def test_a_thousand_random_healthy_days_give_at_most_five_false_ones():
    false = 0
    for seed in range(200):
        service = Service(seed)
        known = learn(hours_of(service.days(1), MIDNIGHT))
        false += len(found_in(known, hours_of(service.days(5), MIDNIGHT + DAY_MS)))
    print(f"{false} false regressions in 1,000 healthy days")
    assert false <= 5


def test_it_is_over_when_the_last_hours_are_as_they_were():
    service = Service(3)
    known = learn(hours_of(service.days(1), MIDNIGHT))
    days = service.days(2)
    days[6:30] *= 1.4
    ((opened, ended),) = found_in(known, hours_of(days, MIDNIGHT + DAY_MS))
    assert 8 <= opened <= 13
    assert ended is not None
    assert 30 < ended <= 33


def test_like_is_compared_with_like_the_hour_with_the_same_hour():
    """Nights are slow and days are fast: a slow day is found, though no night ever was faster."""
    window = {**steady(300, 12), **steady(100, 12, MIDNIGHT + 12 * HOUR_MS)}
    known = learn(window)
    slow_day = steady(200, 12, MIDNIGHT + DAY_MS + 12 * HOUR_MS)
    change = compare(known, slow_day, max(slow_day))
    assert isinstance(change, Change)
    assert change.shows
    assert change.degradation == pytest.approx(1.0, abs=0.02)
    assert (round(change.now), round(change.before)) == (200, 100)
    night = steady(300, 12, MIDNIGHT + DAY_MS)
    assert compare(known, night, max(night)).shows is False


def test_a_slower_tail_is_told_by_the_p95_though_the_mean_hardly_moves():
    fast, tail = [100.0] * 37 + [150.0] * 3, [100.0] * 37 + [250.0] * 3
    known = learn({MIDNIGHT + at * HOUR_MS: sketch.of(fast) for at in range(24)})
    day = {MIDNIGHT + DAY_MS + at * HOUR_MS: sketch.of(tail) for at in range(12)}
    change = compare(known, day, max(day))
    assert change.shows
    assert change.statistic == "p95"


def test_two_bursts_within_six_hours_are_no_regression():
    known = learn(steady(100, 24))
    hours = steady(100, 12, MIDNIGHT + DAY_MS)
    late = sorted(hours)[-4::2]
    hours |= {at: sketch.of([400.0] * 20) for at in late}
    assert compare(known, hours, max(hours)).shows is False


@pytest.mark.parametrize(("value", "shows"), [(70.0, True), (100.0, False), (140.0, False)])
def test_what_falls_when_it_is_worse(value, shows):
    known = learn(steady(100, 24), "throughput_rps")
    hours = steady(value, 12, MIDNIGHT + DAY_MS)
    change = compare(known, hours, max(hours), "throughput_rps", "lower")
    assert change.shows is shows


def test_hours_that_the_window_does_not_have_are_not_compared_and_counted():
    known = learn(steady(100, 8))
    hours = steady(150, 12, MIDNIGHT + DAY_MS)
    change = compare(known, hours, MIDNIGHT + DAY_MS + 7 * HOUR_MS)
    assert (change.hours, change.left_out) == (8, 0)
    later = compare(known, hours, MIDNIGHT + DAY_MS + 11 * HOUR_MS)
    assert isinstance(later, Change)
    assert later.left_out == 4
    assert later.shows is False  # of the newest three none can be compared
    assert later.gone is False
    never = compare(known, steady(150, 12, MIDNIGHT + 12 * HOUR_MS), MIDNIGHT + 23 * HOUR_MS)
    assert isinstance(never, Untold)
    assert never.reason == (
        "0 of the last 12 hours can be compared; the learned window doesn't have 12"
    )


def test_values_that_are_too_small_to_matter_are_alike():
    known = learn(steady(1.0, 24), "cpu_percent")
    hours = steady(3.0, 12, MIDNIGHT + DAY_MS)
    assert compare(known, hours, max(hours), "cpu_percent").shows is False


def test_errors_where_there_were_none_are_a_regression():
    known = learn({MIDNIGHT + at * HOUR_MS: sketch.of([0.0] * 20) for at in range(24)})
    hours = steady(50.0, 12, MIDNIGHT + DAY_MS)
    change = compare(known, hours, max(hours), "error_rate_percent")
    assert change.shows
    assert (change.before, round(change.now)) == (0.0, 51)


def test_hours_with_too_few_samples_are_neither_learned_nor_compared():
    assert learned.learn(METRIC, steady(100, 24, count=9), 10) is None
    assert learned.learn(METRIC, steady(100, 5), 10) is None
    known = learn(steady(100, 24))
    few = steady(200, 12, MIDNIGHT + DAY_MS, count=9)
    assert isinstance(compare(known, few, max(few)), Untold)


def test_what_was_learned_is_the_same_after_it_was_kept():
    known = learn(hours_of(Service(5).days(2), MIDNIGHT))
    assert Learned.parse(known.json()) == known
    assert set(known.hours) == set(range(24))

"""The learned baseline: it finds a step of a fifth within hours, and takes no healthy day for one."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bench.days import DAY_MS, METRIC, MIDNIGHT, SETTINGS, Service, found_in, hours_of, learn
from bot.model.regression import HOUR_MS, Change, Learned, Untold
from bot.rules import learned, sketch


def compare(known: Learned, hours, newest: int, metric: str = METRIC, worse="higher"):
    return learned.compare(metric, known, hours, newest, worse, SETTINGS)


def steady(value: float, hours: int, first: int = MIDNIGHT, count: int = 20):
    """Hours that are all alike but for two per cent."""
    values = [value * (0.98 if at % 2 else 1.02) for at in range(count)]
    return {first + at * HOUR_MS: sketch.of(values) for at in range(hours)}


def test_deploys_at_noon_that_slow_it_by_a_fifth_are_found_once_most_of_them_on_the_same_day():
    """The others in the night or the next morning: one day alone is not sure enough."""
    found = []
    for seed in range(100):
        service = Service(seed)
        known = learn(hours_of(service.days(1), MIDNIGHT))
        days = service.days(2, slower_from=12)
        found.append(found_in(known, hours_of(days, MIDNIGHT + DAY_MS)))
    once = [one[0][0] for one in found if len(one) == 1 and one[0][0] > 12 and one[0][1] is None]
    same_day = sum(hour < 24 for hour in once)
    print(f"{len(once)} of 100 deploys found once, {same_day} on the same day")
    assert len(once) >= 95
    assert same_day >= 85


@pytest.mark.parametrize("days", [Service.days, Service.polled_days])
def test_a_thousand_random_healthy_days_give_at_most_five_false_ones(days):
    false = 0
    for seed in range(200):
        service = Service(seed)
        known = learn(hours_of(days(service, 1), MIDNIGHT))
        false += len(found_in(known, hours_of(days(service, 5), MIDNIGHT + DAY_MS)))
    print(f"{false} false regressions in 1,000 healthy days")
    assert false <= 5


def test_what_lasts_for_days_is_hardly_ever_told_twice():
    """A noisy hour is not its end: of ten services that stay slow for ten days, one at most is told anew."""
    told = 0
    for seed in range(10):
        service = Service(seed)
        known = learn(hours_of(service.polled_days(1), MIDNIGHT))
        slow = service.polled_days(10, slower_from=12)
        told += len(found_in(known, hours_of(slow, MIDNIGHT + DAY_MS)))
    assert 10 <= told <= 13


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


@pytest.mark.parametrize(("timezone", "false"), [("Europe/Berlin", 0), ("UTC", 1)])
def test_load_that_follows_peoples_clocks_is_compared_with_itself_when_those_change(
    timezone, false
):
    """Learned in June, looked at in December: in UTC every hour of the day has become the one before."""
    settings = SETTINGS.model_copy(update={"timezone": timezone})
    known = learned.learn(METRIC, by_the_clock(datetime(2026, 6, 15, tzinfo=BERLIN)), settings)
    assert known is not None
    assert Learned.parse(known.json()) == known
    assert len(found_in(known, by_the_clock(datetime(2026, 12, 15, tzinfo=BERLIN)))) == false


BERLIN = ZoneInfo("Europe/Berlin")


def by_the_clock(midnight: datetime):
    """A day of a service that is four times as busy in the evening as in the morning."""
    busy = [100 * (1 + 0.6 * math.sin(2 * math.pi * (hour - 12) / 24)) for hour in range(24)]
    first = round(midnight.timestamp() * 1000)
    return {
        first + hour * HOUR_MS: sketch.of([value * 0.98, value * 1.02] * 10)
        for hour, value in enumerate(busy)
    }


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
    assert learned.learn(METRIC, steady(100, 24, count=9), SETTINGS) is None
    assert learned.learn(METRIC, steady(100, 5), SETTINGS) is None
    known = learn(steady(100, 24))
    few = steady(200, 12, MIDNIGHT + DAY_MS, count=9)
    assert isinstance(compare(known, few, max(few)), Untold)


def test_what_was_learned_is_the_same_after_it_was_kept():
    known = learn(hours_of(Service(5).days(2), MIDNIGHT))
    assert Learned.parse(known.json()) == known
    assert set(known.hours) == set(range(24))

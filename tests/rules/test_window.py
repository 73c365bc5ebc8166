"""P95 and error rate of the bot's own polls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.window import MIN_SAMPLES, Poll, p95, readings
from tests.support.clock import NOON

WINDOW = 300_000


def polls(*elapsed: float | None, failed: int = 0) -> list[Poll]:
    """One every ten seconds up to now, the first ``failed`` of them failed."""
    return [
        Poll(NOON - 10_000 * number, value, number < failed) for number, value in enumerate(elapsed)
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([5], 5, id="one value"),
        pytest.param(range(1, 11), 10, id="of ten the tenth"),
        pytest.param(
            range(1, 21), 19, id="of twenty the nineteenth: no value between two is made up"
        ),
        pytest.param(range(1, 22), 20, id="of twenty-one the twentieth"),
        pytest.param(range(1, 101), 95, id="of a hundred the ninety-fifth"),
        pytest.param([9] * 19 + [1], 9, id="order does not matter"),
    ],
)
def test_p95_is_the_nearest_rank(values: Sequence[float], expected: float) -> None:
    assert p95(list(values)) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_p95_is_a_measured_value_that_at_least_95_percent_do_not_exceed(
    values: list[float],
) -> None:
    found = p95(values)
    within = sum(value <= found for value in values)
    below = sum(value < found for value in values)
    assert found in values
    assert within * 100 >= 95 * len(values)
    assert below * 100 < 95 * len(values)


def test_enough_polls_give_both_with_their_count() -> None:
    slow, errors = readings(polls(*[80.0] * 11, 910.0), WINDOW, NOON)
    assert (slow.value, slow.unit, slow.samples, slow.reason) == (910.0, "ms", 12, None)
    assert (errors.value, errors.unit, errors.samples, errors.reason) == (0.0, "%", 12, None)


def test_0_of_12_failed_passes() -> None:
    _, errors = readings(polls(*[80.0] * 12), WINDOW, NOON)
    assert errors.value == 0.0
    assert errors.source == "bot, 0 of 12 failed"


def test_3_of_12_failed_is_a_quarter() -> None:
    _, errors = readings(polls(*[80.0] * 12, failed=3), WINDOW, NOON)
    assert errors.value == 25.0
    assert errors.source == "bot, 3 of 12 failed"


@pytest.mark.parametrize("count", range(MIN_SAMPLES))
def test_fewer_than_ten_are_unknown_with_the_count(count: int) -> None:
    for reading in readings(polls(*[80.0] * count), WINDOW, NOON):
        assert reading.value is None
        assert reading.samples == count
        assert reading.reason is not None
        assert reading.reason.startswith(f"{count} ")
        assert reading.reason.endswith("in 5 min, at least 10 needed")


def test_ten_are_enough() -> None:
    assert all(reading.value is not None for reading in readings(polls(*[80.0] * 10), WINDOW, NOON))


def test_refused_polls_count_as_errors_and_have_no_time() -> None:
    slow, errors = readings(polls(*[None] * 12, failed=12), WINDOW, NOON)
    assert slow.value is None
    assert slow.reason == "0 timed answers in 5 min, at least 10 needed"
    assert errors.value == 100.0


def test_only_the_window_counts() -> None:
    """What is exactly as old as the window is out, what is now is in, the future is out."""
    edges = [
        Poll(NOON - WINDOW, 1.0, failed=True),
        Poll(NOON - WINDOW + 1, 2.0, failed=False),
        Poll(NOON, 3.0, failed=False),
        Poll(NOON + 1, 4.0, failed=True),
    ]
    slow, errors = readings(edges, WINDOW, NOON)
    assert (slow.samples, errors.samples) == (2, 2)
    assert errors.source == "bot, 0 of 2 failed"


def test_a_poll_every_30_seconds_is_enough_for_5_minutes() -> None:
    """The defaults: also when each poll comes three seconds late."""
    late = [Poll(NOON - 33_000 * number, 80.0, failed=False) for number in range(40)]
    assert all(reading.value is not None for reading in readings(late, WINDOW, NOON))

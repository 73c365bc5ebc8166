"""Which chart answers a question: the metric, the window, and what is marked on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.model.answer import Refusal
from bot.model.chart import Mark, Point
from bot.model.target import Target
from bot.rules import charted
from tests.support.clock import NOON
from tests.support.configs import config

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
MEASURED = ["cpu_core_percent", "cpu_percent", "error_rate_percent", "queue_depth", "queue_age_s"]
LONGEST = 90 * DAY


def target(**changes: Any) -> Target:
    written = {"poll": "30s", "health": {"url": "http://127.0.0.1:1/health"}, **changes}
    return Target.model_validate_json(json.dumps(written))


@pytest.mark.parametrize(
    ("word", "metric"),
    [
        ("cpu_percent", "cpu_percent"),
        ("CPU", "cpu_percent"),
        ("error-rate", "error_rate_percent"),
        ("error", "error_rate_percent"),
        ("queue_d", "queue_depth"),
    ],
)
def test_a_metric_is_named_as_it_is_as_people_say_it_or_by_how_it_begins(word, metric):
    assert charted.meant(word, "iora", config(), MEASURED) == metric


@pytest.mark.parametrize(
    ("word", "reason", "remedy"),
    [
        ("queue", "There is no metric `queue`.", "queue_depth"),
        ("cpu_precent", "There is no metric `cpu_precent`.", "Did you mean `cpu_percent`?"),
        ("zzz", "There is no metric `zzz`.", "Measured: cpu_core_percent, cpu_percent,"),
        ("memory", "Memory of iora is not measured.", "Measured: cpu_core_percent, cpu_percent,"),
        ("p95", "P95 of iora is not measured.", "and queue_depth."),
    ],
)
def test_what_is_not_measured_is_refused_with_what_is(word, reason, remedy):
    refused = charted.meant(word, "iora", config(), MEASURED)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason
    assert remedy in refused.remedy


def test_of_a_target_that_was_never_read_that_is_said():
    refused = charted.meant("cpu", "iora", config(), [])
    assert str(refused) == "Nothing was read of iora yet. See `/iora health iora` in a minute."


@pytest.mark.parametrize(
    ("asked", "poll", "window"),
    [
        (None, "30s", 6 * HOUR),
        (None, "1h", 6 * HOUR),
        (MINUTE, "30s", MINUTE),
        (10 * MINUTE, "5m", 10 * MINUTE),
        (LONGEST, "30s", LONGEST),
    ],
)
def test_the_window_is_as_asked_or_the_usual_one(asked, poll, window):
    assert charted.window(asked, "iora", target(poll=poll), LONGEST) == window


@pytest.mark.parametrize(
    ("asked", "poll", "words"),
    [
        (
            MINUTE - 1,
            "30s",
            "A window of 59999ms would show no line: iora is read every 30 s. The shortest is 1m.",
        ),
        (
            9 * MINUTE,
            "5m",
            "A window of 9m would show no line: iora is read every 5 min. The shortest is 10m.",
        ),
        (
            LONGEST + 1,
            "30s",
            "Readings are kept for 90 d, so no chart can be longer. The longest is 90d.",
        ),
    ],
)
def test_a_window_that_is_too_short_or_too_long_is_refused_with_the_reason(asked, poll, words):
    assert str(charted.window(asked, "iora", target(poll=poll), LONGEST)) == words


def uptimes(*readings: tuple[int, float | None]) -> list[Point]:
    """(Seconds after ``NOON``, uptime in seconds)."""
    return [Point(NOON + after * SECOND, uptime) for after, uptime in readings]


@pytest.mark.parametrize(
    ("readings", "began"),
    [
        ([], []),
        ([(0, 100.0)], []),
        ([(0, 100.0), (30, 130.0), (60, 160.0)], []),
        ([(0, 100.0), (30, 12.0), (60, 42.0)], [18]),
        ([(0, 100.0), (30, None), (60, 5.0)], [55]),
        ([(0, 100.0), (30, 1.0), (60, 2.0)], [29, 58]),
        # Rounded, and by a clock that is a little off: not before the reading that came before.
        ([(0, 100.0), (30, 33.0)], [0]),
        ([(0, 2.0), (30, 32.0)], []),
        # Two processes that answer in turn.
        ([(0, 9_000.0), (30, 400.0), (60, 9_060.0), (90, 460.0)], []),
    ],
)
def test_a_restart_is_where_the_uptime_fell_since_the_reading_before(readings, began):
    found = list(charted.restarts(uptimes(*readings)))
    assert found == [Mark(NOON + after * SECOND, "restart") for after in began]

"""A chart in words, and as a line of blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.chart import Chart, Limit, Mark, Point
from bot.model.target import Bound
from bot.render.chart import words
from bot.render.sparkline import sparkline
from tests.support.charts import MINUTE, START, night, p95, points, under


def test_an_incident_in_words() -> None:
    assert words(night()) == (
        "P95 of iora from 2025-06-15 03:00 to 03:59 UTC: 90 ms at first, 93 ms at last, "
        "highest 1,240 ms at 03:33, lowest 90 ms at 03:00. "
        "Baseline (under 500 ms) broken at 03:31, kept again from 03:37; "
        "critical (under 1,000 ms) broken at 03:33, kept again from 03:36. "
        "4 of 60 readings are unknown. "
        "Marked: deploy at 03:29, declared at 03:32, acknowledged at 03:34, resolved at 03:45."
    )


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        (p95(), "UTC: no readings."),
        (p95(None), "UTC: one reading, and it is unknown."),
        (p95(None, None), "UTC: 2 readings, all unknown."),
        (p95(84), "UTC: 84 ms at 03:00, the only reading."),
        (p95(84, 84, 84), "UTC: 84 ms in all 3 readings."),
        (p95(84, None, 84), "UTC: 84 ms in all 2 readings. 1 of 3 readings is unknown."),
        (p95(*[80] * 11, limits=under(500)), "Baseline (under 500 ms) kept."),
        (p95(*[500] * 11, limits=under(500)), "Baseline (under 500 ms) broken throughout."),
        (
            p95(*[80] * 11, 600, limits=under(500)),
            "Baseline (under 500 ms) broken at 03:11, still at the end.",
        ),
        (
            p95(*[80] * 11, 600, 80, 600, None, 80, limits=under(500)),
            "Baseline (under 500 ms) broken 2 times, first at 03:11, kept again from 03:15.",
        ),
        (
            p95(600, *[80] * 11, limits=(Limit("baseline", Bound(above=500)),)),
            "Baseline (over 500 ms) broken at 03:01, still at the end.",
        ),
        (p95(3.1e12, 0.004), "3.1×10¹² ms at first, 0.004 ms at last"),  # noqa: RUF001
        (p95(0.1, 0.0000012), "lowest 1.2×10⁻⁶ ms"),  # noqa: RUF001
    ],
)
def test_what_is_said_of_readings(chart: Chart, said: str) -> None:
    assert said in words(chart)


def test_short_windows_have_seconds_and_long_ones_days() -> None:
    short = p95(84, 90, 100, points=points(84, 90, 100, every=1_000), end=START + 2_000)
    assert "from 2025-06-15 03:00:00 to 03:00:02 UTC" in words(short)
    assert "highest 100 ms at 03:00:02" in words(short)
    day = 24 * 60 * MINUTE
    long = p95(points=points(84, 90, 100, every=day), end=START + 2 * day)
    assert "from 2025-06-15 03:00 to 2025-06-17 03:00 UTC" in words(long)
    assert "highest 100 ms at 17 Jun 03:00" in words(long)


def test_a_window_over_midnight_names_both_days() -> None:
    chart = p95(84, 90, end=START + 22 * 60 * MINUTE)
    assert "from 2025-06-15 03:00 to 2025-06-16 01:00 UTC" in words(chart)


def test_of_many_marks_the_first_are_named() -> None:
    chart = p95(84, 90, marks=tuple(Mark(START + at, f"m{at}") for at in range(100)))
    assert "m5 at 03:00:00, and 94 more." in words(chart)


def test_words_fit_the_description_of_an_image() -> None:
    limits = tuple(Limit("long " * 100, Bound(below=one)) for one in range(50))
    chart = replace(night(), title="long " * 500, limits=limits)
    assert len(words(chart)) == 2_000
    assert "\n" not in words(replace(chart, title="a\nb"))


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 10, "no readings"),
        ([None, None], 10, "·· all unknown"),
        ([84], 10, "▄ 84 ms"),
        ([5, 5, 5], 10, "▄▄▄ first 5 ms, last 5 ms, lowest 5 ms, highest 5 ms"),
        ([0, 0], 10, "▁▁ first 0 ms, last 0 ms, lowest 0 ms, highest 0 ms"),
        (
            [84, 100, None, 1240, 310],
            10,
            "▁▁·█▂ first 84 ms, last 310 ms, lowest 84 ms, highest 1,240 ms (· unknown)",
        ),
        ([1, 9, 1, 1, 1, 1, 1, 1], 4, "█▁▁▁ first 1 ms, last 1 ms, lowest 1 ms, highest 9 ms"),
        ([1e308, -1e308], 9, "█▁ first 1×10³⁰⁸ ms, last -1×10³⁰⁸ ms, "),  # noqa: RUF001
    ],
)
def test_readings_as_a_line_of_blocks(values: list[float | None], width: int, line: str) -> None:
    assert sparkline(points(*values), width, "ms").startswith(line)


def test_a_time_without_readings_is_a_gap_in_the_line() -> None:
    late = [Point(START + (20 + at) * MINUTE, 2.0) for at in range(10)]
    line = sparkline([*points(*[1.0] * 10), *late], 10)
    assert line.startswith("▁▁▁▁··████ first 1, last 2")


@given(st.lists(st.none() | st.floats(), max_size=200), st.integers(-1, 50))
def test_any_readings_fit_the_width(values: list[float | None], width: int) -> None:
    signs = sparkline(points(*values), width).split(" ")[0]
    assert not values or 1 <= len(signs) <= max(1, width)

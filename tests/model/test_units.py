"""Durations and values as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.units import (
    METRIC_UNITS,
    duration_text,
    format_duration,
    format_value,
    parse_duration,
)

S, M, H, D = 1_000, 60_000, 3_600_000, 86_400_000

DURATIONS = {
    "0s": 0,
    "500ms": 500,
    "30s": 30 * S,
    "5m": 5 * M,
    "1h30m": 90 * M,
    "1h 30m": 90 * M,
    " 2D ": 2 * D,
    "1w": 7 * D,
    "1.5h": 90 * M,
    "365d": 365 * D,
}


@pytest.mark.parametrize("text", DURATIONS)
def test_durations_are_read(text: str) -> None:
    assert parse_duration(text) == DURATIONS[text]


@pytest.mark.parametrize(
    "text", ["", "5", 5, None, "-5m", "5 minutes", "m", "1h-30m", "5m!", "1e3s", "nan", "½h"]
)
def test_what_is_no_duration_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="a duration such as 30s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["367d", "60w", "9" * 400 + "h"])
def test_more_than_a_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most a year"):
        parse_duration(text)


@given(st.integers(0, 366 * D))
def test_a_duration_is_written_as_it_is_read(milliseconds: int) -> None:
    assert parse_duration(duration_text(milliseconds)) == milliseconds


WORDS = {
    0: "0 s",
    -5: "0 s",
    499: "0 s",
    45 * S: "45 s",
    89 * S: "89 s",
    90 * S: "90 s",
    119 * S: "119 s",
    6 * M: "6 min",
    89 * M: "89 min",
    90 * M: "1 h 30 min",
    2 * H: "2 h",
    2 * H + 5 * M: "2 h 05 min",
    35 * H: "35 h",
    36 * H: "1 d 12 h",
    48 * H: "2 d",
    76 * H: "3 d 4 h",
}


@pytest.mark.parametrize("milliseconds", WORDS)
def test_durations_are_said_in_short_words(milliseconds: int) -> None:
    assert format_duration(milliseconds) == WORDS[milliseconds]


VALUES = {
    (96.0, "%"): "96 %",
    (0.25, "%"): "0.25 %",
    (0.1, "%"): "0.1 %",
    (12.34, "%"): "12.3 %",
    (910.4, "ms"): "910 ms",
    (1100.0, "MB"): "1,100 MB",
    (0.0, "%"): "0 %",
    (81.0, ""): "81",
    (-3.5, ""): "-3.5",
}


@pytest.mark.parametrize(("value", "unit"), VALUES)
def test_values_carry_their_unit(value: float, unit: str) -> None:
    assert format_value(value, unit) == VALUES[(value, unit)]


@given(st.floats(-1e9, 1e9), st.sampled_from(sorted(set(METRIC_UNITS.values()))))
def test_no_value_is_said_as_zero_that_is_not_nearly_zero(value: float, unit: str) -> None:
    said = format_value(value, unit)
    if abs(value) >= 0.005:
        assert said.split()[0].strip("-0.,")

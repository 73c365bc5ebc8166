"""Counts, median and nearest-rank P90."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.incident import Severity, Status
from bot.rules.statistics import summarize
from tests.support.incidents import incident


def resolve_times(*values: int | None) -> dict[str, Any]:
    found = [incident(time_to_resolve=value) for value in values]
    summary: dict[str, Any] = summarize(found)
    resolved: dict[str, Any] = summary["durations"]["time_to_resolve"]
    return resolved


@pytest.mark.parametrize(
    ("values", "count", "median", "p90"),
    [
        pytest.param((), 0, None, None, id="none"),
        pytest.param((None, None), 0, None, None, id="none resolved yet"),
        pytest.param((7,), 1, 7, 7, id="one"),
        pytest.param((30, 10, None, 20), 3, 20, 30, id="those that are not resolved don't count"),
        pytest.param((1, 2), 2, 2, 2, id="an even number: the mean of the middle, rounded"),
        pytest.param(tuple(range(1, 11)), 10, 6, 9, id="of ten the ninth, not the largest"),
        pytest.param(tuple(range(1, 101)), 100, 50, 90, id="of a hundred the ninetieth"),
    ],
)
def test_median_and_p90(
    values: tuple[int | None, ...], count: int, median: int | None, p90: int | None
) -> None:
    assert resolve_times(*values) == {"count": count, "median": median, "p90": p90}


def test_counts_by_severity_and_status_without_drills() -> None:
    summary = summarize(
        [
            incident(severity=Severity.SEV2),
            incident(Status.RESOLVED, severity=Severity.SEV1),
            incident(Status.RESOLVED, severity=Severity.SEV2),
            incident(drill=True, severity=Severity.SEV4, time_to_acknowledge=1),
        ]
    )
    assert summary["count"] == 3
    assert summary["by_severity"] == {"sev1": 1, "sev2": 2}
    assert summary["by_status"] == {"open": 1, "resolved": 2}

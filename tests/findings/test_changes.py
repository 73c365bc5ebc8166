"""What changed since a target was last healthy."""

from __future__ import annotations

import pytest

from bot.model.report import Snapshot
from bot.rules.changes import changes, facts, wording
from tests.support.clock import NOON


def since(before: dict[str, float], now: dict[str, float]) -> list[str]:
    return [wording(one) for one in changes(Snapshot(target="iora", at=NOON, values=before), now)]


def test_the_biggest_change_is_first():
    before = {"response_time_p95_ms": 84.0, "threads": 12.0, "cpu_percent": 30.0}
    now = {"response_time_p95_ms": 910.0, "threads": 480.0, "cpu_percent": 60.0}
    assert since(before, now) == ["threads 12 -> 480", "P95 84 -> 910 ms", "CPU 30 -> 60 %"]


NOISE = {
    "a few milliseconds": ("response_time_p95_ms", 2.0, 9.0),
    "a few per cent of CPU": ("cpu_percent", 1.0, 4.0),
    "a few threads": ("threads", 2.0, 5.0),
    "a few megabytes": ("memory_mb", 12.0, 25.0),
    "less than a quarter": ("memory_mb", 200.0, 240.0),
    "a limit": ("open_files_limit", 1_024.0, 65_536.0),
    "time that went by": ("uptime_s", 40.0, 4_000.0),
}


@pytest.mark.parametrize("case", NOISE)
def test_noise_is_no_change(case: str):
    metric, before, now = NOISE[case]
    assert since({metric: before}, {metric: now}) == []


def test_what_fell_changed_too():
    assert since({"throughput_rps": 120.0}, {"throughput_rps": 6.0}) == ["throughput 120 -> 6 /s"]


def test_a_restart_is_said_first():
    before = {"uptime_s": 90_000.0, "threads": 12.0}
    assert since(before, {"uptime_s": 40.0, "threads": 90.0}) == [
        "restarted 40 s ago",
        "threads 12 -> 90",
    ]


def test_what_is_not_known_now_is_no_change():
    assert since({"threads": 12.0}, {}) == []


def test_without_a_snapshot_nothing_is_said():
    assert facts(None, {"threads": 12.0}) is None

"""Which findings there are, against which bounds, with the guide's recommendations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.model.config import GUIDE_BASELINES
from bot.model.report import Cause, Snapshot
from bot.rules.findings import findings, recommendations
from tests.support.clock import NOON
from tests.support.reports import collected

HEALTHY = Snapshot(target="iora", at=NOON - 3_600_000, values={"threads": 12.0, "open_files": 31.0})


def found(before: Snapshot | None = None, **changes: Any) -> tuple[Cause, ...]:
    return findings(collected(**changes), before, GUIDE_BASELINES)


def kinds(before: Snapshot | None = None, **changes: Any) -> list[str]:
    return [cause.kind for cause in found(before, **changes)]


def test_a_healthy_target_has_none():
    assert kinds() == []


def test_where_nothing_could_be_read_nothing_is_found():
    assert findings(collected(parts={}), None, GUIDE_BASELINES) == ()


BOUNDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "CPU at 80": ({"snapshot.resources.cpu_percent": 80.0}, []),
    "CPU over 80": ({"snapshot.resources.cpu_percent": 80.1}, ["cpu"]),
    "one thread that fills a core": ({"threads.threads": [{"tid": 1, "name": "a", "cpu_percent": 98.0}]},
                                     ["cpu"]),
    "memory at 512 MB": ({"snapshot.resources.rss_mb": 512.0}, []),
    "memory over 512 MB": ({"snapshot.resources.rss_mb": 512.1}, ["memory"]),
    "10 errors": ({"logs.0.errors": 10}, []),
    "11 errors": ({"logs.0.errors": 11}, ["errors"]),
    "5 timeouts": ({"logs.0.timeouts": 5}, []),
    "6 timeouts": ({"logs.0.timeouts": 6}, ["timeouts"]),
    "P95 in the logs at 500": ({"logs.0.p95_ms": 499.9}, []),
    "P95 in the logs over 500": ({"logs.0.p95_ms": 910.0}, ["slow"]),
    "error rate within the bound": ({"logs.0.error_rate_percent": 0.09}, []),
    "error rate over it": ({"logs.0.error_rate_percent": 2.5}, ["error_rate"]),
    "200 threads": ({"threads.total": 200}, []),
    "201 threads": ({"threads.total": 201}, ["threads"]),
    "819 of 1,024 descriptors": ({"snapshot.files.open": 819}, []),
    "820 of 1,024 descriptors": ({"snapshot.files.open": 820}, ["descriptors"]),
    "a slope that reaches the threshold in an hour": ({"leak.slope_mb_per_min": 5.1}, ["leak"]),
    "a slope that takes longer": ({"leak.slope_mb_per_min": 4.9}, []),
    "a pool in use by 0.8": ({"database": {"connections": {"size": 10, "idle": 2, "use": 0.8}}}, []),
    "a pool in use by more": (
        {"database": {"connections": {"size": 10, "idle": 1, "use": 0.9}}}, ["pool"]),
    "a pool in use by less than 0.3 with 5 idle": (
        {"database": {"connections": {"size": 6, "idle": 5, "use": 1 / 6}}}, []),
    "a pool in use by less than 0.3 with 6 idle": (
        {"database": {"connections": {"size": 7, "idle": 6, "use": 1 / 7}}}, ["idle_pool"]),
    "clients that wait for a lock": (
        {"database": {"connections": {"waiting_clients": 3, "longest_wait_ms": 9_000}}}, ["locks"]),
    "an index that is missing": (
        {"database": {"indexes": {"missing": 1, "advice": [
            {"table": "orders", "reason": "joined without an index", "sql": "CREATE INDEX ..."}]}}},
        ["indexes"]),
    "a full disk": ({"snapshot.system.disks": [{"mount": "/", "used_percent": 97.0}]}, ["disk"]),
    "a machine that is busy with this process": (
        {"snapshot.system.cpu_percent": 90.0, "snapshot.resources.cpu_percent": 46.0}, ["cpu"]),
    "another process that uses the machine": ({"snapshot.system.cpu_percent": 99.0}, ["neighbour"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BOUNDS)
def test_each_bound_is_strict(case: str):
    changes, expected = BOUNDS[case]
    assert kinds(**changes) == expected


GUIDE = {
    "snapshot.resources.cpu_percent": (96.0, "High CPU usage detected - profile for bottlenecks"),
    "snapshot.resources.rss_mb": (900.0, "High memory usage detected - check for leaks"),
    "logs.0.errors": (37, "High error count in logs: 37 errors"),
    "logs.0.timeouts": (8, "Multiple timeouts detected: 8 occurrences"),
    "database": (
        {"connections": {"size": 10, "idle": 1, "use": 0.9}},
        "High connection utilization (90%), consider increasing pool size",
    ),
}


@pytest.mark.parametrize("field", GUIDE)
def test_the_recommendation_is_the_guides(field: str):
    value, expected = GUIDE[field]
    assert recommendations(found(**{field: value})) == [expected]


def test_a_finding_says_value_and_bound():
    (cause,) = found(**{"snapshot.resources.cpu_percent": 96.0})
    assert cause.text == "CPU 96 % of all cores, over 80"
    assert (cause.value, cause.unit, cause.bound) == (96.0, "%", 80.0)
    assert cause.evidence == ("thread tokio-worker-1 (4715) uses 21.9 % of one core",)


def test_the_bots_own_readings_count_where_the_agent_has_nothing():
    changes = {"parts": {}, "readings": {"cpu_percent": 96.0, "response_time_p95_ms": 910.0}}
    assert kinds(**changes) == ["cpu", "slow"]


def test_four_times_the_threads_and_files_of_when_it_was_healthy_are_too_many():
    assert kinds(HEALTHY, **{"threads.total": 60}) == []
    assert kinds(HEALTHY, **{"threads.total": 62}) == ["threads"]
    assert kinds(HEALTHY, **{"snapshot.files.open": 131, "snapshot.files.limit": 65_536}) == [
        "descriptors"
    ]


def test_who_always_had_many_threads_is_not_exploding():
    busy = Snapshot(target="iora", at=NOON, values={"threads": 300.0})
    assert kinds(busy, **{"threads.total": 320}) == []


RANKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "threads before the CPU and the slowness that they bring": (
        {"threads.total": 480, "snapshot.resources.cpu_percent": 97.0, "logs.0.p95_ms": 900.0},
        ["threads", "cpu", "slow"],
    ),
    "a burning CPU before slowness and timeouts": (
        {
            "logs.0.p95_ms": 900.0,
            "logs.0.timeouts": 9,
            "snapshot.resources.cpu_percent": 97.0,
        },
        ["cpu", "timeouts", "slow"],
    ),
    "a leak before the memory that it fills": (
        {"snapshot.resources.rss_mb": 700.0, "leak.slope_mb_per_min": 60.0, "leak.over": True},
        ["leak", "memory"],
    ),
    "descriptors before the errors that they bring": (
        {"snapshot.files.open": 1_020, "logs.0.errors": 400, "logs.0.error_rate_percent": 30.0},
        ["descriptors", "errors", "error_rate"],
    ),
    "errors before the rate of them": (
        {"logs.0.errors": 400, "logs.0.error_rate_percent": 30.0},
        ["errors", "error_rate"],
    ),
    "locks before the pool that they fill": (
        {"database": {"connections": {"size": 10, "idle": 0, "use": 1.0, "waiting_clients": 8}}},
        ["locks", "pool"],
    ),
    "a target that is down before all that follows": (
        {"verdict": "down", "logs.0.errors": 400, "logs.0.timeouts": 9},
        ["down", "timeouts", "errors"],
    ),
}


@pytest.mark.parametrize("case", RANKS)
def test_the_finding_that_explains_most_is_first(case: str):
    changes, expected = RANKS[case]
    causes = found(**changes)
    assert [cause.kind for cause in causes] == expected
    assert causes[0].explained_by is None
    assert all(cause.explained_by in expected for cause in causes[1:])


def test_what_was_as_high_when_all_was_well_explains_nothing_and_comes_last():
    before = Snapshot(target="iora", at=NOON, values={"memory_mb": 700.0})
    first, second = found(before, **{"snapshot.resources.rss_mb": 705.0, "logs.0.p95_ms": 900.0})
    assert (first.kind, second.kind) == ("slow", "memory")
    assert second.stable
    assert first.explained_by is None


def test_the_example_answer_of_the_agent_is_read_as_it_stands():
    example = json.loads(Path("tests/support/diagnostics.json").read_text())
    assert set(example["parts"]) >= {"snapshot", "threads", "heap", "leak", "logs"}
    assert kinds() == []


def test_who_blocks_whom_is_said():
    blocked = {
        "blocker": {"pid": 11, "application": "report"},
        "victim": {"pid": 12},
        "lock": {"relation": "orders"},
    }
    database = {"connections": {"waiting_clients": 1}, "locks": {"blocked": [blocked]}}
    (cause,) = found(database=database)
    assert cause.evidence == ("11 (report) blocks 12 on orders",)


def test_an_index_comes_with_the_statement_that_a_person_may_run():
    advice = {"table": "orders", "reason": "joined without an index", "sql": "CREATE INDEX x;"}
    (cause,) = found(database={"indexes": {"missing": 1, "advice": [advice]}})
    assert cause.recommendation == "Check database query performance: CREATE INDEX x;"

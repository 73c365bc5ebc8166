"""A report has the guide's fields under the guide's names, and nothing in it is made up."""

from __future__ import annotations

import json
import re

from bot.model.report import ID, Report, Snapshot
from bot.render.page import html, upload
from bot.rules.report import emergency, related
from tests.support.clock import NOON
from tests.support.incidents import incident
from tests.support.reports import collected, report

GUIDE = [
    "id",
    "timestamp",
    "issue_description",
    "system_info",
    "performance_metrics",
    "recent_logs",
    "thread_dump",
    "heap_dump",
    "recommendations",
]


def test_the_guides_fields_come_first_under_the_guides_names():
    said = report().json()
    assert list(said)[:9] == GUIDE
    assert ID.fullmatch(said["id"])
    assert said["timestamp"] == "2025-06-15T15:06:40.000Z"
    assert set(said["thread_dump"]) >= {"threads", "total_threads", "timestamp"}
    heap = said["heap_dump"]
    assert set(heap) >= {"total_allocated", "largest_allocation", "allocation_count", "timestamp"}
    assert set(said["performance_metrics"]) >= {"cpu_usage", "memory_usage_mb"}


def test_its_values_are_those_of_the_agent_in_the_guides_units():
    said = report().json()
    assert said["thread_dump"]["total_threads"] == 3
    assert said["heap_dump"]["total_allocated"] == 171_204_000
    assert said["heap_dump"]["largest_allocation"] == 96_400_000
    assert said["performance_metrics"]["memory_usage_mb"] == 212.341
    assert said["system_info"]["system"]["hostname"] == "iora-1"
    assert said["recent_logs"][0]["source"] == "file logs/iora.log"


def test_what_can_not_be_known_is_null():
    assert report().json()["heap_dump"]["allocation_count"] is None
    blind = report(parts={}).json()
    assert blind["heap_dump"]["total_allocated"] is None
    assert blind["thread_dump"] == {
        "threads": [],
        "total_threads": None,
        "timestamp": "2025-06-15T15:06:40.000Z",
        "by_state": None,
        "unknown": {},
    }


def test_a_part_that_failed_is_named_with_its_reason():
    assert report().partial == {"database": "not read within 3 s"}


def test_it_comes_back_from_json_as_it_was():
    made = report(before=Snapshot(target="iora", at=NOON, values={"cpu_percent": 96.0}))
    assert Report.from_json(json.loads(json.dumps(made.json()))) == made


def test_the_emergency_has_the_guides_fields_and_the_related_incidents():
    mine = incident(targets=("iora",))
    same = incident(id=8, targets=("iora", "worker"), started_at=NOON - 86_400_000)
    near = incident(id=9, targets=("worker",), started_at=NOON - 1_800_000)
    far = incident(id=10, targets=("worker",), started_at=NOON - 1_800_001)
    said = emergency(mine, collected(), [mine, same, near, far])
    assert list(said) == [
        "incident_id",
        "timestamp",
        "system_snapshot",
        "performance_snapshot",
        "log_snapshot",
        "active_incidents",
    ]
    assert said["incident_id"] == "INC-7"
    assert list(said["system_snapshot"]) == [
        "process_info",
        "resource_usage",
        "network_connections",
        "open_files",
    ]
    assert said["system_snapshot"]["process_info"]["pid"] == 4711
    assert [one["incident_id"] for one in said["active_incidents"]] == ["INC-8", "INC-9"]
    assert said["active_incidents"][0]["why"] == "same target: iora"
    assert related(far, [mine, same, near, far]) == [same, near]


def test_the_page_shows_all_of_it_and_runs_nothing_from_outside():
    script = "<script>alert(1)</script>"
    made = report(**{"logs.0.recent": [{"at": NOON, "level": "error", "message": script}]})
    page = html(made)
    assert script not in page
    assert "&lt;script&gt;alert(1)" in page
    for shown in ("tokio-worker-1", "Nothing stands out", "iora-1", "not read within 3 s", "4711"):
        assert shown in page, shown
    assert not re.search(r"(src|href)=", page)


def test_the_page_of_a_report_that_knows_nothing_is_a_page_all_the_same():
    assert "not known" in html(report(parts={}))


def test_a_time_that_no_calendar_has_is_shown_as_the_number_that_it_is():
    line = {"at": 10**24, "level": "error", "message": "x"}
    assert str(10**24) in html(report(**{"logs.0.recent": [line], "logs.0.from": -(10**24)}))


def test_the_files_are_named_after_the_report():
    made = report()
    assert upload(made, "html").name == f"{made.id}.html"
    assert json.loads(upload(made, "json").content) == made.json()

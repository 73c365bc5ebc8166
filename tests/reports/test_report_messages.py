"""Every drawing of a diagnosis is within Slack's limits, harmless, and tells all in its text."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.answer import Answer
from bot.model.config import Config
from bot.model.message import Drawing
from bot.model.report import Snapshot
from bot.render.answer import answer
from bot.render.blocks import fit
from bot.render.report import progress, text
from bot.services.asking import summary
from tests.support.clock import NOON
from tests.support.configs import config
from tests.support.drawings import buttons, judge, shown
from tests.support.reports import report

BEFORE = Snapshot(
    target="iora", at=NOON - 3_600_000, values={"response_time_p95_ms": 84.0, "cpu_percent": 20.0}
)
SICK: dict[str, Any] = {
    "snapshot.resources.cpu_percent": 96.0,
    "logs.0.errors": 40,
    "readings": {"cpu_percent": 96.0, "response_time_p95_ms": 910.0},
}


def done(settings: Config | None = None, **changes: Any) -> Drawing:
    said = summary(report(before=BEFORE, **changes), settings or config())
    facts = {"target": "iora", "state": "done", "summary": said}
    return judge(fit(progress(facts)))


PROGRESS = {
    "it begins": {"done": 0, "total": None},
    "3 of 6 parts": {"done": 3, "total": 6},
}


@pytest.mark.parametrize("words", PROGRESS)
def test_the_progress(words: str):
    facts = {"target": "iora", "state": "collecting", **PROGRESS[words]}
    assert judge(progress(facts)).text == f"Diagnosing iora: {words}"


def test_the_result_says_the_verdict_the_findings_and_what_changed():
    drawn = done(**SICK)
    assert "iora is UNHEALTHY" in drawn.text
    assert "first: CPU 96 % of all cores, over 80. High CPU usage detected" in drawn.text
    lines = shown(drawn)
    assert "1. *CPU 96 % of all cores, over 80*" in lines
    assert "when it was healthy: P95 84 -&gt; 910 ms; CPU 20 -&gt; 96 %" in lines
    assert "*PARTIAL* not read: database: not read within 3 s" in lines
    assert "oracle timeout" not in lines
    assert buttons(drawn) == {"Declare": "iora:health:declare"}


def test_log_lines_are_in_the_message_where_the_config_lets_them():
    assert "oracle timeout" in shown(done(config(reports={"logs": "channel"}), **SICK))


def test_where_nothing_was_found_the_result_says_so():
    drawn = done()
    assert "Nothing stands out in what could be read" in drawn.text


@pytest.mark.parametrize("words", ["<!channel> " * 500, "*_~`" * 2_000, "&" * 9_000, "x" * 20_000])
def test_whatever_a_target_says_the_drawings_fit_and_nobody_is_mentioned(words: str):
    hostile: dict[str, Any] = {
        **SICK,
        "threads.threads": [
            {"tid": 1, "name": words, "state": words, "cpu_percent": 96.0, "wait_channel": words}
        ]
        * 100,
        "threads.total": 480,
        "logs.0.recent": [{"at": NOON, "level": "error", "message": words}] * 100,
        "snapshot.files.open": 1_020,
        "snapshot.files.paths": [{"path": words, "count": 3}] * 5,
        "snapshot.system.disks": [{"mount": words, "used_percent": 99.0}] * 5,
    }
    done(config(reports={"logs": "channel"}), **hostile)
    made = report(before=BEFORE, **hostile)
    judge(fit(text(made, "whole")))
    judge(fit(text(made, "log")))
    judge(answer(Answer(kind="report", facts=made.json()), NOON))


def test_a_list_of_reports():
    row = {
        "id": "diag_1750000000_a1b2c3d4e5f6",
        "target": "iora",
        "incident_id": 7,
        "at": NOON,
        "verdict": "unhealthy",
        "finding": "CPU 96 %",
    }
    drawn = judge(answer(Answer(kind="reports", facts={"reports": [row] * 30}), NOON))
    assert drawn.text.startswith("30 diagnostic reports")
    assert "iora UNHEALTHY INC-7: CPU 96 %" in shown(drawn)
    assert (
        "No report is kept yet"
        in judge(answer(Answer(kind="reports", facts={"reports": []}), NOON)).text
    )

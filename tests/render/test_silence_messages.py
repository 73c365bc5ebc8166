"""What people read of silences."""

from __future__ import annotations

from typing import Any

import pytest

from bot.render import silence

MINUTE = 60_000
FACTS: dict[str, Any] = {
    "silence": 3,
    "targets": ["iora"],
    "reason": "deploy",
    "since": 0,
    "until": 30 * MINUTE,
    "by": "slack:T01TEAM:U02BOB",
    "ended_by": None,
    "over": False,
    "muted": 0,
    "names": [],
    "still": [],
    "looked": True,
    "also": None,
}
STILL = {"target": "iora", "verdict": "unhealthy", "reason": "CPU 96 % (critical above 90)"}

OVER = [
    ({}, "The silence of iora is over (deploy, 30 min): nothing was muted; all is healthy now."),
    (
        {"muted": 1, "names": ["cpu-critical on iora"], "still": [STILL]},
        (
            "The silence of iora is over (deploy, 30 min): 1 finding was muted (cpu-critical on iora);"
            " iora is still unhealthy: CPU 96 % (critical above 90)."
        ),
    ),
    (
        {"muted": 7, "names": ["a", "b"], "looked": False},
        (
            "The silence of iora is over (deploy, 30 min): 7 findings were muted (a, b and 5 more);"
            " nothing could be read just now."
        ),
    ),
    (
        {"ended_by": "cli:alice"},
        (
            "The silence of iora is over (deploy, 30 min, ended early by alice (command line)):"
            " nothing was muted; all is healthy now."
        ),
    ),
    (
        {"silence": None, "name": "backup", "targets": [], "by": None, "muted": 1, "names": ["x"]},
        (
            "The maintenance backup of everything is over (deploy, 30 min): 1 finding was muted (x);"
            " all is healthy now."
        ),
    ),
    (
        {"still": [STILL | {"verdict": "unknown", "reason": "no data"}]},
        "The silence of iora is over (deploy, 30 min): nothing was muted; iora is unknown: no data.",
    ),
    (
        {"also": {"name": "maintenance backup", "until": 3_600_000}},
        (
            "The silence of iora is over (deploy, 30 min): nothing was muted; all is healthy now."
            " Still silenced, by maintenance backup until <!date^3600^{time}|01:00 UTC>."
        ),
    ),
]


@pytest.mark.parametrize(("changes", "text"), OVER)
def test_what_is_said_when_it_is_over(changes: dict[str, Any], text: str) -> None:
    assert silence.over(FACTS | changes).text == text


def test_the_answer_says_for_how_long_so_that_a_time_of_tomorrow_is_seen() -> None:
    """``until 14:30`` at 14:31 is nearly a day."""
    facts = FACTS | {"until": 86_340_000, "fresh": True}
    assert ", for 23 h 59 min (deploy)" in silence.silence(facts, 0, True).text
    running = silence.silences({"running": [facts], "windows": []}, 0, True).text
    assert "until <!date^86340^{date_short_pretty} {time}|1970-01-01 23:59 UTC>" in running


def test_what_is_written_as_a_reason_is_no_markup() -> None:
    for drawn in (
        silence.made(FACTS | {"reason": "<!channel> *now*"}),
        silence.over(FACTS | {"reason": "<!channel> *now*"}),
        silence.silence(FACTS | {"reason": "<!channel> *now*", "fresh": True}, 0, True),
        silence.silences({"running": [FACTS | {"reason": "<!channel>"}], "windows": []}, 0, True),
    ):
        assert "<!channel>" not in drawn.text
        assert "<!channel>" not in str(drawn.blocks)


def test_nothing_that_runs_is_said() -> None:
    assert silence.silences({"running": [], "windows": []}, 0, True).text == "Nothing is silenced."

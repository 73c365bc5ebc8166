"""The figures can be had: one command measures, and prints one table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.apps import dispatch, ours
from bench.pairs import in_blocks, take_turns
from bench.table import Line, text
from bot.clock import SystemClock


def line(**changes: object) -> Line:
    values = {"what": "a thing", "ours": "3 us", "beside": "2 us", "unit": "times"}
    figures = {"result": 1.5, "low": 1.4, "high": 1.6}
    return Line(**(values | figures | changes))


def test_a_result_is_held_against_its_aim() -> None:
    rows = text(
        [
            line(aim=1.5),
            line(aim=1.4),
            line(aim=1.5, at_least=True),
            line(aim=1.6, at_least=True),
            line(),
        ]
    ).splitlines()[2:]
    assert [row.split()[-1] for row in rows] == ["reached", "MISSED", "reached", "MISSED", "none"]


async def test_works_take_turns_and_what_is_done_between_them_is_not_measured() -> None:
    order: list[str] = []

    async def one(number: int) -> None:
        order.append("one")

    async def other(number: int) -> None:
        order.append("other")

    async def between() -> None:
        order.append("-")

    times = await take_turns(2, one, other, between=between)
    assert order[:8] == ["one", "-", "other", "-", "other", "-", "one", "-"]
    assert [len(series) for series in times] == [2, 2]


def test_a_figure_is_of_the_medians_and_its_spread_is_between_the_blocks() -> None:
    slow = [2.0] * 50 + [4.0] * 50
    quick = [1.0] * 100
    ratio, (low, high) = in_blocks(lambda a, b: a / b, slow, quick)
    assert (ratio, low, high) == (3.0, 2.0, 4.0)


def bench(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", name]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_one_command_says_the_machine_and_prints_the_table() -> None:
    ran = bench("drawing")
    assert ran.returncode == 0, ran.stderr
    machine, heads, *_ = ran.stdout.splitlines()
    assert "SQLite" in machine
    assert heads.split()[:3] == ["measurement", "ours", "beside"]
    assert "drawing a card" in ran.stdout


def test_a_measurement_that_is_not_there_is_refused_with_those_that_are() -> None:
    ran = bench("nothing")
    assert ran.returncode != 0
    assert "there is no measurement nothing: there are asking, changing" in ran.stderr


async def test_the_app_that_is_measured_is_the_bots_own_and_answers(tmp_path: Path) -> None:
    async with ours(tmp_path / "bench.db", SystemClock()) as (built, _):
        answer = await dispatch(built, "declare sev3 a title")
    assert "INC-1 declared" in answer["text"]

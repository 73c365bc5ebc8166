"""What an incident keeps in numbers: evidence, durations, and the statistics over them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.model.actor import Actor
from tests.support.house import House, config_for, living, standing

MINUTE = 60_000
BOB = Actor.slack("T01TEAM", "U02BOB")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built, living(built, config_for(built.target)) as bot:
        # What a test changes afterwards is not answered by the poll that was under way.
        await built.until(lambda: bot.monitoring._shown, "the first poll")
        yield built


async def said(house: House, text: str) -> Any:
    answer = await house.bot.answer(BOB, text)
    assert not answer["refused"], answer["text"]
    return answer["json"]


def stored(house: House, number: int = 1) -> dict[str, Any]:
    """The incident's row, as any other program reads it from the file."""
    with closing(sqlite3.connect(house.folder / "iora.db")) as connection:
        connection.row_factory = sqlite3.Row
        query = "SELECT * FROM incidents WHERE id = ?"
        return dict(connection.execute(query, (number,)).fetchone())


def minutes(row: dict[str, Any], name: str) -> int | None:
    return None if row[name] is None else round(row[name] / MINUTE)


async def evidence(house: House, number: int = 1) -> dict[str, Any]:
    await house.until_entry(number, "evidence")
    timeline = (await said(house, f"timeline INC-{number}"))["timeline"]
    first = next(entry for entry in timeline if entry["kind"] == "evidence")
    return first["facts"]["healths"][0]


async def test_declaring_keeps_the_readings_of_that_moment(house):
    house.target.cpu = 96.0
    await said(house, "declare sev2 iora API slow")
    found = await evidence(house)
    house.target.cpu = 5.0
    assert found["target"] == "iora"
    assert found["verdict"] == "unhealthy"
    values = {reading["metric"]: reading["value"] for reading in found["readings"]}
    assert values["cpu_percent"] == 96.0
    assert values["memory_mb"] == 120.0
    assert await evidence(house) == found, "evidence does not change afterwards"


async def test_evidence_of_a_dead_target_says_that_it_was_dead(house):
    house.target.status, house.target.body = 503, None
    await said(house, "declare iora is gone")
    found = await evidence(house)
    assert (found["verdict"], found["reason"]) == ("down", "HTTP 503 without a body")


async def test_durations_are_stored_as_they_come_to_be_known(house):
    await said(house, "declare sev3 API slow")
    row = stored(house)
    assert row["time_to_acknowledge"] is None
    house.advance(4 * MINUTE)
    await said(house, "ack")
    house.advance(6 * MINUTE)
    await said(house, "mitigate")
    house.advance(20 * MINUTE)
    await said(house, "resolve")
    row = stored(house)
    names = ("detect", "acknowledge", "mitigate", "resolve")
    assert [minutes(row, f"time_to_{name}") for name in names] == [0, 4, 10, 30]
    assert row["status"] == "resolved"
    assert minutes(row, "resolved_at") - minutes(row, "declared_at") == 30


async def test_an_earlier_start_moves_what_counts_from_it(house):
    await said(house, "declare sev3 API slow")
    house.advance(10 * MINUTE)
    await said(house, "resolve")
    await said(house, "update INC-1 started 30m ago")
    row = stored(house)
    names = ("detect", "acknowledge", "mitigate", "resolve")
    assert [minutes(row, f"time_to_{name}") for name in names] == [20, 10, 30, 30]
    late = await house.bot.answer(BOB, "update INC-1 started 1m ago")
    assert late["refused"]
    assert minutes(stored(house), "time_to_resolve") == 30


async def test_time_after_a_reopening_counts_and_the_time_between_does_not(house):
    await said(house, "declare sev3 API slow")
    house.advance(10 * MINUTE)
    await said(house, "resolve")
    house.advance(60 * MINUTE)
    await said(house, "reopen INC-1")
    row = stored(house)
    assert row["time_to_resolve"] is None
    assert row["resolved_at"] is None
    house.advance(5 * MINUTE)
    await said(house, "ack")
    await said(house, "resolve")
    row = stored(house)
    assert minutes(row, "time_to_resolve") == 15
    assert minutes(row, "closed_ms") == 60
    assert minutes(row, "time_to_acknowledge") == 10, "the first acknowledgement counts"


async def test_statistics_are_count_median_and_p90_over_a_window(house):
    for at, took in enumerate((10, 20, 30, 40, 100)):
        await said(house, f"declare sev{1 + at % 2} number {at}")
        house.advance(took * MINUTE)
        await said(house, "resolve")
    found = await said(house, "stats 7d")
    assert found["count"] == 5
    assert found["by_severity"] == {"sev1": 3, "sev2": 2}
    row = found["durations"]["time_to_resolve"]
    assert row["count"] == 5
    assert round(row["median"] / MINUTE) == 30
    assert round(row["p90"] / MINUTE) == 100
    text = (await house.bot.answer(BOB, "stats 7d"))["text"]
    assert "5 incidents in 7 d" in text
    assert "median 30 min, P90 1 h 40 min (5)" in text
    house.advance(8 * 24 * 60 * MINUTE)
    assert (await said(house, "stats 7d"))["count"] == 0
    assert (await said(house, "stats"))["count"] == 5

"""``/iora diagnose``: acked at once, progress edited in, then findings, and the report as files."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.workspace import faults
from tests.support.house import (
    ALICE,
    BOB,
    INCIDENTS,
    House,
    config_for,
    living,
    standing,
    text_of,
)
from tests.support.reports import example


def reports_of(house: House, channel: str = INCIDENTS) -> list[Any]:
    """The messages of diagnoses, oldest first."""
    return [
        message
        for message in house.messages(channel)
        if (message.metadata or {}).get("event_payload", {}).get("key", "").startswith("report:")
    ]


def files_of(house: House, message: Any) -> dict[str, bytes]:
    """The files in a message's thread, by what their name ends with."""
    return {
        file.name.rpartition(".")[2]: file.content
        for one in house.messages(message.channel)
        if one.thread_ts == message.ts
        for file in one.files
    }


async def whole(house: House, message: Any) -> dict[str, bytes]:
    found = await house.until(
        lambda: len(files_of(house, message)) == 2 and files_of(house, message), "both files"
    )
    return dict(found)


def quick(house: House, agent: str = "") -> dict[str, Any]:
    """The targets of a config, with an agent that has half a second to answer."""
    return {
        "iora": {
            "poll": "1h",
            "health": {"url": f"{house.target.url}/api/health", "status": "status"},
            "agent": {"url": agent or house.target.url, "timeout": "500ms"},
        }
    }


@pytest.fixture
async def house(tmp_path):
    async with standing(tmp_path) as built:
        built.target.parts = example()
        yield built


async def test_the_ack_is_an_answer_and_the_result_is_a_message_with_files_in_its_thread(house):
    house.target.cpu = 96.0
    house.target.parts["snapshot"]["resources"]["cpu_percent"] = 96.0
    async with living(house, config_for(house.target)):
        said = await house.slash(ALICE, "diagnose iora the API is slow")
        assert said.ok, said.why
        assert said.message.text.startswith("Looking at iora")
        await house.until(lambda: reports_of(house), "the message")
        await house.until(lambda: "UNHEALTHY" in reports_of(house)[0].text, "the result")
        (message,) = reports_of(house)
        text = text_of(message)
        assert "CPU 96 % of all cores, over 80" in message.text
        assert "High CPU usage detected - profile for bottlenecks" in message.text
        assert "thread tokio-worker-1 (4715)" in text
        assert "the API is slow" in text
        files = await whole(house, message)
        report = json.loads(files["json"])
        assert report["issue_description"] == "the API is slow"
        assert report["asked_by"] == f"slack:T01TEAM:{ALICE}"
        assert report["findings"][0]["kind"] == "cpu"
        assert b"High CPU usage detected" in files["html"]
        assert not house.slack.rejections


async def test_the_progress_is_edited_into_the_one_message(house):
    go_on = asyncio.Event()
    heap = house.target.parts["heap"]

    async def late() -> Any:
        await go_on.wait()
        return heap

    house.target.parts["heap"] = late
    async with living(house, config_for(house.target)):
        await house.slash(ALICE, "diagnose iora")
        await house.until(
            lambda: [m for m in reports_of(house) if "5 of 6 parts" in m.text], "the progress"
        )
        go_on.set()
        await house.until(lambda: "iora is" in reports_of(house)[0].text, "the result")
        assert len(reports_of(house)) == 1
        assert not house.slack.rejections


async def test_an_agent_that_is_away_leaves_what_the_bot_has(house):
    config = config_for(house.target, targets=quick(house, agent="http://127.0.0.1:9"))
    async with living(house, config):
        house.target.status, house.target.body = 500, None
        await house.slash(ALICE, "diagnose iora")
        await house.until(lambda: [m for m in reports_of(house) if "DOWN" in m.text], "the result")
        (message,) = reports_of(house)
        assert "first: it does not answer" in message.text
        assert "PARTIAL" in text_of(message)
        report = json.loads((await whole(house, message))["json"])
        assert "agent" in report["partial"]
        assert report["thread_dump"]["threads"] == []
        assert report["heap_dump"]["total_allocated"] is None


async def test_a_part_that_hangs_is_missing_and_the_rest_is_there(house):
    async def never() -> Any:
        await asyncio.Event().wait()

    house.target.parts["threads"] = never
    async with living(house, config_for(house.target, targets=quick(house))):
        await house.slash(ALICE, "diagnose iora")
        await house.until(lambda: [m for m in reports_of(house) if "iora is" in m.text], "it")
        text = text_of(reports_of(house)[0])
        assert "threads: the agent gave no answer" in text
        report = json.loads((await whole(house, reports_of(house)[0]))["json"])
        assert report["heap_dump"]["total_allocated"] == 171_204_000


async def test_answers_of_another_shape_are_no_crash(house):
    house.target.parts["threads"] = {"threads": "many", "total": "many"}
    async with living(house, config_for(house.target)):
        await house.slash(ALICE, "diagnose iora")
        await house.until(lambda: [m for m in reports_of(house) if "iora is" in m.text], "it")
        assert "can't be understood" in text_of(reports_of(house)[0])


async def test_a_page_that_can_not_be_drawn_goes_as_text(house):
    house.target.parts["snapshot"] = {**example()["snapshot"], "connections": "many"}
    async with living(house, config_for(house.target)):
        await house.slash(ALICE, "diagnose iora")
        await house.until(lambda: [m for m in reports_of(house) if "iora is" in m.text], "it")
        message = reports_of(house)[0]
        await house.until(
            lambda: [m for m in house.messages(INCIDENTS) if "--json`" in text_of(m)], "the text"
        )
        await house.until(lambda: list(files_of(house, message)) == ["json"], "the other file")


async def test_the_button_of_a_health_answer_diagnoses_too(house):
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "health")
        (answer,) = await house.until(lambda: house.whispers(BOB), "the answer")
        assert (await house.press(BOB, answer, "iora:health:diagnose")).ok
        await house.until(lambda: [m for m in reports_of(house) if "iora is" in m.text], "it")
        assert not house.slack.rejections


async def test_where_files_are_not_available_the_report_goes_as_text(tmp_path):
    async with standing(tmp_path) as house:
        house.slack.without("files.getUploadURLExternal", "files.completeUploadExternal")
        house.target.parts = example()
        async with living(house, config_for(house.target)):
            await house.slash(ALICE, "diagnose iora")
            await house.until(lambda: [m for m in reports_of(house) if "iora is" in m.text], "it")
            (message,) = reports_of(house)
            (text,) = await house.until(
                lambda: [m for m in house.messages() if m.thread_ts == message.ts], "the text"
            )
            assert "*Threads* 3" in text_of(text)
            assert "oracle timeout" not in text_of(text), "log lines stay in the report"
            assert not house.slack.rejections


async def test_where_the_bot_may_not_post_the_one_who_asked_gets_it(house):
    async with living(house, config_for(house.target)):
        house.slack.faults.add("chat.postMessage", faults.api_error("not_in_channel"))
        await house.slash(BOB, "diagnose iora")
        pings = await house.until(lambda: house.pings(BOB), "the message to Bob")
        await house.until(lambda: "iora is" in house.pings(BOB)[0].text, "the result")
        assert len(await whole(house, pings[0])) == 2
        assert not reports_of(house)


LOGS = {"report": (False, False), "thread": (False, True), "channel": (True, False)}


@pytest.mark.parametrize("setting", LOGS)
async def test_log_lines_go_where_the_config_lets_them(house, setting):
    async with living(house, config_for(house.target, reports={"logs": setting})):
        await house.slash(ALICE, "diagnose iora")
        await house.until(lambda: [m for m in reports_of(house) if "iora is" in m.text], "it")
        (message,) = reports_of(house)
        files = await whole(house, message)
        assert b"oracle timeout" in files["html"]
        in_channel, in_thread = LOGS[setting]
        assert ("oracle timeout" in text_of(message)) is in_channel

        def lines() -> list[Any]:
            return [
                m
                for m in house.messages()
                if m.thread_ts == message.ts and "oracle timeout" in text_of(m)
            ]

        if in_thread:
            await house.until(lines, "the lines in the thread")
        else:
            assert not lines()

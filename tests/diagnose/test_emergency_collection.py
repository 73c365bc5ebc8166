"""Declaring an incident collects its evidence by itself, before anyone restarts anything."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.store import reports
from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.reports import example


@pytest.fixture
async def house(tmp_path):
    async with standing(tmp_path) as built:
        built.target.parts = example()
        built.target.parts["snapshot"]["resources"]["cpu_percent"] = 96.0
        built.target.cpu = 96.0
        yield built


async def asked(house: House, text: str) -> Any:
    assert house.bot is not None
    return (await house.bot.answer(Actor.login("test"), text))["json"]


async def kept(house: House) -> None:
    """Until the readings of a healthy target were kept."""
    assert house.bot is not None
    async with asyncio.timeout(60):
        while await house.bot.database.read(reports.snapshot, "iora") is None:
            await asyncio.sleep(0.02)


async def evidence(house: House, number: int = 1) -> Any:
    """The evidence on an incident's timeline."""
    async with asyncio.timeout(60):
        while True:
            shown = await asked(house, f"show INC-{number}")
            for entry in shown["timeline"]:
                if entry["kind"] == "evidence":
                    return entry["facts"]
            await asyncio.sleep(0.02)


async def test_the_evidence_is_on_the_timeline_in_the_thread_and_in_the_store(house):
    async with living(house, config_for(house.target)):
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        facts = await evidence(house)
        (one,) = facts["reports"]
        assert one["target"] == "iora"
        assert one["finding"].startswith("CPU 96 % of all cores")
        card = await house.until(house.card, "the card")

        def thread() -> list[Any]:
            return [m for m in house.messages() if m.thread_ts == card.ts]

        replies = await house.until(lambda: [m for m in thread() if m.files], "the report's file")
        (file,) = replies[0].files
        assert file.name == f"{one['id']}.html"
        assert any("First finding of iora: CPU 96 %" in text_of(m) for m in thread())
        report = await asked(house, f"reports {one['id']}")
        assert report["incident"] == "INC-1"
        emergency = report["emergency"]
        assert emergency["incident_id"] == "INC-1"
        assert emergency["system_snapshot"]["process_info"]["pid"] == 4711
        assert emergency["performance_snapshot"]["cpu_usage"] == 96.0
        assert emergency["log_snapshot"]
        assert emergency["active_incidents"] == []
        assert not house.slack.rejections


async def test_related_open_incidents_are_part_of_it(house):
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "declare sev3 the queue grows")
        await evidence(house)
        await house.slash(BOB, "declare sev2 API slow")
        facts = await evidence(house, 2)
        assert facts["related"] == ["INC-1"]
        report = await asked(house, f"reports {facts['reports'][0]['id']}")
        (related,) = report["emergency"]["active_incidents"]
        assert (related["incident_id"], related["title"]) == ("INC-1", "the queue grows")


async def test_an_agent_that_hangs_leaves_the_rest_marked_partial_within_its_time(house):
    async def never() -> Any:
        await asyncio.Event().wait()

    for name in ("threads", "heap"):
        house.target.parts[name] = never
    targets = {
        "iora": {
            "poll": "1h",
            "health": {"url": f"{house.target.url}/api/health", "status": "status"},
            "agent": {"url": house.target.url, "timeout": "500ms"},
        }
    }
    async with living(house, config_for(house.target, targets=targets)):
        await house.slash(BOB, "declare sev2 API slow")
        facts = await evidence(house)
        (one,) = facts["reports"]
        assert set(one["partial"]) == {"threads", "heap"}
        assert one["finding"].startswith("CPU 96 %")


async def test_a_crash_while_it_is_collected_loses_nothing(house):
    go_on = asyncio.Event()
    heap = house.target.parts["heap"]

    async def late() -> Any:
        await go_on.wait()
        return heap

    house.target.parts["heap"] = late
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "declare sev2 API slow")
        await house.until(house.card, "the card")
    go_on.set()
    async with living(house, config_for(house.target)):
        assert len((await evidence(house))["reports"]) == 1


async def test_a_diagnosis_of_an_incidents_target_is_a_line_of_its_timeline(house):
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "declare sev2 API slow")
        await evidence(house)
        await house.slash(ALICE, "diagnose iora again")

        async def diagnosed() -> Any:
            shown = await asked(house, "show INC-1")
            return [entry for entry in shown["timeline"] if entry["kind"] == "diagnosed"]

        async with asyncio.timeout(60):
            while not (found := await diagnosed()):
                await asyncio.sleep(0.02)
        assert found[0]["actor"] == f"slack:T01TEAM:{ALICE}"
        report = await asked(house, f"reports {found[0]['facts']['report']}")
        assert report["incident"] == "INC-1"


async def test_health_says_what_changed_since_it_was_healthy(house):
    house.target.cpu, house.target.memory = 12.0, 120.0
    async with living(house, config_for(house.target, baselines={"cpu_percent": {"below": 70}})):
        await kept(house)
        house.target.cpu = 96.0
        await house.slash(ALICE, "health")
        (answer,) = await house.until(lambda: house.whispers(ALICE), "the answer")
        assert "when it was healthy: CPU 12 -&gt; 96 %" in text_of(answer)
        said = await asked(house, "health iora")
        assert json.loads(json.dumps(said))["targets"][0]["changed"]["changes"][0]["metric"] == (
            "cpu_percent"
        )
        assert not house.slack.rejections

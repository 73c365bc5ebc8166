"""The sample service burns CPU, and the bot notices before a person does: the real service, the real agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.files.runbooks import load_books
from bot.files.shipped import shipped
from bot.model.config import Config
from bot.model.incident import Status
from bot.store import incidents
from tests.support.agents import TOKEN, agent, write
from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.programs import Sample, sample

RULE: dict[str, Any] = {
    "name": "cpu-critical",
    # The sample burns one core; what a machine full of other programs leaves it of that is enough, and
    # a healthy one needs some hundredths.
    "when": "cpu_core_percent > 12",
    "for": "1s",
    "clear_for": "1s",
    "severity": "sev2",
    "runbook": "high-cpu-usage",
}


def config(house: House, service: Sample, agent_url: str, opens: str) -> Config:
    target = {
        "poll": "500ms",
        "health": {"url": f"{service.url}/api/health", "status": "status", "timeout": "5s"},
        "agent": {"url": agent_url, "token": TOKEN},
    }
    return config_for(house.target, targets={"iora": target}, detection=[RULE | {"open": opens}])


class Night:
    """A house that watches the sample; ``mode`` breaks and mends it."""

    def __init__(self, house: House, service: Sample) -> None:
        self.house = house
        self._service = service

    def mode(self, name: str) -> None:
        assert self._service.mode(name).status == 200

    def finding(self) -> Any:
        found = [one for one in self.house.messages() if "cpu-critical" in text_of(one)]
        return found[-1] if found else None

    async def status(self) -> list[Status]:
        assert self.house.bot is not None
        found = await self.house.bot.database.read(incidents.recent, tuple(Status), 10)
        return [one.status for one in found]


@asynccontextmanager
async def night(folder: Path, opens: str) -> AsyncIterator[Night]:
    with sample(folder) as service:
        more = f"logs: [{{file: {service.log}}}]\n"
        with agent(write(folder, f"pid_file: '{service.pid_file}'", more=more)) as running:
            async with standing(folder) as house:
                settings = config(house, service, running.url, opens)
                async with living(house, settings, books=load_books(shipped())):
                    yield Night(house, service)


async def test_it_opens_one_incident_with_runbook_and_evidence_and_says_when_it_is_over(
    tmp_path: Path,
) -> None:
    async with night(tmp_path, "declare") as here:
        house = here.house
        here.mode("burning")
        card = await house.until(house.card, "the card")
        assert "CPU of one core" in text_of(card)
        await house.until(lambda: "Evidence" in text_of(house.card()), "the evidence")
        await house.until(lambda: "Run high-cpu-usage" in text_of(house.card()), "the runbook")
        assert house.pings(ALICE), "whoever the policy names is paged"
        here.mode("healthy")
        await house.until(
            lambda: "What was found is over" in text_of(house.card()), "that it is over"
        )
        assert await here.status() == [Status.OPEN], "one incident, which the bot does not resolve"
        assert not house.slack.rejections


async def test_it_suggests_one_and_a_person_declares_it(tmp_path: Path) -> None:
    async with night(tmp_path, "suggest") as here:
        house = here.house
        here.mode("burning")
        told = await house.until(here.finding, "the suggestion")
        assert "Nobody was paged" in text_of(told)
        assert await here.status() == []
        assert (await house.press(BOB, told, "iora:finding:declare")).ok
        await house.until(house.card, "the card")
        await house.until(lambda: "made it INC-1" in text_of(here.finding()), "the edit")
        here.mode("healthy")
        await house.until(
            lambda: "What was found is over" in text_of(house.card()), "that it is over"
        )
        assert await here.status() == [Status.OPEN]
        assert not house.slack.rejections

"""Alertmanager's messages, by HTTP, to a card in the channel and to its end."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from bot.wiring import Bot
from bot.workspace.records import Message
from tests.support.alerts import ALERTMANAGER, INTAKE, bearer, firing, message, resolved
from tests.support.house import ALICE, House, config_for, living, standing, text_of


async def post(bot: Bot, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{bot.port}{path}", json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def until_card_says(house: House, words: str) -> str:
    def says() -> str | None:
        card = house.card()
        text = text_of(card) if card is not None else ""
        return text if words in text else None

    return str(await house.until(says, f"a card that says {words}"))


async def test_a_burst_is_one_incident_whose_card_counts_until_all_is_resolved(tmp_path: Path):
    async with standing(tmp_path) as house:
        config = config_for(house.target, intake=INTAKE)
        async with living(house, config) as bot:
            burst = [firing(number=number) for number in range(12)]
            for alert in burst:
                status, said = await post(
                    bot, "/intake/alertmanager", message([alert]), bearer(ALERTMANAGER)
                )
                assert (status, said["status"]) == (200, "stored")
            house.advance(3_000)
            card = await until_card_says(house, "12 alerts firing")
            assert "iora: HighErrorRate" in card
            assert "HighErrorRate on i" in card, "what the newest says of itself"
            assert "SEV3" in card
            some = message([resolved(number=number) for number in range(3)])
            await post(bot, "/intake/alertmanager", some, bearer(ALERTMANAGER))
            house.advance(3_000)
            await until_card_says(house, "9 alerts firing, 3 resolved")
            rest = message([resolved(number=number) for number in range(3, 12)])
            await post(bot, "/intake/alertmanager", rest, bearer(ALERTMANAGER))
            house.advance(60_000)
            await until_card_says(house, "All 12 alerts are resolved")
            async with asyncio.timeout(60):
                while [e.facts["what"] for e in await house.entries(1, "alerts")][-1:] != [
                    "cleared"
                ]:
                    house.advance(10_000)
                    await asyncio.sleep(0.05)
            shown = await house.slash(ALICE, "incidents")
            assert shown.ok
            assert len(await house.entries(1, "resolved")) == 0, "a person resolves it"


async def test_what_was_stored_before_a_restart_is_looked_at_after_it(tmp_path: Path):
    async with standing(tmp_path) as house:
        config = config_for(house.target, intake=INTAKE)
        async with living(house, config) as bot:
            body = message([firing(number=number) for number in range(3)])
            status, _ = await post(bot, "/intake/alertmanager", body, bearer(ALERTMANAGER))
            assert status == 200
        assert house.card() is None
        house.clock.move(60_000)
        async with living(house, config):
            await until_card_says(house, "3 alerts firing")


async def test_a_suggestion_becomes_an_incident_by_a_press(tmp_path: Path):
    told = copy.deepcopy(INTAKE)
    told["sources"]["prometheus"] |= {"open": "suggest"}
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, intake=told)) as bot,
    ):
        body = message([firing(number=number) for number in range(3)])
        await post(bot, "/intake/alertmanager", body, bearer(ALERTMANAGER))
        house.advance(3_000)

        def suggested() -> Message | None:
            seen = [one for one in house.messages() if "Is it an incident?" in one.text]
            return seen[0] if seen else None

        suggestion = await house.until(suggested, "a suggestion")
        assert "3 alerts firing" in text_of(suggestion)
        await house.press(ALICE, suggestion, "iora:finding:declare")
        card = await until_card_says(house, "3 alerts firing")
        assert "SEV3" in card
        await house.until(lambda: "made it INC-1" in text_of(house.messages()[0]), "said so")
        assert not house.slack.rejections

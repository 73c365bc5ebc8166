"""Two people press Acknowledge in the same millisecond: one change, one honest answer each."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.scale import scaled, told

TIMES = scaled(40, 1_000)


async def test_two_people_acknowledge_at_once(tmp_path):
    async with (
        standing(tmp_path) as house,
        living(house, quiet_config(house)) as bot,
    ):
        began = time.monotonic()
        for number in range(TIMES):
            assert (await house.slash(BOB, f"declare sev4 Trouble {number}")).ok
        cards = [await house.until(lambda n=n: house.card(n + 1), "a card") for n in range(TIMES)]
        first = dict.fromkeys((ALICE, BOB), 0)
        for number, card in enumerate(cards, 1):
            people = (ALICE, BOB) if number % 2 else (BOB, ALICE)
            answers = await asyncio.gather(*(press(house, one, card) for one in people))
            assert all(answer.ok for answer in answers)
        for number in range(1, TIMES + 1):
            (done,) = await house.entries(number, "acknowledged")
            (refused,) = await house.entries(number, "refused")
            winner, loser = (one.actor.rpartition(":")[2] for one in (done, refused))
            assert {winner, loser} == {ALICE, BOB}
            first[winner] += 1
            assert f"acknowledged already, by <@{winner}>" in refused.facts["reason"] + told_to(
                house, loser, number
            )
        told(
            "two at once",
            f"{TIMES} times two presses: {TIMES} changes, {TIMES} refusals that name the first one"
            f" ({first[ALICE]} Alice, {first[BOB]} Bob), {time.monotonic() - began:.0f} s",
        )
        assert await bot.database.read(acknowledged) == TIMES


def quiet_config(house: House) -> Any:
    """Two targets, so that none is meant and nothing is collected."""
    config = config_for(house.target)
    return config.model_copy(
        update={"targets": {**config.targets, "other": config.targets["iora"]}}
    )


async def press(house: House, person: str, card: Any) -> Any:
    action = "iora:incident:ack"
    block = next(
        block
        for block in card.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == action
    )
    return await house.slack.acts.press(person, card.channel, card.ts, block["block_id"], action)


def told_to(house: House, person: str, number: int) -> str:
    """What the slower one was answered about an incident."""
    return " ".join(
        text_of(one) for one in house.whispers(person) if f"INC-{number} " in text_of(one)
    )


def acknowledged(tx: Any) -> int:
    return len(tx.all("SELECT id FROM incidents WHERE status = 'acknowledged'"))

"""Two people press Acknowledge in the same millisecond: one change, one honest answer each."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.scale import scaled, told

TIMES = scaled(40, 1_000)
NAMED = re.compile(r"INC-([0-9]+) is acknowledged")


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
        asked = whispered(house)
        for number, card in enumerate(cards, 1):
            people = (ALICE, BOB) if number % 2 else (BOB, ALICE)
            answers = await asyncio.gather(*(press(house, one, card) for one in people))
            assert all(answer.ok for answer in answers)
        await house.until(
            lambda: whispered(house) >= asked + TIMES, "an answer for each slower one"
        )
        answered = {person: answers_to(house, person) for person in (ALICE, BOB)}
        for number in range(1, TIMES + 1):
            (done,) = await house.entries(number, "acknowledged")
            (refused,) = await house.entries(number, "refused")
            winner, loser = (one.actor.rpartition(":")[2] for one in (done, refused))
            assert {winner, loser} == {ALICE, BOB}
            first[winner] += 1
            said = answered[loser][number]
            assert f"INC-{number} is acknowledged already, by <@{winner}>" in said
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


def whispered(house: House) -> int:
    return len(house.whispers(ALICE)) + len(house.whispers(BOB))


def answers_to(house: House, person: str) -> dict[int, str]:
    """What somebody was told in private, by the incident that it is about."""
    said = map(text_of, house.whispers(person))
    return {int(found[1]): text for text in said if (found := NAMED.search(text))}


def acknowledged(tx: Any) -> int:
    return len(tx.all("SELECT id FROM incidents WHERE status = 'acknowledged'"))

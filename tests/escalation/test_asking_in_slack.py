"""Askings as people see them, in the workspace: still on it? take it over? And what their buttons do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.model.config import Config
from tests.support.house import (
    ALICE,
    BOB,
    MALLORY,
    House,
    config_for,
    living,
    standing,
    text_of,
)

MINUTE = 60_000
CPU = {
    "after": "5m",
    "when": "cpu_percent > 90",
    "notify": [f"user:{BOB}"],
    "reason": "Critical CPU usage on {{ target }}",
    "after_acknowledge": True,
}
LEVELS = [
    {"after": "0s", "notify": ["channel", f"user:{ALICE}"]},
    CPU,
    {"after": "1h", "notify": [f"user:{BOB}"]},
]


def settings(house: House, **changes: Any) -> Config:
    policy = {"levels": LEVELS, "repeat": {"every": "1h", "times": 1}}
    escalation = {
        "default": "critical",
        "last_resort": [f"user:{ALICE}"],
        "policies": {"critical": policy},
    }
    return config_for(house.target, **({"escalation": escalation} | changes))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built, living(built, settings(built)):
        yield built


async def declared(house: House) -> None:
    assert (await house.slash(ALICE, "declare sev2 iora API slow")).ok
    await house.until(lambda: house.pings(ALICE), "the first ping")


async def told(house: House, person: str, words: str) -> Any:
    """The direct message with these words, once it is there."""

    def found() -> Any:
        return next((one for one in house.pings(person) if words in text_of(one)), None)

    return await house.until(found, f"{words!r} in {[text_of(one) for one in house.pings(person)]}")


async def test_a_critical_reading_pings_the_group_with_its_reason_and_the_reading(
    house: House,
) -> None:
    await declared(house)
    house.target.cpu = 96.0
    house.advance(5 * MINUTE)
    ping = await told(house, BOB, "Critical CPU usage on iora")
    assert "CPU 96 % &gt; 90 (agent" in text_of(ping)
    assert "Level 2 of 3" in text_of(ping)


async def test_lost_data_is_told_to_whoever_was_paged_first_as_lost(house: House) -> None:
    await declared(house)
    house.target.cpu = None
    house.advance(5 * MINUTE)
    said = "nobody can tell: cpu_percent &gt; 90"
    for _ in range(40):  # minutes, until the bot has looked often enough
        if any(said in text_of(one) for one in house.pings(ALICE)):
            break
        house.advance(MINUTE)
        await asyncio.sleep(0.2)
    ping = await told(house, ALICE, said)
    assert "CPU unknown" in text_of(ping)
    assert house.pings(BOB) == []


async def test_the_card_says_what_is_waited_for(house: House) -> None:
    await declared(house)
    card = text_of(await house.until(house.card, "the card"))
    assert f"<@{BOB}> from" in card
    assert "if cpu_percent &gt; 90" in card


async def test_without_a_target_the_card_says_that_it_is_not_asked(tmp_path: Path) -> None:
    async with standing(tmp_path) as house:
        health = {"url": f"{house.target.url}/api/health"}
        agent = {"url": house.target.url}
        targets = {"iora": {"health": health, "agent": agent}, "other": {"health": health}}
        async with living(house, settings(house, targets=targets)):
            assert (await house.slash(ALICE, "declare sev2 Something odd")).ok
            card = await house.until(house.card, "the card")
            said = "not asked: cpu_percent &gt; 90, as no target is named"
            assert said in text_of(card)


async def test_whoever_acknowledged_is_asked_and_yes_ends_it(house: House) -> None:
    await declared(house)
    await house.press(ALICE, house.pings(ALICE)[0], "iora:incident:ack")
    house.target.cpu = 96.0
    house.advance(5 * MINUTE)
    asking = await told(house, ALICE, "still on it?")
    assert "CPU 96 % &gt; 90" in text_of(asking)
    await house.press(ALICE, asking, "iora:incident:on_it")
    await told(house, ALICE, "that is settled")
    house.advance(6 * MINUTE)
    entry = await house.until_entry(1, "on_it")
    assert entry.actor == f"slack:T01TEAM:{ALICE}"
    assert [one.kind for one in await house.entries(1, "asked", "escalation")] == [
        "escalation",
        "asked",
    ]
    assert house.pings(BOB) == []


async def test_without_an_answer_the_others_are_told_and_one_of_them_ends_it(house: House) -> None:
    await declared(house)
    await house.press(ALICE, house.pings(ALICE)[0], "iora:incident:ack")
    house.target.cpu = 96.0
    house.advance(5 * MINUTE)
    await told(house, ALICE, "still on it?")
    house.advance(5 * MINUTE)
    ping = await told(house, BOB, "Critical CPU usage on iora")
    assert "acknowledged and did not answer when asked" in text_of(ping)
    await house.press(BOB, ping, "iora:incident:on_it")
    await told(house, BOB, f"<@{BOB}> is on it")


async def test_half_an_hour_of_nothing_asks_and_then_escalates_again(house: House) -> None:
    await declared(house)
    await house.press(ALICE, house.pings(ALICE)[0], "iora:incident:ack")
    await house.until(lambda: "is asked at" in text_of(house.card()), "the card says when")
    house.advance(30 * MINUTE)
    await told(house, ALICE, "Nothing was done for 30 min")
    house.advance(5 * MINUTE)
    ping = await told(house, BOB, "nothing was done for 35 min")
    assert "did not answer" in text_of(ping)


async def test_somebody_who_was_not_paged_is_asked_before_others_are_told_nothing_more(
    house: House,
) -> None:
    await declared(house)
    await house.press(MALLORY, house.card(), "iora:incident:ack")
    asked = await house.until(lambda: house.whispers(MALLORY), "the question")
    assert "You were not paged for INC-1: nothing is acknowledged yet." in text_of(asked[-1])
    assert f"<@{ALICE}> was paged." in text_of(asked[-1])
    assert await house.entries(1, "acknowledged", "refused") == []
    await house.press(MALLORY, asked[-1], "iora:incident:takeover")
    entry = await house.until_entry(1, "acknowledged")
    assert entry.actor == f"slack:T01TEAM:{MALLORY}"


@pytest.mark.parametrize("person", [BOB, MALLORY], ids=["a responder", "anybody"])
async def test_it_can_be_taken_over_in_words(house: House, person: str) -> None:
    await declared(house)
    said = await house.slash(person, "ack INC-1")
    assert "`/iora ack INC-1 take over`" in said.message.text
    said = await house.slash(person, "ack INC-1 take over")
    assert "is yours" in said.message.text


async def test_the_thread_names_a_group_once_beside_the_pings_of_its_people(tmp_path: Path) -> None:
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        await declared(house)
        house.advance(5 * MINUTE)
        await told(house, ALICE, "Open for 5 min")
        await told(house, BOB, "Open for 5 min")
        (said,) = await house.until(
            lambda: [one for one in house.messages() if "the group engineering" in one.text], "it"
        )
        assert (
            f"Told the group engineering (<@{ALICE}>, <@{BOB}>): open for 5 min, nobody"
            in said.text
        )
        assert (said.thread_ts, said.reply_broadcast) == (house.card().ts, False)


async def test_its_commander_is_not_asked(house: House) -> None:
    await declared(house)
    assert (await house.slash(ALICE, f"assign INC-1 <@{BOB}>")).ok
    said = await house.slash(BOB, "ack INC-1")
    assert "is yours" in said.message.text


async def test_it_says_who_is_on_call(tmp_path: Path) -> None:
    rotation = {"people": [BOB], "handoff": "09:00", "every": "1w"}
    async with standing(tmp_path) as house:
        schedules = {"primary": {"timezone": "UTC", "rotation": rotation}}
        async with living(house, settings(house, oncall=schedules)):
            await declared(house)
            said = await house.slash(MALLORY, "ack INC-1")
            assert f"On call: <@{BOB}> (primary)." in said.message.text

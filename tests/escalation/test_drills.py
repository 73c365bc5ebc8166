"""Practice: asked for first, marked everywhere, no further than it is to go, and over with what it showed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.model.config import Config
from tests.support.house import (
    ALICE,
    BOB,
    House,
    config_for,
    living,
    standing,
    text_of,
)

MINUTE = 60_000
LEVELS = [
    {"after": "0s", "notify": ["channel"]},
    {"after": "1m", "notify": [f"user:{ALICE}", f"user:{BOB}"]},
    {"after": "2m", "when": "cpu_percent > 90", "notify": ["channel"]},
    {"after": "5m", "notify": [f"user:{BOB}"]},
]


def settings(house: House) -> Config:
    escalation = {
        "default": "critical",
        "last_resort": [f"user:{ALICE}"],
        "policies": {
            "critical": {"levels": LEVELS, "repeat": {"every": "1m", "times": 3}},
            "announce": {"levels": [{"after": "0s", "notify": ["channel"]}]},
        },
    }
    return config_for(house.target, escalation=escalation)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built, living(built, settings(built)):
        yield built


async def begun(house: House, words: str = "drill") -> None:
    """Ask for a drill and press the button."""
    said = await house.slash(ALICE, words)
    assert said.ok
    await house.press(ALICE, said.message, "iora:drill:start")
    await house.until_entry(1, "escalation")
    house.advance(MINUTE)
    await house.until(lambda: house.pings(ALICE) and house.pings(BOB), "both pings")
    await house.until_sent()


async def answered(house: House, person: str, number: int = -1) -> None:
    await house.press(person, house.pings(person)[number], "iora:incident:ack")


async def test_it_asks_first_and_shows_everybodys_local_time(house: House) -> None:
    said = await house.slash(ALICE, "drill critical")
    shown = text_of(said.message)
    assert "this pings people for real" in shown
    assert f"<@{BOB}> (" in shown
    assert "Europe/Berlin" in shown
    assert "After 60 s" in shown
    assert "After 5 min" not in shown, "no further than the first level that pings somebody"
    assert "After 5 min" in text_of((await house.slash(ALICE, "drill critical all")).message)
    assert await house.bot.database.read(_count) == 0


def _count(tx: Any) -> int:
    return int(tx.all("SELECT COUNT(*) AS n FROM incidents")[0]["n"])


async def test_only_commanders_may(house: House) -> None:
    for words in ("drill", "drill start"):
        said = await house.slash(BOB, words)
        assert "Only commanders may start a drill." in said.message.text
        assert f"<@{ALICE}>" in said.message.text
    assert await house.bot.database.read(_count) == 0


async def test_it_is_marked_everywhere(house: House) -> None:
    await begun(house)
    assert "DRILL" in text_of(house.card())
    assert "nothing is wrong" in text_of(house.card())
    for person in (ALICE, BOB):
        (ping,) = house.pings(person)
        assert ping.text.startswith("[DRILL] INC-1")
    for words in ("incidents", "timeline INC-1", "show INC-1"):
        assert "DRILL" in text_of((await house.slash(ALICE, words)).message), words


async def test_each_answers_for_themselves_and_then_it_is_over_with_what_it_showed(
    house: House,
) -> None:
    await begun(house)
    house.advance(42_000)
    await answered(house, ALICE)
    assert (await house.until_entry(1, "answered")).facts["took"] >= 42_000
    await house.until(lambda: "answered after" in text_of(house.pings(ALICE)[0]), "her copy")
    assert await house.entries(1, "resolved") == [], "Bob has not answered"
    house.advance(60_000)
    await answered(house, BOB)
    found = await house.until_entry(1, "drill")
    assert [(one["person"], one["took"] // 1_000 // 10) for one in found.facts["pings"]] == [
        (ALICE, 4),
        (BOB, 10),
    ]
    said = await house.until(
        lambda: next((one for one in house.messages() if "The drill is over" in one.text), None),
        "the summary",
    )
    assert "2 of 2 pings were acknowledged" in said.text
    assert said.text.startswith("INC-1: [DRILL] ")


async def test_who_does_not_answer_is_named_when_its_time_is_over(house: House) -> None:
    await begun(house)
    await answered(house, ALICE)
    await house.until_entry(1, "answered")
    house.advance(16 * MINUTE)
    found = await house.until_entry(1, "drill")
    assert [(one["person"], one["took"] is not None) for one in found.facts["pings"]] == [
        (ALICE, True),
        (BOB, False),
    ]
    assert len(house.pings(BOB)) == 1, "no further than the first level that pings somebody"
    assert [one.facts["stage"] for one in await house.entries(1, "escalation")] == ["level"] * 2


async def test_all_plays_every_level_that_waits_for_no_reading_and_no_repeats(house: House) -> None:
    await begun(house, "drill critical all")
    await answered(house, ALICE)
    await answered(house, BOB)
    await house.until(lambda: "answered after" in text_of(house.pings(BOB)[0]), "his copy")
    assert await house.entries(1, "drill") == [], "a level is still to come"
    house.advance(4 * MINUTE)
    await house.until(lambda: len(house.pings(BOB)) == 2, "the last level")
    await answered(house, BOB)
    found = await house.until_entry(1, "drill")
    assert len(found.facts["pings"]) == 3
    assert found.facts["answered"] == 3


async def test_ending_it_early_says_what_it_showed(house: House) -> None:
    await begun(house)
    assert (await house.slash(ALICE, "resolve INC-1")).ok
    found = await house.until_entry(1, "drill")
    assert found.facts["answered"] == 0


@pytest.mark.parametrize("words", ["escalate INC-1", "severity INC-1 sev1", "mitigate INC-1"])
async def test_nothing_takes_it_further(house: House, words: str) -> None:
    await begun(house)
    assert "is a drill" in (await house.slash(ALICE, words)).message.text


async def test_one_at_a_time_and_no_policy_that_pings_nobody(house: House) -> None:
    said = await house.slash(ALICE, "drill announce")
    assert "pings nobody: there is nothing to practise" in said.message.text
    said = await house.slash(ALICE, "drill critcal")
    assert "Did you mean `critical`?" in said.message.text
    await begun(house)
    said = await house.slash(ALICE, "drill start")
    assert "A drill is under way already: INC-1." in said.message.text


async def test_it_is_left_out_of_the_statistics(house: House) -> None:
    await begun(house)
    assert "0 incidents" in (await house.slash(ALICE, "stats")).message.text

"""On-call in Slack, from the typed word to the message that somebody reads, with a clock that moves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.config import Config
from bot.workspace.records import Message
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

HOUR = 3_600_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Without a bot: each test starts its own."""
    async with standing(tmp_path) as built:
        yield built


def daily(house: House, **more: Any) -> Config:
    """Alice is on call since an hour ago, Bob in 23 hours; both announcements and pages go to them."""
    begun = datetime.fromtimestamp(house.clock.now() / 1000 - 3600, UTC)
    turns = {
        "people": [ALICE, BOB],
        "handoff": f"{begun:%H:%M}",
        "every": "day",
        "start": f"{begun:%Y-%m-%d}",
    }
    escalation = {
        "default": "page",
        "by_severity": {"sev3": "announce"},
        "policies": {
            "announce": {"levels": [{"after": "0s", "notify": ["channel"]}]},
            "page": {"levels": [{"after": "0s", "notify": ["channel", "oncall:primary"]}]},
        },
    }
    primary = {"timezone": "UTC", "rotation": turns}
    return config_for(house.target, oncall={"primary": primary}, escalation=escalation, **more)


async def read(house: House, person: str, words: str) -> Message:
    """A direct message to a person that has these words."""
    return await house.until(
        lambda: next((m for m in house.pings(person) if words in text_of(m)), None),
        f"a message to {person} with {words!r}",
    )


async def said_in_channel(house: House, words: str) -> Message:
    return await house.until(
        lambda: next((m for m in house.messages() if words in text_of(m)), None),
        f"a message in the channel with {words!r}",
    )


def handovers(house: House, person: str) -> list[Message]:
    return [m for m in house.pings(person) if "You are on call" in m.text]


async def test_a_night_of_handovers(house: House) -> None:
    settings = daily(house)
    async with living(house, settings):
        hello = await read(house, ALICE, "You are on call (primary) since")
        assert "Nothing is open." in hello.text
        await house.slash(ALICE, "declare sev3 API slow")
        house.advance(24 * HOUR)
        told = await read(house, BOB, "You are on call (primary)")
        assert f"Before you: <@{ALICE}>." in told.text
        assert "Open 1: SEV3 *INC-1* API slow (OPEN, 24 h, commander nobody)" in told.text
        (button,) = [block["accessory"] for block in told.blocks if "accessory" in block]
        assert (button["action_id"], button["value"]) == ("iora:incident:open", "INC-1")
    async with living(house, settings):  # a restart tells nobody again
        house.advance(24 * HOUR)
        await house.until(lambda: len(handovers(house, ALICE)) == 2, "Alice's second turn")
        assert len(handovers(house, BOB)) == 1


async def test_a_handoff_while_the_bot_was_down_is_told_once_with_its_time(house: House) -> None:
    settings = daily(house)
    async with living(house, settings):
        await read(house, ALICE, "You are on call")
    house.clock.move(76 * HOUR)  # Bob's turn, Alice's, and five hours of Bob's next
    async with living(house, settings):
        told = await read(house, BOB, "You are on call (primary) since")
        assert f"Before you: <@{ALICE}>." in told.text
    assert (len(handovers(house, ALICE)), len(handovers(house, BOB))) == (1, 1)


async def test_who_is_on_call_is_answered_with_times_and_the_zone(house: House) -> None:
    async with living(house, daily(house)) as bot:
        text = text_of((await house.slash(MALLORY, "oncall")).message)
        assert f"*primary*: <@{ALICE}> until <!date^" in text
        assert f"then <@{BOB}> until <!date^" in text
        assert "the schedules are in UTC" in text
        then = text_of((await house.slash(MALLORY, "oncall primary --at 2035-01-01T12:00")).message)
        assert "*primary* at <!date^2051265600^" in then
        typo = await house.slash(MALLORY, "oncall pirmary")
        assert "Did you mean `primary`?" in typo.message.text
        printed = await bot.answer(Actor.login("ops"), "oncall --at 2035-01-01T12:00")
        assert "primary at Mon 2035-01-01 12:00 UTC: @U0" in str(printed["text"])
        known = json.loads(json.dumps(printed["json"]))
        assert known["schedules"][0]["at"] == 2_051_265_600_000
        assert known["schedules"][0]["now"]["person"] in {ALICE, BOB}
        assert not printed["finding"]


async def test_who_is_on_call_also_without_the_override_is_not_said_to_be_off(house: House) -> None:
    async with living(house, daily(house)):
        await read(house, ALICE, "You are on call")
        await house.slash(ALICE, f"override primary <@{ALICE}> 1h")
        ended = await house.slash(ALICE, "override primary off")
        assert f"<@{ALICE}> is on call (primary) from <!date^" in ended.message.text
        assert "also without the override." in ended.message.text
        assert "any more" not in ended.message.text


async def test_an_override_is_answered_told_and_pinged(house: House) -> None:
    async with living(house, daily(house)):
        await read(house, ALICE, "You are on call")
        answer = await house.slash(ALICE, f"override primary <@{BOB}> 4h")
        assert f"<@{BOB}> is on call (primary) from <!date^" in answer.message.text
        assert f"instead of <@{ALICE}>." in answer.message.text
        told = await said_in_channel(house, f"<@{BOB}> is on call (primary)")
        assert f"By <@{ALICE}>." in told.text
        await read(house, BOB, f"Before you: <@{ALICE}>.")
        await house.slash(ALICE, "declare sev2 API slow")
        await read(house, BOB, "INC-1 SEV2")
        assert not [m for m in house.pings(ALICE) if "INC-1" in m.text]
        ended = await house.slash(BOB, "override primary off")
        assert f"any more; instead: <@{ALICE}>." in ended.message.text
        await said_in_channel(house, f"<@{BOB}> is not on call (primary)")
        back = await house.until(
            lambda: len(found := handovers(house, ALICE)) == 2 and found[-1], "Alice again"
        )
        assert "SEV2 *INC-1* API slow" in back.text


async def test_an_override_that_is_over_goes_back_by_itself(house: House) -> None:
    async with living(house, daily(house)):
        await read(house, ALICE, "You are on call")
        await house.slash(ALICE, f"override primary <@{BOB}> 4h")
        await read(house, BOB, "You are on call")
        house.advance(5 * HOUR)
        await house.until(lambda: len(handovers(house, ALICE)) == 2, "Alice again")
        said = text_of((await house.slash(BOB, "oncall")).message)
        assert f"*primary*: <@{ALICE}>" in said


async def test_somebody_without_a_role_puts_only_themself_on_call(house: House) -> None:
    async with living(house, daily(house)):
        refused = await house.slash(MALLORY, f"override primary <@{BOB}> 4h")
        assert "You may not put somebody else on call." in refused.message.text
        mine = await house.slash(MALLORY, f"override primary <@{MALLORY}> 4h")
        assert f"<@{MALLORY}> is on call (primary)" in mine.message.text
        await read(house, MALLORY, "You are on call")


async def test_a_level_that_meets_a_gap_says_that_nobody_is_there(house: House) -> None:
    settings = daily(house)
    nobody = {"primary": {"timezone": "UTC", "rotation": {"people": []}}}
    empty = settings.model_copy(update={"oncall": config_for(house.target, oncall=nobody).oncall})
    async with living(house, empty):
        await house.slash(ALICE, "declare sev2 API slow")
        entry = await house.until_entry(1, "escalation")
        assert entry.facts["nobody"] == ["oncall:primary"]
        said = text_of((await house.slash(ALICE, "oncall")).message)
        assert "*primary*: *nobody*" in said

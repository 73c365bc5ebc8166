"""In order, one message a second a channel, and nobody's page waits for another's channel."""

from __future__ import annotations

import asyncio
import time

from bot.model.message import State
from bot.services.delivery import PACE_MS
from bot.workspace import faults
from tests.support.delivered import escalating, nothing_lost_or_twice, row, settle
from tests.support.house import ALICE, BOB, INCIDENTS, MALLORY, House, config_for, living, standing

MANY = 5
EVERYONE = escalating(("0s", ["channel", f"user:{ALICE}", f"user:{BOB}", f"user:{MALLORY}"]))


def numbers(texts: list[str]) -> list[int]:
    return [int(text.split()[0].removeprefix("INC-").rstrip(":")) for text in texts]


def limited(house: House) -> list[str]:
    """The calls that Slack would have answered with 429."""
    return [
        call.method
        for call in house.slack.calls
        if call.result is not None and call.result.get("error") == "ratelimited"
    ]


async def test_a_channel_gets_one_message_a_second_and_pages_to_people_are_not_held_up(
    tmp_path,
) -> None:
    async with standing(tmp_path) as house:
        house.slack.limits.enabled = True
        config = config_for(house.target, escalation=EVERYONE)
        async with living(house, config, pace_ms=PACE_MS) as bot:
            began = time.monotonic()
            for number in range(1, MANY + 1):
                assert (await house.slash(BOB, f"declare sev2 Trouble {number}")).ok
            people = (ALICE, BOB, MALLORY)
            await house.until(lambda: all(len(house.pings(p)) == MANY for p in people), "all pages")
            assert await bot.waiting(), "the channel is not done yet"
            for person in people:
                got = numbers([message.text for message in house.pings(person)])
                assert got == sorted(got) == list(range(1, MANY + 1))
            cards = [f"card:{number}" for number in range(1, MANY + 1)]
            await settle(house, *cards)
            assert time.monotonic() - began > MANY * PACE_MS / 1000
            await nothing_lost_or_twice(house, *cards)
        assert not limited(house)
        in_channel = house.messages(INCIDENTS)
        assert numbers([m.text for m in in_channel if not m.is_reply]) == list(range(1, MANY + 1))


async def test_a_page_goes_before_the_edits_of_its_destination(tmp_path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=escalating(("0s", [f"user:{ALICE}"])))
        async with living(house, config):
            for number in (1, 2, 3):
                assert (await house.slash(BOB, f"declare sev2 Trouble {number}")).ok
            await house.until(lambda: len(house.pings(ALICE)) == 3, "three pages")
            await settle(house)
            direct = house.pings(ALICE)[0].channel
            calls = len(to(house, direct))
            house.slack.faults.add("chat.update", faults.hang_before, 2)  # in the channel too
            for number in (1, 2, 3):
                assert (await house.slash(BOB, f"ack INC-{number} take over")).ok
            async with asyncio.timeout(60):
                await house.slack.faults.wait_hanging(2)
            assert (await house.slash(BOB, "declare sev2 Trouble 4")).ok
            async with asyncio.timeout(60):
                while await row(house, f"ping:4:2:{ALICE}") is None:
                    await asyncio.sleep(0.01)
            house.slack.faults.release()
            await settle(house, "card:4")
            after = to(house, direct)[calls:]
            assert after.count("chat.update") >= 3
            assert after.index("chat.postMessage") == 1, "after the edit that was under way"


def to(house: House, channel: str) -> list[str]:
    """The methods that were called on a channel, in order."""
    return [c.method for c in house.slack.calls if c.arguments.get("channel") == channel]


async def test_replies_wait_for_their_card_and_keep_their_order(tmp_path) -> None:
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        house.slack.faults.add("chat.postMessage", faults.reset_before, 1)
        house.slack.faults.add("chat.postMessage", faults.error_before, 1, after=1)
        assert (await house.slash(BOB, "declare sev4 API slow")).ok
        assert (await house.slash(BOB, "ack INC-1")).ok
        assert (await house.slash(BOB, "mitigate INC-1 rolled back")).ok
        assert (await house.slash(BOB, "resolve INC-1")).ok
        await settle(house, "card:1")
        card, *thread = house.messages()
        assert card is house.card()
        assert all(reply.thread_ts == card.ts for reply in thread)
        said = " ".join(reply.text for reply in thread)
        acknowledged, mitigated, resolved = (
            said.index(word) for word in ("acknowledged", "mitigated", "resolved")
        )
        assert acknowledged < mitigated < resolved
        await nothing_lost_or_twice(house, "card:1")


async def test_while_a_reply_waits_for_its_card_the_bot_rests(tmp_path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=escalating(("0s", ["channel"])))
        async with living(house, config) as bot:
            house.slack.faults.add("chat.postMessage", faults.reset_before, 1)
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            assert (await house.slash(BOB, "ack INC-1")).ok
            await house.until(lambda: len(house.slack.calls) > 3, "the card is tried")
            async with asyncio.timeout(60):
                while (await row(house, "card:1")).state is not State.UNSURE:
                    await asyncio.sleep(0.01)
            commits = bot.database.counters.groups
            for _ in range(2):
                beat = bot.delivery_loop.beat
                await house.until(lambda beat=beat: bot.delivery_loop.beat > beat, "another round")
            assert bot.database.counters.groups - commits < 30

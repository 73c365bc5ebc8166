"""What a restart finds overdue, and what an acknowledgement stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from bot import loops, wiring
from bot.model.actor import Actor
from bot.model.message import Message, State
from bot.workspace import faults
from tests.support.delivered import (
    PATIENCE_S,
    TELL_ALICE,
    escalating,
    nothing_lost_or_twice,
    row,
    settle,
)
from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.mortal import Books, mortal

LEVELS = escalating(
    ("0s", ["channel", f"user:{ALICE}"]),
    ("5m", [f"user:{ALICE}", f"user:{BOB}"]),
    ("15m", [f"user:{BOB}"]),
)


async def test_overdue_levels_fire_once_oldest_first_and_are_one_message_a_person(tmp_path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=LEVELS)
        async with living(house, config):
            for title in ("First", "Second", "Third"):
                assert (await house.slash(ALICE, f"declare sev2 {title}")).ok
                house.advance(1_000)
            await settle(house, "card:1", "card:2", "card:3")
            await house.until(lambda: len(house.pings(ALICE)) == 3, "the first level of each")
        house.clock.move(20 * 60_000)
        async with living(house, config) as bot:
            await house.until(lambda: len(house.pings(BOB)) == 3, "what was overdue")
            await settle(house)
            later = house.pings(ALICE)[3:]
            for pings in (later, house.pings(BOB)):
                assert [ping.text.split()[0] for ping in pings] == ["INC-1", "INC-2", "INC-3"]
            fired = await bot.database.read(
                lambda tx: tx.all("SELECT seq FROM timeline WHERE kind = 'escalation'")
            )
            assert len(fired) == 6, "both overdue levels of an incident in one entry"
            await nothing_lost_or_twice(house)
        async with living(house, config):
            await settle(house)
            assert len(house.pings(BOB)) == 3, "another restart fires nothing again"


async def test_an_acknowledgement_before_the_send_withdraws_the_ping(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)) as bot,
    ):
        house.slack.without("chat.postMessage")
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        key = f"ping:1:2:{ALICE}"
        await until_row(house, key, lambda tried: tried.error is not None)
        assert (await house.slash(BOB, "ack INC-1 take over")).ok
        # A send that was under way when it was acknowledged fails first.
        await until_row(house, key, lambda tried: tried.state is State.WITHDRAWN)
        house.slack.site.without.clear()
        await settle(house, "card:1")
        assert (await row(house, key)).state is State.WITHDRAWN
        assert not house.pings(ALICE)
        assert "ACKNOWLEDGED" in house.card().text
        assert await bot.waiting() == 0


async def until_row(house: House, key: str, reached: Callable[[Message], bool]) -> None:
    """Until the outbox's row of this key is so, moving the clock on to the next try."""
    async with asyncio.timeout(PATIENCE_S):
        while (found := await row(house, key)) is None or not reached(found):
            house.advance(100)
            await asyncio.sleep(0.01)


async def test_an_acknowledgement_updates_every_copy(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=LEVELS)),
    ):
        assert (await house.slash(ALICE, "declare sev2 API slow")).ok
        await house.until(lambda: house.pings(ALICE), "the first level")
        house.advance(15 * 60_000)
        await house.until(lambda: house.pings(BOB), "the later levels")
        await settle(house)
        assert (await house.press(BOB, house.pings(BOB)[-1], "iora:incident:ack")).ok
        pings = lambda: [*house.pings(ALICE), *house.pings(BOB)]  # noqa: E731
        said = f"<@{BOB}> acknowledged"
        await house.until(lambda: all(said in ping.text for ping in pings()), "every copy")
        await house.until(lambda: "ACKNOWLEDGED" in house.card().text, "the card")
        for ping in pings():
            ids = [e.get("action_id") for b in ping.blocks for e in b.get("elements", ())]
            assert "iora:incident:ack" not in ids


async def test_two_people_press_at_once_one_is_first_and_the_other_is_told_who(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=LEVELS)) as bot,
    ):
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await settle(house, "card:1")
        card = house.card()
        pressed = await asyncio.gather(
            *(house.press(person, card, "iora:incident:ack") for person in (ALICE, BOB))
        )
        assert all(one.ok for one in pressed)
        entries = await bot.database.read(
            lambda tx: tx.all("SELECT actor FROM timeline WHERE kind = 'acknowledged'")
        )
        assert len(entries) == 1
        first = ALICE if ALICE in entries[0]["actor"] else BOB
        second = BOB if first == ALICE else ALICE
        (told,) = await house.until(
            lambda: [m for m in house.whispers(second) if "already" in m.text], "an honest answer"
        )
        assert f"by <@{first}>" in told.text
        assert not [m for m in house.whispers(first) if "already" in m.text]


async def test_sigterm_lets_a_send_come_to_its_end_within_ten_seconds(tmp_path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=TELL_ALICE)
        assert wiring.LOOPS_END_S + wiring.DRAIN_S < 10
        async with mortal(house, config, call_limit_s=600) as bot:
            await bot.connected()
            house.slack.faults.add("chat.postMessage", faults.hang_after, 1, after=1)
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            async with asyncio.timeout(60):
                await house.slack.faults.wait_hanging(1)
            await bot.end()
        house.slack.faults.clear()
        house.clock.move(14_000)
        async with living(house, config):
            await settle(house, "card:1", f"ping:1:2:{ALICE}")
            await nothing_lost_or_twice(house, "card:1", f"ping:1:2:{ALICE}")


@pytest.mark.parametrize("jump_s", [86_400, -86_400], ids=["a day forward", "a day back"])
async def test_a_wall_clock_that_is_set_while_the_bot_runs_moves_no_level(tmp_path, jump_s) -> None:
    levels = escalating(("0s", ["channel"]), ("2s", [f"user:{ALICE}"]), every="1h")
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=levels)
        async with mortal(house, config, wall_jump_s=jump_s) as bot:
            await bot.connected()
            began = time.monotonic()
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            bot.set_the_wall_clock()
            await house.until(lambda: house.pings(ALICE), "the level after two seconds")
            assert time.monotonic() - began > 1.9, "and not at once, nor in a day"
            await house.until(lambda: not Books(house).waiting(), "the rest")
            await bot.end()
            assert len(house.pings(ALICE)) == 1, "no repeat an hour early"


async def test_levels_are_not_held_up_by_slow_polls(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loops, "POLLS_AT_ONCE", 64)
    stuck = asyncio.Event()
    async with standing(tmp_path) as house:
        targets = {
            f"t{number}": {
                "poll": "1h",
                "health": {"url": f"{house.target.url}/api/health", "timeout": "1m"},
            }
            for number in range(80)
        }
        house.target.delay = stuck.wait
        config = config_for(house.target, targets=targets, escalation=TELL_ALICE)
        async with living(house, config) as bot:
            house.advance(3_600_000)  # every poll is due, and hangs
            await house.until(lambda: len(bot.timer_loop._polls) >= 64, "no room for another poll")
            declared = await bot.answer(Actor.login("test"), "declare sev2 t1 API slow")
            assert "INC-1" in declared["text"]
            await house.until(lambda: house.pings(ALICE), "the ping, while the polls hang")
            stuck.set()


async def test_who_acknowledged_may_still_call_the_next_level_and_it_is_told(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=LEVELS)),
    ):
        assert (await house.slash(ALICE, "declare sev2 API slow")).ok
        await house.until(lambda: house.pings(ALICE), "the first level")
        assert (await house.slash(ALICE, "ack INC-1")).ok
        assert (await house.slash(ALICE, "escalate INC-1 I am stuck")).ok
        (ping,) = await house.until(lambda: house.pings(BOB), "the level that was called")
        await settle(house)
        assert f"<@{ALICE}> asked for the next level" in text_of(ping)
        assert "I am stuck" in text_of(ping)
        assert (await house.slash(BOB, "mitigate INC-1")).ok
        await house.until(lambda: "MITIGATED" in text_of(house.pings(BOB)[0]), "its copy")

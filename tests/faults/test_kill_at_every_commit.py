"""kill -9 at any moment between a declaration and its ping: the ping arrives, once.

The bot is killed right after each commit of the path in turn, and in the middle of each send.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.model.config import Config
from bot.workspace import faults
from tests.support.delivered import arrived, escalating
from tests.support.house import ALICE, BOB, House, config_for, standing
from tests.support.mortal import Books, Mortal, mortal
from tests.support.pagerduty import KEY, PagerDutyServer
from tests.support.scale import told

SIDE_BY_SIDE = 3
LATER_MS = 14_000
"""A look-up waits 13 s after a send began; the restart comes after that."""

TITLE = "declare sev2 API slow"


AT_ONCE = escalating(("0s", ["channel", f"user:{ALICE}"]))
ON_CONDITIONS = {
    "default": "critical",
    "last_resort": [f"user:{ALICE}"],
    "policies": {
        "critical": {
            "levels": [
                {"after": "0s", "notify": ["channel"]},
                *(
                    {
                        "after": "1m",
                        "when": when,
                        "notify": [f"user:{ALICE}"],
                        "reason": reason,
                        "after_acknowledge": True,
                    }
                    for when, reason in (
                        ("cpu_percent > 90", "Critical CPU usage"),
                        ("memory_mb > 1024", "Critical memory usage"),
                    )
                ),
            ],
            "repeat": {"every": "1h", "times": 1},
        }
    },
}
AFTER_A_MINUTE = escalating(("0s", ["channel"]), ("1m", ["channel", f"user:{ALICE}"]))


async def declared(house: House, bot: Mortal) -> bool:
    """Type the command as a person would, again where no answer came; False if the bot died first."""
    while await bot.connected():
        said = await house.slash(BOB, TITLE)
        if said.ok:
            assert said.message is not None
            assert "INC-1" in said.message.text
            return True
        await house.until(lambda: bot.dead, f"its death, for it did not answer: {said.why}")
    return False


async def quiet(house: House, bot: Mortal) -> None:
    """Until nothing waits any more and Alice was pinged; or until the bot is dead."""
    books = Books(house)
    await bot.connected()
    await house.until(
        lambda: bot.dead or (house.pings(ALICE) and not books.waiting()), "everything is delivered"
    )


def exactly_once(house: House, after: str) -> None:
    books = Books(house)
    shown = f"{after}\n{books.show()}"
    twice = {key: count for key, count in arrived(house).items() if count > 1}
    assert not twice, shown
    assert len(house.pings(ALICE)) == 1, shown
    assert "possible repeat" not in house.pings(ALICE)[0].text, shown
    assert house.card() is not None, shown
    assert books.number("SELECT COUNT(*) FROM incidents") == 1, shown
    assert books.number("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'") == 0, shown
    assert books.integrity() == "ok"
    assert not house.slack.rejections


def fresh(folder: Path) -> None:
    folder.mkdir()


async def a_life(
    house: House, config: Config, die_at: int | None, *, declares: bool = False
) -> tuple[int, bool]:
    """A life that ends at a commit, and one after it that brings to an end what was begun: all is told once.

    How many commits the first one made, and whether it was killed. ``declares``: Bob types his command
    in it, and again where he got no answer.
    """
    answered = not declares
    async with mortal(house, config, die_at=die_at) as bot:
        answered = answered or await declared(house, bot)
        await quiet(house, bot)
        commits = bot.commits
        await bot.end()
        killed = bot.killed
    if killed:
        house.clock.move(LATER_MS)
        async with mortal(house, config) as bot:
            assert answered or await declared(house, bot)
            await quiet(house, bot)
            await bot.end()
    exactly_once(house, f"killed at commit {die_at}")
    return commits, killed


async def a_life_that_announces(house: House, config: Config) -> None:
    """Bob declares, his card is there, and the bot ends before a level is due."""
    async with mortal(house, config) as bot:
        assert await declared(house, bot)
        await house.until(lambda: house.card() and not Books(house).waiting(), "the card")
        await bot.end()


async def a_life_after_a_kill(house: House, config: Config, after: str) -> None:
    """Slack is well again, and what was cut off is told, once."""
    house.slack.faults.clear()
    house.clock.move(LATER_MS)
    async with mortal(house, config) as bot:
        await quiet(house, bot)
        await bot.end()
    exactly_once(house, after)


async def told_at_once(folder: Path, die_at: int | None) -> tuple[int, bool]:
    """Declare, and be pinged at once; how many commits that took, and whether the bot was killed."""
    fresh(folder)
    async with standing(folder) as house:
        config = config_for(house.target, escalation=AT_ONCE)
        return await a_life(house, config, die_at, declares=True)


async def told_when_overdue(folder: Path, die_at: int | None) -> tuple[int, bool]:
    """The bot is away when a level is due; the kill hits the bot that comes back and fires it."""
    fresh(folder)
    async with standing(folder) as house:
        config = config_for(house.target, escalation=AFTER_A_MINUTE)
        await a_life_that_announces(house, config)
        house.clock.move(61_000)
        return await a_life(house, config, die_at)


async def told_by_two_ways(folder: Path, die_at: int | None) -> tuple[int, bool]:
    """Alice is in do-not-disturb: PagerDuty calls her too, once, whenever the bot is killed."""
    fresh(folder)
    async with standing(folder) as house, PagerDutyServer().listening() as pagerduty:
        house.slack.workspace.snoozed_until[ALICE] = house.clock.now() // 1000 + 86_400
        config = config_for(
            house.target,
            escalation=AT_ONCE,
            ways={"pagerduty": {"kind": "pagerduty", "routing_key": KEY, "url": pagerduty.url}},
            people={ALICE: {"ways": ["slack", "pagerduty"]}},
        )
        ended = await a_life(house, config, die_at, declares=True)
        assert pagerduty.alerts == {"iora:T01TEAM:INC-1": "triggered"}
        assert pagerduty.calls == 1
    return ended


async def told_on_conditions(folder: Path, die_at: int | None) -> tuple[int, bool]:
    """Two levels wait for a reading, and both are met when the bot comes back: one ping, both reasons."""
    fresh(folder)
    async with standing(folder) as house:
        house.target.cpu, house.target.memory = 96.0, 1_100.0
        config = config_for(house.target, escalation=ON_CONDITIONS)
        await a_life_that_announces(house, config)
        house.clock.move(61_000)
        ended = await a_life(house, config, die_at)
        assert "Critical CPU usage; Critical memory usage" in house.pings(ALICE)[0].text
    return ended


async def told_after_an_asking(folder: Path, die_at: int | None) -> tuple[int, bool]:
    """Bob acknowledges and is asked; he gives no answer, and the kill hits the bot that tells Alice."""
    fresh(folder)
    async with standing(folder) as house:
        house.target.cpu = 96.0
        config = config_for(house.target, escalation=ON_CONDITIONS)
        async with mortal(house, config) as bot:
            assert await declared(house, bot)
            assert (await house.slash(BOB, "ack INC-1")).ok
            await house.until(lambda: house.card() and not Books(house).waiting(), "the card")
            await bot.end()
        house.clock.move(61_000)
        async with mortal(house, config) as bot:
            assert await bot.connected()
            await house.until(lambda: house.pings(BOB), "Bob is asked")
            await house.until(lambda: not Books(house).waiting(), "all of it is there")
            await bot.end()
        house.clock.move(301_000)
        ended = await a_life(house, config, die_at)
        assert len(house.pings(BOB)) == 1, "asked once"
        assert "did not answer when asked" in house.pings(ALICE)[0].text
    return ended


PATHS = [
    told_at_once,
    told_when_overdue,
    told_by_two_ways,
    told_on_conditions,
    told_after_an_asking,
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_kill_at_any_commit_loses_no_ping_and_doubles_none(
    tmp_path: Path, path: Any
) -> None:
    total, _ = await path(tmp_path / "alive", None)
    assert total > 5
    turn = asyncio.Semaphore(SIDE_BY_SIDE)

    async def once(die_at: int) -> bool:
        async with turn:
            _, killed = await path(tmp_path / str(die_at), die_at)
            return bool(killed)

    killed = await asyncio.gather(*(once(number) for number in range(1, total + 1)))
    told(
        "kill at every commit",
        f"{path.__name__}: {total} commits, {sum(killed)} kills, 0 lost, 0 twice",
    )
    # How commits fall together in groups differs from run to run.
    assert sum(killed) >= total * 2 // 3


@pytest.mark.parametrize("fault", ["hang_before", "hang_after"])
@pytest.mark.parametrize("number", [0, 1, 2], ids=["first send", "second send", "third send"])
async def test_a_kill_in_the_middle_of_a_send_loses_nothing_and_doubles_nothing(
    tmp_path: Path, number: int, fault: str
) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=AT_ONCE)
        house.slack.faults.add("chat.postMessage", getattr(faults, fault), 1, after=number)
        async with mortal(house, config) as bot:
            assert await declared(house, bot)
            async with asyncio.timeout(60):
                await house.slack.faults.wait_hanging(1)
            await bot.kill()
            assert bot.killed
        await a_life_after_a_kill(house, config, f"killed in the middle of send {number}")
        told("kill at every send", f"send {number + 1}, {fault}: 0 lost, 0 twice")


@pytest.mark.parametrize("fault", ["hang_before", "hang_after"])
async def test_a_kill_in_the_middle_of_a_ping_on_a_condition_loses_nothing_and_doubles_nothing(
    tmp_path: Path, fault: str
) -> None:
    async with standing(tmp_path) as house:
        house.target.cpu, house.target.memory = 96.0, 1_100.0
        config = config_for(house.target, escalation=ON_CONDITIONS)
        await a_life_that_announces(house, config)
        house.clock.move(61_000)
        house.slack.faults.add("chat.postMessage", getattr(faults, fault), 1)
        async with mortal(house, config) as bot:
            async with asyncio.timeout(60):
                await house.slack.faults.wait_hanging(1)
            await bot.kill()
            assert bot.killed
        await a_life_after_a_kill(house, config, f"killed in the middle of the ping, {fault}")
        told("kill at every send", f"the ping on a condition, {fault}: 0 lost, 0 twice")

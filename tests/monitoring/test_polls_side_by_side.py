"""Every target is polled by its own timer: one that hangs holds up no other, nor any other work."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from bot import loops
from bot.services import due
from bot.store import timers
from bot.store.database import Tx
from tests.support.house import config_for, living, standing
from tests.support.targets import Service, target

HANGING = 3 * loops.AT_ONCE


def hanging(url: str) -> dict[str, object]:
    return {
        f"dead-{number}": target(url, health={"url": url, "timeout": "1m"})
        for number in range(HANGING)
    }


@pytest.fixture(autouse=True)
def _no_poll_comes_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many targets are polled at random times of the hour at first: here only when the test says so."""
    monkeypatch.setattr(due, "random", SimpleNamespace(random=lambda: 1.0))


def make_due(tx: Tx, *but: str) -> None:
    for name in set(timers.armed(tx, "poll")) - set(but):
        timers.move(tx, "poll", name, tx.now)


async def test_targets_that_hang_hold_up_neither_another_target_nor_other_work(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        Service().listening() as stuck,
        Service().listening() as alive,
    ):
        stuck.open.clear()
        targets = hanging(stuck.url) | {"alive": target(alive.url)}
        async with living(house, config_for(house.target, targets=targets)) as bot:
            await bot.database.write(make_due, "alive")
            await house.until(lambda: stuck.requests >= HANGING, "every one that hangs is asked")
            asked = alive.requests
            await bot.database.write(timers.arm, "poll", "alive", bot.clock.now())
            await house.until(lambda: alive.requests > asked, "the one that is alive is polled")
            await bot.database.write(timers.arm, "prune", "", bot.clock.now())
            async with asyncio.timeout(60):
                while await bot.database.read(is_due, "prune"):
                    await asyncio.sleep(0.01)
            assert len(bot.timer_loop._polls) >= HANGING, "they hang all the while"
            stuck.open.set()


async def test_a_full_room_of_polls_lets_other_timers_through_and_does_not_spin(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(loops, "POLLS_AT_ONCE", 4)
    async with standing(tmp_path) as house, Service().listening() as stuck:
        stuck.open.clear()
        config = config_for(house.target, targets=hanging(stuck.url))
        async with living(house, config) as bot:
            await bot.database.write(make_due)
            await house.until(lambda: stuck.requests == 4, "the room is full")
            await bot.database.write(timers.arm, "prune", "", bot.clock.now())
            async with asyncio.timeout(60):
                while await bot.database.read(is_due, "prune"):
                    await asyncio.sleep(0.01)
            assert stuck.requests == 4
            async with asyncio.timeout(60):  # another timer may be due at the moment of looking
                while await bot.timer_loop.wait_s() <= 0:
                    await asyncio.sleep(0.01)
            assert stuck.requests == 4, "what has no room is not due"
            stuck.open.set()
            await house.until(lambda: stuck.requests >= HANGING, "the others have their turn")


def is_due(tx: Tx, kind: str) -> bool:
    return timers.any_due(tx, kind)

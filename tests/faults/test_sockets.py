"""How long commands are not heard when the socket breaks, with the waits of service."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from tests.support.delivered import nothing_lost_or_twice, settle
from tests.support.house import BOB, House, config_for, living, standing
from tests.support.scale import FULL, told

pytestmark = pytest.mark.skipif(
    not FULL,
    reason="test_link.py has each of them at a tenth of the waits; this measures the real ones",
)
BACK_WITHIN_S = 90


async def half_open(house: House) -> None:
    house.slack.sockets.freeze()


async def refused_handshakes(house: House) -> None:
    house.slack.faults.refuse_handshake(4)
    house.slack.sockets.drop()


async def refresh(house: House) -> None:
    await house.slack.sockets.refresh()


async def dropped(house: House) -> None:
    house.slack.sockets.drop()


async def too_many(house: House) -> None:
    """Ten others take every place for twenty seconds."""
    house.slack.sockets.drop()
    async with aiohttp.ClientSession() as session:
        others = [await another(house, session) for _ in range(9)]
        await asyncio.sleep(20)
        for other in others:
            await other.close()


async def another(house: House, session: aiohttp.ClientSession) -> Any:
    headers = {"Authorization": f"Bearer {house.slack.app_token}"}
    async with session.post(f"{house.slack.api_url}apps.connections.open", headers=headers) as said:
        return await session.ws_connect((await said.json())["url"])


@pytest.mark.parametrize(
    "breaks",
    [half_open, refused_handshakes, too_many, refresh, dropped],
    ids=lambda one: one.__name__,
)
async def test_commands_are_heard_again_within_90_s_and_none_that_was_acked_is_lost(
    tmp_path, breaks
):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        acked = 0
        for number in range(5):
            acked += (await house.slash(BOB, f"declare sev4 Before {number}")).ok
        began = time.monotonic()
        breaking = asyncio.create_task(breaks(house))
        unheard = 0
        back = None
        async with asyncio.timeout(BACK_WITHIN_S):
            while back is None:
                said = await house.slash(BOB, f"declare sev4 During {unheard}")
                acked += said.ok
                unheard += not said.ok
                if said.ok and breaking.done() and bot.link.problem() is None:
                    back = time.monotonic() - began
                await asyncio.sleep(0.1)
        await breaking
        stored = await bot.database.read(lambda tx: len(tx.all("SELECT id FROM incidents")))
        assert stored >= acked
        await settle(house)
        await nothing_lost_or_twice(house)
        told(
            f"socket, {breaks.__name__}",
            f"back after {back:.1f} s, {unheard} commands without an answer meanwhile, {acked} acked "
            f"and {stored} stored, {bot.link.sockets} clients",
        )

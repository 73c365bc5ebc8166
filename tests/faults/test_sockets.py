"""How long commands are not heard when the socket breaks: with the waits of service, or at a tenth of them."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from unittest.mock import patch

import pytest

from bot.send import client
from bot.slack import link
from bot.workspace import socket
from tests.support.delivered import nothing_lost_or_twice, settle
from tests.support.house import BOB, House, config_for, living, standing
from tests.support.scale import FULL, scaled, told

BACK_WITHIN_S = 90
FULL_FOR_S = scaled(2, 20)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps as in service; in the short form with shorter waits."""
    if not FULL:
        waits = partial(link.Patience, connect=1, look=0.1, ping=0.5, first=0.1, longest=0.5)
        monkeypatch.setattr(link, "Patience", waits)
        monkeypatch.setattr(client, "SOCKETS_EVERY_S", 0.2)


async def half_open(house: House, broken: asyncio.Event) -> None:
    house.slack.sockets.freeze()
    broken.set()


async def refused_handshakes(house: House, broken: asyncio.Event) -> None:
    house.slack.faults.refuse_handshake(4)
    house.slack.sockets.drop()
    broken.set()


async def refresh(house: House, broken: asyncio.Event) -> None:
    await house.slack.sockets.refresh()
    broken.set()


async def dropped(house: House, broken: asyncio.Event) -> None:
    house.slack.sockets.drop()
    broken.set()


async def too_many(house: House, broken: asyncio.Event) -> None:
    """Others hold every place for a while: whoever connects is sent away with ``too_many_websockets``."""
    with patch.object(socket, "CONNECTIONS", 0):
        tries = tried(house)
        house.slack.sockets.drop()
        broken.set()
        await asyncio.sleep(FULL_FOR_S)
        await house.until(lambda: tried(house) > tries, "a try that is sent away")


def tried(house: House) -> int:
    return sum(call.method == "apps.connections.open" for call in house.slack.calls)


@pytest.mark.parametrize(
    "breaks",
    [half_open, refused_handshakes, too_many, refresh, dropped],
    ids=lambda one: one.__name__,
)
async def test_commands_are_heard_again_within_90_s_and_none_that_was_acked_is_lost(
    tmp_path, breaks
):
    async with (
        standing(tmp_path, ack_seconds=3.0) as house,  # as Slack, for a socket may be half open
        living(house, config_for(house.target)) as bot,
    ):
        acked = set()
        for title in (f"Before {number}" for number in range(5)):
            if (await house.slash(BOB, f"declare sev4 {title}")).ok:
                acked.add(title)
        before, broken = tried(house), asyncio.Event()
        began = time.monotonic()
        breaking = asyncio.create_task(breaks(house, broken))
        await broken.wait()
        unheard = 0
        back = None
        async with asyncio.timeout(BACK_WITHIN_S):
            while back is None:
                title = f"During {unheard}"
                if (await house.slash(BOB, f"declare sev4 {title}")).ok:
                    acked.add(title)
                    if breaking.done() and bot.link.problem() is None:
                        back = time.monotonic() - began
                else:
                    unheard += 1
                await asyncio.sleep(0.1)
        await breaking
        rows = await bot.database.read(lambda tx: tx.all("SELECT title FROM incidents"))
        stored = [row["title"] for row in rows]
        assert acked <= set(stored), "what was acked is there"
        await settle(house)
        await nothing_lost_or_twice(house)
        told(
            f"socket, {breaks.__name__}",
            f"back after {back:.1f} s, {unheard} commands without an answer meanwhile, {len(acked)} acked "
            f"and {len(stored)} stored, {tried(house) - before} addresses asked for by "
            f"{bot.link.sockets} clients",
        )
        assert tried(house) > before, "the socket was made anew"

"""The socket to Slack breaks in every way: it is made anew, /readyz says so, no command is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bot.model.config import Config
from bot.send import client
from bot.slack import link
from bot.wiring import Bot
from bot.workspace import faults
from tests.support.delivered import TELL_ALICE, nothing_lost_or_twice, settle
from tests.support.house import BOB, House, config_for, living, standing

QUICK = partial(link.Patience, connect=1, look=0.1, ping=0.5, first=0.1, longest=0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps as in service, at a tenth of the waits."""
    monkeypatch.setattr(link, "Patience", QUICK)
    monkeypatch.setattr(client, "SOCKETS_EVERY_S", 0.2)


@asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[tuple[House, Bot]]:
    async with (
        standing(folder, ack_seconds=3.0) as house,  # some are half open
        living(house, config_for(house.target, escalation=TELL_ALICE)) as bot,
    ):
        yield house, bot


async def ready(bot: Bot) -> tuple[int, str]:
    """The status of ``/readyz``, and what it says."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{bot.port}/readyz") as answer,
    ):
        return answer.status, await answer.text()


async def until_ready(bot: Bot, status: int) -> str:
    async with asyncio.timeout(60):
        while (found := await ready(bot))[0] != status:
            await asyncio.sleep(0.02)
    return found[1]


async def commands_work(house: House, bot: Bot) -> None:
    """Declare until it is acknowledged, as a person would; that one is committed and delivered."""
    async with asyncio.timeout(60):
        while not (await house.slash(BOB, "declare sev2 API slow")).ok:
            await asyncio.sleep(0.05)
    await until_ready(bot, 200)
    await settle(house, "card:1")
    await nothing_lost_or_twice(house, "card:1")
    await house.until(lambda: house.slack.sockets.connected == 1, "one socket")


async def test_a_dropped_socket_is_made_anew(tmp_path) -> None:
    async with connected(tmp_path) as (house, bot):
        house.slack.sockets.drop()
        await commands_work(house, bot)


async def test_a_refused_handshake_is_not_tried_at_the_same_address_for_ever(tmp_path) -> None:
    async with connected(tmp_path) as (house, bot):
        house.slack.faults.refuse_handshake(3)
        house.slack.sockets.drop()
        said = await until_ready(bot, 503)
        assert "Slack: " in said
        await commands_work(house, bot)
        assert house.slack.faults.refused_handshakes == 0


async def test_an_address_that_is_refused_for_ever_is_given_up(tmp_path, monkeypatch) -> None:
    async with connected(tmp_path) as (house, bot):
        tickets = house.slack.site.tickets
        use, refused = tickets.use_socket, []

        def first_is_never_taken(ticket: str) -> bool:
            refused.append(ticket)
            return ticket != refused[0] and use(ticket)

        monkeypatch.setattr(tickets, "use_socket", first_is_never_taken)
        house.slack.sockets.drop()
        await house.until(lambda: refused, "the library's own try")
        await commands_work(house, bot)
        assert refused[-1] != refused[0]


async def test_a_half_open_socket_is_noticed_and_made_anew(tmp_path) -> None:
    async with connected(tmp_path) as (house, bot):
        house.slack.sockets.freeze()
        await commands_work(house, bot)


@pytest.mark.parametrize("jump_s", [-3_600, 3_600], ids=["back", "forward"])
async def test_a_half_open_socket_is_noticed_though_the_wall_clock_is_set(
    tmp_path, monkeypatch, jump_s
) -> None:
    """The library counts from the wall clock: set back, it would wait for an hour."""
    monkeypatch.setattr(link, "Patience", partial(QUICK, pong=2))
    async with connected(tmp_path) as (house, bot):
        await house.until(lambda: bot.link.sockets == 1, "the socket")
        house.slack.sockets.freeze()
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        await until_ready(bot, 503)
        await commands_work(house, bot)
        assert bot.link.sockets > 1


async def test_a_refresh_that_slack_asks_for_loses_nothing(tmp_path) -> None:
    async with connected(tmp_path) as (house, bot):
        await house.slack.sockets.refresh()
        await commands_work(house, bot)


async def test_a_warning_of_a_refresh_loses_nothing(tmp_path) -> None:
    async with connected(tmp_path) as (house, bot):
        await house.slack.sockets.warn()
        await commands_work(house, bot)


async def test_too_many_sockets_are_waited_out_without_a_storm_of_new_ones(tmp_path) -> None:
    async with standing(tmp_path) as house, aiohttp.ClientSession() as session:
        others = [await another(house, session) for _ in range(10)]
        config = config_for(house.target, escalation=TELL_ALICE)
        starting = asyncio.ensure_future(lives(house, config))
        await house.until(lambda: asked_for_sockets(house) >= 10 + 1, "a first try")
        began = time.monotonic()
        await house.until(lambda: asked_for_sockets(house) >= 10 + 4, "three more tries")
        assert time.monotonic() - began > 0.5
        for other in others:
            await other.close()
        await starting


def asked_for_sockets(house: House) -> int:
    return sum(call.method == "apps.connections.open" for call in house.slack.calls)


async def lives(house: House, config: Config) -> None:
    async with living(house, config) as bot:
        await commands_work(house, bot)


async def another(house: House, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """One more connection of the same app."""
    headers = {"Authorization": f"Bearer {house.slack.app_token}"}
    url = f"{house.slack.api_url}apps.connections.open"
    async with session.post(url, headers=headers) as answer:
        return await session.ws_connect((await answer.json())["url"])


@pytest.mark.parametrize("fault", ["error_before", "reset_before", "rate_limited"])
@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_a_start_while_slack_is_away_is_not_ready_and_connects_later(
    tmp_path, method, fault
) -> None:
    planned = faults.rate_limited(1) if fault == "rate_limited" else getattr(faults, fault)
    async with standing(tmp_path) as house:
        house.slack.faults.add(method, planned, 3)
        async with living(house, config_for(house.target, escalation=TELL_ALICE)) as bot:
            await commands_work(house, bot)


async def test_what_was_acknowledged_while_sockets_drop_is_in_the_store(tmp_path) -> None:
    async with connected(tmp_path) as (house, bot):
        answered = 0
        for number in range(12):
            if number % 3 == 0:
                house.slack.sockets.drop()
            said = await house.slash(BOB, f"declare sev4 Trouble {number}")
            answered += said.ok
        stored = await bot.database.read(lambda tx: tx.all("SELECT title FROM incidents"))
        assert len(stored) >= answered
        await until_ready(bot, 200)
        await settle(house)
        await nothing_lost_or_twice(house)

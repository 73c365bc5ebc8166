"""What a send became, as the way to Slack says it: within one time limit, and found again later."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.model.message import Drawing, Failed, Message, Refused, Sent, State, Unsure
from bot.send import client
from bot.send.client import session, web_client
from bot.send.slack import CantLook, Slack
from bot.workspace import faults
from bot.workspace.server import Server, serve
from tests.support.house import ALICE, INCIDENTS

HOURS = 3_600_000


def message(server: Server, key: str = "ping:1:2", *, sending_at: int = 0, **more) -> Message:
    now = round(server.workspace.clock.now() * 1000)
    values = {
        "id": 1, "key": key, "kind": "ping", "incident_id": 1, "destination": f"user:{ALICE}",
        "via": "slack", "parent_id": None, "page": True, "facts": {}, "revision": 1, "delivered": 0,
        "state": State.SENDING, "due_at": now, "sending_at": now + sending_at,
        "lookup_failed_at": None, "attempts": 1, "channel": None, "ts": None, "sent_at": None,
        "error": None,
    }  # fmt: skip
    return Message(**(values | more))


@asynccontextmanager
async def slack(**options) -> AsyncIterator[tuple[Server, Slack]]:
    async with serve() as server, session() as pool:
        server.workspace.join(INCIDENTS, "U00IORA")
        yield server, Slack(web_client(server.bot_token, server.api_url, pool), **options)


async def post(out: Slack, wanted: Message):
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "words"}}
    drawing = Drawing("words", (block,))
    return await out.post(wanted, drawing, thread_ts=None, broadcast=False)


@pytest.mark.parametrize(
    ("method", "expected"), [("conversations.open", Failed), ("chat.postMessage", Unsure)]
)
async def test_opening_and_posting_share_one_time_limit(method, expected) -> None:
    async with slack(time_limit_s=0.3) as (server, out):
        server.faults.add(method, faults.hang_before, 1)
        began = time.monotonic()
        outcome = await post(out, message(server))
        assert time.monotonic() - began < 5
        assert isinstance(outcome, expected), "only what was posted may have arrived"


@pytest.mark.parametrize("apart_ms", [0, 5 * HOURS, -5 * HOURS])
@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_a_message_is_found_by_its_key_however_wrong_this_machines_clock_is(
    apart_ms, keeps_metadata
) -> None:
    async with slack() as (server, out):
        if not keeps_metadata:
            server.forget_metadata()
        wanted = message(server, sending_at=apart_ms)
        sent = await post(out, wanted)
        assert isinstance(sent, Sent)
        assert await out.find(wanted, thread_ts=None) == sent
        assert await out.find(message(server, "ping:1:22"), thread_ts=None) is None


async def test_a_message_is_found_behind_hundreds_of_others() -> None:
    async with slack() as (server, out):
        wanted = message(server, destination="channel:incidents")
        sent = await post(out, wanted)
        for number in range(450):
            server.workspace.post(INCIDENTS, ALICE, f"chatter {number}")
        assert await out.find(wanted, thread_ts=None) == sent


async def test_where_there_is_too_much_to_read_it_is_not_said_that_nothing_arrived(
    monkeypatch,
) -> None:
    monkeypatch.setattr("bot.send.slack._PAGES", 2)
    async with slack() as (server, out):
        wanted = message(server, destination="channel:incidents")
        await post(out, wanted)
        for number in range(450):
            server.workspace.post(INCIDENTS, ALICE, f"chatter {number}")
        with pytest.raises(CantLook):
            await out.find(wanted, thread_ts=None)


async def test_a_channel_that_was_made_again_under_its_name_is_found_again() -> None:
    async with slack() as (server, out):
        wanted = message(server, destination="channel:incidents")
        assert isinstance(await post(out, wanted), Sent)
        old = server.workspace.channels[INCIDENTS]
        old.name, old.archived = "incidents-old", True
        new = server.workspace.add_channel("incidents", [ALICE, "U00IORA"])
        assert await post(out, wanted) == Refused("is_archived")
        sent = await post(out, wanted)
        assert isinstance(sent, Sent)
        assert sent.channel == new.id


@pytest.mark.parametrize("fault", [faults.error_before, faults.reset_before, faults.hang_before])
async def test_a_look_up_that_does_not_answer_says_so(monkeypatch, fault) -> None:
    monkeypatch.setattr(client, "TIME_LIMIT_S", 0.3)
    async with slack() as (server, out):
        server.faults.add("conversations.history", fault, 2)  # aiohttp repeats a GET once
        with pytest.raises(CantLook):
            await out.find(message(server), thread_ts=None)

"""Rate limits, response URLs, and what goes wrong on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.workspace import faults
from bot.workspace.faults import Fault
from bot.workspace.server import NotLoopback, Server, serve
from tests.support.hand_clock import HandClock
from tests.support.workspace_app import web_client

INCIDENTS = "C01INCIDENTS"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server(clock: HandClock) -> AsyncIterator[Server]:
    async with serve(clock=clock) as running:
        running.workspace.join(INCIDENTS, "U00IORA")
        yield running


def texts(server: Server, person: str = "U01ALICE") -> list[str]:
    return [message.text for message in server.workspace.history(INCIDENTS, person)]


async def post(server: Server, channel: str = INCIDENTS, text: str = "hello") -> Any:
    return await web_client(server).chat_postMessage(channel=channel, text=text)


async def limited(call: Any) -> int:
    """How long a call is told to wait, in seconds."""
    with pytest.raises(SlackApiError) as refused:
        await call
    assert refused.value.response.status_code == 429
    assert refused.value.response["error"] == "ratelimited"
    return int(refused.value.response.headers["Retry-After"])


async def test_a_channel_takes_a_burst_and_then_one_message_a_second(
    server: Server, clock: HandClock
) -> None:
    for _ in range(5):
        await post(server)
    assert await limited(post(server)) == 1
    await post(server, "C02GENERAL")
    clock.move(1)
    await post(server)
    assert await limited(post(server)) == 1
    assert len(texts(server)) == 6


async def test_a_method_has_its_tier_a_minute(server: Server, clock: HandClock) -> None:
    client = web_client(server)
    for _ in range(25):
        await client.users_list()
    clock.move(10)
    assert await limited(client.users_list()) == 50
    await client.users_info(user="U01ALICE")
    clock.move(50)
    await client.users_list()


async def test_limits_can_be_switched_off(server: Server) -> None:
    server.limits.enabled = False
    for _ in range(10):
        await post(server)
    assert len(texts(server)) == 10


async def respond(server: Server, ticket: str, **body: Any) -> tuple[int, str]:
    client = AsyncWebhookClient(f"{server.url}/respond/{ticket}", retry_handlers=[])
    answer = await client.send(**body)
    return answer.status_code, answer.body


async def test_a_response_url_answers_five_times(server: Server) -> None:
    ticket = server.site.tickets.response("U01ALICE", INCIDENTS)
    for number in range(5):
        assert (await respond(server, ticket, text=str(number)))[0] == 200
    status, body = await respond(server, ticket, text="6")
    assert (status, "used_url" in body) == (404, True)
    assert texts(server) == ["0", "1", "2", "3", "4"]
    assert texts(server, "U02BOB") == []


async def test_a_response_url_is_over_after_half_an_hour(server: Server, clock: HandClock) -> None:
    ticket = server.site.tickets.response("U01ALICE", INCIDENTS)
    clock.move(30 * 60)
    assert (await respond(server, ticket, text="in time"))[0] == 200
    clock.move(1)
    status, body = await respond(server, ticket, text="late")
    assert (status, "expired_url" in body) == (404, True)


async def test_a_response_url_replaces_and_deletes_the_message_that_was_pressed(
    server: Server,
) -> None:
    posted = await post(server)
    ticket = server.site.tickets.response("U01ALICE", INCIDENTS, posted["ts"])
    await respond(server, ticket, text="replaced", replace_original=True)
    assert texts(server, "U02BOB") == ["replaced"]
    await respond(server, ticket, text="for all", response_type="in_channel")
    assert texts(server, "U02BOB") == ["replaced", "for all"]
    await respond(server, ticket, delete_original=True)
    assert texts(server, "U02BOB") == ["for all"]


async def test_a_commands_response_url_has_no_message_to_replace(server: Server) -> None:
    ticket = server.site.tickets.response("U01ALICE", INCIDENTS)
    await respond(server, ticket, text="first")
    await respond(server, ticket, text="second", replace_original=True)
    assert texts(server) == ["first", "second"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "response_type": "loud"}, "unknown response_type"),
        ({"text": "x", "blocks": [{"type": "header"}]}, "missing required field: text"),
    ],
)
async def test_a_response_that_is_not_valid_is_refused_and_remembered(
    server: Server, body: dict[str, Any], reason: str
) -> None:
    ticket = server.site.tickets.response("U01ALICE", INCIDENTS)
    status, answer = await respond(server, ticket, **body)
    assert status == 400
    assert reason in answer
    assert [item.where for item in server.rejections] == ["response_url"]


@pytest.mark.parametrize(
    ("fault", "status", "arrived"),
    [
        (faults.error_before, 500, []),
        (faults.error_after, 500, ["hello"]),
        (faults.rate_limited(7), 429, []),
        (faults.api_error("fatal_error"), 200, []),
    ],
)
async def test_a_call_fails_once_before_or_after_its_effect(
    server: Server, fault: Fault, status: int, arrived: list[str]
) -> None:
    server.faults.add("chat.postMessage", fault)
    with pytest.raises(SlackApiError) as refused:
        await post(server)
    assert refused.value.response.status_code == status
    assert texts(server) == arrived
    await post(server, text="again")
    assert texts(server) == [*arrived, "again"]


async def test_a_planned_429_says_how_long_to_wait(server: Server) -> None:
    server.faults.add("chat.postMessage", faults.rate_limited(7))
    assert await limited(post(server)) == 7


@pytest.mark.parametrize(
    ("fault", "arrived"), [(faults.reset_before, []), (faults.reset_after, ["hello"])]
)
async def test_a_connection_is_cut_before_or_after_the_effect(
    server: Server, fault: Fault, arrived: list[str]
) -> None:
    server.faults.add("chat.postMessage", fault)
    with pytest.raises(aiohttp.ClientError):
        await post(server)
    assert texts(server) == arrived


@pytest.mark.parametrize(
    ("fault", "arrived"), [(faults.hang_before, []), (faults.hang_after, ["hello"])]
)
async def test_a_call_hangs_until_the_client_gives_up(
    server: Server, fault: Fault, arrived: list[str]
) -> None:
    server.faults.add("chat.postMessage", fault)
    client = web_client(server)
    client.timeout = 3
    with pytest.raises(TimeoutError):
        await client.chat_postMessage(channel=INCIDENTS, text="hello")
    assert texts(server) == arrived


async def test_a_call_that_hangs_is_released(server: Server) -> None:
    server.faults.add("chat.postMessage", faults.hang_after)
    call = asyncio.ensure_future(post(server))
    async with asyncio.timeout(60):
        await server.faults.wait_hanging(1)
    server.faults.release()
    with pytest.raises(aiohttp.ClientError):
        await call
    assert texts(server) == ["hello"]


async def test_faults_may_wait_their_turn_and_be_for_every_method(server: Server) -> None:
    server.faults.add("chat.postMessage", faults.error_before, count=2, after=1)
    await post(server, text="first")
    for _ in range(2):
        with pytest.raises(SlackApiError):
            await post(server)
    await post(server, text="fourth")
    assert texts(server) == ["first", "fourth"]
    server.faults.add("*", faults.error_before)
    with pytest.raises(SlackApiError):
        await web_client(server).auth_test()


async def test_calls_are_kept_with_their_answers(server: Server) -> None:
    await post(server)
    call = server.calls[-1]
    assert call.method == "chat.postMessage"
    assert call.arguments == {"channel": INCIDENTS, "text": "hello"}
    assert call.result is not None
    assert call.result["ok"] is True


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])
async def test_it_serves_this_machine_only(host: str) -> None:
    with pytest.raises(NotLoopback):
        async with serve(host=host):
            pass

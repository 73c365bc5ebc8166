"""Signed HTTP, with a real Bolt app behind the events URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.workspace.server import serve
from tests.support.hand_clock import HandClock
from tests.support.workspace_app import bolt_app

INCIDENTS = "C01INCIDENTS"


@asynccontextmanager
async def listening(handler: Any) -> AsyncIterator[str]:
    """An HTTP server with one address, for as long as the block runs."""
    application = web.Application()
    application.router.add_post("/slack/events", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


async def test_a_bolt_app_takes_commands_presses_and_events() -> None:
    handlers: list[Any] = []

    async def forward(request: web.Request) -> web.Response:
        answer: web.Response = await handlers[0](request)
        return answer

    async with listening(forward) as url, serve(events_url=url) as server:
        server.workspace.join(INCIDENTS, "U00IORA")
        app = bolt_app(server)
        handlers.append(app.server(path="/slack/events").handle_post_requests)
        heard: asyncio.Queue[str] = asyncio.Queue()

        @app.command("/iora")
        async def command(ack: Any, command: dict[str, Any]) -> None:
            await ack({"text": f"you said {command['text']}", "blocks": [button()]})

        @app.action("again")
        async def pressed(ack: Any, action: dict[str, Any]) -> None:
            await ack()
            heard.put_nowait(action["value"])

        @app.event("message")
        async def message(event: dict[str, Any]) -> None:
            heard.put_nowait(event["text"])

        assert server.signed is not None
        assert await server.signed.verify_url()
        outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "assign @bob")
        assert outcome.message is not None, outcome.why
        assert outcome.message.text == "you said assign <@U02BOB|bob>"
        pressed_it = await server.acts.press(
            "U01ALICE", INCIDENTS, outcome.message.ts, "buttons", "again"
        )
        assert pressed_it.ok, pressed_it.why
        async with asyncio.timeout(60):
            assert await heard.get() == "INC-7"
            await server.acts.say("U01ALICE", INCIDENTS, "hello")
            assert await heard.get() == "hello"


def button() -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Again"}
    element = {"type": "button", "action_id": "again", "text": label, "value": "INC-7"}
    return {"type": "actions", "block_id": "buttons", "elements": [element]}


async def test_a_request_is_signed_over_its_raw_body() -> None:
    seen: list[tuple[bytes, dict[str, str]]] = []

    async def keep(request: web.Request) -> web.Response:
        seen.append((await request.read(), dict(request.headers)))
        return web.Response()

    async with listening(keep) as url, serve(events_url=url) as server:
        await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "größer & kleiner")
        verifier = SignatureVerifier(server.signing_secret)
        body, headers = seen[0]
        assert verifier.is_valid_request(body, headers)
        assert not verifier.is_valid_request(body + b" ", headers)
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_an_event_is_repeated_with_slacks_headers_until_it_is_taken() -> None:
    clock = HandClock()
    seen: asyncio.Queue[tuple[str | None, str | None]] = asyncio.Queue()
    answers = [500, 500, 200]

    async def answer(request: web.Request) -> web.Response:
        headers = request.headers
        seen.put_nowait((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")))
        return web.Response(status=answers.pop(0))

    async with listening(answer) as url, serve(events_url=url, clock=clock) as server:
        server.workspace.join(INCIDENTS, "U00IORA")
        await server.acts.say("U01ALICE", INCIDENTS, "hello")
        async with asyncio.timeout(60):
            assert await seen.get() == (None, None)
            assert await seen.get() == ("1", "http_error")
            await clock.wait_sleepers(1)
            clock.move(60)
            assert await seen.get() == ("2", "http_error")
    assert answers == []


async def test_an_event_that_timed_out_says_so_when_it_comes_again() -> None:
    reasons: asyncio.Queue[str | None] = asyncio.Queue()

    async def slow_at_first(request: web.Request) -> web.Response:
        reason = request.headers.get("X-Slack-Retry-Reason")
        reasons.put_nowait(reason)
        if reason is None:
            await asyncio.Event().wait()
        return web.Response()

    async with listening(slow_at_first) as url, serve(events_url=url, ack_seconds=0.05) as server:
        server.workspace.join(INCIDENTS, "U00IORA")
        await server.acts.say("U01ALICE", INCIDENTS, "hello")
        async with asyncio.timeout(60):
            assert [await reasons.get(), await reasons.get()] == [None, "http_timeout"]


async def test_a_command_is_never_repeated() -> None:
    calls: list[str] = []

    async def fail(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.Response(status=500)

    async with listening(fail) as url, serve(events_url=url) as server:
        outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
    assert (outcome.ok, outcome.why) == (False, "http_error (500)")
    assert len(calls) == 1


async def test_an_app_that_is_slow_or_away_is_told_apart() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with listening(slow) as url, serve(events_url=url, ack_seconds=0.05) as server:
        outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
        assert outcome.why == "operation_timeout"
    async with serve(events_url=url) as server:
        outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
        assert outcome.why == "app not connected"

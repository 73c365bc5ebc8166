"""Socket Mode, with a real Bolt app at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.workspace.server import Server, serve
from tests.support.hand_clock import HandClock
from tests.support.workspace_app import bolt_app, connected, web_client

INCIDENTS = "C01INCIDENTS"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(ack_seconds=20.0) as running:
        running.workspace.join(INCIDENTS, "U00IORA")
        yield running


def button(action_id: str = "iora:incident:ack", value: str = "INC-7") -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": "Acknowledge"},
        "value": value,
    }


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "buttons", "elements": list(elements)}


class Raw:
    """A bare socket, which acknowledges only what it is told to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            body: dict[str, Any] = await self.socket.receive_json()
        return body

    async def ack(self, envelope: dict[str, Any], payload: Any = None) -> None:
        answer = {"envelope_id": envelope["envelope_id"]}
        await self.socket.send_json(answer if payload is None else answer | {"payload": payload})


@pytest.fixture
async def raw(server: Server) -> AsyncIterator[Callable[[], Any]]:
    async with aiohttp.ClientSession() as session:

        async def connect() -> Raw:
            opened = await web_client(server).apps_connections_open(app_token=server.app_token)
            return Raw(await session.ws_connect(opened["url"]))

        yield connect


async def test_a_slash_command_is_answered_to_the_person_alone(server: Server) -> None:
    app = bolt_app(server)
    seen: list[dict[str, Any]] = []

    @app.command("/iora")
    async def answer(ack: Any, command: dict[str, Any]) -> None:
        seen.append(command)
        await ack("All is well")

    async with connected(server, app):
        outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")

    assert outcome.ok, outcome.why
    assert outcome.message is not None
    assert (outcome.message.text, outcome.message.ephemeral_to) == ("All is well", "U01ALICE")
    assert {key: seen[0][key] for key in ("team_id", "channel_name", "user_name", "text")} == {
        "team_id": "T01TEAM",
        "channel_name": "incidents",
        "user_name": "alice",
        "text": "health",
    }
    assert server.workspace.history(INCIDENTS, "U02BOB") == []
    assert server.rejections == []


async def test_people_channels_and_signs_in_a_command_are_escaped(server: Server, raw: Any) -> None:
    socket = await raw()
    await socket.next()
    typed = asyncio.ensure_future(
        server.acts.slash(
            "U01ALICE", INCIDENTS, "/iora", "assign @bob. a < b & c in #incidents, not @nobody"
        )
    )
    envelope = await socket.next()
    assert envelope["payload"]["text"] == (
        "assign <@U02BOB|bob>. a &lt; b &amp; c in <#C01INCIDENTS|incidents>, not @nobody"
    )
    await socket.ack(envelope)
    assert (await typed).ok


async def test_an_answer_in_the_channel_is_seen_by_all(server: Server, raw: Any) -> None:
    socket = await raw()
    await socket.next()
    typed = asyncio.ensure_future(server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health"))
    await socket.ack(
        await socket.next(), {"response_type": "in_channel", "text": "iora is healthy"}
    )
    assert (await typed).ok
    texts = [message.text for message in server.workspace.history(INCIDENTS, "U02BOB")]
    assert texts == ["iora is healthy"]


async def test_an_answer_that_slack_would_not_take_is_an_error_for_the_person(
    server: Server, raw: Any
) -> None:
    socket = await raw()
    await socket.next()
    typed = asyncio.ensure_future(server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health"))
    await socket.ack(await socket.next(), {"blocks": [{"type": "header"}]})
    outcome = await typed
    assert not outcome.ok
    assert "missing required field: text" in outcome.why
    assert [item.where for item in server.rejections] == ["ack"]


async def test_without_an_app_a_command_fails_at_once(server: Server) -> None:
    outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
    assert (outcome.ok, outcome.why) == (False, "app not connected")


async def test_an_ack_that_is_late_is_a_time_out() -> None:
    async with serve(ack_seconds=0.05) as server, aiohttp.ClientSession() as session:
        opened = await web_client(server).apps_connections_open(app_token=server.app_token)
        async with session.ws_connect(opened["url"]):
            await server.sockets.wait_connected(1)
            outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
    assert (outcome.ok, outcome.why) == (False, "operation_timeout")


async def test_a_button_press_reaches_the_app_with_its_message(server: Server) -> None:
    app = bolt_app(server)
    seen: list[dict[str, Any]] = []

    @app.action("iora:incident:ack")
    async def pressed(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        seen.append(body)

    async with connected(server, app):
        posted = await web_client(server).chat_postMessage(
            channel=INCIDENTS, text="INC-7", blocks=[actions(button())]
        )
        outcome = await server.acts.press(
            "U01ALICE", INCIDENTS, posted["ts"], "buttons", "iora:incident:ack"
        )

    assert outcome.ok, outcome.why
    (body,) = seen
    assert body["user"]["id"] == "U01ALICE"
    assert body["team"]["id"] == "T01TEAM"
    assert body["channel"]["id"] == INCIDENTS
    assert body["container"]["message_ts"] == body["message"]["ts"] == posted["ts"]
    assert body["actions"][0]["value"] == "INC-7"
    assert body["actions"][0]["block_id"] == "buttons"


async def test_a_choice_in_a_menu_arrives_as_the_option_and_in_the_state(
    server: Server, raw: Any
) -> None:
    socket = await raw()
    await socket.next()
    menu = {
        "type": "static_select",
        "action_id": "severity",
        "options": [
            {"text": {"type": "plain_text", "text": name.upper()}, "value": name}
            for name in ("sev1", "sev2")
        ],
    }
    posted = await web_client(server).chat_postMessage(
        channel=INCIDENTS, text="INC-7", blocks=[actions(menu)]
    )
    wrong = await server.acts.press("U01ALICE", INCIDENTS, posted["ts"], "buttons", "severity", "x")
    assert not wrong.ok
    event = await socket.next()
    assert event["type"] == "events_api"
    await socket.ack(event)

    pressed = asyncio.ensure_future(
        server.acts.press("U01ALICE", INCIDENTS, posted["ts"], "buttons", "severity", "sev2")
    )
    envelope = await socket.next()
    payload = envelope["payload"]
    assert payload["actions"][0]["selected_option"]["value"] == "sev2"
    state = payload["state"]["values"]["buttons"]["severity"]
    assert (state["type"], state["selected_option"]["value"]) == ("static_select", "sev2")
    await socket.ack(envelope)
    assert (await pressed).ok


async def test_a_choice_is_forgotten_when_the_message_is_edited(server: Server, raw: Any) -> None:
    server.workspace.channels[INCIDENTS].members.remove("U00IORA")
    socket = await raw()
    await socket.next()
    client = web_client(server)

    def menu(*names: str) -> dict[str, Any]:
        label = {"type": "plain_text", "text": "x"}
        offered = [{"text": label, "value": name} for name in names]
        return {"type": "static_select", "action_id": "severity", "options": offered}

    posted = await client.chat_postMessage(
        channel=INCIDENTS, text="x", blocks=[actions(menu("old"), button())]
    )
    place = (INCIDENTS, posted["ts"], "buttons")
    pressed = asyncio.ensure_future(server.acts.press("U01ALICE", *place, "severity", "old"))
    await socket.ack(await socket.next())
    assert (await pressed).ok
    await client.chat_update(
        channel=INCIDENTS, ts=posted["ts"], text="x", blocks=[actions(menu("new"), button())]
    )
    pressed = asyncio.ensure_future(server.acts.press("U01ALICE", *place, "iora:incident:ack"))
    envelope = await socket.next()
    await socket.ack(envelope)
    assert (await pressed).ok
    state = envelope["payload"]["state"]["values"]
    assert state["buttons"]["severity"]["selected_option"] is None


async def test_an_ephemeral_message_is_not_handed_back_when_pressed(
    server: Server, raw: Any
) -> None:
    socket = await raw()
    await socket.next()
    shown = await web_client(server).chat_postEphemeral(
        channel=INCIDENTS, user="U01ALICE", text="x", blocks=[actions(button())]
    )
    place = (INCIDENTS, shown["message_ts"], "buttons", "iora:incident:ack")
    assert not (await server.acts.press("U02BOB", *place)).ok
    pressed = asyncio.ensure_future(server.acts.press("U01ALICE", *place))
    envelope = await socket.next()
    assert envelope["payload"]["container"]["is_ephemeral"] is True
    assert "message" not in envelope["payload"]
    await socket.ack(envelope)
    assert (await pressed).ok


async def test_events_tell_of_messages_and_mentions_in_channels_of_the_app(
    server: Server,
) -> None:
    app = bolt_app(server)
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    @app.event("message")
    async def message(event: dict[str, Any]) -> None:
        heard.put_nowait((event["channel_type"], event["text"]))

    @app.event("app_mention")
    async def mention(event: dict[str, Any]) -> None:
        heard.put_nowait(("mention", event["text"]))

    async with connected(server, app), asyncio.timeout(60):
        await server.acts.say("U01ALICE", "C02GENERAL", "nobody hears this")
        await server.acts.say("U01ALICE", INCIDENTS, "@iora help")
        assert {await heard.get(), await heard.get()} == {
            ("channel", "<@U00IORA> help"),
            ("mention", "<@U00IORA> help"),
        }
        direct = await server.acts.open_dm("U01ALICE", "U00IORA")
        await server.acts.say("U01ALICE", direct.id, "hello")
        assert await heard.get() == ("im", "hello")


async def test_the_apps_own_edits_and_deletions_come_back_to_it(server: Server, raw: Any) -> None:
    socket = await raw()
    await socket.next()
    client = web_client(server)
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="one"))["ts"]
    await client.chat_update(channel=INCIDENTS, ts=ts, text="two")
    await client.chat_delete(channel=INCIDENTS, ts=ts)
    events = []
    for _ in range(3):
        envelope = await socket.next()
        await socket.ack(envelope)
        events.append(envelope["payload"]["event"])
    assert [event.get("subtype") for event in events] == [
        None,
        "message_changed",
        "message_deleted",
    ]
    assert events[1]["message"]["text"] == "two"
    assert events[1]["previous_message"]["text"] == "one"
    assert events[2]["deleted_ts"] == ts


async def test_events_want_their_scope(server: Server, raw: Any) -> None:
    socket = await raw()
    await socket.next()
    server.revoke("channels:history")
    await server.acts.say("U01ALICE", INCIDENTS, "not for you")
    await server.acts.say("U01ALICE", INCIDENTS, "@iora for you")
    envelope = await socket.next()
    assert envelope["payload"]["event"]["type"] == "app_mention"
    await socket.ack(envelope)


async def test_an_event_that_is_not_taken_is_sent_again_on_slacks_schedule() -> None:
    clock = HandClock()
    async with serve(clock=clock, ack_seconds=0.05) as server, aiohttp.ClientSession() as session:
        server.workspace.join(INCIDENTS, "U00IORA")
        opened = await web_client(server).apps_connections_open(app_token=server.app_token)
        async with session.ws_connect(opened["url"]) as websocket, asyncio.timeout(60):
            socket = Raw(websocket)
            await socket.next()
            await server.acts.say("U01ALICE", INCIDENTS, "hello")
            tries = [await socket.next(), await socket.next()]
            await clock.wait_sleepers(1)
            clock.move(60)
            tries.append(await socket.next())
            await clock.wait_sleepers(1)
            clock.move(299)
            await clock.wait_sleepers(1)
            clock.move(1)
            tries.append(await socket.next())
    assert [(item["retry_attempt"], item["retry_reason"]) for item in tries] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
        (3, "timeout"),
    ]
    assert len({item["payload"]["event_id"] for item in tries}) == 1


async def test_every_event_goes_to_one_of_the_connections(server: Server, raw: Any) -> None:
    first, second = await raw(), await raw()
    assert (await first.next())["num_connections"] == 1
    assert (await second.next())["num_connections"] == 2
    got = []
    for number in range(4):
        await server.acts.say("U01ALICE", INCIDENTS, str(number))
    for socket in (first, second):
        for _ in range(2):
            envelope = await socket.next()
            got.append(envelope["payload"]["event"]["text"])
            await socket.ack(envelope)
    assert sorted(got) == ["0", "1", "2", "3"]


async def test_an_eleventh_connection_is_sent_away(server: Server, raw: Any) -> None:
    server.limits.enabled = False
    sockets = [await raw() for _ in range(10)]
    assert [(await socket.next())["num_connections"] for socket in sockets] == list(range(1, 11))
    refused = await (await raw()).next()
    assert (refused["type"], refused["reason"]) == ("disconnect", "too_many_websockets")


async def test_a_socket_address_is_good_for_one_connection(server: Server) -> None:
    opened = await web_client(server).apps_connections_open(app_token=server.app_token)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(opened["url"]):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(opened["url"])
    assert refused.value.status == 403


async def test_a_handshake_is_refused_on_demand(server: Server, raw: Any) -> None:
    server.faults.refuse_handshake(1)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await raw()
    assert refused.value.status == 503
    assert (await (await raw()).next())["type"] == "hello"


async def test_a_refresh_is_announced_and_the_app_comes_back(server: Server, raw: Any) -> None:
    socket = await raw()
    await socket.next()
    await server.sockets.refresh()
    assert [(await socket.next())["reason"] for _ in range(2)] == ["warning", "refresh_requested"]
    await server.sockets.wait_connected(0)

    app = bolt_app(server)

    @app.command("/iora")
    async def answer(ack: Any) -> None:
        await ack("here again")

    async with connected(server, app), asyncio.timeout(60):
        await server.sockets.refresh()
        await server.sockets.wait_connected(1)
        outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
    assert outcome.message is not None
    assert outcome.message.text == "here again"


async def test_dropped_sockets_are_gone_without_a_goodbye(server: Server, raw: Any) -> None:
    socket = await raw()
    await socket.next()
    server.sockets.drop()
    async with asyncio.timeout(60):
        message = await socket.socket.receive()
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert server.sockets.connected == 0


async def test_more_patience_than_slack_has_is_for_a_slow_app_and_not_for_one_that_is_gone(
    server: Server, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workspace.socket.ACK_SECONDS", 0.05)
    monkeypatch.setattr(server.sockets, "_ack_seconds", 3600.0)
    socket = await raw()
    await socket.next()
    typed = asyncio.create_task(server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health"))
    await socket.next()
    server.sockets.drop()
    async with asyncio.timeout(60):
        assert (await typed).why == "operation_timeout"


async def test_a_half_open_socket_answers_no_ping_and_carries_nothing() -> None:
    async with serve(ack_seconds=0.05) as server, aiohttp.ClientSession() as session:
        opened = await web_client(server).apps_connections_open(app_token=server.app_token)
        async with session.ws_connect(opened["url"], autoping=False) as websocket:
            await websocket.receive()
            await websocket.ping(b"before")
            assert (await websocket.receive()).type is aiohttp.WSMsgType.PONG
            server.sockets.freeze()
            await websocket.ping(b"after")
            outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "health")
            assert outcome.why == "operation_timeout"
            with pytest.raises(TimeoutError):
                await websocket.receive(timeout=0.05)


async def test_a_command_wants_its_scope_and_must_exist(server: Server) -> None:
    assert (
        "not a valid command" in (await server.acts.slash("U01ALICE", INCIDENTS, "/other", "")).why
    )
    server.revoke("commands")
    assert (
        "not a valid command" in (await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "")).why
    )


async def test_an_app_token_without_its_scope_opens_no_socket(server: Server) -> None:
    server.app.app_scopes.clear()
    with pytest.raises(SlackApiError, match="missing_scope"):
        await web_client(server).apps_connections_open(app_token=server.app_token)

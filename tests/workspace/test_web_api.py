"""The Web API, called by the real client: tokens, scopes, methods, messages, paging."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.api import offered
from bot.workspace.records import Person
from bot.workspace.server import Server, serve
from tests.support.workspace_app import web_client

INCIDENTS = "C01INCIDENTS"
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve() as running:
        running.workspace.join(INCIDENTS, "U00IORA")
        yield running


@pytest.fixture
def client(server: Server) -> AsyncWebClient:
    return web_client(server)


async def refusal(call: Awaitable[Any]) -> dict[str, Any]:
    """The answer of a call that must be refused."""
    with pytest.raises(SlackApiError) as refused:
        await call
    answer: dict[str, Any] = refused.value.response.data
    return answer


async def test_a_token_says_who_it_belongs_to(server: Server, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (
        "T01TEAM",
        "U00IORA",
        "B01IORA",
    )
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
async def test_a_method_wants_its_own_kind_of_token(server: Server, token: str, error: str) -> None:
    client = web_client(server, server.app_token if token == "app" else token)
    assert (await refusal(client.auth_test()))["error"] == error


async def test_a_socket_is_opened_with_the_app_token_only(server: Server) -> None:
    answer = await refusal(web_client(server).apps_connections_open(app_token=server.bot_token))
    assert answer["error"] == "not_allowed_token_type"


async def test_a_token_may_come_in_the_body_and_arguments_as_a_form(
    server: Server, client: AsyncWebClient
) -> None:
    silent = web_client(server, "")
    answer = await silent.api_call(
        "chat.postMessage",
        data={"token": server.bot_token, "channel": INCIDENTS, "text": "hi", "blocks": "[]"},
    )
    assert answer["message"]["text"] == "hi"
    assert server.calls[-1].arguments == {"channel": INCIDENTS, "text": "hi", "blocks": "[]"}


async def test_a_missing_scope_is_named(server: Server, client: AsyncWebClient) -> None:
    server.revoke("chat:write")
    answer = await refusal(client.chat_postMessage(channel=INCIDENTS, text="hi"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    assert "chat:write" not in answer["provided"].split(",")
    assert "users:read" in answer["provided"].split(",")


@pytest.mark.parametrize(
    ("scope", "call"),
    [
        ("channels:history", lambda client: client.conversations_history(channel=INCIDENTS)),
        ("im:history", lambda client: client.conversations_history(channel="DIRECT")),
        ("channels:read", lambda client: client.conversations_info(channel=INCIDENTS)),
        ("im:read", lambda client: client.conversations_info(channel="DIRECT")),
        ("channels:read", lambda client: client.conversations_list()),
        ("im:read", lambda client: client.conversations_list(types="im")),
    ],
)
async def test_reading_wants_the_scope_of_the_channels_kind(
    server: Server,
    client: AsyncWebClient,
    scope: str,
    call: Callable[[AsyncWebClient], Awaitable[Any]],
) -> None:
    direct = server.workspace.direct("U00IORA", "U01ALICE")
    server.workspace.channels["DIRECT"] = direct
    server.workspace.messages["DIRECT"] = []
    direct.id = "DIRECT"
    await call(client)
    server.revoke(scope)
    assert (await refusal(call(client)))["needed"] == scope


async def test_an_unknown_method_is_refused(server: Server, client: AsyncWebClient) -> None:
    assert (await refusal(client.api_call("chat.shout")))["error"] == "unknown_method"
    server.without("pins.add")
    answer = await refusal(client.pins_add(channel=INCIDENTS, timestamp="1.0"))
    assert answer["error"] == "unknown_method"


def test_what_is_offered_can_be_listed() -> None:
    assert offered()["chat.postMessage"] == {"chat:write"}
    assert offered()["conversations.history"] == {"channels:history", "im:history"}


async def test_a_message_is_posted_edited_and_deleted(
    server: Server, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel=INCIDENTS, text="hello", blocks=BLOCKS)
    message = server.workspace.message(INCIDENTS, posted["ts"])
    assert message is not None
    assert (message.text, message.author) == ("hello", "U00IORA")
    assert message.blocks[0]["block_id"], "Slack gives an id to a block that has none"

    await client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="bye", blocks=BLOCKS[:0])
    assert (message.text, message.blocks, message.ts) == ("bye", [], posted["ts"])
    assert message.edited is not None

    await client.chat_delete(channel=INCIDENTS, ts=posted["ts"])
    assert server.workspace.history(INCIDENTS, "U01ALICE") == []


async def test_an_edit_of_the_text_alone_leaves_the_blocks(
    server: Server, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel=INCIDENTS, text="hello", blocks=BLOCKS)
    edited = await client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="bye")
    assert edited["message"]["text"] == "bye"
    assert edited["message"]["blocks"][0]["text"]["text"] == "*hello*"


async def test_a_wrong_block_is_refused_and_remembered(
    server: Server, client: AsyncWebClient
) -> None:
    answer = await refusal(
        client.chat_postMessage(channel=INCIDENTS, text="x", blocks=[{"type": "section"}])
    )
    reason = "must define either `text` or `fields` [json-pointer:/blocks/0]"
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {reason}"]
    assert [(item.where, reason in item.reason) for item in server.rejections] == [
        ("chat.postMessage", True)
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": INCIDENTS}, "no_text"),
        ({"channel": INCIDENTS, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": INCIDENTS, "text": "x", "attachments": [{}]}, "invalid_attachments"),
        ({"channel": "C99", "text": "x"}, "channel_not_found"),
        ({"channel": INCIDENTS, "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"channel": INCIDENTS, "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"channel": INCIDENTS, "text": "x", "blocks": "nonsense"}, "invalid_blocks_format"),
        ({"channel": "C03OLD", "text": "x"}, "is_archived"),
        ({"channel": "U01ALICE", "text": "x"}, "channel_not_found"),
    ],
)  # fmt: skip
async def test_a_post_is_refused(
    server: Server, client: AsyncWebClient, arguments: dict[str, Any], error: str
) -> None:
    old = server.workspace.add_channel("old", ["U00IORA"], channel_id="C03OLD")
    old.archived = True
    answer = await refusal(client.api_call("chat.postMessage", json=arguments))
    assert answer["error"] == error


async def test_posting_where_the_app_is_not_wants_a_scope_of_its_own(
    server: Server, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C02GENERAL", text="hello")
    server.revoke("chat:write.public")
    answer = await refusal(client.chat_postMessage(channel="C02GENERAL", text="hello"))
    assert answer["error"] == "not_in_channel"
    await client.conversations_join(channel="C02GENERAL")
    await client.chat_postMessage(channel="C02GENERAL", text="hello")


async def test_somebody_elses_message_is_left_alone(server: Server, client: AsyncWebClient) -> None:
    said = (await server.acts.say("U01ALICE", INCIDENTS, "mine")).message
    assert said is not None
    answer = await refusal(client.chat_update(channel=INCIDENTS, ts=said.ts, text="yours"))
    assert answer["error"] == "cant_update_message"
    answer = await refusal(client.chat_delete(channel=INCIDENTS, ts=said.ts))
    assert answer["error"] == "cant_delete_message"
    answer = await refusal(client.chat_update(channel=INCIDENTS, ts="1.000000", text="x"))
    assert answer["error"] == "message_not_found"


async def test_an_ephemeral_message_is_one_persons_and_can_not_be_edited(
    server: Server, client: AsyncWebClient
) -> None:
    shown = await client.chat_postEphemeral(channel=INCIDENTS, user="U01ALICE", text="psst")
    assert [message.text for message in server.workspace.history(INCIDENTS, "U01ALICE")] == ["psst"]
    assert server.workspace.history(INCIDENTS, "U02BOB") == []
    answer = await refusal(
        client.chat_update(channel=INCIDENTS, ts=shown["message_ts"], text="louder")
    )
    assert answer["error"] == "message_not_found"
    assert (await client.conversations_history(channel=INCIDENTS))["messages"] == []


async def test_metadata_comes_back_in_the_history_and_in_replies(
    server: Server, client: AsyncWebClient
) -> None:
    metadata = {"event_type": "iora", "event_payload": {"key": "level:7"}}
    parent = await client.chat_postMessage(channel=INCIDENTS, text="card", metadata=metadata)
    await client.chat_postMessage(
        channel=INCIDENTS, text="reply", thread_ts=parent["ts"], metadata=metadata
    )
    history = await client.conversations_history(channel=INCIDENTS, include_all_metadata=True)
    assert [item["metadata"] for item in history["messages"]] == [metadata]
    thread = await client.conversations_replies(
        channel=INCIDENTS, ts=parent["ts"], include_all_metadata=True
    )
    assert [(item["text"], item["metadata"]) for item in thread["messages"]] == [
        ("card", metadata),
        ("reply", metadata),
    ]
    plain = await client.conversations_history(channel=INCIDENTS)
    assert "metadata" not in plain["messages"][0]


async def test_a_server_may_forget_metadata(server: Server, client: AsyncWebClient) -> None:
    server.forget_metadata()
    metadata = {"event_type": "iora", "event_payload": {}}
    await client.chat_postMessage(channel=INCIDENTS, text="card", metadata=metadata)
    history = await client.conversations_history(channel=INCIDENTS, include_all_metadata=True)
    assert "metadata" not in history["messages"][0]


async def test_history_is_read_in_pages_newest_first(
    server: Server, client: AsyncWebClient
) -> None:
    for number in range(5):
        await server.acts.say("U01ALICE", INCIDENTS, str(number))
    first = await client.conversations_history(channel=INCIDENTS, limit=3)
    assert [item["text"] for item in first["messages"]] == ["4", "3", "2"]
    assert first["has_more"] is True
    rest = await client.conversations_history(
        channel=INCIDENTS, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [item["text"] for item in rest["messages"]] == ["1", "0"]
    assert rest["has_more"] is False

    edge = first["messages"][1]["ts"]
    after = await client.conversations_history(channel=INCIDENTS, oldest=edge)
    assert [item["text"] for item in after["messages"]] == ["4"]
    until = await client.conversations_history(
        channel=INCIDENTS, latest=edge, inclusive=True, limit=1
    )
    assert [item["text"] for item in until["messages"]] == ["3"]
    wrong = await refusal(client.conversations_history(channel=INCIDENTS, cursor="nonsense"))
    assert wrong["error"] == "invalid_cursor"


async def test_history_shows_no_reply_unless_it_was_broadcast(
    server: Server, client: AsyncWebClient
) -> None:
    parent = await client.chat_postMessage(channel=INCIDENTS, text="card")
    for text, broadcast in (("quiet", False), ("loud", True)):
        await client.chat_postMessage(
            channel=INCIDENTS, text=text, thread_ts=parent["ts"], reply_broadcast=broadcast
        )
    messages = (await client.conversations_history(channel=INCIDENTS))["messages"]
    assert [item["text"] for item in messages] == ["loud", "card"]
    assert messages[1]["reply_count"] == 2


async def test_the_history_of_a_channel_without_the_app_is_closed(
    server: Server, client: AsyncWebClient
) -> None:
    answer = await refusal(client.conversations_history(channel="C02GENERAL"))
    assert answer["error"] == "not_in_channel"


async def test_a_direct_channel_is_opened_once(server: Server, client: AsyncWebClient) -> None:
    server.workspace.add_person(
        Person(id="U09GONE", name="gone", real_name="Gone", kind="deactivated")
    )
    first = await client.conversations_open(users="U02BOB")
    again = await client.conversations_open(users=["U02BOB"])
    assert first["channel"]["id"] == again["channel"]["id"]
    assert again["already_open"] is True
    await client.chat_postMessage(channel="U02BOB", text="hello")
    assert server.workspace.unread("U02BOB", first["channel"]["id"]) == 1
    for user, error in (("U99", "user_not_found"), ("U09GONE", "user_disabled")):
        assert (await refusal(client.conversations_open(users=user)))["error"] == error


async def test_people_and_channels_are_listed(server: Server, client: AsyncWebClient) -> None:
    people = await client.users_list(limit=2)
    rest = await client.users_list(cursor=people["response_metadata"]["next_cursor"])
    names = [person["name"] for person in [*people["members"], *rest["members"]]]
    assert names == ["alice", "bob", "mallory", "iora"]
    assert (await client.users_info(user="U02BOB"))["user"]["tz"] == "Europe/Berlin"
    assert (await refusal(client.users_info(user="U99")))["error"] == "user_not_found"

    channels = await client.conversations_list()
    assert [channel["name"] for channel in channels["channels"]] == ["incidents", "general"]
    assert (await client.conversations_info(channel=INCIDENTS))["channel"]["is_member"] is True
    members = await client.conversations_members(channel=INCIDENTS)
    assert members["members"] == ["U01ALICE", "U02BOB", "U03MALLORY", "U00IORA"]


async def test_do_not_disturb_is_told(server: Server, client: AsyncWebClient) -> None:
    assert (await client.dnd_info(user="U02BOB"))["snooze_enabled"] is False
    until = int(server.site.clock.now()) + 600
    server.workspace.snoozed_until["U02BOB"] = until
    answer = await client.dnd_info(user="U02BOB")
    assert (answer["snooze_enabled"], answer["snooze_endtime"]) == (True, until)


async def test_a_message_is_marked_once(server: Server, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="card"))["ts"]
    await client.reactions_add(channel=INCIDENTS, timestamp=ts, name="eyes")
    again = await refusal(client.reactions_add(channel=INCIDENTS, timestamp=ts, name="eyes"))
    assert again["error"] == "already_reacted"
    await client.pins_add(channel=INCIDENTS, timestamp=ts)
    again = await refusal(client.pins_add(channel=INCIDENTS, timestamp=ts))
    assert again["error"] == "already_pinned"
    link = await client.chat_getPermalink(channel=INCIDENTS, message_ts=ts)
    assert link["permalink"].endswith(f"/archives/{INCIDENTS}/p{ts.replace('.', '')}")


async def test_a_file_is_uploaded_in_three_steps(server: Server, client: AsyncWebClient) -> None:
    answer = await client.files_upload_v2(
        channel=INCIDENTS,
        filename="p95.png",
        content=b"not really a picture",
        title="P95",
        initial_comment="the chart",
    )
    (message,) = server.workspace.history(INCIDENTS, "U01ALICE")
    assert message.text == "the chart"
    (file,) = message.files
    assert (file.name, file.mimetype, file.content) == (
        "p95.png",
        "image/png",
        b"not really a picture",
    )
    assert answer["file"]["id"] == file.id


async def test_a_file_that_was_not_uploaded_can_not_be_completed(
    server: Server, client: AsyncWebClient
) -> None:
    begun = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    answer = await refusal(
        client.files_completeUploadExternal(files=[{"id": begun["file_id"], "title": "a"}])
    )
    assert answer["error"] == "file_not_found"


async def test_a_channel_is_made_and_people_are_invited(
    server: Server, client: AsyncWebClient
) -> None:
    made = (await client.conversations_create(name="inc-7-api-slow"))["channel"]
    await client.conversations_invite(channel=made["id"], users="U01ALICE,U02BOB")
    await client.conversations_setTopic(channel=made["id"], topic="API slow")
    channel = server.workspace.channels[made["id"]]
    assert (channel.members, channel.topic) == (["U00IORA", "U01ALICE", "U02BOB"], "API slow")
    for name, error in (("inc-7-api-slow", "name_taken"), ("Two words", "invalid_name_specials")):
        assert (await refusal(client.conversations_create(name=name)))["error"] == error


@pytest.mark.parametrize(("body", "error"), [("{", "invalid_json"), ("[]", "json_not_object")])
async def test_a_body_that_is_no_json_object_is_refused(
    server: Server, body: str, error: str
) -> None:
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.api_url}auth.test", data=body, headers=headers) as answer,
    ):
        assert await answer.json() == {"ok": False, "error": error}


async def test_replies_within_bounds_come_with_their_parent(
    server: Server, client: AsyncWebClient
) -> None:
    parent = await client.chat_postMessage(channel=INCIDENTS, text="card")
    first = await client.chat_postMessage(channel=INCIDENTS, text="1", thread_ts=parent["ts"])
    await client.chat_postMessage(channel=INCIDENTS, text="2", thread_ts=parent["ts"])
    thread = await client.conversations_replies(
        channel=INCIDENTS, ts=parent["ts"], oldest=first["ts"]
    )
    assert [item["text"] for item in thread["messages"]] == ["card", "2"]


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "rebound.example"}]
)
async def test_a_web_page_can_not_call_the_api_through_a_browser(
    server: Server, headers: dict[str, str]
) -> None:
    form = {"token": server.bot_token, "channel": INCIDENTS, "text": "forged"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.api_url}chat.postMessage", data=form, headers=headers) as answer,
    ):
        assert answer.status == 403
    assert server.workspace.history(INCIDENTS, "U01ALICE") == []


async def test_an_upload_has_the_length_that_was_announced(
    server: Server, client: AsyncWebClient
) -> None:
    begun = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with aiohttp.ClientSession() as session:
        for content, status in ((b"four", 400), (b"abc", 200)):
            async with session.post(begun["upload_url"], data=content) as answer:
                assert answer.status == status
    await client.files_completeUploadExternal(files=[{"id": begun["file_id"], "title": "a"}])
    assert server.workspace.files[begun["file_id"]].content == b"abc"


async def test_a_file_is_given_back_to_the_app_only(server: Server, client: AsyncWebClient) -> None:
    answer = await client.files_upload_v2(filename="a.txt", content="abc")
    address = f"{server.url}/files/{answer['file']['id']}"
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as closed:
            assert closed.status == 403
        headers = {"Authorization": f"Bearer {server.bot_token}"}
        async with session.get(address, headers=headers) as opened:
            assert await opened.read() == b"abc"

"""The page's addresses: who gets an answer, what is shown to whom, what may be done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.model.words import WORDS
from bot.workspace.page.topics import TOPICS
from bot.workspace.records import File
from bot.workspace.server import Server, serve

ALICE, BOB, MALLORY, IORA = "U01ALICE", "U02BOB", "U03MALLORY", "U00IORA"
INCIDENTS, GENERAL = "C01INCIDENTS", "C02GENERAL"
EVIL = "<script>alert(1)</script>"


class Client:
    """A browser's requests, without the browser."""

    def __init__(self, session: aiohttp.ClientSession, server: Server) -> None:
        self.session = session
        self.server = server

    async def get(self, path: str, **headers: str) -> tuple[int, str, aiohttp.ClientResponse]:
        async with self.session.get(
            self.server.url + path, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(errors="replace"), answer

    async def post(self, name: str, body: object, headers: dict[str, str] | None = None) -> Any:
        sent = {"Origin": self.server.url} if headers is None else headers
        async with self.session.post(
            f"{self.server.url}/page/{name}", json=body, headers=sent
        ) as answer:
            return {"status": answer.status, **await answer.json()}

    async def parts(self, person: str, channel: str, **more: str) -> dict[str, str]:
        query = "".join(f"&{key}={value}" for key, value in more.items())
        _, text, _ = await self.get(f"/page/parts?as={person}&in={channel}{query}")
        return dict(json.loads(text))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve() as server, aiohttp.ClientSession() as session:
        yield Client(session, server)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost:3000", "[::1]:80"])
async def test_a_browser_on_this_machine_is_answered(client: Client, host: str) -> None:
    status, text, _ = await client.get("/", Host=host)
    assert status == 200
    assert "A local practice workspace. This is not Slack." in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["/", "/page/parts", "/page/changes", "/page/sample"])
async def test_another_name_for_this_machine_is_not_answered(
    client: Client, host: str, path: str
) -> None:
    status, text, _ = await client.get(path, Host=host)
    assert status == 403
    assert "127.0.0.1" in text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_another_page_can_not_act_here(client: Client, headers: dict[str, str]) -> None:
    body = {"as": ALICE, "in": GENERAL, "text": "hello"}
    answer = await client.post("say", body, headers)
    assert answer["status"] == 403
    assert client.server.workspace.history(GENERAL, ALICE) == []


async def test_a_form_of_another_page_can_not_act_here(client: Client) -> None:
    url, headers = f"{client.server.url}/page/say", {"Origin": client.server.url}
    async with client.session.post(url, data={"text": "hello"}, headers=headers) as answer:
        assert answer.status == 403


async def test_no_foreign_code_runs_in_the_page(client: Client) -> None:
    _, text, answer = await client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "https://" not in text


async def test_what_people_write_is_text(client: Client) -> None:
    workspace = client.server.workspace
    message = workspace.post(INCIDENTS, BOB, f"{EVIL} <javascript:alert(1)|x>")
    workspace.react(message, BOB, EVIL)
    workspace.channels[INCIDENTS].topic = EVIL
    file = File(
        id="F1", name=f"{EVIL}.txt", mimetype="text/plain", content=b"x", title=EVIL, owner=BOB
    )
    file.content = EVIL.encode()
    workspace.post(INCIDENTS, BOB, "log", files=[file])
    _, text, _ = await client.get(f"/?as={ALICE}&in={INCIDENTS}&thread={message.ts}")
    assert "&lt;script&gt;" in text
    assert EVIL not in text
    assert 'href="javascript' not in text


async def test_an_ephemeral_message_is_shown_to_one_person_and_says_so(client: Client) -> None:
    client.server.workspace.post(INCIDENTS, IORA, "secret", ephemeral_to=ALICE)
    hers = (await client.parts(ALICE, INCIDENTS))["messages"]
    assert "secret" in hers
    assert "Only visible to you" in hers
    assert "secret" not in (await client.parts(BOB, INCIDENTS))["messages"]


async def test_nobody_sees_the_direct_messages_of_others(client: Client) -> None:
    workspace = client.server.workspace
    direct = workspace.direct(BOB, IORA)
    workspace.post(direct.id, IORA, "page for bob")
    assert "page for bob" in (await client.parts(BOB, direct.id))["messages"]
    assert "page for bob" not in (await client.parts(ALICE, direct.id))["messages"]


async def test_what_is_unread_is_counted_until_it_is_seen(client: Client) -> None:
    client.server.workspace.post(GENERAL, BOB, "news")
    assert "unread" in (await client.parts(ALICE, INCIDENTS))["side"]
    await client.parts(ALICE, GENERAL)
    assert "unread" in (await client.parts(ALICE, INCIDENTS))["side"]
    await client.parts(ALICE, GENERAL, seen="1")
    assert "unread" not in (await client.parts(ALICE, INCIDENTS))["side"]


async def test_the_switch_says_who_was_pinged(client: Client) -> None:
    workspace = client.server.workspace
    workspace.post(workspace.direct(BOB, IORA).id, IORA, "INC-7: you are on call")
    assert "1<span" in (await client.parts(ALICE, INCIDENTS))["side"].split("as-U02BOB")[1]
    assert "unread direct message" in (await client.parts(ALICE, INCIDENTS))["side"]


async def test_times_are_those_of_who_reads(client: Client) -> None:
    workspace = client.server.workspace
    ts = workspace.post(INCIDENTS, BOB, "<!date^1772362800^{date_num} {time}|x>").ts
    assert ">2026-03-01 12:00</time>" in (await client.parts(ALICE, INCIDENTS))["messages"]
    assert f'data-ts="{ts}"' in (await client.parts(ALICE, INCIDENTS))["messages"]


async def test_an_edited_message_says_so(client: Client) -> None:
    workspace = client.server.workspace
    message = workspace.post(INCIDENTS, IORA, "before")
    assert ">edited<" not in (await client.parts(ALICE, INCIDENTS))["messages"]
    workspace.edit(message, "after", [])
    shown = (await client.parts(ALICE, INCIDENTS))["messages"]
    assert ">edited<" in shown
    assert "before" not in shown


async def test_replies_are_counted_and_only_broadcast_ones_are_in_the_channel(
    client: Client,
) -> None:
    workspace = client.server.workspace
    parent = workspace.post(INCIDENTS, IORA, "card")
    workspace.post(INCIDENTS, BOB, "quiet reply", thread_ts=parent.ts)
    workspace.post(INCIDENTS, BOB, "loud reply", thread_ts=parent.ts, reply_broadcast=True)
    shown = await client.parts(ALICE, INCIDENTS, thread=parent.ts)
    assert "2 replies" in shown["messages"]
    assert "loud reply" in shown["messages"]
    assert "quiet reply" not in shown["messages"]
    assert "quiet reply" in shown["thread"]
    assert (await client.parts(ALICE, INCIDENTS))["thread"] == ""


async def test_an_address_that_says_nothing_or_nonsense_shows_the_incidents_channel(
    client: Client,
) -> None:
    for query in ("", "?as=U09NOBODY", "?as=U00IORA", "?in=C09", "?thread=1.2", "?in=%00<x>"):
        status, text, _ = await client.get(f"/{query}")
        assert status == 200
        assert "<h1>#incidents</h1>" in text


async def test_a_permalink_leads_to_the_message(client: Client) -> None:
    message = client.server.workspace.post(INCIDENTS, BOB, "here")
    status, _, answer = await client.get(f"/archives/{INCIDENTS}/p{message.ts.replace('.', '')}")
    assert status == 302
    target = answer.headers["Location"]
    assert target == f"/?in={INCIDENTS}&thread={message.ts}#m-{message.ts}"


@pytest.mark.parametrize(
    ("mimetype", "kind", "how"),
    [
        ("image/png", "image/png", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("text/plain", "application/octet-stream", "attachment"),
    ],
)
async def test_files_are_shown_only_where_that_is_harmless(
    client: Client, mimetype: str, kind: str, how: str
) -> None:
    file = File(id="F1", name="a", mimetype=mimetype, content=b"<p>", title="", owner=BOB)
    client.server.workspace.files["F1"] = file
    _, text, answer = await client.get("/page/file/F1")
    assert text == "<p>"
    assert answer.content_type == kind
    assert answer.headers["Content-Disposition"].startswith(how)
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([], "a JSON object was expected"),
        ({"in": GENERAL, "text": "x"}, "as: a text was expected"),
        ({"as": "U09", "in": GENERAL, "text": "x"}, "nobody here is called 'U09'"),
        ({"as": IORA, "in": GENERAL, "text": "x"}, "nobody here is called 'U00IORA'"),
        ({"as": ALICE, "in": GENERAL, "text": 7}, "text: a text was expected"),
    ],
)
async def test_a_post_that_is_not_understood_says_what_was_expected(
    client: Client, body: object, why: str
) -> None:
    answer = await client.post("say", body)
    assert answer == {"status": 400, "ok": False, "why": f"Not understood: {why}"}


async def test_a_command_in_a_thread_is_refused_with_the_way_out(client: Client) -> None:
    parent = client.server.workspace.post(GENERAL, BOB, "x")
    body = {"as": ALICE, "in": GENERAL, "thread": parent.ts, "text": "/iora health"}
    answer = await client.post("say", body)
    assert not answer["ok"]
    assert "channel" in answer["why"]


async def test_a_command_without_a_bot_says_what_to_do(client: Client) -> None:
    answer = await client.post("say", {"as": ALICE, "in": GENERAL, "text": "/iora health"})
    assert not answer["ok"]
    assert "Start it" in answer["why"]


async def test_a_change_reaches_the_open_page_of_those_who_may_see_it(client: Client) -> None:
    url, workspace = client.server.url, client.server.workspace
    async with (
        client.session.get(f"{url}/page/changes?as={ALICE}") as hers,
        client.session.get(f"{url}/page/changes?as={BOB}") as his,
        asyncio.timeout(60),
    ):
        for stream in (hers, his):
            await stream.content.readuntil(b"event: hello\ndata: {}\n\n")
        workspace.post(GENERAL, IORA, "for alice", ephemeral_to=ALICE)
        workspace.post(GENERAL, IORA, "for all")
        assert b'"ephemeral", "posted"' in await hers.content.readuntil(b"}\n\n")
        assert b'["posted"]' in await his.content.readuntil(b"}\n\n")


async def test_open_pages_do_not_hold_up_the_end_of_the_program() -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session, serve() as server:
        stream = await session.get(f"{server.url}/page/changes?as={ALICE}")
        await stream.content.readuntil(b"\n\n")
    stream.close()


@asynccontextmanager
async def a_sample(answer: web.Response | None = None) -> AsyncIterator[tuple[str, list[str]]]:
    """The switch of a sample service, and the modes that it was turned to."""
    modes = ["healthy"]

    async def show(_: web.Request) -> web.Response:
        return answer or web.json_response({"mode": modes[-1]})

    async def turn(request: web.Request) -> web.Response:
        modes.append((await request.json())["mode"])
        return web.json_response({"mode": modes[-1]})

    app = web.Application()
    app.add_routes([web.get("/", show), web.post("/mode", turn)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", modes
    finally:
        await runner.cleanup()


async def test_the_sample_is_broken_and_its_mode_shown() -> None:
    async with (
        a_sample() as (control, modes),
        serve(sample_control=control) as server,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, server)
        answer = await client.post("mode", {"as": ALICE, "mode": "burning"})
        _, shown, _ = await client.get("/page/sample")
        refused = await client.post("mode", {"as": ALICE, "mode": "../x"})
    assert answer["ok"]
    assert modes == ["healthy", "burning"]
    assert 'id="mode-burning" data-mode="burning" aria-checked="true"' in shown
    assert 'id="mode-healthy" data-mode="healthy" aria-checked="false"' in shown
    assert not refused["ok"]


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (None, "No sample service was started"),
        ("http://127.0.0.1:9", "does not answer"),
    ],
)
async def test_a_sample_that_is_not_there_is_said_so(control: str | None, words: str) -> None:
    async with serve(sample_control=control) as server, aiohttp.ClientSession() as session:
        client = Client(session, server)
        _, text, _ = await client.get("/")
        answer = await client.post("mode", {"as": ALICE, "mode": "slow"})
    assert words in text
    assert words in answer["why"]


async def test_a_switch_that_answers_nonsense_is_said_so() -> None:
    async with (
        a_sample(web.Response(text="<html>")) as (control, _),
        serve(sample_control=control) as server,
        aiohttp.ClientSession() as session,
    ):
        _, text, _ = await Client(session, server).get("/page/sample")
    assert "something else than JSON" in text


def test_the_composer_offers_every_word_that_the_bot_knows_in_the_order_of_its_help() -> None:
    assert [topic.word for topic in TOPICS] == [word.word for word in WORDS]

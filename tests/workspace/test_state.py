"""The workspace in memory: what people see, what is unread, what is announced."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import urllib.request

import pytest

from bot.workspace import mentions
from bot.workspace.records import Change
from bot.workspace.server import serve
from bot.workspace.state import Workspace
from tests.support.hand_clock import HandClock

INCIDENTS = "C01INCIDENTS"


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(HandClock())


def test_it_starts_with_three_people_the_bot_and_two_channels(workspace: Workspace) -> None:
    assert [person.name for person in workspace.humans] == ["alice", "bob", "mallory"]
    assert [channel.name for channel in workspace.channels_of("U01ALICE")] == [
        "general",
        "incidents",
    ]
    assert workspace.channels_of("U00IORA") == [], "the bot has to join"


def test_what_others_wrote_is_unread_until_it_is_read(workspace: Workspace) -> None:
    parent = workspace.post(INCIDENTS, "U01ALICE", "one")
    workspace.post(INCIDENTS, "U02BOB", "two")
    workspace.post(INCIDENTS, "U02BOB", "a reply", thread_ts=parent.ts)
    assert workspace.unread("U01ALICE", INCIDENTS) == 1
    assert workspace.unread("U03MALLORY", INCIDENTS) == 2
    workspace.mark_read("U03MALLORY", INCIDENTS)
    assert workspace.unread("U03MALLORY", INCIDENTS) == 0


def test_messages_have_times_of_their_own(workspace: Workspace) -> None:
    stamps = [workspace.post(INCIDENTS, "U01ALICE", "x").ts for _ in range(3)]
    assert stamps == ["1700000000.000000", "1700000000.000001", "1700000000.000002"]


def test_every_visible_change_is_announced_to_whom_it_concerns(workspace: Workspace) -> None:
    queue = workspace.subscribe()
    message = workspace.post(INCIDENTS, "U01ALICE", "one")
    workspace.edit(message, "two", [])
    workspace.react(message, "U02BOB", "eyes")
    workspace.delete(message)
    workspace.post(INCIDENTS, "U00IORA", "psst", ephemeral_to="U02BOB")
    workspace.unsubscribe(queue)
    workspace.post(INCIDENTS, "U01ALICE", "not heard any more")
    assert [queue.get_nowait() for _ in range(queue.qsize())] == [
        Change("posted", INCIDENTS),
        Change("edited", INCIDENTS),
        Change("reaction", INCIDENTS),
        Change("deleted", INCIDENTS),
        Change("ephemeral", INCIDENTS, "U02BOB"),
    ]


@pytest.mark.parametrize(
    ("typed", "command", "message"),
    [
        ("@alice", "<@U01ALICE|alice>", "<@U01ALICE>"),
        ("ask @Bob, please", "ask <@U02BOB|bob>, please", "ask <@U02BOB>, please"),
        ("<@U02BOB> and me", "<@U02BOB> and me", "<@U02BOB> and me"),
        ("#incidents #nowhere", "<#C01INCIDENTS|incidents> #nowhere", None),
        ("mail a@alice.org", "mail a@alice.org", None),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d", None),
        ("see https://a.b/?x=1", "see <https://a.b/?x=1>", None),
        ("<!channel>", "<!channel>", None),
    ],
)
def test_what_is_typed_becomes_mentions_and_entities(
    workspace: Workspace, typed: str, command: str, message: str | None
) -> None:
    assert mentions.in_command(workspace, typed) == command
    assert mentions.in_message(workspace, typed) == (command if message is None else message)


async def test_people_talk_in_threads_react_and_invite() -> None:
    async with serve() as server:
        acts, workspace = server.acts, server.workspace
        said = (await acts.say("U01ALICE", INCIDENTS, "one")).message
        assert said is not None
        reply = (await acts.say("U02BOB", INCIDENTS, "two", said.ts)).message
        assert reply is not None
        deeper = (await acts.say("U01ALICE", INCIDENTS, "three", reply.ts)).message
        assert deeper is not None
        assert deeper.thread_ts == said.ts, "a reply to a reply is a reply to the parent"
        thread = workspace.thread(INCIDENTS, said.ts, "U03MALLORY")
        assert [message.text for message in thread] == ["one", "two", "three"]
        assert [message.text for message in workspace.history(INCIDENTS, "U02BOB")] == ["one"]

        await acts.react("U02BOB", INCIDENTS, said.ts, "eyes")
        assert said.reactions == {"eyes": ["U02BOB"]}
        await acts.react("U02BOB", INCIDENTS, said.ts, "eyes")
        assert said.reactions == {}

        await acts.invite("U01ALICE", INCIDENTS, "U00IORA")
        assert "U00IORA" in workspace.channels[INCIDENTS].members
        assert not (await acts.say("U00IORA", "C02GENERAL", "not here")).ok
        assert not (await acts.say("U01ALICE", INCIDENTS, "  ")).ok


async def test_the_program_says_where_it_listens_and_ends_at_once() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.workspace", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        assert "not Slack" in line

        def ask() -> object:
            with urllib.request.urlopen(f"{url}/api/auth.test") as answer:
                return json.load(answer)

        assert await asyncio.to_thread(ask) == {"ok": False, "error": "not_authed"}
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")


async def test_the_program_refuses_an_address_that_others_can_reach() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.workspace", "--port", "0", "--host", "0.0.0.0",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"use 127.0.0.1" in said
    assert said.count(b"\n") == 1

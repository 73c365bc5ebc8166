"""Both modes, against any Slack-compatible server: what it lacks is left out, the incident goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.model.actor import Actor
from bot.model.message import State
from bot.send.identity import SCOPES
from bot.workspace import faults
from tests.support.delivered import TELL_ALICE, arrived, nothing_lost_or_twice, row, settle
from tests.support.house import ALICE, BOB, House, config_for, living, standing
from tests.support.play import play
from tests.support.ports import kept_port

EXTRAS = (
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
    "pins.add",
    "bookmarks.add",
    "usergroups.list",
    "conversations.invite",
    "conversations.setTopic",
)
LOOKING = (
    "conversations.list",
    "conversations.join",
    "conversations.history",
    "conversations.replies",
    "users.info",
)
SERVERS = {
    "a whole Slack": (),
    "one without files, pins, bookmarks, user groups, invite and setTopic": EXTRAS,
    "one that can't be looked at either": EXTRAS + LOOKING,
}


@asynccontextmanager
async def connected(
    folder: Path, mode: str, *, lacks: tuple[str, ...] = ()
) -> AsyncIterator[House]:
    """A house whose bot is reached by Socket Mode, or over signed HTTP without an app token."""
    with kept_port() as port:
        url = f"http://127.0.0.1:{port}/slack/events" if mode == "http" else None
        async with standing(folder, events_url=url) as house:
            house.slack.without(*lacks)
            environ = {}
            if mode == "http":
                secret = house.slack.signing_secret
                environ = {"PORT": str(port), "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": secret}
            async with living(house, config_for(house.target), environ):
                assert house.slack.sockets.connected == (0 if mode == "http" else 1)
                yield house


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_the_story_is_played_in_both_modes_on_any_server(tmp_path, mode, server) -> None:
    async with connected(tmp_path, mode, lacks=SERVERS[server]) as house:
        await play(house)
        await settle(house)
        await nothing_lost_or_twice(house, "card:1", f"ping:1:2:{ALICE}")


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_where_history_shows_no_metadata_the_key_is_found_in_a_block(tmp_path, mode) -> None:
    async with connected(tmp_path, mode) as house:
        house.slack.forget_metadata()
        house.slack.faults.add("chat.postMessage", faults.reset_after, 3)
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await settle(house, "card:1", f"ping:1:2:{ALICE}", "entry:1:3")
        await nothing_lost_or_twice(house, "card:1", f"ping:1:2:{ALICE}", "entry:1:3")
        assert "possible repeat" not in house.pings(ALICE)[0].text


async def test_a_channel_that_could_not_be_joined_at_the_start_is_joined_when_it_is_looked_at(
    tmp_path,
) -> None:
    async with standing(tmp_path) as house:
        house.slack.without("conversations.join")
        async with living(house, config_for(house.target)):
            house.slack.site.without.clear()
            house.slack.faults.add("chat.postMessage", faults.reset_after)
            assert (await house.slash(BOB, "declare sev3 API slow")).ok
            await settle(house, "card:1")
            await nothing_lost_or_twice(house, "card:1")
            assert "possible repeat" not in house.card().text


@pytest.mark.parametrize("scope", sorted(SCOPES))
async def test_without_any_one_scope_the_incident_goes_on_and_doctor_names_it(
    tmp_path, scope
) -> None:
    async with standing(tmp_path) as house:
        house.slack.workspace.direct("U00IORA", ALICE)
        house.slack.revoke(scope)
        async with living(house, config_for(house.target, escalation=TELL_ALICE)) as bot:
            if scope == "commands":  # the command line does what Slack can't
                said = (await bot.answer(Actor.login("test"), "declare sev2 API slow"))["text"]
            else:
                said = (await house.slash(BOB, "declare sev2 API slow")).message.text
            assert "INC-1 declared" in said
            told = await bot.answer(Actor.login("test"), "doctor")
            assert f"the scope {scope} is not granted" in told["text"]
            if scope == "chat:write":  # nothing can be said at all until it is granted
                assert await bot.waiting()
                house.slack.app.scopes.add(scope)
            await settle(house, "card:1", f"ping:1:2:{ALICE}")
            assert arrived(house)["card:1"] == 1
            assert len(house.pings(ALICE)) == 1


async def test_without_the_scope_to_open_direct_messages_the_incident_says_what_is_missing(
    tmp_path,
) -> None:
    async with standing(tmp_path) as house:
        house.slack.revoke("im:write")
        async with living(house, config_for(house.target, escalation=TELL_ALICE)) as bot:
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await settle(house, "card:1", f"ping:1:2:{ALICE}")
            ping = await row(house, f"ping:1:2:{ALICE}")
            assert (ping.state, ping.error) == (State.REFUSED, "missing_scope: im:write")
            told = await bot.answer(Actor.login("test"), "doctor")
            assert "grant im:write" in told["text"]

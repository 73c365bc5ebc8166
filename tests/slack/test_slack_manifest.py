"""The app's manifest, the scopes that `doctor` asks for, and the methods that the bot calls agree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from bot.send.identity import SCOPES
from bot.slack.app import COMMAND
from bot.workspace.api.methods import offered
from tests.support.house import ALICE, BOB, INCIDENTS, config_for, living, standing, text_of

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "manifest.yaml").read_text())
# What the socket library calls by itself, with the app-level token.
BY_THE_LIBRARY = {"apps.connections.open"}
# Scopes that no method asks for: what they allow is not a method of its own.
WITHOUT_A_METHOD = {"commands", "chat:write.public", "app_mentions:read"}
FAMILIES = ("auth", "bots", "chat", "conversations", "dnd", "files", "pins", "reactions", "users",
            "usergroups", "views")  # fmt: skip


def called() -> set[str]:
    """The Web API methods that the bot's source calls: ``client.chat_postMessage`` and the like."""
    found = set()
    for folder in ("send", "slack"):
        for file in (ROOT / "bot" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    family, _, method = node.func.attr.partition("_")
                    if family in FAMILIES and method:
                        found.add(f"{family}.{method}")
    return found


def test_the_list_of_calls_sees_what_the_bot_is_known_to_call():
    assert {"chat.postMessage", "chat.update", "views.open", "auth.test"} <= called()


def test_everything_that_the_bot_calls_is_offered_by_the_embedded_workspace():
    assert called() | BY_THE_LIBRARY <= set(offered())


def test_every_method_has_a_scope_in_the_manifest_and_every_scope_is_needed():
    needed = {scope for method in called() for scope in offered()[method]}
    granted = set(MANIFEST["oauth_config"]["scopes"]["bot"])
    for method in called():
        wanted = offered()[method]
        assert not wanted or wanted & granted, f"{method} wants one of {wanted}"
    assert granted - needed == WITHOUT_A_METHOD


def test_the_doctor_asks_for_exactly_the_scopes_of_the_manifest():
    assert set(SCOPES) == set(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_every_scope_says_which_feature_needs_it():
    for scope, feature in SCOPES.items():
        line = re.search(
            rf"^ +- {re.escape(scope)} +# (.+)$", (ROOT / "manifest.yaml").read_text(), re.MULTILINE
        )
        assert line, scope
        assert line[1] == feature


def test_the_manifest_makes_an_app_with_one_command_by_socket_mode():
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert command["should_escape"] is True
    assert command["usage_hint"]
    assert "url" not in command
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["settings"]["interactivity"] == {"is_enabled": True}
    assert MANIFEST["settings"]["event_subscriptions"] == {"bot_events": ["app_mention"]}


def test_the_manifest_keeps_slacks_limits():
    assert len(MANIFEST["display_information"]["name"]) <= 35
    assert len(MANIFEST["display_information"]["description"]) <= 140
    assert len(MANIFEST["features"]["bot_user"]["display_name"]) <= 80
    (command,) = MANIFEST["features"]["slash_commands"]
    assert len(command["usage_hint"]) <= 1_000
    assert len(command["description"]) <= 2_000


async def test_the_whole_job_works_with_the_manifests_scopes_alone(tmp_path):
    scopes = set(SCOPES) | {"connections:write"}
    async with (
        standing(tmp_path, scopes=scopes) as house,
        living(house, config_for(house.target)) as bot,
    ):
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await house.until(house.card, "the card")
        await house.until(lambda: house.pings(ALICE), "the ping")
        refused = [c for c in house.slack.calls if (c.result or {}).get("error")]
        assert refused == []
        assert bot.link.identity.lacks == ()


@pytest.mark.parametrize(
    ("scope", "words"),
    [("channels:history", "the scope channels:history is not granted"),
     ("im:write", "the scope im:write is not granted"),
     ("channels:join", "the scope channels:join is not granted")],
)  # fmt: skip
async def test_without_a_scope_the_incident_goes_on_and_the_doctor_says_what_to_grant(
    tmp_path, scope, words
):
    async with standing(tmp_path) as house:
        house.slack.revoke(scope)
        async with living(house, config_for(house.target)):
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await house.until(house.card, "the card")
            if scope == "im:write":
                await house.until(
                    lambda: "can't be reached" in text_of(house.card()), "that nobody was reached"
                )
            else:
                await house.until(lambda: house.pings(ALICE), "the ping")
            assert (await house.slash(BOB, "doctor")).ok
            said = await house.until(
                lambda: next((m for m in house.whispers(BOB) if words in text_of(m)), None), words
            )
            assert f"needed for {SCOPES[scope]}" in text_of(said)


async def test_where_joining_fails_the_card_is_announced_all_the_same(tmp_path):
    async with standing(tmp_path) as house:
        house.slack.revoke("channels:join")
        members = house.slack.workspace.channels[INCIDENTS].members
        if "U00IORA" in members:
            members.remove("U00IORA")
        async with living(house, config_for(house.target)):
            await house.slash(BOB, "declare sev2 API slow")
            await house.until(house.card, "the card, by chat:write.public")


async def test_an_unknown_channel_is_said_with_its_fix_and_the_pings_go_out(tmp_path):
    async with standing(tmp_path) as house:
        config = config_for(house.target, slack={"team": "T01TEAM", "channel": "no-such-channel"})
        async with living(house, config):
            await house.slash(BOB, "declare sev2 API slow")
            await house.until(lambda: house.pings(ALICE), "the ping")
            await house.slash(BOB, "doctor")
            said = await house.until(
                lambda: next(
                    (m for m in house.whispers(BOB) if "refused by Slack" in text_of(m)), 0
                ),
                "what Slack refused",
            )
            assert "channel_not_found" in text_of(said)
            assert "check slack.channel in the config, and invite the bot" in text_of(said)

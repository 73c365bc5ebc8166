"""`iora doctor`: each line says what was looked at, and how to mend what is wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.house import ALICE, House, standing
from tests.support.running import iora, serving, settings


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


def lines(found: dict) -> dict[str, dict]:
    """What was looked at, by its first word."""
    return {line["what"].split(":")[0]: line for line in found["lines"]}


async def test_whatever_needs_a_look_has_a_fix(house, tmp_path):
    house.target.status, house.target.body = 404, {}
    house.slack.revoke("im:history")
    environ = settings(house, tmp_path)
    said = await iora(tmp_path, environ, "doctor", "--json")
    assert said.code == 1
    found = said.json()["lines"]
    for line in found:
        assert line["state"] in {"ok", "look", "bad"}
        assert bool(line["fix"]) == (line["state"] != "ok"), line
    bad = [line for line in found if line["state"] == "bad"]
    assert [line["what"] for line in bad] == [
        "iora: endpoint not there (HTTP 404): check `health.url` in the config"
    ]
    assert any("im:history" in line["what"] and "OAuth" in line["fix"] for line in found)


async def test_tokens_that_are_missing_or_wrong_are_bad(house, tmp_path):
    environ = settings(house, tmp_path)
    without = await iora(tmp_path, environ | {"SLACK_BOT_TOKEN": ""}, "doctor")
    assert without.code == 1
    assert "BAD Slack: no token" in without.out
    assert "Fix: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN" in without.out
    wrong = await iora(tmp_path, environ | {"SLACK_BOT_TOKEN": "xoxb-wrong-token-0"}, "doctor")
    assert "auth.test failed (invalid_auth)" in wrong.out
    assert "Fix: check SLACK_BOT_TOKEN, SLACK_API_URL and the network" in wrong.out
    nowhere = await iora(tmp_path, environ | {"SLACK_API_URL": "http://127.0.0.1:1/"}, "doctor")
    assert "auth.test failed (no connection to Slack" in nowhere.out


async def test_another_team_than_the_configs_is_bad(house, tmp_path):
    environ = settings(house, tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("T01TEAM", "T02OTHER"))
    said = await iora(tmp_path, environ, "doctor")
    assert "the token is of T01TEAM, the config names T02OTHER" in said.out
    assert "Fix: set slack.team: T01TEAM, or use a token of T02OTHER" in said.out


async def test_a_command_without_a_bot_misses_no_link(house, tmp_path):
    found = lines((await iora(tmp_path, settings(house, tmp_path), "doctor", "--json")).json())
    assert "Slack link" not in found
    assert found["Slack"]["state"] == "ok"
    assert found["database"]["state"] == "ok"
    assert found["clock"]["state"] == "ok"


async def test_what_is_kept_of_what_was_measured_is_counted(house, tmp_path):
    environ = settings(house, tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(f"{file.read_text()}\nsamples: {{raw: 36h}}\n")
    await iora(tmp_path, environ, "health")  # one poll is kept
    line = lines((await iora(tmp_path, environ, "doctor", "--json")).json())["samples"]
    said = r"samples: \d+ series with [1-9]\d* values of 36h and 0 hours of 90d; the file has [\d.]+ MB"
    assert re.fullmatch(said, line["what"])
    assert line["state"] == "ok"


async def test_a_test_ping_arrives_and_says_that_it_is_one(house, tmp_path):
    environ = settings(house, tmp_path)
    async with serving(house, tmp_path, environ):
        said = await iora(tmp_path, environ, "doctor", "--test-ping", ALICE)
        assert "a test ping for U01ALICE is on its way: ask whether it arrived" in said.out
        (ping,) = await house.until(lambda: house.pings(ALICE), "the test ping")
        assert ping.text.startswith("Test ping: this is how a ping reaches you.")
        assert not [b for block in ping.blocks for b in block.get("elements", ())]


async def test_a_test_ping_without_a_bot_waits_for_it(house, tmp_path):
    environ = settings(house, tmp_path)
    said = await iora(tmp_path, environ, "doctor", "--test-ping", f"@{ALICE}")
    assert "1 message waits for the bot" in said.out
    assert not house.pings(ALICE)
    wrong = await iora(tmp_path, environ, "doctor", "--test-ping", "alice")
    assert wrong.code == 2
    assert "Name a person to ping: type @ and pick, or write a member id." in wrong.err

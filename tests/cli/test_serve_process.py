"""`iora serve` as a process: what it refuses, how it ends, reloads, and what it logs."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.workspace.faults import hang_before
from tests.support.house import BOB, House, standing
from tests.support.running import iora, serving, settings


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"SLACK_BOT_TOKEN": ""}, 2, "iora: SLACK_BOT_TOKEN is not set: install the app"),
        ({"SLACK_APP_TOKEN": ""}, 2, "iora: neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIG"),
        ({"PORT": "many"}, 2, "iora: PORT: expected a number from 0 to 65535, got 'many'"),
        ({"PORT": "70000"}, 2, "iora: PORT: expected a number from 0 to 65535, got '70000'"),
        ({"PORT": "\u00b2"}, 2, "iora: PORT: expected a number from 0 to 65535"),
        ({"LOG_LEVEL": "LOUD"}, 2, "iora: LOG_LEVEL: expected one of DEBUG, INFO, WARNING, ERROR"),
        ({"IORA_DATABASE_URL": "mysql://x"}, 2, "iora: IORA_DATABASE_URL: expected sqlite:///"),
        ({"IORA_DATABASE_URL": "sqlite:///"}, 2, "iora: IORA_DATABASE_URL: expected sqlite:///"),
        ({"IORA_DATABASE_URL": "sqlite:////proc/no/iora.db"}, 2, "iora: /proc/no"),
        ({"IORA_DATABASE_URL": "sqlite:///config.yaml/iora.db"}, 2, "iora: config.yaml"),
        ({"IORA_DATABASE_URL": "sqlite:///config.yaml"}, 2, "iora: config.yaml"),
        ({"IORA_DATABASE_URL": "sqlite:///."}, 2, "iora: IORA_DATABASE_URL: expected sqlite:///"),
        ({"HOST": "no-such-host.invalid"}, 2, "iora: HOST: can't listen on no-such-host.invalid:0"),
        ({"HOST": "203.0.113.1"}, 2, "iora: HOST: can't listen on 203.0.113.1:0"),
        ({"IORA_CONFIG": "nowhere.yaml"}, 1, "nowhere.yaml"),
    ],
)
async def test_a_start_that_can_not_work_is_refused_in_one_line(house, tmp_path, wrong, code, said):
    ended = await iora(tmp_path, settings(house, tmp_path, **wrong), "serve")
    assert ended.out == ""
    assert ended.err.startswith(said), ended.err
    assert ended.err.count("\n") == 1, ended.err
    assert ended.code == code


async def test_a_port_that_is_taken_is_said_with_the_way_out(house, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        ended = await iora(tmp_path, settings(house, tmp_path, PORT=port), "serve")
    assert ended.code == 2
    assert ended.err == (
        f"iora: PORT: can't listen on 127.0.0.1:{port} (address already in use); "
        "set another, such as PORT=3001\n"
    )


async def test_a_bad_config_is_refused_with_every_error_located(house, tmp_path):
    environ = settings(house, tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(
        file.read_text().replace("poll: 1h", "pol: 1h").replace("version: 1", "version: 9")
    )
    ended = await iora(tmp_path, environ, "serve")
    assert ended.code == 1
    assert "config.yaml:1:10" in ended.err
    assert "config.yaml:5:5" in ended.err
    assert "poll" in ended.err


async def test_a_second_bot_on_the_same_database_is_refused(house, tmp_path):
    environ = settings(house, tmp_path)
    async with serving(house, tmp_path, environ) as bot:
        ended = await iora(tmp_path, environ, "serve")
        assert ended.code == 2
        assert f"held by iora serve (process {bot.process.pid})" in ended.err


async def test_sigterm_is_not_ready_at_once_and_ended_within_ten_seconds(house, tmp_path):
    environ = settings(house, tmp_path)
    async with serving(house, tmp_path, environ) as bot:
        house.slack.faults.add("chat.postMessage", hang_before)
        await house.slash(BOB, "declare sev3 API slow")
        await asyncio.wait_for(house.slack.faults.wait_hanging(1), 30)
        began = time.monotonic()
        bot.signal(signal.SIGTERM)
        status, text = 200, ""
        while status == 200:
            status, text = await bot.get("/readyz")
        assert status == 503
        assert "the bot is stopping" in text
        assert (await bot.get("/healthz"))[0] == 200, "alive until its end"
        assert await bot.ended() == 0
        assert time.monotonic() - began < 30, "ten seconds, and patience with a loaded machine"
        assert not (tmp_path / "data" / "iora.db.sock").exists()
    house.slack.faults.clear()
    async with serving(house, tmp_path, environ):
        await house.until(house.card, "what was not sent before")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_bot_ends_at_once_with_0(house, tmp_path, number):
    async with serving(house, tmp_path, settings(house, tmp_path)) as bot:
        began = time.monotonic()
        bot.signal(number)
        assert await bot.ended() == 0
        assert time.monotonic() - began < 30
        assert all(line["level"] in {"info", "warning"} for line in bot.lines())


async def test_sighup_reads_the_config_again_and_a_bad_one_changes_nothing(house, tmp_path):
    environ = settings(house, tmp_path)
    file = tmp_path / "config.yaml"
    async with serving(house, tmp_path, environ) as bot:
        first = file.read_text()
        file.write_text(first.replace("poll: 1h", "poll: often"))
        bot.signal(signal.SIGHUP)
        kept = await house.until(lambda: logged(bot, "the old one stays"), "what is wrong")
        assert "config.yaml:5:11" in kept["message"]
        assert (await iora(tmp_path, environ, "health", "worker")).code == 2
        worker = 'worker: {health: {url: "URL/api/health"}}'.replace("URL", house.target.url)
        file.write_text(first.replace("targets:\n", f"targets:\n  {worker}\n"))
        bot.signal(signal.SIGHUP)
        await house.until(lambda: logged(bot, "was read again"), "the new config")
        found = (await iora(tmp_path, environ, "health", "worker", "--json")).json()
        assert found["targets"][0]["status"] is None
        file.unlink()
        bot.signal(signal.SIGHUP)
        await house.until(lambda: len(all_logged(bot, "the old one stays")) == 2, "again")
        assert (await bot.get("/readyz"))[0] == 200


async def test_logs_are_json_with_the_incident_and_the_request_and_no_secret(house, tmp_path):
    secret = "hunter2-in-the-environment"
    environ = settings(house, tmp_path, IORA_WEB_TOKEN=secret, LOG_LEVEL="DEBUG")
    async with serving(house, tmp_path, environ) as bot:
        await house.slash(BOB, f"declare sev3 leaked {secret} and xoxb-12345678901-abcdefgh")
        await house.until(house.card, "the card")
        await house.slash(BOB, "ack INC-1")
        done = await house.until(lambda: logged(bot, "acknowledged by slack:T01TEAM:U02BOB"), "log")
        assert done["incident"] == "INC-1"
        assert len(done["request"]) == 12
        assert done["level"] == "info"
        assert done["at"].endswith("+00:00")
        bot.signal(signal.SIGTERM)
        await bot.ended()
        text = bot.log.read_text()
        for one in (
            secret,
            "xoxb-12345678901-abcdefgh",
            house.slack.bot_token,
            house.slack.app_token,
        ):
            assert one not in text


def all_logged(bot, words: str) -> list[dict]:
    return [line for line in bot.lines() if words in line["message"]]


def logged(bot, words: str) -> dict | None:
    return next(iter(all_logged(bot, words)), None)

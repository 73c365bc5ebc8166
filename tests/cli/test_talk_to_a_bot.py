"""The words of `/iora` at a terminal: through a running bot's socket, and without a bot."""

from __future__ import annotations

import asyncio
import getpass
import json
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model.words import WORDS
from bot.store.lock import OwnerLock
from tests.support.house import House, standing, text_of
from tests.support.running import iora, serving, settings

ME = f"cli:{getpass.getuser()}"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


def with_role(folder: Path) -> None:
    file = folder / "config.yaml"
    file.write_text(file.read_text().replace("responder: [", f'responder: ["{ME}", '))


async def test_the_running_bot_carries_out_what_a_login_asks(house, tmp_path):
    environ = settings(house, tmp_path)
    with_role(tmp_path)
    async with serving(house, tmp_path, environ):
        path = tmp_path / "data" / "iora.db.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        said = await iora(tmp_path, environ, "declare", "sev2", "API", "slow & <odd>")
        assert said.code == 0, said.err
        assert "INC-1 declared: SEV2 API slow & <odd>." in said.out
        assert "wait" not in said.out
        card = await house.until(house.card, "the card in Slack")
        assert "API slow &amp; &lt;odd&gt;" in card.text
        for words, reply in (
            (("ack", "INC-1", "take", "over"), "INC-1 is yours"),
            (("note", "looking"), "INC-1 has your note"),
            (("assign", "U02BOB"), "INC-1: @U02BOB is commander now"),
            (("severity", "sev1"), "INC-1 has another severity"),
            (("mitigate", "INC-1", "failed over"), "INC-1 is mitigated"),
            (("resolve", "INC-1"), "INC-1 is resolved"),
        ):
            done = await iora(tmp_path, environ, *words)
            assert (done.code, done.err) == (0, ""), words
            assert reply in done.out
        shown = (await iora(tmp_path, environ, "show", "INC-1", "--json")).json()
        assert shown["status"] == "resolved"
        people = {entry["actor"] for entry in shown["timeline"] if entry["kind"] != "evidence"}
        assert people == {ME, "bot"}, "the login is who did it"
        await house.until(lambda: "RESOLVED" in house.card().text, "the card follows")
        assert f"{getpass.getuser()} (command line)" in text_of(house.card())


async def test_without_a_bot_it_is_done_here_and_slack_hears_of_it_later(house, tmp_path):
    environ = settings(house, tmp_path)
    first = await iora(tmp_path, environ, "declare", "sev3", "API slow")
    assert first.code == 0, first.err
    assert "INC-1 declared" in first.out
    assert first.out.endswith("1 message waits for the bot: it sends it when it runs.\n")
    second = await iora(tmp_path, environ, "ack")
    assert "messages wait for the bot: it sends them when it runs." in second.out
    assert not house.messages(), "nothing was sent"
    assert not (tmp_path / "data" / "iora.db.sock").exists()
    async with serving(house, tmp_path, environ):
        card = await house.until(house.card, "the card")
        await house.until(lambda: "ACKNOWLEDGED" in house.card().text, "as it is now")
        assert "API slow" in card.text


async def test_a_refusal_names_who_may_and_how_to_become_one(house, tmp_path):
    environ = settings(house, tmp_path)
    await iora(tmp_path, environ, "declare", "sev3", "API slow")
    refused = await iora(tmp_path, environ, "resolve", "INC-1")
    assert refused.code == 1
    assert refused.out == ""
    assert refused.err.strip() == (
        "You may not resolve INC-1. Who may: @U01ALICE, @U02BOB. "
        f"To be one of them, add {ME} under `roles` in the config."
    )
    found = await iora(tmp_path, environ, "resolve", "INC-1", "--json")
    assert found.code == 1
    assert found.json()["refused"] == "You may not resolve INC-1."
    with_role(tmp_path)
    asked = await iora(tmp_path, environ, "resolve", "INC-1")
    assert asked.code == 1
    assert asked.err.strip() == (
        "INC-1 is not resolved yet: iora is UNKNOWN: it was not read yet. Resolving it anyway takes a "
        "reason: `iora resolve INC-1 anyway REASON`."
    )
    asked = await iora(tmp_path, environ, "resolve", "INC-1", "--json")
    assert asked.json()["refused"].startswith("INC-1 is not resolved yet")
    done = await iora(tmp_path, environ, "resolve", "INC-1", "anyway", "seen by hand & eye")
    assert (done.code, done.err) == (0, "")
    shown = await iora(tmp_path, environ, "timeline", "INC-1")
    assert "all the same: seen by hand & eye (iora is UNKNOWN: it was not read yet)" in shown.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("helth",), "There is no command 'helth'. Did you mean `iora health`?"),
        (("ack", "the", "thing"), "`the thing` is no incident such as INC-7. Write `iora ack"),
        (("severity", "sev9"), "`sev9` is no severity"),
        (("health", "iroa"), "There is no target `iroa`. Did you mean `iora`?"),
        (("declare",), "An incident needs a title. Write `iora declare sev2 API slow`"),
        (("assign", "bob"), "write a member id. Write `iora assign"),
        (("stats", "lately"), "`lately` is no window such as 7d or 12h."),
        (("serve", "--fast"), "No such option"),
    ],
)
async def test_wrong_use_ends_with_2_and_says_how_it_is_written(house, tmp_path, arguments, words):
    ended = await iora(tmp_path, settings(house, tmp_path), *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""


async def test_health_ends_with_1_when_a_target_is_not_healthy(house, tmp_path):
    environ = settings(house, tmp_path)
    house.target.cpu = 96.0
    ended = await iora(tmp_path, environ, "health")
    assert ended.code == 1
    assert "iora is UNHEALTHY: CPU 96 % (critical above 90)" in ended.out
    found = (await iora(tmp_path, environ, "health", "iora", "--json")).json()
    assert found["targets"][0]["verdict"] == "unhealthy"
    house.target.cpu = 12.0
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text() + "baselines: {cpu_percent: {below: 70}}\n")
    well = await iora(tmp_path, environ, "health")
    assert (well.code, well.err) == (0, "")
    assert "iora is HEALTHY" in well.out


async def test_every_word_prints_json(house, tmp_path):
    environ = settings(house, tmp_path)
    await iora(tmp_path, environ, "declare", "sev3", "API slow")
    for word in WORDS:
        if word.word == "help":
            continue
        more = {
            "declare": ["sev4", "other"],
            "note": ["INC-1", "x"],
            "severity": ["INC-1", "sev2"],
            "update": ["INC-1", "impact", "x"],
            "assign": ["INC-1", "U02BOB"],
            "override": ["primary", "U02BOB", "1h"],
            "silence": ["iora", "30m", "deploy"],
            "deploy": ["iora", "v1.2.3"],
            "chart": ["iora", "cpu"],
        }.get(word.word, ["INC-1"] if "INC-n" in word.usage else [])
        ended = await iora(tmp_path, environ, word.word, *more, "--json")
        assert isinstance(json.loads(ended.out), dict), word.word
        assert ended.code in {0, 1}, word.word


async def test_two_dashes_end_the_leading_words_as_in_slack(house, tmp_path):
    environ = settings(house, tmp_path)
    said = await iora(tmp_path, environ, "declare", "--", "sev1", "is", "what", "they", "said")
    assert "INC-1 declared: SEV2 sev1 is what they said." in said.out


async def test_a_path_with_spaces_and_one_too_long_for_a_socket_work(house, tmp_path):
    folder = tmp_path / "a folder with spaces" / ("deep-" * 24)
    environ = settings(house, folder)
    assert len(str(folder / "data" / "iora.db.sock")) > 107
    async with serving(house, folder, environ):
        said = await iora(folder, environ, "declare", "sev3", "API slow")
        assert (said.code, said.err) == (0, "")
        assert "waits for the bot" not in said.out


async def test_a_lock_whose_holder_does_not_answer_is_named(house, tmp_path, monkeypatch):
    environ = settings(house, tmp_path)
    lock = OwnerLock(tmp_path / "data" / "iora.db", "iora serve").take()
    try:
        ended = await iora(tmp_path, environ, "incidents")
    finally:
        lock.release()
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "the database is held by iora serve (process " in ended.err
    assert ended.err.endswith("which does not answer: see its log\n")


async def test_a_socket_that_hangs_is_given_up(house, tmp_path, monkeypatch):
    from bot.cli import talk
    from bot.errors import StoreError

    environ = settings(house, tmp_path)
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(talk, "_LIMIT_S", 0.2)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "data" / "iora.db.sock"))
        listener.listen(1)
        with pytest.raises(StoreError, match="the running bot gave no answer"):
            await talk.say("incidents", ())


async def test_a_socket_left_by_a_killed_bot_is_nobodys(house, tmp_path):
    environ = settings(house, tmp_path)
    async with serving(house, tmp_path, environ) as bot:
        bot.process.kill()
        await bot.ended()
    assert (tmp_path / "data" / "iora.db.sock").exists()
    said = await iora(tmp_path, environ, "declare", "sev3", "API slow")
    assert said.code == 0
    async with serving(house, tmp_path, environ):
        assert (await iora(tmp_path, environ, "show", "INC-1")).code == 0


async def test_two_commands_at_once_without_a_bot_both_get_through(house, tmp_path):
    environ = settings(house, tmp_path)
    done = await asyncio.gather(
        *(iora(tmp_path, environ, "declare", "sev4", f"number {at}") for at in range(3))
    )
    assert [one.code for one in done] == [0, 0, 0], [one.err for one in done]
    listed = (await iora(tmp_path, environ, "incidents", "--json")).json()
    assert {one["key"] for one in listed["incidents"]} == {"INC-1", "INC-2", "INC-3"}

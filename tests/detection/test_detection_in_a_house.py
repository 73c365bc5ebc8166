"""Detection in a running bot: it outlives a restart, and where it fails the polls go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model.actor import Actor
from bot.rules.detection import Hold, Phase
from bot.services import detection
from bot.store import holds
from tests.support.clock import ManualClock
from tests.support.house import config_for, living, standing, text_of
from tests.support.mortal import Books as Kept
from tests.support.mortal import mortal
from tests.support.store import open_database
from tests.support.watched import MINUTE, POLL, Watched


async def test_what_is_pending_outlives_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    async with open_database(tmp_path / "iora.db", clock) as database:
        await Watched(database, clock).stays(96.0, 2 * MINUTE)
    async with open_database(tmp_path / "iora.db", clock) as database:
        watched = Watched(database, clock)
        await watched.reload()
        await watched.stays(96.0, POLL)
        assert len(await watched.suggestions()) == 1


async def test_where_it_fails_the_polls_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def fails(*given: object) -> None:
        asked.append("once more")
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(detection, "look", fails)
    rule = {"name": "hot", "when": "cpu_percent > 90"}
    async with standing(tmp_path) as house:
        health = {"url": f"{house.target.url}/api/health", "status": "status", "timeout": "2s"}
        quick = {"iora": {"poll": "500ms", "health": health}}
        async with living(house, config_for(house.target, targets=quick, detection=[rule])):
            await house.until(lambda: len(asked) >= 3, "the third poll")
    assert "a mistake of ours" in caplog.text


SENDING = "SELECT 1 FROM outbox WHERE kind = '{}' AND state = '{}'"


@pytest.mark.parametrize(
    ("opens", "moment"),
    [
        ("suggest", "SELECT 1 FROM holds"),
        ("suggest", "SELECT 1 FROM holds WHERE phase = 'found'"),
        ("suggest", SENDING.format("finding", "sending")),
        ("suggest", SENDING.format("finding", "sent")),
        ("declare", "SELECT 1 FROM incidents"),
        ("declare", SENDING.format("card", "sent")),
    ],
    ids=["pending", "suggested", "sending", "sent", "declared", "card"],
)
async def test_a_kill_at_any_moment_leaves_one_finding(
    tmp_path: Path, opens: str, moment: str
) -> None:
    rule = {"name": "hot", "when": "cpu_percent > 90", "for": "1s", "open": opens}
    async with standing(tmp_path) as house:
        house.target.cpu = 96.0
        health = {"url": f"{house.target.url}/api/health", "status": "status", "timeout": "2s"}
        quick = {"poll": "500ms", "health": health, "agent": {"url": house.target.url}}
        config = config_for(house.target, targets={"iora": quick}, detection=[rule])
        async with mortal(house, config, die_when=moment) as bot:
            await house.until(lambda: bot.dead, "its death")
        house.clock.move(14_000)  # a look-up waits 13 s after a send began
        books = Kept(house)
        looked = (
            "SELECT COUNT(*) FROM samples JOIN series ON id = series_id WHERE metric = 'poll_ms'"
        )
        async with mortal(house, config):
            await house.until(
                lambda: books.number("SELECT COUNT(*) FROM holds WHERE phase = 'found'"),
                "it is found",
            )
            polls = books.number(looked)
            await house.until(lambda: books.number(looked) > polls + 2, "some more polls")
            await house.until(lambda: not books.waiting(), "all is delivered")
        counted = [
            f"SELECT COUNT(*) FROM {one}" for one in ("incidents", "outbox WHERE kind = 'finding'")
        ]
        expected = [1, 0] if opens == "declare" else [0, 1]
        assert [books.number(one) for one in counted] == expected, books.show()
        found = [
            one for one in house.messages() if one.thread_ts is None and "CPU 96" in text_of(one)
        ]
        assert len(found) == 1, books.show()


async def test_the_doctor_counts_what_is_found_on_a_fleet(tmp_path: Path) -> None:
    rule = {"name": "hot", "when": "cpu_percent > 90"}
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, detection=[rule])) as bot,
    ):
        for number in range(1_000):
            known = Hold(rule="hot", target=f"web-{number}", phase=Phase.FOUND, since=number)
            await bot.database.write(holds.keep, known)
        said = str((await bot.answer(Actor.login("alice"), "doctor"))["text"])
    assert said.count("hot holds on web-") == 10
    assert "detection: 990 more findings" in said


async def test_the_doctor_says_what_the_rules_are_and_what_they_lack(tmp_path: Path) -> None:
    rule = {"name": "hot", "when": "cpu_percent > 90", "for": "0s", "runbook": "coffee"}
    async with standing(tmp_path) as house:
        house.target.cpu = 96.0
        async with living(house, config_for(house.target, detection=[rule])) as bot:
            await house.until(house.messages, "the suggestion")
            said = (await bot.answer(Actor.login("alice"), "doctor"))["text"]
        async with living(house, config_for(house.target)) as bot:
            without = (await bot.answer(Actor.login("alice"), "doctor"))["text"]
    assert "detection: 1 rule" in str(said)
    assert "detection: hot holds on iora" in str(said)
    assert "hot names the runbook coffee, which can't be used" in str(said)
    assert "the bot notices nothing by itself" in str(without)

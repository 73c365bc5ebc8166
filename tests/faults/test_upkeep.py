"""The bot looks after itself: what is late, its sign of life, its backups, and the wall clock."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.services import auditor, keeper
from bot.store import timers
from bot.store.copying import check
from bot.store.reserve import RESERVE_BYTES
from bot.workspace import faults
from tests.support.delivered import TELL_ALICE, settle
from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.pagerduty import KEY, PagerDutyServer

MINUTE, HOUR = 60_000, 3_600_000


@asynccontextmanager
async def watched(
    folder: Path, monkeypatch: Any, settle_s: float = 0.3, **more: Any
) -> AsyncIterator[Any]:
    """A bot whose auditor hardly waits, with PagerDuty beside it."""
    async with standing(folder) as house, PagerDutyServer().listening() as pagerduty:
        ways = {"pagerduty": {"kind": "pagerduty", "routing_key": KEY, "url": pagerduty.url}}
        config = config_for(house.target, escalation=TELL_ALICE, ways=ways, **more)
        async with living(house, config, settle_s=settle_s):
            yield house, pagerduty


def about_itself(house: House) -> list[str]:
    return [one.text for one in house.pings(ALICE) if "bot itself is in trouble" in one.text]


async def test_messages_that_are_a_minute_late_page_the_last_resort_once_by_every_way(
    tmp_path, monkeypatch
):
    async with watched(tmp_path, monkeypatch) as (house, pagerduty):
        house.slack.faults.add("chat.update", faults.error_before, 100_000)
        assert (await house.slash(BOB, "declare sev4 API slow")).ok
        await house.until(house.card, "the card")
        assert (await house.slash(BOB, "ack INC-1")).ok
        house.advance(50_000)
        await asyncio.sleep(0.5)
        assert about_itself(house) == []
        house.advance(30_000)
        await house.until(lambda: about_itself(house), "the page about the bot")
        await house.until(lambda: pagerduty.events, "the same by PagerDuty")
        assert "messages wait to be sent for up to" in about_itself(house)[0]
        house.advance(30_000)
        await asyncio.sleep(1.5)
        assert len(about_itself(house)) == 1, "once an episode"
        house.slack.faults.clear()
        await settle(house)
        await house.until(lambda: "resolved" in pagerduty.alerts.values(), "its end")
        assert [event["event_action"] for event in pagerduty.events] == ["trigger", "resolve"]


async def test_a_timer_that_fails_again_and_again_pages_about_the_bot(tmp_path, monkeypatch):
    async with watched(tmp_path, monkeypatch) as (house, _):

        async def broken(timer: Any) -> None:
            raise RuntimeError("a bug")

        handlers = house.bot.timer_loop._handlers
        monkeypatch.setattr(house.bot.timer_loop, "_handlers", {**handlers, "level": broken})
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        async with asyncio.timeout(60):
            while not about_itself(house):
                house.advance(timers.LEASE_MS + 1)
                await asyncio.sleep(0.2)
        assert "timers are late" in about_itself(house)[0]


async def test_trouble_of_another_kind_is_told_while_the_first_one_lasts(tmp_path, monkeypatch):
    """A message that can never be sent must not keep the bot from saying that its disk is full."""
    async with watched(tmp_path, monkeypatch) as (house, pagerduty):
        house.slack.faults.add("chat.update", faults.error_before, 100_000)
        assert (await house.slash(BOB, "declare sev4 API slow")).ok
        await house.until(house.card, "the card")
        assert (await house.slash(BOB, "ack INC-1")).ok
        house.advance(80_000)
        await house.until(lambda: about_itself(house), "the page about late messages")
        database = house.bot.database
        await database.read(lambda tx: tx.all("PRAGMA query_only = ON"))
        assert (await house.slash(BOB, "note INC-1 not stored")).ok
        await house.until(lambda: len(about_itself(house)) == 2, "the page about the file")
        assert "it is read-only" in about_itself(house)[1]
        await house.until(lambda: len(pagerduty.alerts) == 2, "an alert of its own")
        await database.read(lambda tx: tx.all("PRAGMA query_only = OFF"))
        assert (await house.slash(BOB, "note INC-1 stored again")).ok
        await house.until(
            lambda: sorted(pagerduty.alerts.values()) == ["resolved", "triggered"], "its end"
        )
        assert len(about_itself(house)) == 2


async def test_a_database_that_does_not_answer_is_told_without_it(tmp_path, monkeypatch):
    """As on a disk that hangs: nothing fails, and nothing comes back."""
    monkeypatch.setattr(auditor, "ANSWERS_WITHIN_S", 0.5)
    async with watched(tmp_path, monkeypatch) as (house, pagerduty):
        house.clock.move(MINUTE + 1)
        back = threading.Event()
        hangs = asyncio.ensure_future(house.bot.database.read(lambda tx: back.wait(60)))
        try:
            await house.until(lambda: about_itself(house), "the page about itself")
            assert "the database does not answer" in about_itself(house)[0]
            await house.until(lambda: pagerduty.alerts, "the same by PagerDuty")
        finally:
            back.set()
            await hangs
        await house.until(lambda: "resolved" in pagerduty.alerts.values(), "its end")


async def test_a_start_with_a_clock_behind_what_is_stored_pages_about_the_bot(tmp_path):
    """Levels count from when an incident was opened, which has not come yet by this clock."""
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=TELL_ALICE)
        async with living(house, config, settle_s=0.3):
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await settle(house, "card:1")
        house.clock.move(-2 * HOUR)
        async with living(house, config, settle_s=0.3):
            await house.until(lambda: about_itself(house), "the page about the bot")
            assert "behind what is stored" in about_itself(house)[0]


async def test_what_a_clock_that_moved_on_left_behind_is_caught_up_with_and_no_alarm(
    tmp_path, monkeypatch
):
    async with watched(tmp_path, monkeypatch, settle_s=60.0) as (house, _):
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await settle(house, "card:1")
        for _ in range(3):
            house.advance(HOUR)
            await settle(house)
            await asyncio.sleep(0.4)
        assert about_itself(house) == []


def running(name: str) -> bool:
    return any(task.get_name() == name for task in asyncio.all_tasks())


async def test_the_heartbeat_goes_out_only_after_its_timer_came_through(
    tmp_path, monkeypatch, caplog
):
    beats: list[str] = []

    async def heard(request: web.Request) -> web.Response:
        beats.append(request.method)
        return web.Response()

    app = web.Application()
    app.router.add_post("/alive", heard)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/alive"
    try:
        async with watched(tmp_path, monkeypatch, heartbeat={"url": url, "every": "1m"}) as (
            house,
            _,
        ):
            await house.until(lambda: len(beats) == 1, "the first one")
            house.advance(MINUTE)
            await house.until(lambda: len(beats) == 2, "the second one")
            rows = await house.bot.database.read(
                lambda tx: tx.all("SELECT id FROM outbox WHERE kind = 'heartbeat'")
            )
            assert len(rows) == 1, "what is over is forgotten"
            house.bot.upkeep_loop.stop()
            monkeypatch.setattr(keeper, "BLIND_S", 0.0)
            house.advance(MINUTE)
            await house.until(lambda: "no heartbeat" in caplog.text, "a word in the log")
            assert len(beats) == 2, "nobody looks for what is late"
            monkeypatch.setattr(keeper, "BLIND_S", 1_000.0)
            house.advance(MINUTE)
            await house.until(lambda: len(beats) == 3, "the third one")
            house.bot.delivery_loop.stop()
            await house.until(lambda: not running("delivery loop"), "its end")
            house.clock.move(MINUTE)
            house.bot.timer_loop.alarm.ring()
            await asyncio.sleep(1.5)
            assert len(beats) == 3, "the outbox stands still"
    finally:
        await runner.cleanup()


async def test_backups_are_made_on_time_checked_and_the_oldest_dropped(tmp_path, monkeypatch):
    settings = {"every": "6h", "keep": 2, "folder": "copies"}
    async with watched(tmp_path, monkeypatch, backups=settings) as (house, _):
        assert (await house.slash(BOB, "declare sev4 API slow")).ok
        folder = tmp_path / "copies"
        for number in range(1, 4):
            house.advance(6 * HOUR)
            await house.until(lambda n=number: house.bot.backups.made == n, "a backup")
        copies = sorted(folder.iterdir())
        assert len(copies) == 2
        assert [check(one) for one in copies] == [1, 1]
        assert (await house.slash(BOB, "doctor")).ok
        await house.until(lambda: house.whispers(BOB), "the doctor")
        await house.until(
            lambda: any(
                "backups: " + copies[-1].name in text_of(one) for one in house.whispers(BOB)
            ),
            "the doctor's word",
        )


async def test_what_a_crash_left_of_a_backup_is_cleared_away(tmp_path, monkeypatch):
    folder = tmp_path / "copies"
    folder.mkdir()
    half = folder / "iora-20200101T000000Z.part"
    half.write_bytes(b"half of it")
    (folder / "of somebody else.part").write_bytes(b"")
    settings = {"every": "6h", "keep": 2, "folder": "copies"}
    async with watched(tmp_path, monkeypatch, backups=settings) as (house, _):
        house.advance(6 * HOUR)
        await house.until(lambda: house.bot.backups.made, "a backup")
        left = sorted(one.suffix for one in folder.iterdir())
        assert left == [".db", ".part"]
        assert not half.exists()


async def test_a_backup_never_takes_the_room_that_the_database_needs(tmp_path, monkeypatch):
    settings = {"every": "6h", "keep": 2, "folder": "copies"}
    async with watched(tmp_path, monkeypatch, backups=settings) as (house, _):
        usage = shutil.disk_usage(tmp_path)
        little = usage._replace(free=2 * RESERVE_BYTES)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: little)
        house.advance(6 * HOUR)
        await house.until(lambda: house.bot.backups.failed, "the refusal")
        assert "too little room" in str(house.bot.backups.error)
        assert list((tmp_path / "copies").iterdir()) == []


async def test_a_backup_that_fails_is_told_by_the_doctor(tmp_path, monkeypatch):
    (tmp_path / "copies").write_text("in the way")
    settings = {"every": "6h", "keep": 2, "folder": "copies"}
    async with watched(tmp_path, monkeypatch, backups=settings) as (house, _):
        house.advance(6 * HOUR)
        await house.until(lambda: house.bot.backups.failed, "the failure")
        (line,) = [
            one for one in await house.bot._doctor.lines() if one.what.startswith("backups:")
        ]
        assert line.state == "bad"
        assert "the last one failed" in line.what

"""A full disk, a locked database, a file that can't be written: no false answer, and the pages still go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StoreError
from bot.services.auditor import SETTLE_S
from bot.services.unrecorded import MARK
from bot.store import outbox
from bot.workspace.records import Person
from tests.support.delivered import escalating, settle
from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.mortal import Books, Mortal, mortal
from tests.support.scale import scaled, told

LADDER = escalating(("0s", ["channel"]), ("8s", [f"user:{BOB}"]), every="24h")
ITSELF = "bot itself is in trouble"
CAROL = "U04CAROL"


def can_mount() -> bool:
    return os.geteuid() == 0 and Path("/proc/self/ns/mnt").exists()


class BooksThere(Books):
    """The database on a disk that only the bot sees: read as a copy, for SQLite follows links itself."""

    def __init__(self, house: House, disk: SmallDisk) -> None:
        super().__init__(house, house.folder / "seen.db")
        self._disk = disk

    def rows(self, sql: str) -> list[sqlite3.Row]:
        for ending in ("", "-wal"):
            there = self._disk.folder / f"iora.db{ending}"
            content = there.read_bytes() if there.exists() else b""
            self._path.with_name(f"seen.db{ending}").write_bytes(content)
        self._path.with_name("seen.db-shm").unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self._path)) as found:
            found.row_factory = sqlite3.Row
            return found.execute(sql).fetchall()


class SmallDisk:
    """The disk of a bot in another process, seen from here."""

    def __init__(self, bot: Mortal, folder: Path) -> None:
        self.folder = Path(f"/proc/{bot.pid}/root{folder}")
        self._number = 0

    def fill(self) -> None:
        self._number += 1
        with (self.folder / f"ballast-{self._number}").open("wb", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def free(self) -> None:
        for ballast in self.folder.glob("ballast-*"):
            ballast.unlink()


@asynccontextmanager
async def on_a_small_disk(folder: Path) -> AsyncIterator[tuple[House, Mortal, SmallDisk, Books]]:
    if not can_mount():
        pytest.skip("no small disk can be mounted here: that takes root")
    disk = folder / "disk"
    disk.mkdir()
    async with standing(folder) as house:
        config = two_targets(house)
        environ = {"IORA_DATABASE_URL": f"sqlite:///{disk}/iora.db"}
        async with mortal(house, config, environ=environ, small_disk=str(disk)) as bot:
            assert await bot.connected(), (folder / "commits.log").read_text()
            small = SmallDisk(bot, disk)
            yield house, bot, small, BooksThere(house, small)


def two_targets(house: House, ladder: Any = LADDER) -> Any:
    config = config_for(house.target, escalation=ladder)
    return config.model_copy(
        update={"targets": {**config.targets, "other": config.targets["iora"]}}
    )


async def declare(house: House, title: str) -> Any:
    """What a person sees of it."""
    said = await house.slash(BOB, f"declare sev2 {title}")
    return said, text_of(said.message) if said.message else said.why


def about_itself(house: House) -> list[str]:
    return [one.text for one in house.pings(ALICE) if ITSELF in one.text]


async def test_on_a_full_disk_nothing_false_is_answered_and_what_is_due_goes_out(tmp_path):
    async with on_a_small_disk(tmp_path) as (house, _, disk, books):
        began = time.monotonic()
        said, words = await declare(house, "before")
        assert "INC-1" in words
        due = time.monotonic() + 8
        acknowledged, refused = ["before"], 0
        for number in range(600):
            disk.fill()
            said, words = await declare(house, f"full {number} {'x' * 100}")
            if said.ok and "INC-" in words:
                acknowledged.append(f"full {number} {'x' * 100}")
            else:
                refused += 1
                assert "Nothing was stored" in words, words
            if refused >= 3:
                break
        assert refused >= 3, "the disk was never full"
        await house.until(lambda: about_itself(house), "the page about itself")
        async with asyncio.timeout(90):
            while not house.pings(BOB):
                await asyncio.sleep(0.05)
        late = time.monotonic() - due
        first = house.pings(BOB)[0]
        stored = [row["title"] for row in books.rows("SELECT title FROM incidents ORDER BY id")]
        disk.free()
        async with asyncio.timeout(60):
            while not (await declare(house, "after"))[0].ok:
                await asyncio.sleep(0.1)
        freed = time.monotonic()
        await house.until(lambda: not books.waiting(), "all is delivered")
        keys = [row["key"] for row in books.rows("SELECT key FROM outbox WHERE kind = 'ping'")]
        keyed = [one.metadata["event_payload"]["key"] for one in house.pings(BOB) if one.metadata]
        assert len(keyed) == len(set(keyed)), "nobody is paged twice"
        told(
            "disk full",
            f"{len(acknowledged)} declared and stored, {refused} refused in words, 0 acknowledged"
            f" that are not stored; paged {late:+.1f} s from when it was due "
            f"({'from memory' if MARK in first.text else 'recorded'}), {len(keys)} pings recorded; "
            f"well again by itself; {freed - began:.0f} s",
        )
        assert set(acknowledged) <= set(stored)
        assert late < scaled(90, 20)
        assert books.integrity() == "ok"


async def test_a_database_that_another_program_holds_is_said_and_waited_out(tmp_path):
    async with (
        standing(tmp_path) as house,
        living(house, two_targets(house), settle_s=SETTLE_S) as bot,
    ):
        other = sqlite3.connect(tmp_path / "iora.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        poll = asyncio.create_task(bot.database.write(outbox.waiting))
        await asyncio.sleep(
            0
        )  # it stands in line first: whoever types waits for it, and then as long again
        _, words = await declare(house, "held")
        with pytest.raises(StoreError):
            await poll
        took = time.monotonic() - began
        assert "Nothing was stored" in words
        assert "another program holds it" in words
        other.execute("ROLLBACK")
        other.close()
        async with asyncio.timeout(60):
            while not (await declare(house, "after"))[0].ok:
                await asyncio.sleep(0.1)
        titles = await bot.database.read(lambda tx: tx.all("SELECT title FROM incidents"))
        told(
            "locked database",
            f"no false answer (what was said after {took:.1f} s: {words!r}), "
            f"{len(titles)} stored, well again by itself",
        )
        await settle(house, "card:1")


async def test_a_file_that_cant_be_written_is_said_and_the_bot_pages_about_itself(tmp_path):
    async with (
        standing(tmp_path) as house,
        living(house, two_targets(house), settle_s=SETTLE_S) as bot,
    ):
        assert (await declare(house, "before"))[0].ok
        await settle(house, "card:1")
        await bot.database.read(lambda tx: tx.all("PRAGMA query_only = ON"))
        said, words = await declare(house, "read-only")
        assert not (said.ok and "INC-2" in words)
        assert "Nothing was stored" in words
        assert "it is read-only" in words
        await house.until(lambda: about_itself(house), "the page about itself")
        await bot.database.read(lambda tx: tx.all("PRAGMA query_only = OFF"))
        assert (await declare(house, "after"))[0].ok
        await house.until(lambda: bot.database.trouble is None, "its end")
        told("read-only file", f"said: {words!r}; paged about itself; well again by itself")


async def test_while_nothing_can_be_stored_levels_page_from_memory_once(tmp_path, monkeypatch):
    async with (
        standing(tmp_path) as house,
        living(house, two_targets(house), settle_s=SETTLE_S) as bot,
    ):
        assert (await declare(house, "before"))[0].ok
        await settle(house, "card:1")
        full = Commits(bot.database._connection)
        monkeypatch.setattr(bot.database, "_connection", full)
        house.advance(61_000)
        await house.until(lambda: house.pings(BOB), "the page from memory")
        await asyncio.sleep(2.5)
        (page,) = house.pings(BOB)
        assert page.text.startswith(MARK)
        assert len(await house.entries(1, "escalation")) == 1, "nothing of it is stored"
        full.full = False
        await settle(house, f"ping:1:3:{BOB}")
        (page,) = house.pings(BOB)
        assert MARK not in page.text, "the same message, recorded by now"
        (entry,) = await house.entries(1, "way")
        assert "recorded late" in entry.facts["reason"]
        assert bot.database.trouble is None


async def test_levels_page_from_memory_too_where_the_file_can_be_read_only(tmp_path):
    async with (
        standing(tmp_path) as house,
        living(house, two_targets(house), settle_s=SETTLE_S) as bot,
    ):
        assert (await declare(house, "before"))[0].ok
        await settle(house, "card:1")
        await bot.database.read(lambda tx: tx.all("PRAGMA query_only = ON"))
        house.advance(61_000)
        await house.until(lambda: house.pings(BOB), "the page from memory")
        assert house.pings(BOB)[0].text.startswith(MARK)
        await house.until(lambda: about_itself(house), "the page about itself")
        await bot.database.read(lambda tx: tx.all("PRAGMA query_only = OFF"))
        await settle(house, f"ping:1:3:{BOB}")
        (page,) = house.pings(BOB)
        assert MARK not in page.text, "recorded by now, and paged once"
        told("file read only", "paged from memory once, recorded afterwards")


class Commits:
    """A connection whose every commit of a change finds the disk full."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.full = True
        self._before = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql.startswith("BEGIN"):
            self._before = self._connection.total_changes
        if sql == "COMMIT" and self.full and self._connection.total_changes > self._before:
            self._connection.execute("ROLLBACK")
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = 13
            raise error
        return self._connection.execute(sql, *values)


async def test_the_next_level_goes_from_memory_too_and_a_level_of_a_later_opening_is_another_page(
    tmp_path, monkeypatch
):
    ladder = escalating(("0s", ["channel"]), ("1m", [f"user:{BOB}"]), ("5m", [f"user:{CAROL}"]))
    async with (
        standing(tmp_path) as house,
        living(house, two_targets(house, ladder), settle_s=SETTLE_S) as bot,
    ):
        house.slack.workspace.add_person(Person(id=CAROL, name="carol", real_name="Carol"))
        assert (await declare(house, "before"))[0].ok
        await settle(house, "card:1")
        full = Commits(bot.database._connection)
        monkeypatch.setattr(bot.database, "_connection", full)
        house.advance(61_000)
        await house.until(lambda: house.pings(BOB), "the page from memory")
        house.advance(240_000)
        await house.until(lambda: house.pings(CAROL), "the next level, from memory")
        full.full = False
        await house.until(lambda: bot.database.trouble is None, "its end")
        await settle(house, f"ping:1:3:{BOB}", f"ping:1:3:{CAROL}")
        for person in (BOB, CAROL):
            (page,) = house.pings(person)
            assert MARK not in page.text, "recorded by now"
        house.clock.move(600_001)
        await house.until(lambda: not bot.keeper.unrecorded.told, "what is recorded is forgotten")
        assert (await house.slash(BOB, "resolve INC-1")).ok
        assert (await house.slash(BOB, "reopen INC-1 it is back")).ok
        house.advance(61_000)
        await house.until(lambda: len(house.pings(BOB)) > 1, "the level of the new opening")

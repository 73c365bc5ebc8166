"""A full disk: nothing is acknowledged that was not stored, and what is due still commits."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StoreError
from bot.store import timers
from bot.store.database import Database, Tx
from bot.store.reserve import RESERVE_BYTES, Reserve
from tests.support.store import together


def arm(tx: Tx, subject: str, ballast: int) -> None:
    timers.arm(tx, "kept", subject, tx.now, ballast="x" * ballast)


def allow_pages(tx: Tx, more: int) -> None:
    (pages,) = tx.all("PRAGMA page_count")[0]
    tx.all(f"PRAGMA max_page_count = {pages + more}")


async def test_the_one_that_needs_the_room_is_refused_and_its_group_mates_commit(
    database: Database,
) -> None:
    await database.read(allow_pages, 4)
    first, second, third = await together(
        database,
        database.write(arm, "small", 10),
        database.write(arm, "far too large", 200_000),
        database.write(arm, "small too", 10),
    )
    assert first is None
    assert isinstance(second, StoreError)
    assert "free some space; nothing was stored" in str(second)
    assert third is None
    assert await database.read(timers.armed, "kept") == ["small", "small too"]
    assert database.counters.disk_full == 1


async def test_a_full_disk_spends_the_reserve_once(database: Database) -> None:
    assert database.reserve.refill()
    await database.read(allow_pages, 4)
    with pytest.raises(StoreError, match="full"):
        await database.write(arm, "far too large", 200_000)
    assert database.reserve.spent
    assert not database.reserve.spend(), "there is nothing more to give"
    with pytest.raises(StoreError, match="full"):
        await database.write(arm, "far too large", 200_000)


async def test_a_reserve_that_cant_be_taken_away_leaves_nobody_without_an_answer(
    database: Database,
) -> None:
    """As on a file system that the system has made read-only after an error."""
    (database.reserve.path / "in the way").mkdir(parents=True)
    await database.read(allow_pages, 4)
    async with asyncio.timeout(60):
        with pytest.raises(StoreError, match="full"):
            await database.write(arm, "far too large", 200_000)
        assert database.trouble is not None
        await database.write(arm, "small", 10)
    assert not database.reserve.refill()


def test_the_reserve_is_real_bytes_and_comes_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "iora.db")
    assert reserve.spent
    assert reserve.refill()
    there = reserve.path.stat()
    assert there.st_blocks * 512 >= RESERVE_BYTES == there.st_size, "not a sparse file"
    assert reserve.spend()
    assert reserve.spent
    assert reserve.refill()
    assert not reserve.spent


def test_a_reserve_that_a_crash_left_half_made_is_made_whole(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "iora.db")
    reserve.path.write_bytes(b"x" * 65_536)
    assert reserve.spent
    assert reserve.refill()
    assert reserve.path.stat().st_size == RESERVE_BYTES


def run_on(command: list[str], folder: Path, how: str) -> dict[str, Any]:
    folder.mkdir()
    program = [sys.executable, "-m", "tests.support.full_disk", str(folder), how]
    ended = subprocess.run(
        [*command, *program], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said


def own_small_disk(folder: Path) -> list[str]:
    """A command that runs the next one where the folder is a disk of 12 MB."""
    tool = shutil.which("unshare")
    if tool is None:
        pytest.skip("no `unshare` here: no small disk can be mounted")
    enter = (
        [tool, "--mount"] if os.geteuid() == 0 else [tool, "--user", "--map-root-user", "--mount"]
    )
    script = 'mount -t tmpfs -o size=12m tmpfs "$1" && shift && exec "$@"'
    command = [*enter, "sh", "-c", script, "sh", str(folder)]
    folder.mkdir()
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    folder.rmdir()
    if tried.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.strip()}")
    return command


def test_on_a_disk_that_is_really_full_the_reserve_lets_what_is_due_commit(tmp_path: Path) -> None:
    folder = tmp_path / "small disk"
    said = run_on(own_small_disk(folder), folder, "tmpfs")
    assert said["kept_back"]
    assert said["during"] == 16, "every write was stored, with the room of the reserve"
    assert said["spent"]
    assert said["refused"] > 0, "past the reserve there is no room for all of it"
    assert "free some space; nothing was stored" in said["told"]
    assert not said["refilled while full"]
    assert said["again"] == 8, "it goes on by itself when there is room again"
    assert said["refilled"]
    assert said["same"], "what is in the file is what was acknowledged, no more and no less"


def test_a_disk_that_fails_in_the_middle_of_a_file_is_met_the_same_way(tmp_path: Path) -> None:
    said = run_on([], tmp_path / "folder", "limit")
    assert said["refused"] > 0
    assert "nothing was stored" in said["told"]
    assert said["again"] == 8
    assert said["same"]

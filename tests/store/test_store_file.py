"""The database's file: durable, private, whole, and owned by one process."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from bot.errors import StoreError
from bot.store import timers
from bot.store.copying import check, copy
from bot.store.database import Database, Tx
from bot.store.lock import Held, OwnerLock
from tests.support.clock import ManualClock
from tests.support.store import open_database


def pragma(tx: Tx, name: str) -> object:
    return tx.all(f"PRAGMA {name}")[0][0]


def arm(tx: Tx, subject: str) -> None:
    timers.arm(tx, "kept", subject, tx.now)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("journal_mode", "wal", id="readers never hold up a commit"),
        pytest.param("synchronous", 2, id="a commit survives a power cut (FULL)"),
        pytest.param("foreign_keys", 1, id="no row without its incident"),
    ],
)
async def test_the_connection_is_set_up_for_durability(
    database: Database, name: str, value: object
) -> None:
    assert await database.read(pragma, name) == value


async def test_only_the_owner_may_read_the_file_and_what_lies_beside_it(
    database: Database,
) -> None:
    await database.write(arm, "one")
    assert database.reserve.refill()
    with_lock = OwnerLock(database.path, "test").take()
    modes = {path.name: path.stat().st_mode & 0o777 for path in database.path.parent.iterdir()}
    with_lock.release()
    assert modes == dict.fromkeys(
        ("iora.db", "iora.db-wal", "iora.db-shm", "iora.db.reserve", "iora.db.lock"), 0o600
    )


async def test_the_file_opens_in_sqlite_utils_as_it_is_while_the_bot_runs(
    database: Database,
) -> None:
    await database.write(arm, "one")
    with closing(sqlite3.connect(database.path)) as connection:
        other = sqlite_utils.Database(connection)
        assert {"incidents", "timeline", "timers", "outbox"} <= set(other.table_names())
        assert [row["subject"] for row in other["timers"].rows] == ["one"]


async def test_opening_again_keeps_everything(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "deep" / "in a folder" / "iora.db"
    async with open_database(path, clock) as database:
        await database.write(arm, "one")
    async with open_database(path, clock) as database:
        assert await database.read(timers.armed, "kept") == ["one"]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"this is no database at all, it is a letter. " * 50, id="another file"),
        pytest.param(b"SQLite format 3\x00" + b"\xff" * 5_000, id="a broken header"),
    ],
)
def test_a_damaged_file_is_refused_with_the_way_out(
    tmp_path: Path, clock: ManualClock, damage: bytes
) -> None:
    path = tmp_path / "iora.db"
    path.write_bytes(damage)
    with pytest.raises(StoreError, match=r"iora\.db.*iora restore"):
        Database(path, clock)
    assert path.read_bytes() == damage, "nothing is mended by guessing"


async def test_a_file_with_a_damaged_page_is_refused_with_the_way_out(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "iora.db"
    async with open_database(path, clock) as database:
        for number in range(200):
            await database.write(arm, f"{number:050}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'timers'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    whole = bytearray(path.read_bytes())
    whole[(root - 1) * size : root * size] = b"\x99" * size
    path.write_bytes(whole)
    with pytest.raises(StoreError, match="iora restore"):
        Database(path, clock)


@pytest.mark.parametrize("place", ["a-folder", "a-file/iora.db"])
def test_a_place_where_no_file_can_be_is_named_with_another(
    tmp_path: Path, clock: ManualClock, place: str
) -> None:
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-file").write_text("")
    with pytest.raises(StoreError, match=r"can't be opened.*IORA_DATABASE_URL"):
        Database(tmp_path / place, clock)


async def test_a_copy_made_while_writes_go_on_is_a_whole_database(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    destination = tmp_path / "copy.db"
    ended = asyncio.Event()

    async def write_on() -> int:
        count = 0
        while not ended.is_set():
            await asyncio.gather(*(database.write(arm, f"{count}.{n}") for n in range(20)))
            count += 20
        return count

    writing = asyncio.create_task(write_on())
    await database.write(arm, "before the copy")
    for number in range(5):
        await asyncio.to_thread(copy, database.path, tmp_path / f"copy-{number}.db")
    await asyncio.to_thread(copy, database.path, destination)
    ended.set()
    written = await writing
    assert check(destination) == 0
    assert destination.stat().st_mode & 0o777 == 0o600
    async with open_database(destination, clock) as copied:
        found = await copied.read(timers.armed, "kept")
    assert "before the copy" in found
    assert len(found) <= written + 1
    groups = {subject.split(".")[0] for subject in found if "." in subject}
    assert all(f"{group}.0" in found for group in groups), "in order: no group without its first"


async def test_a_copy_works_from_a_path_with_odd_characters(
    tmp_path: Path, clock: ManualClock
) -> None:
    folder = tmp_path / "50%25 of #1 ? yes & so"
    async with open_database(folder / "iora.db", clock) as database:
        await database.write(arm, "one")
        await asyncio.to_thread(copy, database.path, folder / "copy.db")
    async with open_database(folder / "copy.db", clock) as copied:
        assert await copied.read(timers.armed, "kept") == ["one"]


async def test_a_copy_never_overwrites_a_file(database: Database, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(StoreError, match="there already"):
        copy(database.path, there)
    assert there.read_text() == "mine"


def test_a_second_owner_is_refused_with_the_holders_name(tmp_path: Path) -> None:
    holder = OwnerLock(tmp_path / "iora.db", "iora serve").take()
    with pytest.raises(Held, match=rf"held by iora serve \(process {os.getpid()}\)"):
        OwnerLock(tmp_path / "iora.db", "iora ack").take()
    holder.release()
    OwnerLock(tmp_path / "iora.db", "iora ack").take().release()


def test_the_lock_makes_the_folder_in_which_the_database_will_be(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path / "data" / "iora.db", "iora serve").take()
    lock.release()


HOLD = """
import sys
from pathlib import Path
from bot.store.lock import OwnerLock
OwnerLock(Path(sys.argv[1]), "iora serve").take()
print("held", flush=True)
sys.stdin.read()
"""


def test_the_lock_of_another_process_names_it_and_ends_with_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "iora.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Held, match=rf"iora serve \(process {other.pid}\)"):
            OwnerLock(path, "iora ack").take()
        other.send_signal(signal.SIGKILL)
        other.wait(20)
    lock = OwnerLock(path, "iora ack").take()
    lock.release()


KEEP_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from bot.store import timers
from bot.store.database import Database
from tests.support.clock import ManualClock

def arm(tx, subject):
    timers.arm(tx, "kept", subject, tx.now)

async def main():
    database = Database(Path(sys.argv[1]), ManualClock())
    await database.write(arm, "acknowledged")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_acknowledged_before_kill_9_is_there_afterwards(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "iora.db"
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KEEP_AND_DIE, str(path)], check=False, timeout=30
    )
    assert ended.returncode == -signal.SIGKILL
    async with open_database(path, clock) as database:
        assert await database.read(timers.armed, "kept") == ["acknowledged"]

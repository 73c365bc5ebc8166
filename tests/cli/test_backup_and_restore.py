"""`iora backup` and `iora restore`: whole copies, checked, and nothing lost on the way back."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.house import House, standing
from tests.support.running import iora, serving, settings


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


def titles(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT title FROM incidents ORDER BY id")]


async def test_a_backup_is_whole_while_writes_go_on(house, tmp_path):
    environ = settings(house, tmp_path)
    async with serving(house, tmp_path, environ):
        for at in range(3):
            await house.slash("U02BOB", f"declare sev4 before {at}")
        going = True

        async def keep_writing() -> int:
            count = 0
            while going:
                await house.slash("U02BOB", f"declare sev4 during {count}")
                count += 1
            return count

        writing = asyncio.create_task(keep_writing())
        copies = [await iora(tmp_path, environ, "backup", f"copy-{at}.db") for at in range(3)]
        going = False
        assert await writing > 0
        left = {file.name for file in tmp_path.glob("copy-*")}
        assert left == {"copy-0.db", "copy-1.db", "copy-2.db"}, "a backup is one file"
        for at, copied in enumerate(copies):
            assert copied.code == 0, copied.err
            assert f"copy-{at}.db: a whole copy, " in copied.out
            found = titles(tmp_path / f"copy-{at}.db")
            assert found[:3] == ["before 0", "before 1", "before 2"]
            assert f"{len(found)} incidents" in copied.out
        assert stat.S_IMODE((tmp_path / "copy-0.db").stat().st_mode) == 0o600


async def test_a_backup_never_writes_over_anything_and_says_what_is_missing(house, tmp_path):
    environ = settings(house, tmp_path)
    nothing = await iora(tmp_path, environ, "backup", "copy.db")
    assert nothing.code == 2
    assert "there is no database to copy yet" in nothing.err
    await iora(tmp_path, environ, "declare", "sev4", "one")
    (tmp_path / "copy.db").write_text("precious")
    there = await iora(tmp_path, environ, "backup", "copy.db")
    assert (there.code, there.err) == (2, "iora: copy.db: is there already; name a new file\n")
    assert (tmp_path / "copy.db").read_text() == "precious"
    nowhere = await iora(tmp_path, environ, "backup", "no/such/folder/copy.db")
    assert nowhere.code == 2
    assert "can't be written" in nowhere.err
    found = (await iora(tmp_path, environ, "backup", "--json", "new.db")).json()
    assert found == {
        "file": "new.db",
        "incidents": 1,
        "bytes": (tmp_path / "new.db").stat().st_size,
    }


async def test_a_restore_keeps_the_one_before_and_the_bot_runs_on_it(house, tmp_path):
    environ = settings(house, tmp_path)
    await iora(tmp_path, environ, "declare", "sev4", "kept")
    await iora(tmp_path, environ, "backup", "copy.db")
    await iora(tmp_path, environ, "declare", "sev4", "lost")
    done = await iora(tmp_path, environ, "restore", "copy.db")
    assert done.code == 0, done.err
    assert not list((tmp_path / "data").glob("iora.db.restoring*"))
    assert done.out.startswith(
        "data/iora.db: restored, 1 incident\n1 message may have been sent since"
    )
    kept = tmp_path / done.out.strip().rsplit(" ", 1)[1]
    assert titles(kept) == ["kept", "lost"]
    assert titles(tmp_path / "data" / "iora.db") == ["kept"]
    again = (await iora(tmp_path, environ, "restore", "--json", "copy.db")).json()
    assert again["kept"] != str(kept)
    async with serving(house, tmp_path, environ):
        await house.until(house.card, "the card of what was restored")
        listed = (await iora(tmp_path, environ, "incidents", "--json")).json()
        assert [one["title"] for one in listed["incidents"]] == ["kept"]


async def test_a_restore_replaces_a_database_that_is_damaged(house, tmp_path):
    environ = settings(house, tmp_path)
    await iora(tmp_path, environ, "declare", "sev4", "kept")
    await iora(tmp_path, environ, "backup", "copy.db")
    (tmp_path / "data" / "iora.db").write_bytes(b"rubbish" * 1000)
    broken = await iora(tmp_path, environ, "incidents")
    assert broken.code == 2
    assert "iora.db" in broken.err
    assert (await iora(tmp_path, environ, "restore", "copy.db")).code == 0
    assert titles(tmp_path / "data" / "iora.db") == ["kept"]


async def test_a_restore_is_refused_while_the_bot_runs(house, tmp_path):
    environ = settings(house, tmp_path)
    async with serving(house, tmp_path, environ):
        await house.slash("U02BOB", "declare sev4 one")
        await iora(tmp_path, environ, "backup", "copy.db")
        await house.slash("U02BOB", "declare sev4 two")
        refused = await iora(tmp_path, environ, "restore", "copy.db")
        assert refused.code == 2
        assert "the database is held by iora serve (process " in refused.err
    assert titles(tmp_path / "data" / "iora.db") == ["one", "two"]


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "flipped", "foreign", "similar"])
async def test_a_file_that_is_damaged_or_not_of_the_bot_is_refused(house, tmp_path, kind):
    environ = settings(house, tmp_path)
    for at in range(3):
        await iora(tmp_path, environ, "declare", "sev4", f"number {at}")
    await iora(tmp_path, environ, "backup", "copy.db")
    file, whole = tmp_path / "bad.db", (tmp_path / "copy.db").read_bytes()
    match kind:
        case "text":
            file.write_text("SQLite it is not")
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(whole[: len(whole) // 2])
        case "flipped":
            file.write_bytes(whole[:8192] + bytes(4096) + whole[12288:])
        case "foreign" | "similar":
            with closing(sqlite3.connect(file)) as connection:
                name = "notes" if kind == "foreign" else "incidents"
                connection.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, title TEXT)")
                connection.commit()
    before = titles(tmp_path / "data" / "iora.db")
    refused = await iora(tmp_path, environ, "restore", "bad.db")
    assert refused.code == 2
    assert refused.err.startswith("iora: bad.db: is ")
    assert refused.err.count("\n") == 1
    assert titles(tmp_path / "data" / "iora.db") == before
    assert not list((tmp_path / "data").glob("*.before-restore*"))

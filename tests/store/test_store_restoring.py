"""A restore leaves a whole database in its place at every moment, and looks up what may be there."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StoreError
from bot.store import outbox, restoring
from bot.store.copying import copy
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock

NOW = 1_750_000_000_000


def add(tx: Tx, title: str) -> int:
    tx.run(
        """INSERT INTO incidents (title, severity, status, policy, declared_by, channel, started_at,
        declared_at, opened_at) VALUES (:title, 'sev2', 'open', '{}', 'bot', 'incidents', 1, 1, 1)""",
        title=title,
    )
    (row,) = tx.all("SELECT MAX(id) AS id FROM incidents")
    outbox.add(tx, f"card:{row['id']}", "card", "channel:incidents", {}, incident_id=row["id"])
    number: int = row["id"]
    return number


async def filled(path: Path, *titles: str) -> None:
    database = Database(path, ManualClock())
    for title in titles:
        await database.write(add, title)
    await database.close()


def titles(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT title FROM incidents ORDER BY id")]


class Dies(BaseException):
    """The process is gone."""


async def _pair(folder: Path) -> tuple[Path, Path]:
    database, backup = folder / "iora.db", folder / "backup.db"
    await filled(database, "old")
    copy(database, backup)
    await filled(database, "new")
    return database, backup


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
async def test_a_crash_at_any_step_leaves_a_database(tmp_path, monkeypatch, damaged):
    """Every call that changes a name is the last one, in turn; until one restore comes through."""
    for last in range(30):
        folder = tmp_path / str(last)
        folder.mkdir()
        database, backup = await _pair(folder)
        if damaged:
            database.write_bytes(database.read_bytes()[:2_000])
            database.with_name("iora.db-wal").write_bytes(b"what was not in the file yet")
        before = database.read_bytes()
        calls = iter(range(1_000))

        def dies(real: Any, calls: Any = calls, last: int = last) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                if next(calls) >= last:
                    raise Dies
                return real(*arguments, **named)

            return call

        with monkeypatch.context() as patched:
            patched.setattr(os, "link", dies(os.link))
            patched.setattr(os, "unlink", dies(os.unlink))
            patched.setattr(Path, "unlink", dies(Path.unlink))
            patched.setattr(Path, "replace", dies(Path.replace))
            try:
                restoring.put_in_place(backup, database, NOW)
            except Dies:
                assert database.exists(), f"step {last} left no database"
                if database.read_bytes() != before:
                    assert titles(database) == ["old"], "the new one, whole"
                continue
        assert titles(database) == ["old"]
        kept = folder / "iora.db.before-restore-1"
        assert kept.read_bytes() == before if damaged else titles(kept) == ["old", "new"]
        assert last > 3
        return
    raise AssertionError("no restore came through")


async def test_what_may_have_been_sent_since_is_unsure_and_new_numbers_leave_a_gap(tmp_path):
    database, backup = await _pair(tmp_path)
    done = restoring.put_in_place(backup, database, NOW)
    assert (done.incidents, done.looked_up) == (1, 1)
    opened = Database(database, ManualClock(NOW + 5_000))
    card = await opened.read(outbox.by_key, "card:1")
    assert card is not None
    assert (card.state, card.sending_at) == ("unsure", card.wanted_at), (
        "sent then, or at any time since"
    )
    number = await opened.write(add, "after it")
    assert number == 1 + restoring.NUMBERS_BETWEEN + 1
    fresh = await opened.read(outbox.by_key, f"card:{number}")
    assert fresh is not None
    assert fresh.state == "waiting", "it is of an incident that the backup did not know"
    await opened.write(_another, "ping:1:2:U1")
    late = await opened.read(outbox.by_key, "ping:1:2:U1")
    assert late is not None
    assert late.state == "unsure", "the level may have fired since the backup"
    assert late.sending_at == 1, "at any time since its incident was declared"
    await opened.close()


async def test_what_is_added_is_looked_up_until_the_bot_has_been_up_for_a_while(tmp_path):
    database, backup = await _pair(tmp_path)
    restoring.put_in_place(backup, database, NOW)
    clock = ManualClock(NOW + 86_400_000)
    opened = Database(database, clock)
    await opened.write(outbox.recover, 13_000)
    states = []
    for number, later in enumerate((0, outbox.RECONCILES_MS - 1, 1)):
        clock.advance(later)
        await opened.write(_another, f"ping:1:{number}:U1")
        row = await opened.read(outbox.by_key, f"ping:1:{number}:U1")
        assert row is not None
        states.append(row.state)
    assert states == ["unsure", "unsure", "waiting"]
    await opened.close()


def _another(tx: Tx, key: str) -> None:
    outbox.add(tx, key, "ping", "user:U1", {"person": "U1"}, incident_id=1, page=True)


async def test_a_database_that_somebody_reads_is_not_replaced_under_them(tmp_path):
    database, backup = await _pair(tmp_path)
    writer = Database(database, ManualClock())
    with closing(sqlite3.connect(database)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM incidents").fetchone()
        await writer.write(add, "in the journal")
        with pytest.raises(StoreError, match="another program reads it"):
            restoring.put_in_place(backup, database, NOW)
    await writer.close()
    assert titles(database) == ["old", "new", "in the journal"]

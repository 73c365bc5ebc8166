"""A database from before a rule's data was known beside its condition: what was told then stays told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlite_utils

from bot.rules.detection import Phase
from bot.store import holds
from bot.store.database import Database
from bot.store.schema import migrations
from tests.support.clock import ManualClock


async def test_what_was_told_to_be_lost_stays_told_and_what_was_found_stays_found(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "older.db"
    file = sqlite3.connect(path)
    migrations.apply(
        sqlite_utils.Database(file, execute_plugins=False), stop_before="m018_holds_of_data"
    )
    for rule, phase in (("cpu-critical", "lost"), ("down", "found")):
        file.execute(
            """INSERT INTO holds (target, rule, phase, yes_at, no_at, lost_since, lost_at, seen_at,
                next_at, since, changed_at, message)
            VALUES ('iora', ?, ?, 0, 0, 5, 6, 6, 7, 5, 6, 'finding:' || ?)""",
            (rule, phase, rule),
        )
    file.commit()
    file.close()
    database = Database(path, clock)
    try:
        lost, found = await database.read(holds.of_target, "iora")
    finally:
        await database.close()
    assert (lost.rule, lost.data, lost.phase) == ("cpu-critical", True, Phase.LOST)
    assert (lost.lost.since, lost.message) == (5, "finding:cpu-critical")
    assert (found.rule, found.data, found.phase) == ("down", False, Phase.FOUND)

"""Puts a backup in the database's place, so that a crash at any moment leaves a whole one there."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlite_utils

from bot.errors import StoreError
from bot.store.copying import check, copy
from bot.store.outbox import NOT_STARTED
from bot.store.schema import migrations

NUMBERS_BETWEEN = 100
"""So many numbers of incidents and runs are left out: they may have been given since the backup."""


@dataclass(frozen=True)
class Restored:
    """``incidents``: how many it holds; ``kept``: where the database before it is; ``looked_up``: messages."""

    incidents: int
    kept: Path | None
    looked_up: int


def put_in_place(file: Path, database: Path, now: int) -> Restored:
    """Copy, check and mark first: whatever goes wrong leaves the present database where it is.

    Raises ``StoreError``.
    """
    check(file)
    fresh = database.with_name(f"{database.name}.restoring")
    fresh.unlink(missing_ok=True)
    try:
        copy(file, fresh)
        incidents = check(fresh)
        looked_up = _mark(fresh, now)
        kept = _keep(database)
        fresh.replace(database)  # the one moment in which it changes
        _settle(database.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return Restored(incidents, kept, looked_up)


def _mark(fresh: Path, now: int) -> int:
    """What is not there by the backup may be there by now: it is looked up first, since it was wanted."""
    try:
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            migrations.apply(sqlite_utils.Database(connection, execute_plugins=False))
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                """INSERT OR REPLACE INTO restores (at, last_incident)
                SELECT :never, COALESCE(MAX(id), 0) FROM incidents""",
                {"never": NOT_STARTED},
            )
            unsure = connection.execute(
                """UPDATE outbox SET state = 'unsure', sending_at = MIN(wanted_at, :now), due_at = :now,
                lookup_failed_at = NULL, error = 'it may have been sent since the backup'
                WHERE ts IS NULL AND state IN ('waiting', 'sending', 'unsure')""",
                {"now": now},
            ).rowcount
            connection.execute(
                "UPDATE sqlite_sequence SET seq = seq + ? WHERE name IN ('incidents', 'runs')",
                (NUMBERS_BETWEEN,),
            )
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(f"{fresh}: can't be prepared ({error})") from None
    return unsure


def _keep(database: Path) -> Path | None:
    """Give the present database a second name, with what is in its journal; it stays in its place."""
    if not database.exists():
        _clear_journal(database)
        return None
    number = 1
    while (kept := database.with_name(f"{database.name}.before-restore-{number}")).exists():
        number += 1
    if not _emptied_journal(database):
        # It is damaged, which may be why it is replaced: its pieces are kept as they are.
        for ending in ("-wal", "-shm"):
            piece = database.with_name(database.name + ending)
            if piece.exists():
                _name_also(piece, kept.with_name(kept.name + ending))
    _name_also(database, kept)
    _settle(database.parent)
    _clear_journal(database)  # the new one must not meet it
    return kept


def _emptied_journal(database: Path) -> bool:
    """Whether all that is in the journal is in the file by now. Raises ``StoreError`` while it is read."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError:
        return False
    if busy:
        raise StoreError(f"{database}: another program reads it; end that program first")
    return True


def _name_also(file: Path, other: Path) -> None:
    """The same file under a second name; a copy where the file system has no such thing."""
    try:
        os.link(file, other)
    except OSError:
        shutil.copy2(file, other)


def _clear_journal(database: Path) -> None:
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """The names are on the disk too."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

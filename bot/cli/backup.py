"""``iora backup`` and ``iora restore``: a whole, checked copy of the database, and its way back."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import click

from bot.cli.fail import plainly
from bot.errors import StoreError
from bot.model.settings import Settings
from bot.store.copying import check, copy
from bot.store.lock import OwnerLock


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy the database to FILE, also while the bot runs, and check the copy."""
    with plainly():
        settings = Settings.read(os.environ)
        if not settings.database.is_file():
            raise StoreError(f"{settings.database}: there is no database to copy yet")
        copy(settings.database, file)
        incidents = check(file)
    print(f"{file}: a whole copy, {incidents} incidents, {file.stat().st_size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Put the backup FILE in the database's place. The present one is kept beside it."""
    with plainly():
        settings = Settings.read(os.environ)
        incidents = check(file)
        database = settings.database
        database.parent.mkdir(parents=True, exist_ok=True)
        lock = OwnerLock(database, "iora restore").take()
        try:
            kept = _set_aside(database)
            copy(file, database)
        finally:
            lock.release()
    print(f"{database}: restored, {incidents} incidents")
    if kept:
        print(f"The one before is kept as {kept}")


def _set_aside(database: Path) -> Path | None:
    """Move the present database out of the way, whole: with what is still in its journal."""
    if not database.exists():
        return None
    number = 1
    while (kept := database.with_name(f"{database.name}.before-restore-{number}")).exists():
        number += 1
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        # It is damaged, which may be why it is replaced: its pieces are kept as they are.
        for ending in ("-wal", "-shm"):
            piece = database.with_name(database.name + ending)
            if piece.exists():
                shutil.move(piece, kept.with_name(kept.name + ending))
    shutil.move(database, kept)
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    return kept

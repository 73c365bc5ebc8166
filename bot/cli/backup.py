"""``iora backup`` and ``iora restore``: a whole, checked copy of the database, and its way back."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import click

from bot.cli.fail import plainly
from bot.errors import StoreError
from bot.model.settings import Settings
from bot.render.answer import counted
from bot.store.copying import check, copy
from bot.store.lock import OwnerLock


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path, *, as_json: bool) -> None:
    """Copy the database to FILE, also while the bot runs, and check the copy."""
    with plainly():
        settings = Settings.read(os.environ)
        if not settings.database.is_file():
            raise StoreError(f"{settings.database}: there is no database to copy yet")
        copy(settings.database, file)
        incidents = check(file)
        size = file.stat().st_size
    if as_json:
        print(json.dumps({"file": str(file), "incidents": incidents, "bytes": size}))
    else:
        print(f"{file}: a whole copy, {counted(incidents, 'incident')}, {size:,} bytes")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path, *, as_json: bool) -> None:
    """Put the backup FILE in the database's place. The present one is kept beside it."""
    with plainly():
        database = Settings.read(os.environ).database
        lock = OwnerLock(database, "iora restore").take()
        try:
            incidents, kept = _put_in_place(file, database)
        finally:
            lock.release()
    if as_json:
        found = {"database": str(database), "incidents": incidents, "kept": kept and str(kept)}
        print(json.dumps(found))
        return
    print(f"{database}: restored, {counted(incidents, 'incident')}")
    if kept:
        print(f"The one before is kept as {kept}")


def _put_in_place(file: Path, database: Path) -> tuple[int, Path | None]:
    """Copy and check first, so that whatever goes wrong leaves the present database where it is."""
    check(file)
    fresh = database.with_name(f"{database.name}.restoring")
    fresh.unlink(missing_ok=True)
    try:
        copy(file, fresh)
        incidents = check(fresh)
        kept = _set_aside(database)
        fresh.replace(database)
    finally:
        fresh.unlink(missing_ok=True)
    return incidents, kept


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

"""``iora backup`` and ``iora restore``: a whole, checked copy of the database, and its way back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from bot.cli.fail import plainly
from bot.clock import SystemClock
from bot.errors import StoreError
from bot.model.settings import Settings
from bot.render.answer import counted
from bot.store.copying import check, copy
from bot.store.lock import OwnerLock
from bot.store.restoring import NUMBERS_BETWEEN, put_in_place


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
            done = put_in_place(file, database, SystemClock().now())
        finally:
            lock.release()
    if as_json:
        kept = str(done.kept) if done.kept else None
        found = {"database": str(database), "incidents": done.incidents, "kept": kept}
        print(json.dumps(found | {"looked_up": done.looked_up}))
        return
    print(f"{database}: restored, {counted(done.incidents, 'incident')}")
    print(
        f"{counted(done.looked_up, 'message')} may have been sent since: the bot looks each up before it "
        f"sends anything. New incidents go on {NUMBERS_BETWEEN} numbers further."
    )
    if done.kept:
        print(f"The one before is kept as {done.kept}")

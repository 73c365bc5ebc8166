"""Whole copies of a database: made while it is used (SQLite's online backup), and checked."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StoreError


def copy(source: Path, destination: Path) -> None:
    """Copy to a new file, 0600. Raises ``StoreError``; a half-made copy is removed."""
    try:
        os.close(os.open(destination, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise StoreError(f"{destination}: is there already; name a new file") from None
    except OSError as error:
        raise StoreError(f"{destination}: can't be written ({error.strerror})") from None
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reader,
            closing(sqlite3.connect(destination)) as writer,
        ):
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode=DELETE")  # one file, with none beside it when read
    except sqlite3.Error as error:
        destination.unlink()
        raise StoreError(f"{source}: can't be copied ({error})") from None


def check(file: Path) -> int:
    """How many incidents a database holds. Raises ``StoreError`` if it is damaged or not of ours."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as reader:
            (verdict,) = reader.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                problem = verdict.splitlines()[-1]
                raise StoreError(f"{file}: is damaged ({problem}); take another backup")
            for table in ("timeline", "timers", "outbox", "incidents"):
                (count,) = reader.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
            return int(count)
    except sqlite3.Error as error:
        raise StoreError(f"{file}: is no database of the bot ({error})") from None

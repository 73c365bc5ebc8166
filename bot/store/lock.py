"""One process owns the database file: an exclusive lock beside it that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Self

from bot.errors import StoreError


class Held(StoreError):
    """Another process owns the database; ``held`` says which, without what to do about it."""

    def __init__(self, held: str) -> None:
        self.held = held
        super().__init__(
            f"{held}; stop it first, or use the command line, which hands its words to it"
        )


class OwnerLock:
    """An advisory lock that the kernel drops when its process ends, however it ends."""

    def __init__(self, database: Path, program: str) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._program = program
        self._file: int | None = None

    def take(self) -> Self:
        """Raises ``Held`` with the holder's name and pid, ``StoreError`` where no file can be."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"{self.path}: can't be opened ({error.strerror}); name another place in "
                "IORA_DATABASE_URL, such as sqlite:///data/iora.db"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 500).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise Held(f"{self.path}: the database is held by {_describe(holder)}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(
            descriptor, json.dumps({"program": self._program, "pid": os.getpid()}).encode(), 0
        )
        self._file = descriptor
        return self

    def release(self) -> None:
        """Give the file to the next one; the lock file stays, so that nobody locks a deleted one."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def _describe(holder: str) -> str:
    try:
        known = json.loads(holder)
        return f"{known['program']} (process {known['pid']})"
    except (ValueError, KeyError, TypeError):
        return "another process"

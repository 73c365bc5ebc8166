"""A program that fills its disk while it writes to a database, and prints what became of each write.

``python -m tests.support.full_disk FOLDER tmpfs|limit``: FOLDER is on a small disk of its own, or the
size of files is limited (``RLIMIT_FSIZE``), which SQLite meets as an I/O error.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from bot.errors import StoreError
from bot.store import timers
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.store import together

LIMIT = 400_000


def arm(tx: Tx, subject: str) -> None:
    timers.arm(tx, "kept", subject, tx.now, ballast="x" * 20_000)


def fill(folder: Path, how: str) -> None:
    """Leave no room at all."""
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
        return
    with (folder / f"ballast-{len(list(folder.iterdir()))}").open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def free(folder: Path, how: str) -> None:
    """Give the room back."""
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for ballast in folder.glob("ballast-*"):
        ballast.unlink()


async def write_groups(database: Database, name: str, groups: int) -> tuple[list[str], list[str]]:
    """Groups of eight; the subjects that were acknowledged, and what the others were told."""
    stored: list[str] = []
    told: list[str] = []
    for group in range(groups):
        subjects = [f"{name}.{group}.{number}" for number in range(8)]
        results = await together(database, *(database.write(arm, one) for one in subjects))
        for subject, result in zip(subjects, results, strict=True):
            if isinstance(result, StoreError):
                told.append(str(result))
            elif isinstance(result, BaseException):
                raise result
            else:
                stored.append(subject)
    return stored, told


async def run(folder: Path, how: str) -> dict[str, object]:
    database = Database(folder / "iora.db", ManualClock())
    said: dict[str, object] = {"kept_back": database.reserve.refill()}
    stored, _ = await write_groups(database, "before", 1)
    fill(folder, how)
    during, _ = await write_groups(database, "with the reserve", 2)
    said["during"] = len(during)
    said["spent"] = database.reserve.spent
    fill(folder, how)
    after, told = await write_groups(database, "without it", 40)
    said["refused"] = len(told)
    said["told"] = told[-1] if told else ""
    said["refilled while full"] = database.reserve.refill()
    free(folder, how)
    again, _ = await write_groups(database, "with room again", 1)
    said["again"] = len(again)
    said["refilled"] = database.reserve.refill()
    found = await database.read(timers.armed, "kept")
    said["same"] = sorted(found) == sorted([*stored, *during, *after, *again])
    await database.close()
    return said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Path(sys.argv[1]), sys.argv[2]))))

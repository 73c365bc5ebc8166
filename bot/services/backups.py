"""Copies of the database on a schedule: each made while the bot runs, checked, and told by the doctor."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.clock import Clock, at
from bot.errors import StoreError
from bot.model.timer import Timer
from bot.model.upkeep import Backups as Settings
from bot.services.live import Live
from bot.store import timers
from bot.store.copying import check, copy
from bot.store.database import Database, Tx
from bot.store.reserve import RESERVE_BYTES

log = logging.getLogger(__name__)

KIND = "backup"
_NAME = re.compile(r"iora-[0-9]{8}T[0-9]{6}Z\.db")
_HALF = re.compile(r"iora-[0-9]{8}T[0-9]{6}Z\.part")


@dataclass(frozen=True)
class Newest:
    """The newest copy. ``at``: when it was made, in milliseconds since the epoch."""

    file: Path
    at: int
    size: int


class Backups:
    """``failed`` and ``made`` count since the start; ``error``: why the last one failed."""

    def __init__(self, database: Database, live: Live, clock: Clock) -> None:
        self._database = database
        self._live = live
        self._clock = clock
        self.made = 0
        self.failed = 0
        self.error: str | None = None

    async def work(self, timer: Timer) -> None:
        """Make one, and come back. It fails without harm to anything else."""
        settings = self._live.config.backups
        if not await self._database.write(later, timer, settings) or not settings.keep:
            return
        try:
            file = await asyncio.to_thread(self._make, settings)
        except (StoreError, OSError) as error:
            self.failed += 1
            self.error = str(error)
            log.error("no backup was made: %s", error)
        else:
            self.made += 1
            self.error = None
            log.info("a backup was made and checked: %s", file)

    @property
    def folder(self) -> Path:
        """Where the copies are."""
        return self._database.path.parent / self._live.config.backups.folder

    def newest(self) -> Newest | None:
        """The newest copy that is there. Raises ``OSError``."""
        found = _copies(self.folder)
        if not found:
            return None
        about = found[-1].stat()
        return Newest(found[-1], round(about.st_mtime * 1000), about.st_size)

    def _make(self, settings: Settings) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / f"iora-{at(self._clock.now()):%Y%m%dT%H%M%SZ}.db"
        for half in _ours(self.folder, _HALF):
            half.unlink(missing_ok=True)  # a crash left it
        self._look_for_room()
        part = file.with_suffix(".part")
        try:
            copy(self._database.path, part)
            check(part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        for old in _copies(self.folder)[: -settings.keep]:
            old.unlink(missing_ok=True)
        return file

    def _look_for_room(self) -> None:
        """It may not fill the disk that the database is on. Raises ``StoreError``."""
        journal = self._database.path.with_name(self._database.path.name + "-wal")
        wanted = 2 * RESERVE_BYTES + sum(
            file.stat().st_size for file in (self._database.path, journal) if file.exists()
        )
        if shutil.disk_usage(self.folder).free < wanted:
            raise StoreError(f"{self.folder}: too little room, {wanted:,} bytes are wanted")


def _copies(folder: Path) -> list[Path]:
    return _ours(folder, _NAME)


def _ours(folder: Path, name: re.Pattern[str]) -> list[Path]:
    """Ours, oldest first; what else lies there is left alone."""
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if name.fullmatch(file.name))


def schedule(tx: Tx, settings: Settings) -> None:
    """At a start and after a reload: the next one comes no later than the config says."""
    armed = timers.due_of(tx, KIND, "")
    if armed is None or armed > tx.now + settings.every:
        timers.arm(tx, KIND, "", tx.now + settings.every)


def later(tx: Tx, timer: Timer, settings: Settings) -> bool:
    """Arm the next one before this one is made."""
    if not timers.fire(tx, timer):
        return False
    timers.arm(tx, KIND, "", tx.now + settings.every)
    return True

"""A few megabytes kept back: given to a full disk, so that what is due still commits."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

RESERVE_BYTES = 4 * 1024 * 1024


class Reserve:
    """A file of real (not sparse) bytes beside the database."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".reserve")

    @property
    def spent(self) -> bool:
        """Whether it is away, or not whole: the disk was full, or a crash came in between."""
        try:
            return self.path.stat().st_size < RESERVE_BYTES
        except OSError:
            return True

    def spend(self) -> bool:
        """Free the space; False where nothing is left to give, or where it can't be taken away."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True

    def refill(self) -> bool:
        """Keep the space back again; False (and no file) while the disk has no room for it."""
        if not self.spent:
            return True
        try:
            if shutil.disk_usage(self.path.parent).free < 2 * RESERVE_BYTES:
                return False
            with self.path.open("wb") as file:
                self.path.chmod(0o600)
                for _ in range(RESERVE_BYTES // 65_536):
                    file.write(os.urandom(65_536))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            return False
        return True

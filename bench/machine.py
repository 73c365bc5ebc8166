"""What a run was measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path


def load() -> float:
    """How many tasks wanted a core over the last minute."""
    return os.getloadavg()[0]


def described(folder: Path) -> str:
    """Cores, Python, SQLite, and the filesystem that the folder is on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({platform.machine()}), load {load():.1f}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{folder} on {filesystem(folder)}"
    )


def filesystem(folder: Path) -> str:
    """The type of the folder's filesystem, as the kernel names it; "unknown" where it doesn't tell."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    found = [line.split()[1:3] for line in mounts.read_text(encoding="utf-8").splitlines()]
    holding = [(point, kind) for point, kind in found if folder.resolve().is_relative_to(point)]
    return max(holding, key=lambda pair: len(pair[0]), default=("", "unknown"))[1]

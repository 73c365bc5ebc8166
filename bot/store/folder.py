"""Files beside the database: written whole or not at all, and read from within their folder only.

Everything here waits for the disk: call it in a thread.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024


class Outside(OSError):
    """A path that leads out of the folder, or to something that is no file of a bearable size."""


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, as hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read(folder: Path, path: str) -> bytes:
    """A file by its path in the folder. Raises ``OSError``."""
    found = (folder / path).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise Outside(f"{path} is not in the data folder")
    if found.exists() and (not found.is_file() or found.stat().st_size > MOST_BYTES):
        raise Outside(f"{path} is no file of at most {MOST_BYTES // 1024 // 1024} MB")
    return found.read_bytes()


def write(
    folder: Path, files: Mapping[str, bytes], ours: Mapping[str, frozenset[str]]
) -> str | None:
    """Write all the files (0600), in place of those that hold what we wrote ourselves.

    ``ours``: the SHA-256 of all that each name ever held by us. Where one holds something else nothing
    is written; its name is the answer. Raises ``OSError``: the disk is full, or can't be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    parts: dict[Path, Path] = {}
    try:
        for name, content in files.items():
            part = folder / f".{name}.{secrets.token_hex(4)}.part"
            parts[part] = folder / name
            _write(part, content)
        edited = next((name for name in files if _edited(folder / name, ours[name])), None)
        if edited is None:
            for part, place in parts.items():
                part.replace(place)
            _settle(folder)
        return edited
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _edited(path: Path, ours: frozenset[str]) -> bool:
    try:
        return digest(path.read_bytes()) not in ours
    except FileNotFoundError:
        return False


def _settle(folder: Path) -> None:
    """The names are on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

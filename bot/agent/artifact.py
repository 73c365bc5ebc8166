"""The files that a probe left: those that agent.yaml names, up to a size."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INLINE_BYTES = 64 * 1024  # a larger one is downloaded by itself


@dataclass(frozen=True)
class Artifact:
    """A file; a small one with its content."""

    name: str
    size: int
    sha256: str
    content: bytes | None

    def json(self, run: str) -> dict[str, object]:
        """``base64`` is null where it is too large for the answer; ``url`` is on the agent."""
        inline = None if self.content is None else base64.b64encode(self.content).decode()
        return {
            "name": self.name,
            "bytes": self.size,
            "sha256": self.sha256,
            "base64": inline,
            "url": f"/v1/artifacts/{run}/{self.name}",
        }


def collect(
    folder: Path, names: Sequence[str], limit: int
) -> tuple[tuple[Artifact, ...], dict[str, str]]:
    """What is there, and why the rest is left out. ``limit``: bytes of all together."""
    found: list[Artifact] = []
    left_out: dict[str, str] = {}
    room = limit
    for name in names:
        try:
            one = _read(folder / name, name, room)
        except OSError as error:
            left_out[name] = _why(error, limit)
            continue
        room -= one.size
        found.append(one)
    return tuple(found), left_out


class _TooLarge(OSError):
    """There is no room for it."""


class _NoFile(OSError):
    """A link, a folder or a pipe."""


def _why(error: OSError, limit: int) -> str:
    match error:
        case _TooLarge():
            return f"too large: {limit / 1_000_000:g} MB are allowed for all files together"
        case _NoFile():
            return "not a file"
        case FileNotFoundError():
            return "the probe did not leave it"
    return f"can't be read: {error.strerror}"


def _read(path: Path, name: str, room: int) -> Artifact:
    """A link is not followed: it could lead to any file that the agent may read."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise _NoFile
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        if size > room:
            raise _TooLarge
        digest = hashlib.sha256()
        while chunk := file.read(1_000_000):
            digest.update(chunk)
        file.seek(0)
        content = file.read() if size <= INLINE_BYTES else None
    return Artifact(name, size, digest.hexdigest(), content)

"""The end of a file that is being written: bounded, whatever is in it and whatever becomes of it. Blocking."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.agent.line import LONGEST, Line, parse, unwrapped
from bot.agent.part import PartFailed

MOST_BYTES = 2 * 1024 * 1024
"""Read from the end of a log: some 10,000 lines."""


def file_lines(path: Path) -> list[Line]:
    """The last lines of a log file. Raises ``PartFailed`` where it can't be read."""
    return [parse(text) for text in texts(path)]


def container_lines(path: Path) -> list[Line]:
    """The last lines of what a container printed, from the file that its engine writes."""
    found: list[Line] = []
    begun = ""
    for text in texts(path):
        piece, at, ends = unwrapped(text)
        begun = (begun + piece)[:LONGEST]
        if ends:
            line = parse(begun)
            found.append(line if line.at is not None or at is None else _at(line, at))
            begun = ""
    return found


def _at(line: Line, at: int) -> Line:
    return Line(line.message, at, line.level, line.duration_ms, line.failed)


def texts(path: Path) -> Iterator[str]:
    """The lines of the last ``MOST_BYTES``, the oldest first; also from the file before a rotation."""
    newest = end_of(path, MOST_BYTES)
    older = b""
    if len(newest) < MOST_BYTES:
        older = _before_rotation(path.with_name(f"{path.name}.1"), MOST_BYTES - len(newest))
    for raw in (older + newest).split(b"\n"):
        if raw.strip(
            b"\0 \r\t"
        ):  # a file that was cut while its writer held on is filled with NULs
            yield raw[: 4 * LONGEST].decode("utf-8", "replace").strip("\0")


def _before_rotation(path: Path, size: int) -> bytes:
    """Nothing, where it can't be had: it is an extra. What it ends with is a whole line."""
    try:
        older = end_of(path, size)
    except PartFailed:
        return b""
    return older if not older or older.endswith(b"\n") else older + b"\n"


def end_of(path: Path, size: int) -> bytes:
    """At most the last ``size`` bytes, from the beginning of a line on where one begins in them."""
    try:
        # Without O_NONBLOCK, a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise PartFailed(f"there is no file {path}") from None
    except PermissionError:
        raise PartFailed("permission denied: let the agent's user read the file") from None
    except OSError as error:
        raise PartFailed(f"can't be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise PartFailed(f"{path} is not a file")
    with os.fdopen(descriptor, "rb") as file:
        start = max(0, status.st_size - size)
        file.seek(max(0, start - 1))
        found = file.read(size + 1)
    if start == 0:
        return found
    first_end = found.find(b"\n")
    return found[first_end + 1 :] if first_end >= 0 else found

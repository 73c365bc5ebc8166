"""The log of a systemd unit, through ``journalctl``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal

from bot.agent.line import ERROR, WARNING, Line, parse
from bot.agent.part import PartFailed

MOST_LINES = 10_000
MOST_BYTES = 8 * 1024 * 1024  # each line carries some 800 bytes of fields of journald's own
_ERROR_BYTES = 4_096
_FIELDS = "MESSAGE,PRIORITY,__REALTIME_TIMESTAMP"
TOO_LARGE = "(journalctl leaves out a message that is this large)"


async def unit_lines(unit: str, since: int) -> list[Line]:
    """The last lines of a unit since a time (ms since the epoch), the oldest first.

    Raises ``PartFailed``. Cancelled, it leaves no process behind.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *("journalctl", f"--unit={unit}", f"--since=@{since // 1000}", "--output=json"),
            *(f"--output-fields={_FIELDS}", f"--lines={MOST_LINES}", "--reverse", "--no-pager"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise PartFailed("this system has no journalctl") from None
    except OSError as error:
        raise PartFailed(f"journalctl can't be run: {error.strerror}") from None
    assert process.stdout is not None
    assert process.stderr is not None
    complaining = asyncio.create_task(_up_to(process.stderr, _ERROR_BYTES))
    try:
        out = await _up_to(process.stdout, MOST_BYTES)
        said = b"" if out else await complaining
    finally:
        complaining.cancel()
        await asyncio.gather(complaining, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it still had to say is not needed
        # asyncio reads no further from a pipe of which much stands unread, and then never sees its end.
        await asyncio.gather(_drained(process.stdout), _drained(process.stderr), process.wait())
    raw = out.split(b"\n")
    newest_first = raw[:-1]  # the last one is empty, or cut
    complaint = said.decode("utf-8", "replace").strip()
    if not newest_first and complaint:
        raise PartFailed(_why(complaint))
    return [line for text in reversed(newest_first) if (line := entry(text)) is not None]


async def _drained(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass


async def _up_to(stream: asyncio.StreamReader, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (chunk := await stream.read(65_536)):
        found += chunk
    return bytes(found[:size])


def _why(complaint: str) -> str:
    """ "Hint: You are currently not seeing messages from other users" is its way to say it."""
    if "permission" in complaint.lower() or "not seeing messages" in complaint:
        return "permission denied: let the agent's user read the journal (group systemd-journal)"
    return f"journalctl: {complaint.splitlines()[0][:200]}"


def entry(raw: bytes) -> Line | None:
    """A line of ``journalctl --output=json``; a service's own JSON is inside its message."""
    try:
        found = json.loads(raw)
        at = int(found["__REALTIME_TIMESTAMP"]) // 1000
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    message = found.get("MESSAGE")
    if isinstance(message, list):  # bytes that are not all UTF-8
        message = bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode(
            "utf-8", "replace"
        )
    line = parse(message if isinstance(message, str) else TOO_LARGE)
    level = line.level or _level(found.get("PRIORITY"))
    return Line(line.message, at, level, line.duration_ms, line.failed)


def _level(priority: object) -> str | None:
    """syslog's: 0 to 3 are errors, 4 is a warning."""
    if not isinstance(priority, str) or not priority.isdecimal():
        return None
    return ERROR if int(priority) <= 3 else WARNING if int(priority) == 4 else "info"

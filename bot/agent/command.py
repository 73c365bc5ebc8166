"""Runs one command without a shell: bounded in time and in output, with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 1.0  # between asking to end and killing, so that a profiler writes its file
DRAIN_S = 0.5  # for what is still in the pipes once all is over
LOOK_S = 0.2  # how often the folder's size is looked at


@dataclass(frozen=True)
class Command:
    """What to run, in which folder; ``output_bytes`` of each stream are kept, ``folder_bytes`` allowed."""

    argv: Sequence[str]
    folder: Path
    environ: Mapping[str, str]
    limit_s: float
    output_bytes: int
    folder_bytes: int


class Stream:
    """What was printed, up to a size; the rest is read and dropped, so that nobody waits for it.

    The pipe is ours, not asyncio's, which would take a program for running as long as anybody holds it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.text = bytearray()
        self.dropped = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[int]:
        """The descriptor to write to; at the end, what is still in the pipe is read."""
        read_end, write_end = os.pipe()
        loop = asyncio.get_running_loop()
        source = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(source), os.fdopen(read_end, "rb", buffering=0)
        )
        reading = asyncio.create_task(self._read(source))
        try:
            yield write_end
        finally:
            os.close(write_end)
            # A child that left the group may hold the pipe for ever: it is not waited for.
            await asyncio.wait({reading}, timeout=DRAIN_S)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            transport.close()

    async def _read(self, source: asyncio.StreamReader) -> None:
        while chunk := await source.read(65_536):
            room = self._limit - len(self.text)
            self.text += chunk[:room]
            self.dropped += max(0, len(chunk) - room)


@dataclass(frozen=True)
class Ended:
    """``exit_code`` as a program gives it, negative: the signal that ended it. ``stopped``: why we did."""

    exit_code: int | None
    stopped: str | None
    out: Stream
    err: Stream


async def run(command: Command) -> Ended:
    """Raises ``OSError`` where the program can't be started. Cancelled, it leaves nothing running."""
    out, err = Stream(command.output_bytes), Stream(command.output_bytes)
    async with out.opened() as to_out, err.opened() as to_err:
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            cwd=command.folder,
            env=command.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
            start_new_session=True,
        )
        try:
            stopped = await _until_over(process, command)
            if stopped is not None:
                await _ask_to_end(process)
        finally:
            _signal(process.pid, signal.SIGKILL)  # also what the program itself left behind
            await process.wait()
    return Ended(process.returncode, stopped, out, err)


async def _until_over(process: asyncio.subprocess.Process, command: Command) -> str | None:
    """None: it ended by itself; else why it must be stopped."""
    watching = asyncio.create_task(_too_much(command.folder, command.folder_bytes))
    ending = asyncio.create_task(process.wait())
    try:
        await asyncio.wait(
            {watching, ending}, timeout=command.limit_s, return_when=asyncio.FIRST_COMPLETED
        )
        if ending.done():
            return None
        if watching.done():
            return f"its files grew over {command.folder_bytes / 1_000_000:g} MB"
        return f"it took over {command.limit_s:g} s"
    finally:
        watching.cancel()
        ending.cancel()
        await asyncio.gather(watching, ending, return_exceptions=True)


async def _too_much(folder: Path, limit: int) -> None:
    """Returns once the folder holds more."""
    size = 0
    while size <= limit:
        await asyncio.sleep(LOOK_S)
        size = await asyncio.to_thread(size_of, folder)


def size_of(folder: Path) -> int:
    """Bytes of all files in it; symbolic links are not followed."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(where) / name).lstat().st_size
    return total


async def _ask_to_end(process: asyncio.subprocess.Process) -> None:
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)

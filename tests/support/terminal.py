"""A command of ours at a real terminal: a pty of 100 columns, typed at and read as a person would."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE_S = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """``shown`` is all that was printed so far, without what moves the cursor or colours."""

    def __init__(self, process: asyncio.subprocess.Process, file: int) -> None:
        self.process = process
        self._file = file
        self._read = b""
        self._news = asyncio.Event()
        self._from = 0
        asyncio.get_running_loop().add_reader(file, self._more)

    @property
    def raw(self) -> str:
        """All that the terminal got."""
        return self._read.decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        return _ESCAPES.sub("", self.raw)

    async def sees(self, *words: str) -> str:
        """Wait until these words have come, each after the one before, since the last time; the whole."""
        for word in words:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while (at := self.shown.find(word, self._from)) < 0:
                        self._news.clear()
                        await self._news.wait()
            except TimeoutError:
                raise AssertionError(
                    f"never seen: {word!r} in\n{self.shown[self._from :]}"
                ) from None
            self._from = at + len(word)
        return self.shown

    def type(self, line: str) -> None:
        """Type a line, with Enter."""
        os.write(self._file, f"{line}\n".encode())

    def press(self, key: str) -> None:
        """A key as it is, such as Ctrl-C."""
        os.write(self._file, key.encode())

    def echoes(self) -> bool:
        """Whether what is typed is seen."""
        return bool(termios.tcgetattr(self._file)[3] & termios.ECHO)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self.process.wait()
        assert "Traceback" not in self.shown, self.shown
        return code

    def _more(self) -> None:
        try:
            read = os.read(self._file, 65_536)
        except OSError:  # the other end was closed
            read = b""
        if not read:
            asyncio.get_running_loop().remove_reader(self._file)
        self._read += read
        self._news.set()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)


def _own_terminal() -> None:
    """In the child: the pty is its controlling terminal, so that Ctrl-C reaches it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@asynccontextmanager
async def terminal(
    folder: Path, environ: Mapping[str, str], *arguments: str
) -> AsyncIterator[Terminal]:
    """``iora`` with these arguments at a terminal; killed at the end if it is still there."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=folder,
            env={**environ, "TERM": "xterm-256color"},
            stdin=its,
            stdout=its,
            stderr=its,
            preexec_fn=_own_terminal,
        )
    finally:
        os.close(its)
    seen = Terminal(process, mine)
    try:
        yield seen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        seen.close()

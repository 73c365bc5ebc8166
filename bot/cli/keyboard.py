"""What a person types at a terminal, line by line, and Ctrl-C, while other things go on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from types import TracebackType
from typing import Self

INTERRUPT, END = "\x03", "\x04"


class Keyboard:
    """The terminal on standard input. Its echo is as it was when it is left."""

    def __init__(self) -> None:
        self._file = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._file)
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._half = b""

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._file, self._read)
        loop.add_signal_handler(signal.SIGINT, self._typed.put_nowait, INTERRUPT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._file)
        loop.remove_signal_handler(signal.SIGINT)
        self._set(echo=True)

    async def next(self, within_s: float) -> str | None:
        """The next line; ``INTERRUPT`` for Ctrl-C, ``END`` for Ctrl-D; None if nothing came in time."""
        try:
            async with asyncio.timeout(within_s):
                return await self._typed.get()
        except TimeoutError:
            return None

    def fresh(self, *, echo: bool) -> None:
        """Forget what was typed so far: it was no answer to what is asked from now on."""
        self._set(echo=echo)
        self._half = b""
        typed = [self._typed.get_nowait() for _ in range(self._typed.qsize())]
        for one in typed:
            if one in {INTERRUPT, END}:
                self._typed.put_nowait(one)

    def _set(self, *, echo: bool) -> None:
        changed = termios.tcgetattr(self._file)
        changed[3] = self._before[3] if echo else self._before[3] & ~termios.ECHO
        termios.tcsetattr(self._file, termios.TCSAFLUSH, changed)

    def _read(self) -> None:
        read = os.read(self._file, 4096)
        if not read:
            self._typed.put_nowait(END)
            asyncio.get_running_loop().remove_reader(self._file)
            return
        *lines, self._half = (self._half + read).split(b"\n")
        for line in lines:
            self._typed.put_nowait(line.decode("utf-8", "replace").strip())

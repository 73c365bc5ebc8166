"""Processes that begin at once: forked from a server that has imported the project before."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "__main__",
        *(f"bot.cli.{name}" for name in ("backup", "doctor", "reports", "serve", "talk")),
        *(f"tests.support.{name}" for name in ("mortal", "running")),
    ]
)


def forked(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """A process that runs a module's function; it does not outlive the tests."""
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


async def end_of(process: ForkServerProcess) -> int:
    """Wait for its end; the exit code, or the signal that killed it, negative."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
    code = process.exitcode
    assert code is not None
    return code

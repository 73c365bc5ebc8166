"""Blocking work aside from the event loop: one at a time, waited for only so long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """Everybody who asks for the same thing while the work is under way waits for the same result.

    A read of /proc can hang as long as the watched process hangs in the kernel, so the thread is a daemon
    one (it never holds up the end of the program), and a hung read starts no second one.
    """

    def __init__(self, name: str, limit_s: float) -> None:
        self._name = name
        self._limit_s = limit_s
        self._future: Future[T] | None = None
        self._about: object = None

    async def result(self, work: Callable[[], T], about: object = None) -> T:
        """What ``work`` returns or raises; ``TimeoutError`` after the limit.

        Work about something else is never waited for: its result would be another process's.
        """
        future = self._future
        if future is None or future.done() or self._about != about:
            self._about = about
            future = self._future = Future()
            threading.Thread(
                target=_fulfil, args=(future, work), name=self._name, daemon=True
            ).start()
        return await asyncio.wait_for(
            asyncio.shield(asyncio.wrap_future(future)), timeout=self._limit_s
        )


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - handed over to whoever waits, as executors do
        future.set_exception(error)
    else:
        future.set_result(result)

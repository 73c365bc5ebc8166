"""Real CPU load: one native thread a core, with the interpreter lock released, so that HTTP still answers."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable

from bot.sample.clock import Clock

ROUNDS = 20_000  # some 5 to 20 ms of hashing: short enough that stopping is felt at once


def usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Burner:
    """Burns ``work()`` (0 to 1) of every core between ``start`` and ``stop``."""

    def __init__(self, work: Callable[[], float], clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._stopped: threading.Event | None = None

    def start(self) -> None:
        if self._stopped is not None:
            return
        self._stopped = threading.Event()
        for core in range(usable_cores()):
            threading.Thread(
                target=self._burn, args=(self._stopped,), name=f"burn-{core}", daemon=True
            ).start()

    def stop(self) -> None:
        """Returns at once; the threads end after the piece of work in hand."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None

    def _burn(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            began = self._clock.monotonic()
            hashlib.pbkdf2_hmac("sha256", b"iora", b"sample", ROUNDS)
            idle = (self._clock.monotonic() - began) * (1 / self._work() - 1)
            if idle > 0:
                stopped.wait(idle)

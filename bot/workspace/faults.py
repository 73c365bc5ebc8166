"""Faults on demand: what a test wants to go wrong, in which method and how often."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal[
    "rate_limited",
    "error_before",
    "error_after",
    "hang_before",
    "hang_after",
    "reset_before",
    "reset_after",
    "api_error",
]


@dataclass(frozen=True)
class Fault:
    """``before``: nothing happened on the server; ``after``: the effect is there, the answer is not."""

    kind: FaultKind
    code: str = ""
    retry_after: int = 1


def rate_limited(retry_after: int = 1) -> Fault:
    """HTTP 429 with ``Retry-After`` in seconds; nothing happened."""
    return Fault("rate_limited", retry_after=retry_after)


def api_error(code: str) -> Fault:
    """``{"ok": false, "error": code}``; nothing happened."""
    return Fault("api_error", code=code)


error_before = Fault("error_before")
error_after = Fault("error_after")
hang_before = Fault("hang_before")
hang_after = Fault("hang_after")
reset_before = Fault("reset_before")
reset_after = Fault("reset_after")


@dataclass
class _Planned:
    fault: Fault
    skip: int
    left: int


@dataclass
class Faults:
    """The plan. Method ``"*"`` means every method; hanging calls wait for ``release``."""

    refused_handshakes: int = 0
    _plans: dict[str, list[_Planned]] = field(default_factory=dict)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _hanging: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, method: str, fault: Fault, count: int = 1, after: int = 0) -> None:
        """Let the next ``count`` calls of a method fail, once ``after`` calls have gone through."""
        self._plans.setdefault(method, []).append(_Planned(fault, after, count))

    def take(self, method: str) -> Fault | None:
        """The fault of this call, if one is planned; counts it."""
        for name in (method, "*"):
            for plan in self._plans.get(name, []):
                if plan.skip:
                    plan.skip -= 1
                    return None
                if plan.left:
                    plan.left -= 1
                    return plan.fault
        return None

    def clear(self) -> None:
        """Everything works again, and what hangs is released."""
        self._plans.clear()
        self.refused_handshakes = 0
        self.release()

    def refuse_handshake(self, count: int = 1) -> None:
        """Refuse the next socket handshakes with HTTP 503; their tickets stay unused."""
        self.refused_handshakes += count

    def take_handshake(self) -> bool:
        """Whether this handshake is to be refused; counts it."""
        if not self.refused_handshakes:
            return False
        self.refused_handshakes -= 1
        return True

    def release(self) -> None:
        """Let all hanging calls go on."""
        self._released.set()
        self._released = asyncio.Event()

    async def hang(self) -> None:
        """Wait until released, or until the client gives up (the handler is cancelled)."""
        released = self._released
        self._count(1)
        try:
            await released.wait()
        finally:
            self._count(-1)

    async def wait_hanging(self, count: int) -> None:
        """Return when that many calls hang."""
        while self._hanging != count:
            self._changed.clear()
            await self._changed.wait()

    def _count(self, change: int) -> None:
        self._hanging += change
        self._changed.set()

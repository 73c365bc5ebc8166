"""One part of the diagnostics: read within its own time, failing with its own error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.agent.reading import why
from bot.clock import Clock

log = logging.getLogger("bot.agent")


class PartFailed(Exception):
    """Why a part can't be had, in one line."""


@dataclass(frozen=True)
class Outcome:
    """What a part gave: its ``data``, or the ``error``; ``took_ms`` in any case."""

    name: str
    took_ms: float
    data: object = None
    error: str | None = None

    def json(self) -> dict[str, object]:
        said: dict[str, object] = {"ok": self.error is None, "took_ms": self.took_ms}
        if self.error is not None:
            said["error"] = self.error
        return said | {"data": self.data}


@dataclass(frozen=True)
class Part:
    """``read`` gives what can be sent as JSON; it may take ``limit_s``."""

    name: str
    read: Callable[[], Awaitable[object]]
    limit_s: float = 3.0

    async def outcome(self, clock: Clock) -> Outcome:
        """Never raises but when cancelled: a part that fails leaves the others."""
        began = clock.monotonic()

        def took_ms() -> float:
            return round((clock.monotonic() - began) * 1000, 1)

        try:
            async with asyncio.timeout(self.limit_s):
                data = await self.read()
        except Exception as error:
            said = self._said(error)
            if said is None:
                log.exception("a part failed", extra={"facts": {"part": self.name}})
                said = f"failed: {type(error).__name__}, see the agent's log"
            return Outcome(self.name, took_ms(), error=said)
        return Outcome(self.name, took_ms(), data)

    def _said(self, error: Exception) -> str | None:
        """One line; None where the error is the agent's own fault."""
        match error:
            case PartFailed():
                return str(error)
            case TimeoutError():
                return f"not read within {self.limit_s:g} s"
        return why(error)

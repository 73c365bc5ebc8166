"""The part ``database`` of the diagnostics: what PostgreSQL shows of itself, read only.

It needs the extra ``postgres`` (psycopg and sqlglot), which is imported when it is first used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module

from pydantic import SecretStr

from bot.agent.postgres.unread import DatabaseUnread
from bot.clock import Clock

__all__ = ["LIMIT_S", "Database", "DatabaseUnread", "database"]

Data = dict[str, object]
Read = Callable[[str, Data], Awaitable[None]]
LIMIT_S = 2.8  # just within what the diagnostics give a part


class Database:
    """For many who ask at once: one connection, one answer."""

    def __init__(self, dsn: SecretStr | None, clock: Clock, limit_s: float = LIMIT_S) -> None:
        self._dsn = dsn
        self._clock = clock
        self._limit_s = limit_s
        self._reading: asyncio.Future[Data] | None = None

    async def data(self) -> Data:
        """As ``database``; who asks while it is being read gets the same."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(database(self._dsn, self._clock, self._limit_s))
            self._reading.add_done_callback(_forget)
        return await asyncio.shield(self._reading)


async def database(dsn: SecretStr | None, clock: Clock, limit_s: float = LIMIT_S) -> Data:
    """Connections, slow queries, locks and index advice; nothing in it needs another redaction.

    Opens one connection and closes it. A section that can't be read, or not in time, is null, with the
    reason under ``unknown``. Raises ``DatabaseUnread`` where nothing was read within ``limit_s`` seconds.
    """
    if dsn is None:
        raise DatabaseUnread(
            'not configured: add postgres: {dsn: "${IORA_POSTGRES_DSN}"} to agent.yaml'
        )
    read = await _extra()
    data: Data = {"at": clock.now()}
    reading = asyncio.ensure_future(read(dsn.get_secret_value(), data))
    # A driver that is cancelled may wait for its server; nobody waits for that driver.
    try:
        done, _ = await asyncio.wait({reading}, timeout=limit_s)
    finally:
        reading.cancel()
        reading.add_done_callback(_forget)
    if done:
        reading.result()
    elif "unknown" not in data:
        raise DatabaseUnread(f"PostgreSQL did not answer within {limit_s:g} s")
    return dict(data)


async def _extra() -> Read:
    """Imported in a thread: it takes a fifth of a second, and the agent's other answers go on."""
    try:
        report = await asyncio.to_thread(import_module, "bot.agent.postgres.report")
    except ImportError:
        raise DatabaseUnread(
            "the extra postgres is not installed: pip install 'iora-bot[postgres]'"
        ) from None
    read: Read = report.read
    return read


def _forget(reading: asyncio.Future[None] | asyncio.Future[Data]) -> None:
    """Whoever still cared has got the error; without this asyncio would log it again."""
    if not reading.cancelled():
        reading.exception()

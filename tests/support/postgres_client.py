"""Asking the agent's part `database`, and making trouble for it to find."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from pydantic import SecretStr

from bot.agent.postgres import database
from bot.clock import SystemClock

PATIENCE_S = 20.0


async def asked(dsn: str, until: Callable[[Any], object] | None = None) -> Any:
    """What the part says; asked again until it shows what was begun beside it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            data = await database(SecretStr(dsn), SystemClock(), PATIENCE_S)
            if until is None or until(data):
                return data
            await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A client's connection, rolled back and closed at the end."""
    connection = await psycopg.AsyncConnection.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()

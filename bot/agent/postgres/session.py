"""The one connection to PostgreSQL: read only, with time limits, and silent about its address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from bot.agent.postgres.unread import DatabaseUnread
from bot.text import clean

APPLICATION = "iora-agent"
CONNECT_S = 2  # libpq's least
STATEMENT_MS = 1_000
# Kept in the text by pg_stat_statements, so that the bot's own questions can be left out.
MARK = f"/* {APPLICATION} */"
Row = dict[str, Any]

_GUARDS = (
    "-c default_transaction_read_only=on",
    f"-c statement_timeout={STATEMENT_MS}",
)
# A refusal to connect has no code, only words, and they may hold the address: so only what is known
# is told. PostgreSQL's and libpq's own words, in English.
_REFUSALS = {
    "password authentication failed": "the user or the password is wrong",
    "no password supplied": "it asks for a password, and the dsn has none",
    "no pg_hba.conf entry": "its pg_hba.conf does not let this machine or user in",
    "too many c": "it has no connection left (max_connections)",
    "remaining connection slots": "it has no connection left (max_connections)",
    "does not exist": "the database or the user does not exist",
    "the database system is": "it is starting, ending or recovering",
    "onnection refused": "nothing listens there",
    "imeout": f"no answer within {CONNECT_S} s",
    "esolve": "its host name can't be resolved",
    "not known": "its host name can't be resolved",
    "translate host name": "its host name can't be resolved",
    "SSL": "TLS: see sslmode in the dsn",
    "certificate": "TLS: see sslmode in the dsn",
}


class Session:
    """Asks questions; each is a transaction of its own, so that a refused one spoils no other."""

    def __init__(self, connection: psycopg.AsyncConnection[DictRow]) -> None:
        self._connection = connection

    async def rows(self, sql: str, values: Sequence[object] | None = None) -> list[Row]:
        """The rows of ``SELECT`` + ``sql``. Raises ``psycopg.Error``."""
        cursor = await self._connection.execute(f"SELECT {MARK} {sql}".encode(), values)
        return await cursor.fetchall()

    async def row(self, sql: str, values: Sequence[object] | None = None) -> Row:
        """The only row."""
        (row,) = await self.rows(sql, values)
        return row


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Session]:
    """Raises ``DatabaseUnread`` where there is no way in; the driver's words are not passed on."""
    connection = await _connected(dsn)
    async with connection:
        yield Session(connection)


async def _connected(dsn: str) -> psycopg.AsyncConnection[DictRow]:
    try:
        own = str(conninfo_to_dict(dsn).get("options") or "")
    except (psycopg.Error, ValueError):
        raise DatabaseUnread(
            "postgres.dsn in agent.yaml can't be read: expected a connection string such as "
            "postgresql://HOST:5432/DATABASE?user=USER&password=PASSWORD"
        ) from None
    try:
        return await psycopg.AsyncConnection.connect(
            dsn,
            autocommit=True,
            row_factory=dict_row,
            prepare_threshold=None,  # a pooler may hand each statement to another server session
            application_name=APPLICATION,
            connect_timeout=CONNECT_S,
            options=" ".join((own, *_GUARDS)).strip(),
        )
    except (psycopg.Error, OSError, ValueError) as error:
        raise DatabaseUnread(f"can't connect to PostgreSQL: {_refusal(str(error))}") from None


def _refusal(said: str) -> str:
    known = (reason for words, reason in _REFUSALS.items() if words in said)
    return next(known, "the reason is in PostgreSQL's log")


def worded(error: psycopg.Error) -> str:
    """Why one question was not answered, as one line."""
    match error:
        case psycopg.errors.QueryCanceled():
            return f"PostgreSQL took longer than {STATEMENT_MS / 1000:g} s"
        case psycopg.errors.InsufficientPrivilege():
            return f"{_said(error)}: GRANT pg_monitor to the agent's role"
        case _:
            return _said(error)


def _said(error: psycopg.Error) -> str:
    return clean(error.diag.message_primary or "the connection was lost", 200)

"""The whole part ``database``, each section by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import psycopg

from bot.agent.postgres.connections import connections
from bot.agent.postgres.indexes import indexes
from bot.agent.postgres.locks import locks
from bot.agent.postgres.session import Session, session, worded
from bot.agent.postgres.slow_queries import slow_queries
from bot.agent.postgres.statements import Statements, statements

_ABOUT = """
    current_database()::text AS name, current_setting('server_version') AS version,
    (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint AS started_at,
    pg_is_in_recovery() AS standby
"""


async def _server(asked: Session, _counted: Statements | str) -> dict[str, object]:
    return await asked.row(_ABOUT)


Section = Callable[[Session, Statements | str], Awaitable[object]]
SECTIONS: dict[str, Section] = {
    "server": _server,
    "connections": lambda asked, _: connections(asked),
    "locks": lambda asked, _: locks(asked),
    "slow_queries": slow_queries,
    "indexes": indexes,
}


async def read(dsn: str, data: dict[str, object]) -> None:
    """Put every section that can be read into ``data``, the reasons of the others under ``unknown``.

    So whoever stops waiting has what was read till then. Raises ``DatabaseUnread`` where there is no
    way in.
    """
    async with session(dsn) as asked:
        unknown = dict.fromkeys(SECTIONS, "not read in time")
        data |= dict.fromkeys(SECTIONS) | {"unknown": unknown}
        counted = await _counted(asked)
        for name, section in SECTIONS.items():
            try:
                data[name] = await section(asked, counted)
                del unknown[name]
            except psycopg.Error as error:
                unknown[name] = worded(error)


async def _counted(asked: Session) -> Statements | str:
    """Installed but not loaded, or not allowed: what else there is still can be read."""
    try:
        return await statements(asked)
    except psycopg.Error as error:
        return worded(error)

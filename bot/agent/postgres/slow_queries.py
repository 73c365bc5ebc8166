"""Where the database's time goes: by what was counted, and by what runs now."""

from __future__ import annotations

from bot.agent.postgres.connections import CLIENTS
from bot.agent.postgres.masking import masked
from bot.agent.postgres.session import Session
from bot.agent.postgres.statements import HIDDEN, Statement, Statements
from bot.text import clean

SHOWN = 20
_RUNNING = f"""
    pid, usename AS "user", coalesce(query, '') AS query,
    (extract(epoch FROM clock_timestamp() - query_start) * 1000)::float AS running_ms
    {CLIENTS} AND datname = current_database() AND state = 'active'
    ORDER BY query_start
"""


async def slow_queries(session: Session, counted: Statements | str) -> dict[str, object]:
    """Count, total, mean and slowest, in all and a query, worst total first; what runs now beside it.

    Without pg_stat_statements all of it is of what runs now, and ``unknown`` says why.
    """
    running = await _running(session)
    if isinstance(counted, str):
        times = [float(str(query["running_ms"])) for query in running]
        return {
            "source": "pg_stat_activity",
            "since": None,
            "statements": len(times),
            **_figures(len(times), sum(times), max(times, default=0.0)),
            "queries": [],
            "running": running[:SHOWN],
            "unknown": {"queries": counted},
        }
    hidden = any(statement.query == HIDDEN for statement in counted.slowest)
    return {
        "source": "pg_stat_statements",
        "since": counted.since,
        "statements": counted.count,
        **_figures(counted.calls, counted.total_ms, counted.slowest_ms),
        "queries": [_shown(statement) for statement in counted.slowest],
        "running": running[:SHOWN],
        "unknown": {"queries": "others' texts are hidden: GRANT pg_monitor to the agent's role"}
        if hidden
        else {},
    }


async def _running(session: Session) -> list[dict[str, object]]:
    return [
        {
            "pid": row["pid"],
            "user": clean(row["user"], 100),
            "query": masked(row["query"]),
            "running_ms": round(row["running_ms"], 1),
        }
        for row in await session.rows(_RUNNING)
    ]


def _figures(calls: int, total_ms: float, slowest_ms: float) -> dict[str, object]:
    return {
        "calls": calls,
        "total_ms": round(total_ms, 1),
        "mean_ms": round(total_ms / calls, 3) if calls else None,
        "slowest_ms": round(slowest_ms, 1) if calls else None,
    }


def _shown(statement: Statement) -> dict[str, object]:
    return {
        "query": masked(statement.query),
        **_figures(statement.calls, statement.total_ms, statement.slowest_ms),
        "rows": statement.rows,
    }

"""Who waits for whom."""

from __future__ import annotations

from bot.agent.postgres.masking import masked
from bot.agent.postgres.session import Row, Session
from bot.text import clean

# Who waits for a row waits for its writer's transaction; the first in the queue holds the row's tuple
# lock, which names the table. to_jsonb: waitstart came with PostgreSQL 14.
_BLOCKED = """
    w.pid, v.usename AS "user", v.application_name AS application, v.query,
    (extract(epoch FROM clock_timestamp()
        - (to_jsonb(w)->>'waitstart')::timestamptz) * 1000)::float AS waited_ms,
    w.locktype AS kind, w.mode,
    coalesce(w.relation, (SELECT t.relation FROM pg_locks t
        WHERE t.pid = w.pid AND t.locktype = 'tuple' LIMIT 1))::regclass::text AS relation,
    blocking.pid AS by_pid, b.usename AS by_user, b.application_name AS by_application,
    b.state AS by_state, b.query AS by_query,
    (extract(epoch FROM clock_timestamp() - b.xact_start) * 1000)::float AS by_transaction_ms
    FROM pg_locks w
    JOIN pg_stat_activity v ON v.pid = w.pid
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(w.pid))) AS blocking (pid)
    LEFT JOIN pg_stat_activity b ON b.pid = blocking.pid
    WHERE NOT w.granted AND v.datname = current_database()
    ORDER BY waited_ms DESC NULLS LAST, w.pid
    LIMIT 50
"""
_DEADLOCKS = """
    deadlocks, (extract(epoch FROM stats_reset) * 1000)::bigint AS since
    FROM pg_stat_database WHERE datname = current_database()
"""


async def locks(session: Session) -> dict[str, object]:
    """Each waiting session beside each that holds it up, the longest wait first; deadlocks since when.

    ``since`` None: since the database was made. A blocker without a state is one whose session the
    agent's role may not see; pid 0 is a prepared transaction.
    """
    counted = await session.row(_DEADLOCKS)
    pairs = await session.rows(_BLOCKED)
    return {
        "deadlocks": counted["deadlocks"],
        "since": counted["since"],
        "waiting": len({pair["pid"] for pair in pairs}),
        "blocked": [_pair(pair) for pair in pairs],
    }


def _pair(row: Row) -> dict[str, object]:
    return {
        "victim": {
            "pid": row["pid"],
            **_who(row["user"], row["application"], row["query"]),
            "waited_ms": _rounded(row["waited_ms"]),
        },
        "blocker": {
            "pid": row["by_pid"],
            **_who(row["by_user"], row["by_application"], row["by_query"]),
            "state": row["by_state"] if row["by_pid"] else "prepared transaction",
            "transaction_ms": _rounded(row["by_transaction_ms"]),
        },
        "lock": {"kind": row["kind"], "mode": row["mode"], "relation": row["relation"]},
    }


def _who(user: str | None, application: str | None, query: str | None) -> dict[str, object]:
    return {
        "user": clean(user or "", 100),
        "application": clean(application or "", 100),
        "query": masked(query or ""),
    }


def _rounded(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)

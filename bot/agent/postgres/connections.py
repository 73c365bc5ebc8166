"""Who is connected, what for, and who waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from bot.agent.postgres.session import Row, Session
from bot.rules.database import pool_advice, pool_use
from bot.text import clean

SHOWN = 20  # clients, kinds of waits

# A role that may not look into another's session gets no backend_type: clients have a user.
CLIENTS = """
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND usesysid IS NOT NULL
      AND coalesce(backend_type, 'client backend') = 'client backend'
"""
_LIMITS = """
    current_setting('max_connections')::int AS max,
    current_setting('superuser_reserved_connections')::int AS reserved,
    (SELECT count(*)::int FROM pg_stat_activity
     WHERE usesysid IS NOT NULL
       AND coalesce(backend_type, 'client backend') = 'client backend') AS server_total
"""
_GROUPS = f"""
    usename AS "user", application_name AS application, state, wait_event_type AS wait_kind,
    wait_event, count(*)::int AS connections,
    (extract(epoch FROM max(clock_timestamp() - xact_start)) * 1000)::float AS transaction_ms
    {CLIENTS} AND datname = current_database()
    GROUP BY usename, application_name, state, wait_event_type, wait_event
"""
# Every role sees pg_locks. waitstart came with PostgreSQL 14; as JSON it is null before.
_WAITING = """
    count(DISTINCT l.pid)::int AS clients,
    (extract(epoch FROM max(clock_timestamp()
        - (to_jsonb(l)->>'waitstart')::timestamptz)) * 1000)::float AS longest_ms
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE NOT l.granted AND a.datname = current_database()
"""
# The columns of PostgreSQL 14 as JSON too.
_ERRORS = """
    d.xact_rollback AS rolled_back, d.conflicts,
    (to_jsonb(d)->>'sessions_abandoned')::bigint AS sessions_abandoned,
    (to_jsonb(d)->>'sessions_fatal')::bigint AS sessions_fatal,
    (to_jsonb(d)->>'sessions_killed')::bigint AS sessions_killed,
    (extract(epoch FROM d.stats_reset) * 1000)::bigint AS since
    FROM pg_stat_database d WHERE d.datname = current_database()
"""
# What a client waits for by its own wish, or because nobody asks it anything.
_IDLE_WAITS = {"Client", "Activity", "Timeout", "Extension"}


async def connections(session: Session) -> dict[str, object]:
    """Of this database; ``max`` and ``server_total`` are the server's.

    ``use`` is (size - idle) / size. Waits for a free connection happen in the application's pool,
    where PostgreSQL doesn't see them: ``waiting_clients`` wait for a lock.
    """
    limits = await session.row(_LIMITS)
    groups = await session.rows(_GROUPS)
    waiting = await session.row(_WAITING)
    errors = await session.row(_ERRORS)
    unknown = {
        "errors.connections_refused": "PostgreSQL counts none: its log and the application's have them",
        "pool_wait_ms": "waits for a free connection are in the application's pool, not in PostgreSQL",
    }
    if waiting["clients"] and waiting["longest_ms"] is None:
        unknown["longest_wait_ms"] = "PostgreSQL tells since version 14, and not at once"
    return {
        **limits,
        **_states(groups, unknown),
        "waiting_clients": waiting["clients"],
        "longest_wait_ms": _rounded(waiting["longest_ms"]),
        "pool_wait_ms": None,
        "waits": _waits(groups),
        "longest_transaction_ms": _rounded(
            max((group["transaction_ms"] or 0 for group in groups), default=0)
        ),
        "errors": {**errors, "connections_refused": None},
        "by_client": _clients(groups),
        "unknown": unknown,
    }


def _states(groups: Iterable[Row], unknown: dict[str, str]) -> dict[str, object]:
    """Sessions of others are hidden from a role without pg_monitor: then their states are not known."""
    states: Counter[str] = Counter()
    for group in groups:
        states[group["state"] or "hidden"] += group["connections"]
    size, idle = states.total(), states["idle"]
    seen: dict[str, object] = {"size": size, "by_state": dict(states.most_common())}
    if states["hidden"]:
        reason = f"{states['hidden']} sessions of other roles are hidden: GRANT pg_monitor to the agent's role"
        unknown |= dict.fromkeys(("active", "idle", "use", "advice", "waits"), reason)
        return seen | {"active": None, "idle": None, "use": None, "advice": None}
    advice = pool_advice(size, idle)
    return seen | {
        "active": states["active"],
        "idle": idle,
        "use": pool_use(size, idle),
        "advice": asdict(advice) if advice else None,
    }


def _waits(groups: Iterable[Row]) -> list[dict[str, object]]:
    waits: Counter[tuple[str, str]] = Counter()
    for group in groups:
        if group["wait_kind"] and group["wait_kind"] not in _IDLE_WAITS:
            waits[group["wait_kind"], group["wait_event"]] += group["connections"]
    return [
        {"kind": kind, "event": event, "clients": count}
        for (kind, event), count in waits.most_common(SHOWN)
    ]


def _clients(groups: Iterable[Row]) -> list[dict[str, object]]:
    clients: Counter[tuple[str, str]] = Counter()
    for group in groups:
        clients[group["user"] or "", group["application"] or ""] += group["connections"]
    return [
        {"user": clean(user, 100), "application": clean(application, 100), "connections": count}
        for (user, application), count in clients.most_common(SHOWN)
    ]


def _rounded(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)

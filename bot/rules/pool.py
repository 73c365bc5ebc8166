"""What a database's connections say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.model.report import Cause, Collected, Snapshot
from bot.rules.cause import Baselines, cause, said
from bot.rules.database import BUSY, QUIET, pool_advice


def pool(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The guide's rules for a pool that is too small or too large."""
    connections = it.data("database").get("connections") or {}
    idle, size = connections.get("idle"), connections.get("size")
    if idle is None or size is None:
        return
    judged = pool_advice(size, idle)
    if judged is None:
        return
    percent = judged.use * 100
    seen = f"{size - idle} of {size} database connections in use ({percent:.0f} %)"
    if judged.change == "larger":
        advice = f"High connection utilization ({percent:.0f}%), consider increasing pool size"
        yield cause("pool", seen, percent, "%", BUSY * 100, advice)
    else:
        advice = f"Low connection utilization ({percent:.0f}%), consider reducing pool size"
        yield cause("idle_pool", seen, percent, "%", QUIET * 100, advice)


def locks(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """Clients that wait for each other."""
    connections = it.data("database").get("connections") or {}
    waiting, longest = connections.get("waiting_clients"), connections.get("longest_wait_ms")
    if waiting:
        since = f", the longest for {said(longest, 'ms')}" if longest is not None else ""
        yield cause(
            "locks",
            f"{waiting} database clients wait for a lock{since}",
            waiting,
            "",
            None,
            "End or shorten the transaction that blocks the others",
            [_pair(one) for one in (it.data("database").get("locks") or {}).get("blocked") or []],
        )


def indexes(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The guide's index rules, as the agent applied them; the SQL is for a person to run."""
    found = it.data("database").get("indexes") or {}
    advice = found.get("advice") or []
    if advice:
        count = found.get("missing") or len(advice)
        yield cause(
            "indexes",
            f"{count} database {'index is' if count == 1 else 'indexes are'} missing",
            count,
            recommendation=f"Check database query performance: {advice[0]['sql']}",
            evidence=[f"{one['table']}: {one['reason']}" for one in advice[:3]],
        )


def _pair(one: Mapping[str, Any]) -> str:
    """Who blocks whom, and on what."""
    blocker, victim = one.get("blocker") or {}, one.get("victim") or {}
    relation = (one.get("lock") or {}).get("relation")
    on = f" on {relation}" if relation else ""
    who = blocker.get("application") or blocker.get("user")
    return f"{blocker.get('pid')} ({who}) blocks {victim.get('pid')}{on}"

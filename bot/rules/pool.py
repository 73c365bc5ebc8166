"""What a database's connections say."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.report import Cause, Collected, Snapshot
from bot.rules.cause import Baselines, cause, said
from bot.rules.database import BUSY, QUIET, SPARE


def pool(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The guide's rules for a pool that is too small or too large."""
    connections = it.data("database").get("connections") or {}
    use, idle, size = connections.get("use"), connections.get("idle"), connections.get("size")
    if use is None or size is None:
        return
    percent = use * 100
    seen = f"{size - (idle or 0)} of {size} database connections in use ({percent:.0f} %)"
    if use > BUSY:
        advice = f"High connection utilization ({percent:.0f}%), consider increasing pool size"
        yield cause("pool", seen, percent, "%", BUSY * 100, advice)
    elif use < QUIET and idle is not None and idle > SPARE:
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
        )

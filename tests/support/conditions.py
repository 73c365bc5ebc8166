"""Conditions for properties: trees that a text can hold, with leaves of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.model.condition import And, Node, Not, Or, parse

LEAVES = (
    "cpu_percent > 90",
    "cpu_percent <= 62.5 %",
    "memory_mb >= 1 GB",
    "memory_mb.change_5m > -50MB",
    "incident.age > 5m",
    "incident.severity == sev1",
    "incident.status != acknowledged",
    "time.hour < 7",
    "time.weekday == sat",
    "steps.open-breaker.state == unknown",
    "steps.metrics.response_time_p95_ms < 0.5s",
    "inputs.mode == 'read only, and (not) more'",
    "inputs.mode != fast",
    "inputs.hold > 2d",
    "verdict == down",
    "unknown(error_rate_percent)",
)


def trees(leaves: tuple[str, ...] = LEAVES, depth: int = 4) -> st.SearchStrategy[Node]:
    """Trees of at most ``depth`` connectives one in another."""
    found: st.SearchStrategy[Node] = st.sampled_from([parse(leaf).root for leaf in leaves])
    for _ in range(depth):
        parts = st.lists(found, min_size=2, max_size=3).map(tuple)
        found = st.one_of(found, found.map(Not), parts.map(And), parts.map(Or))
    return found

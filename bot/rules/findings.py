"""From what was collected to findings, the one that explains most first.

The bounds and the recommendations are the guide's ("Automated Diagnostic Collection", "Memory Leak
Detection", "Connection pool optimization", "Performance Regression Detection"); where the guide has
none, the bound is said beside the rule with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bot.model.report import Cause, Collected, Snapshot
from bot.rules import pool, pressure, symptoms
from bot.rules.cause import Baselines
from bot.rules.rank import ranked

Rule = Callable[[Collected, Snapshot | None, Baselines], Iterator[Cause]]
_RULES: Sequence[Rule] = (
    symptoms.down,
    pressure.threads,
    pressure.descriptors,
    pressure.memory,
    pressure.cpu,
    pool.locks,
    pool.pool,
    pool.indexes,
    pressure.host,
    symptoms.logs,
    symptoms.slow,
    symptoms.error_rate,
)


def findings(
    collected: Collected, before: Snapshot | None, baselines: Baselines
) -> tuple[Cause, ...]:
    """Every rule's findings, ranked. ``before``: when the target was last healthy, if it ever was."""
    found = [one for rule in _RULES for one in rule(collected, before, baselines)]
    return ranked(found)


def recommendations(found: Sequence[Cause]) -> list[str]:
    """What to do, each once, in the order of the findings."""
    return list(dict.fromkeys(one.recommendation for one in found))

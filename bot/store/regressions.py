"""What is worse than it was: one open a target and metric; those that are over stay for the record."""

from __future__ import annotations

import json

from bot.model.incident import Facts
from bot.model.regression import Regression
from bot.store.database import Row, Tx

COLUMNS = "id, target, metric, method, since, announced_at, closed_at, facts"


def add(tx: Tx, target: str, metric: str, method: str, facts: Facts) -> Regression:
    """It began to show now."""
    row = tx.one(
        f"""INSERT INTO regressions (target, metric, method, since, facts)
        VALUES (:target, :metric, :method, :now, :facts) RETURNING {COLUMNS}""",
        target=target,
        metric=metric,
        method=method,
        facts=json.dumps(facts),
        now=tx.now,
    )
    assert row is not None
    return _regression(row)


def live(tx: Tx, target: str | None = None) -> list[Regression]:
    """Those that are not over, of a target or of all, the oldest first."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM regressions
        WHERE closed_at IS NULL {"AND target = :target" if target else ""} ORDER BY id""",
        **({"target": target} if target else {}),
    )
    return [_regression(row) for row in rows]


def between(tx: Tx, target: str, metric: str, first: int, last: int) -> list[Regression]:
    """Those of a metric that showed at any time from ``first`` to ``last``, in order."""
    rows = tx.all(
        f"""SELECT {COLUMNS} FROM regressions
        WHERE target = :target AND metric = :metric AND since <= :last
          AND (closed_at IS NULL OR closed_at >= :first) ORDER BY id""",
        target=target,
        metric=metric,
        first=first,
        last=last,
    )
    return [_regression(row) for row in rows]


def announced(tx: Tx, regression_id: int) -> None:
    """The channel is told of it now."""
    tx.run(
        "UPDATE regressions SET announced_at = :now WHERE id = :id", id=regression_id, now=tx.now
    )


def revise(tx: Tx, regression_id: int, method: str, facts: Facts) -> None:
    """It lasts, and shows otherwise now."""
    tx.run(
        "UPDATE regressions SET method = :method, facts = :facts WHERE id = :id",
        id=regression_id,
        method=method,
        facts=json.dumps(facts),
    )


def close(tx: Tx, regression_id: int, facts: Facts) -> None:
    """It is over now."""
    tx.run(
        "UPDATE regressions SET closed_at = :now, facts = :facts WHERE id = :id",
        id=regression_id,
        facts=json.dumps(facts),
        now=tx.now,
    )


def _regression(row: Row) -> Regression:
    values = dict(zip(row.keys(), row, strict=True))
    return Regression(**values | {"facts": json.loads(row["facts"])})

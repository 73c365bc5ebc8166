"""Healthy windows that were learned: the newest of a target counts, older ones stay for the record."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.model.regression import Learned, LearnedWindow
from bot.store.database import Row, Tx

COLUMNS = "id, target, first, last, learned_by, learned_at, metrics"


def add(
    tx: Tx,
    target: str,
    first: int,
    last: int,
    metrics: Mapping[str, Learned],
    learned_by: str,
) -> LearnedWindow:
    """Keep a window, learned now; from now on it is the one that counts."""
    row = tx.one(
        f"""INSERT INTO learned (target, first, last, learned_by, learned_at, metrics)
        VALUES (:target, :first, :last, :learned_by, :now, :metrics) RETURNING {COLUMNS}""",
        target=target,
        first=first,
        last=last,
        learned_by=learned_by,
        metrics=json.dumps({name: one.json() for name, one in metrics.items()}),
        now=tx.now,
    )
    assert row is not None
    return _window(row)


def newest(tx: Tx, target: str) -> LearnedWindow | None:
    """The one that counts, or None."""
    row = tx.one(
        f"SELECT {COLUMNS} FROM learned WHERE target = :target ORDER BY id DESC LIMIT 1",
        target=target,
    )
    return _window(row) if row else None


def count(tx: Tx, target: str) -> int:
    """How many were learned of a target, with those that don't count any more."""
    row = tx.one("SELECT COUNT(*) AS n FROM learned WHERE target = :target", target=target)
    assert row is not None
    number: int = row["n"]
    return number


def _window(row: Row) -> LearnedWindow:
    metrics = json.loads(row["metrics"])
    return LearnedWindow(
        id=row["id"],
        target=row["target"],
        first=row["first"],
        last=row["last"],
        learned_by=row["learned_by"],
        learned_at=row["learned_at"],
        metrics={name: Learned.parse(one) for name, one in metrics.items()},
    )

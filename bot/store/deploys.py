"""The deploys that the bot was told of, by target and time."""

from __future__ import annotations

from bot.model.deploy import Deploy
from bot.store.database import Tx


def add(tx: Tx, target: str, at: int, title: str, source: str) -> None:
    """Keep a deploy."""
    tx.run(
        """INSERT INTO deploys (target, at, title, source)
        VALUES (:target, :at, :title, :source)""",
        target=target,
        at=at,
        title=title,
        source=source,
    )


def between(tx: Tx, target: str, first: int, last: int) -> list[Deploy]:
    """A target's deploys from ``first`` to ``last`` (milliseconds), both included, in order."""
    rows = tx.all(
        """SELECT target, at, title, source FROM deploys
        WHERE target = :target AND at BETWEEN :first AND :last ORDER BY at, id""",
        target=target,
        first=first,
        last=last,
    )
    return [Deploy(row["target"], row["at"], row["title"], row["source"]) for row in rows]


def forget(tx: Tx, before: int) -> int:
    """Remove the deploys from before a time; how many."""
    return tx.run("DELETE FROM deploys WHERE at < :before", before=before)

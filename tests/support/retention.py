"""Rolls up and forgets samples, as the bot's own timer does."""

from __future__ import annotations

from bot.model.upkeep import Samples
from bot.store import sketches
from bot.store.database import Database


async def pruned(database: Database, keep: Samples | None = None) -> int:
    """Until nothing is left to do; in how many portions."""
    keep = keep or Samples()
    after: int | None = 0
    portions = 0
    while after is not None:
        after = await database.write(sketches.portion, after, keep.raw, keep.hours)
        portions += 1
    return portions

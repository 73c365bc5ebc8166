"""Samples and hours in the store, as if they had been measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.store import samples
from bot.store.database import Database, Tx
from bot.store.samples import Sample


async def measured(
    database: Database, target: str, metric: str, hours: Mapping[int, Sequence[float]]
) -> None:
    """Values spread over each hour, by its start in milliseconds."""
    for at, values in hours.items():
        step = 3_600_000 // len(values)
        found = [Sample(at + number * step, value, None) for number, value in enumerate(values)]
        await database.write(_add, target, metric, found)


def _add(tx: Tx, target: str, metric: str, found: Iterable[Sample]) -> None:
    for one in found:
        samples.add(tx, target, metric, one)

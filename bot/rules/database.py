"""When a connection pool has the wrong size, and which indexes are missing: the guide's rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bot.model.database import (
    Catalog,
    ForeignKey,
    Index,
    IndexAdvice,
    Kind,
    Pattern,
    PoolAdvice,
    Table,
    Use,
)

# The guide's bounds, "Database Performance Issues".
BUSY = 0.8
QUIET = 0.3
SPARE = 5
PER_HOUR: Mapping[Kind, float] = {Kind.EQUALITY: 10.0, Kind.RANGE: 5.0}
# Half an hour of counting says nothing about an hour: a shorter window counts as this one.
LEAST_HOURS = 1.0


def pool_use(size: int, idle: int) -> float | None:
    """The share of the connections that are in use, 0 to 1; None where there are none."""
    return (size - idle) / size if size > 0 else None


def pool_advice(size: int, idle: int) -> PoolAdvice | None:
    """Over 0.8: a larger pool. Under 0.3 with more than 5 idle: a smaller one.

    From outside only the open connections are seen, not how many the pool may open: up to 5 of them,
    all in use, are a pool at rest and no finding.
    """
    use = pool_use(size, idle)
    if use is None:
        return None
    seen = f"{size - idle} of {size} connections are in use ({use:.0%}"
    if use > BUSY and size > SPARE:
        return PoolAdvice("larger", use, f"{seen}, over {BUSY:.0%}): consider a larger pool")
    if use < QUIET and idle > SPARE:
        return PoolAdvice(
            "smaller", use, f"{seen}, under {QUIET:.0%}) and {idle} idle: consider a smaller pool"
        )
    return None


def index_advice(
    patterns: Iterable[Pattern], catalog: Catalog, hours: float | None
) -> tuple[IndexAdvice, ...]:
    """The indexes that are missing, the most used first.

    ``hours`` is how long the calls were counted; None (not known) leaves the rules about frequency
    out. Equality needs more than 10 calls an hour, a range more than 5, a join any call, a foreign
    key none: deleting or changing a row of its parent looks for it.
    """
    found: dict[tuple[Table, tuple[str, ...]], IndexAdvice] = {}
    for advice in (
        *_by_use(_missing(patterns, catalog), catalog, hours),
        *_by_foreign_key(catalog),
    ):
        key = (advice.table, advice.columns)
        found[key] = _both(found[key], advice) if key in found else advice
    return tuple(found.values())


def _missing(patterns: Iterable[Pattern], catalog: Catalog) -> Counter[Use]:
    """The calls of each use that no index serves."""
    indexes = _of_tables(catalog.indexes)
    calls: Counter[Use] = Counter()
    for pattern in patterns:
        for use in set(pattern.uses):
            if not _served(use, pattern, indexes.get(use.table, ())):
                calls[use] += pattern.calls
    return calls


def _of_tables(indexes: Iterable[Index]) -> dict[Table, tuple[Index, ...]]:
    grouped: dict[Table, tuple[Index, ...]] = {}
    for index in indexes:
        grouped[index.table] = (*grouped.get(index.table, ()), index)
    return grouped


def _served(use: Use, pattern: Pattern, indexes: Iterable[Index]) -> bool:
    """Whether an index finds the column, alone or behind columns that the same query knows.

    A query that knows a whole unique key gets one row and needs no more.
    """
    known = {
        other.column
        for other in pattern.uses
        if other.table == use.table and other.kind is Kind.EQUALITY
    }
    for index in indexes:
        if index.unique and known.issuperset(index.columns):
            return True
        if use.column in index.columns:
            before = index.columns[: index.columns.index(use.column)]
            if known.issuperset(before):
                return True
    return False


def _by_use(calls: Counter[Use], catalog: Catalog, hours: float | None) -> Iterator[IndexAdvice]:
    for use, count in calls.most_common():
        rate = None if hours is None else count / max(hours, LEAST_HOURS)
        if use.kind is Kind.JOIN:
            often = f"{count} calls" if rate is None else f"{rate:.0f} calls an hour"
            reason = f"joined by {use.column} ({often}) without an index"
        elif rate is not None and rate > PER_HOUR[use.kind]:
            reason = (
                f"{use.kind} on {use.column} without an index: {rate:.0f} calls an hour, "
                f"over {PER_HOUR[use.kind]:.0f}"
            )
        else:
            continue
        columns = (use.column,)
        yield IndexAdvice(
            use.table, columns, (use.kind,), reason, _create(use.table, columns, catalog), rate
        )


def _by_foreign_key(catalog: Catalog) -> Iterator[IndexAdvice]:
    indexes = _of_tables(catalog.indexes)
    for key in catalog.foreign_keys:
        if not any(_begins_with(index, key) for index in indexes.get(key.table, ())):
            reason = f"the foreign key {key.name} to {key.parent} has no index"
            sql = _create(key.table, key.columns, catalog)
            yield IndexAdvice(key.table, key.columns, ("foreign key",), reason, sql)


def _begins_with(index: Index, key: ForeignKey) -> bool:
    return set(index.columns[: len(key.columns)]) == set(key.columns)


def _both(first: IndexAdvice, second: IndexAdvice) -> IndexAdvice:
    """One index, asked for twice."""
    return IndexAdvice(
        first.table,
        first.columns,
        first.kinds + second.kinds,
        f"{first.reason}; {second.reason}",
        first.sql,
        first.calls_per_hour,
    )


def _create(table: Table, columns: Iterable[str], catalog: Catalog) -> str:
    """``CONCURRENTLY`` lets writers go on; PostgreSQL has no such way for a partitioned table."""
    way = "" if table in catalog.partitioned else "CONCURRENTLY "
    keys = ", ".join(_quoted(column) for column in columns)
    return f"CREATE INDEX {way}ON {_quoted(table.schema)}.{_quoted(table.name)} ({keys});"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

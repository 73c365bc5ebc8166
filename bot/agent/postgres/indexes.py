"""Which indexes are missing: the catalog and the counted queries, judged by the rules."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable

from bot.agent.postgres.predicates import Named, Seen, seen
from bot.agent.postgres.session import Row, Session
from bot.agent.postgres.statements import HIDDEN, READ, Statements
from bot.model.database import Catalog, ForeignKey, Index, IndexAdvice, Pattern, Table, Use
from bot.rules.database import index_advice

SHOWN = 20

# Objects below 16384 are PostgreSQL's own.
_FOREIGN_KEYS = """
    n.nspname AS schema, c.relname AS name, k.conname AS key, pn.nspname AS parent_schema, p.relname AS parent,
    (SELECT array_agg(a.attname::text ORDER BY position)
     FROM unnest(k.conkey) WITH ORDINALITY AS key (attnum, position)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.attnum) AS columns
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND c.oid >= 16384
    ORDER BY c.reltuples DESC, c.oid, k.oid LIMIT 1000
"""
_TABLES = """
    n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
    pg_table_is_visible(c.oid) AS visible, nullif(c.reltuples, -1)::bigint AS rows,
    (SELECT array_agg(a.attname::text) FROM pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
      AND c.relname = ANY(%s::text[])
"""
_INDEXES = """
    n.nspname AS schema, c.relname AS name, i.indisunique AS "unique",
    (SELECT array_agg(coalesce(a.attname::text, '') ORDER BY position)
     FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS key (attnum, position)
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.attnum
     WHERE position <= i.indnkeyatts) AS columns
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    WHERE i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'hash')
      AND c.oid >= 16384 AND c.relpersistence <> 't' AND c.relname = ANY(%s::text[])
"""


async def indexes(session: Session, counted: Statements | str) -> dict[str, object]:
    """At most 20 pieces of advice, each with the SQL that a person may run; nothing is run here.

    ``table_rows`` is PostgreSQL's estimate (null: never analyzed): in a small table no index helps.
    """
    unknown = {}
    queries: list[tuple[int, tuple[Seen, ...]]] = []
    hours = None
    if isinstance(counted, str):
        unknown["advice"] = f"foreign keys only: {counted}"
    else:
        queries, unread = await asyncio.to_thread(_read, counted)
        hours = counted.hours
        if unread:
            unknown["queries"] = f"{unread} of {len(counted.called)} could not be read"
        if hours is None:
            unknown["calls_per_hour"] = "PostgreSQL tells since version 14 when it began to count"
    keys = [_foreign_key(row) for row in await session.rows(_FOREIGN_KEYS)]
    names = sorted(
        {named.name for _, uses in queries for use in uses for named in use.tables}
        | {key.table.name for key in keys}
    )
    tables = await session.rows(_TABLES, (names,))
    catalog = Catalog(
        tuple(_index(row) for row in await session.rows(_INDEXES, (names,))),
        tuple(keys),
        frozenset(_table(row) for row in tables if row["partitioned"]),
    )
    advice = index_advice(_patterns(queries, tables), catalog, hours)
    rows = {_table(row): row["rows"] for row in tables}
    return {
        "missing": len(advice),
        "advice": [_shown(one, rows) for one in advice[:SHOWN]],
        "unknown": unknown,
    }


def _read(counted: Statements) -> tuple[list[tuple[int, tuple[Seen, ...]]], int]:
    """Each query's calls and uses, and how many could not be read. Takes up to a second of CPU at first."""
    queries, unread = [], 0
    for statement in counted.called:
        uses = seen(statement.query) if _readable(statement.query) else None
        if uses is None:
            unread += 1
        else:
            queries.append((statement.calls, uses))
    return queries, unread


def _readable(query: str) -> bool:
    return len(query) <= READ and query != HIDDEN


def _patterns(
    queries: Iterable[tuple[int, tuple[Seen, ...]]], tables: Iterable[Row]
) -> list[Pattern]:
    """Queries over the tables that there are."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in tables:
        by_name[row["name"]].append(row)
    patterns = []
    for calls, uses in queries:
        found = [
            Use(table, use.column, use.kind)
            for use in uses
            if (table := _owner(use, by_name)) is not None
        ]
        patterns.append(Pattern(calls, tuple(found)))
    return patterns


def _owner(use: Seen, by_name: dict[str, list[Row]]) -> Table | None:
    """The only table that has the column; None where there is none, or it can't be told which."""
    owners = {
        _table(row)
        for named in use.tables
        if (row := _resolved(named, by_name[named.name])) is not None
        and use.column in row["columns"]
    }
    return owners.pop() if len(owners) == 1 else None


def _resolved(named: Named, rows: Collection[Row]) -> Row | None:
    """By its schema, else by the search path, else the only one of that name."""
    if named.schema:
        return next((row for row in rows if row["schema"] == named.schema), None)
    visible = next((row for row in rows if row["visible"]), None)
    return visible or (next(iter(rows)) if len(rows) == 1 else None)


def _table(row: Row) -> Table:
    return Table(row["schema"], row["name"])


def _foreign_key(row: Row) -> ForeignKey:
    parent = Table(row["parent_schema"], row["parent"])
    return ForeignKey(row["key"], _table(row), tuple(row["columns"]), parent)


def _index(row: Row) -> Index:
    return Index(_table(row), tuple(row["columns"]), row["unique"])


def _shown(advice: IndexAdvice, rows: dict[Table, int | None]) -> dict[str, object]:
    rate = advice.calls_per_hour
    return {
        "table": str(advice.table),
        "columns": list(advice.columns),
        "kinds": list(advice.kinds),
        "reason": advice.reason,
        "calls_per_hour": None if rate is None else round(rate, 1),
        "table_rows": rows.get(advice.table),
        "sql": advice.sql,
    }

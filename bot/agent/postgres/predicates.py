"""Which columns a query finds rows by, read from its text alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from bot.model.database import Kind

_QUERIES = (exp.Select, exp.Update, exp.Delete, exp.Insert)
_RANGES = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
# What stands between a comparison and the clause that it decides; under any other it decides nothing.
_CLAUSES = (exp.Where, exp.Join)
_DEAD_ENDS = (exp.Not, exp.Case, *_QUERIES)


@dataclass(frozen=True)
class Named:
    """A table as a query names it: ``schema`` empty where the search path decides."""

    schema: str
    name: str


@dataclass(frozen=True)
class Seen:
    """A column in use. It is of the one of these tables that has it."""

    tables: tuple[Named, ...]
    column: str
    kind: Kind


@lru_cache(maxsize=512)
def seen(sql: str) -> tuple[Seen, ...] | None:
    """Equality, ranges and joins of WHERE and ON, subqueries included; None for what can't be read.

    Left out: what is negated, what is inside a function or a cast (an index on the column would not
    serve it), HAVING, and what is of a subquery in FROM or of a WITH.
    """
    # The library's log would hold the query.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        tree = sqlglot.parse_one(sql, read="postgres")
        if not isinstance(tree, _QUERIES):
            return ()
        return tuple(use for use in _uses(tree) if use.tables)
    except (SqlglotError, RecursionError):
        return None


def _uses(tree: exp.Expr) -> Iterator[Seen]:
    scopes = _Scopes(tree)
    for found in tree.find_all(exp.EQ, exp.In, *_RANGES):
        clause = found.find_ancestor(*_CLAUSES, *_DEAD_ENDS)
        if isinstance(clause, _CLAUSES):
            yield from _comparison(found, scopes)
    for join in tree.find_all(exp.Join):
        for column in join.args.get("using") or ():
            for table in scopes.tables(join):
                yield Seen((table,), _name(column), Kind.JOIN)


def _comparison(found: exp.Expr, scopes: _Scopes) -> Iterator[Seen]:
    left, right = found.this.unnest(), found.args.get("expression")
    right = right.unnest() if isinstance(right, exp.Expr) else None
    columns = [side for side in (left, right) if isinstance(side, exp.Column)]
    if len(columns) == 2:
        first, second = (scopes.owners(column) for column in columns)
        if isinstance(found, exp.EQ) and first != second:
            for column, tables in zip(columns, (first, second), strict=True):
                yield Seen(tables, _name(column.this), Kind.JOIN)
    elif len(columns) == 1 and not _depends(found, columns[0]):
        kind = Kind.RANGE if isinstance(found, _RANGES) else Kind.EQUALITY
        yield Seen(scopes.owners(columns[0]), _name(columns[0].this), kind)


def _depends(found: exp.Expr, column: exp.Column) -> bool:
    """Whether the other side is no value, but made of columns of the same query."""
    home = found.find_ancestor(*_QUERIES)
    return any(
        other is not column and other.find_ancestor(*_QUERIES) is home
        for other in found.find_all(exp.Column)
    )


class _Scopes:
    """The tables of each query and subquery, by the names that they have in it."""

    def __init__(self, tree: exp.Expr) -> None:
        own = {_name(cte.args["alias"].this) for cte in tree.find_all(exp.CTE)}
        self._scopes: dict[int, dict[str, Named | None]] = {}
        for table in tree.find_all(exp.Table, exp.Subquery):
            home = table.find_ancestor(*_QUERIES)
            if home is None or not table.alias_or_name:
                continue
            known = None
            if isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier):
                schema = table.args.get("db")
                known = Named(_name(schema) if schema else "", _name(table.this))
                known = None if not known.schema and known.name in own else known
            alias = table.args.get("alias")
            name = _name(alias.this) if alias else _name(table.this)
            self._scopes.setdefault(id(home), {})[name] = known

    def tables(self, node: exp.Expr) -> tuple[Named, ...]:
        """Of the query that the node is in."""
        named = self._scopes.get(id(node.find_ancestor(*_QUERIES)), {})
        return tuple(table for table in named.values() if table is not None)

    def owners(self, column: exp.Column) -> tuple[Named, ...]:
        """The tables that may have the column: one if it is qualified, looked for from inside out."""
        if not column.table:
            return self.tables(column)
        name = _name(column.args["table"])
        query = column.find_ancestor(*_QUERIES)
        while query is not None:
            named = self._scopes.get(id(query), {})
            if name in named:
                table = named[name]
                return () if table is None else (table,)
            query = query.find_ancestor(*_QUERIES)
        return ()


def _name(identifier: exp.Expr) -> str:
    """As PostgreSQL keeps it: what is not quoted, in lower case."""
    return identifier.name if identifier.args.get("quoted") else identifier.name.lower()

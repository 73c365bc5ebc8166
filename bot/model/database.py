"""What is known of a PostgreSQL database before it is judged: its tables, indexes and queries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Table(NamedTuple):
    """A table by its schema and name, both as PostgreSQL keeps them (unquoted, case as it is)."""

    schema: str
    name: str

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


class Kind(StrEnum):
    """How a query uses a column to find rows."""

    EQUALITY = "equality"
    RANGE = "range"
    JOIN = "join"


@dataclass(frozen=True)
class Use:
    """One column that one query finds rows by."""

    table: Table
    column: str
    kind: Kind


@dataclass(frozen=True)
class Pattern:
    """A query without its values: how often it ran, and what it finds rows by."""

    calls: int
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class Index:
    """A whole (not partial) index; a key that is an expression is an empty text."""

    table: Table
    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """Columns that point at another table."""

    name: str
    table: Table
    columns: tuple[str, ...]
    parent: Table


@dataclass(frozen=True)
class Catalog:
    """The part of a database's catalog that the index rules ask."""

    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    partitioned: frozenset[Table] = frozenset()


@dataclass(frozen=True)
class PoolAdvice:
    """What to think about a connection pool's size: ``larger`` or ``smaller``, and why."""

    change: str
    use: float
    reason: str


@dataclass(frozen=True)
class IndexAdvice:
    """An index that would be used, with the statement that a person may run."""

    table: Table
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    reason: str
    sql: str
    calls_per_hour: float | None = None

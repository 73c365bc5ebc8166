"""The guide's rules for a connection pool and for indexes."""

from __future__ import annotations

import pytest

from bot.model.database import Catalog, ForeignKey, Index, Kind, Pattern, Table, Use
from bot.rules.database import index_advice, pool_advice, pool_use

ORDERS, CUSTOMERS = Table("public", "orders"), Table("public", "customers")
KEY = ForeignKey("orders_customer_fkey", ORDERS, ("customer_id",), CUSTOMERS)


@pytest.mark.parametrize(
    ("size", "idle", "use", "change"),
    [
        (10, 1, 0.9, "larger"),
        (10, 2, 0.8, None),  # the bound itself is fine
        (10, 5, 0.5, None),
        (10, 7, 0.3, None),
        (10, 8, 0.2, "smaller"),
        (6, 6, 0.0, "smaller"),
        (5, 5, 0.0, None),  # no more than five to spare
        (1, 0, 1.0, None),  # a pool at rest keeps few open, and may open more
        (5, 0, 1.0, None),
        (6, 0, 1.0, "larger"),
        (0, 0, None, None),
    ],
)
def test_a_pool_is_judged_by_its_use_and_what_is_idle(
    size: int, idle: int, use: float | None, change: str | None
) -> None:
    advice = pool_advice(size, idle)
    assert pool_use(size, idle) == use
    assert (advice.change if advice else None) == change


def test_advice_on_a_pool_says_what_was_seen() -> None:
    advice = pool_advice(10, 1)
    assert advice is not None
    assert advice.reason == "9 of 10 connections are in use (90%, over 80%): consider a larger pool"


def by(kind: Kind, calls: int, column: str = "status", *beside: str) -> Pattern:
    """A query over orders; it knows the columns beside by equality."""
    known = tuple(Use(ORDERS, name, Kind.EQUALITY) for name in beside)
    return Pattern(calls, (Use(ORDERS, column, kind), *known))


@pytest.mark.parametrize(
    ("kind", "calls", "hours", "advised"),
    [
        (Kind.EQUALITY, 11, 1.0, True),
        (Kind.EQUALITY, 10, 1.0, False),
        (Kind.EQUALITY, 240, 24.0, False),
        (Kind.EQUALITY, 241, 24.0, True),
        (Kind.RANGE, 6, 1.0, True),
        (Kind.RANGE, 5, 1.0, False),
        (Kind.EQUALITY, 3, 0.01, False),  # three calls in half a minute are not 300 an hour
        (Kind.JOIN, 1, 1_000.0, True),
        (Kind.EQUALITY, 1_000_000, None, False),
        (Kind.JOIN, 1, None, True),
    ],
)
def test_an_index_is_advised_by_calls_an_hour(
    kind: Kind, calls: int, hours: float | None, advised: bool
) -> None:
    assert bool(index_advice([by(kind, calls)], Catalog(), hours)) is advised


def test_the_calls_of_several_queries_by_one_column_count_together() -> None:
    (advice,) = index_advice([by(Kind.EQUALITY, 6), by(Kind.EQUALITY, 7)], Catalog(), 1.0)
    assert advice.calls_per_hour == 13
    assert advice.reason == "equality on status without an index: 13 calls an hour, over 10"
    assert advice.sql == 'CREATE INDEX CONCURRENTLY ON "public"."orders" ("status");'


@pytest.mark.parametrize(
    ("index", "beside", "served"),
    [
        (Index(ORDERS, ("status",)), (), True),
        (Index(ORDERS, ("status", "at")), (), True),
        (Index(ORDERS, ("at", "status")), (), False),
        (Index(ORDERS, ("at", "status")), ("at",), True),
        (Index(ORDERS, ("id",), unique=True), ("id",), True),
        (Index(ORDERS, ("id", "shop"), unique=True), ("id",), False),
        (Index(ORDERS, ("id",)), ("id",), False),
        (Index(ORDERS, ("",)), (), False),
        (Index(CUSTOMERS, ("status",)), (), False),
    ],
)
def test_an_index_that_serves_the_query_makes_advice_needless(
    index: Index, beside: tuple[str, ...], served: bool
) -> None:
    advice = index_advice([by(Kind.EQUALITY, 99, "status", *beside)], Catalog((index,)), 1.0)
    assert ("status" not in {column for one in advice for column in one.columns}) is served


def test_the_most_used_comes_first_and_foreign_keys_last() -> None:
    patterns = [by(Kind.RANGE, 50, "at"), by(Kind.EQUALITY, 90), by(Kind.JOIN, 70, "shop_id")]
    advice = index_advice(patterns, Catalog(foreign_keys=(KEY,)), 1.0)
    assert [one.columns for one in advice] == [("status",), ("shop_id",), ("at",), ("customer_id",)]


def test_one_index_that_is_wanted_twice_is_advised_once_with_both_reasons() -> None:
    patterns = [by(Kind.JOIN, 70, "customer_id")]
    (advice,) = index_advice(patterns, Catalog(foreign_keys=(KEY,)), 1.0)
    assert advice.kinds == ("join", "foreign key")
    assert advice.reason == (
        "joined by customer_id (70 calls an hour) without an index; "
        "the foreign key orders_customer_fkey to customers has no index"
    )


@pytest.mark.parametrize(
    ("columns", "served"),
    [
        (("a", "b"), True),
        (("b", "a"), True),
        (("a", "b", "c"), True),
        (("a",), False),
        (("c", "a", "b"), False),
    ],
)
def test_a_foreign_key_of_two_columns_needs_both_at_an_indexs_begin(
    columns: tuple[str, ...], served: bool
) -> None:
    key = ForeignKey("k", ORDERS, ("a", "b"), CUSTOMERS)
    advice = index_advice([], Catalog((Index(ORDERS, columns),), (key,)), None)
    assert (advice == ()) is served
    assert served or advice[0].sql == 'CREATE INDEX CONCURRENTLY ON "public"."orders" ("a", "b");'


def test_a_partitioned_table_cant_be_indexed_beside_its_writers() -> None:
    (advice,) = index_advice([by(Kind.JOIN, 1)], Catalog(partitioned=frozenset({ORDERS})), None)
    assert advice.sql == 'CREATE INDEX ON "public"."orders" ("status");'


def test_a_name_is_quoted_so_that_it_stays_a_name() -> None:
    odd = Table("public", 'x"; DROP TABLE y; --')
    (advice,) = index_advice([Pattern(1, (Use(odd, "a", Kind.JOIN),))], Catalog(), None)
    assert advice.sql == 'CREATE INDEX CONCURRENTLY ON "public"."x""; DROP TABLE y; --" ("a");'

"""One PostgreSQL for the room; each test has a database of its own in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
import pytest

from tests.support.postgres_server import Postgres, postgres

__all__ = ["postgres"]

_NUMBERS = count(1)
_SHOP = """
    CREATE EXTENSION pg_stat_statements;
    CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
    CREATE TABLE orders (
        id int PRIMARY KEY, customer_id int REFERENCES customers, total int, note text
    );
    INSERT INTO customers VALUES (1, 'ada@shop.example', 'Ada'), (2, 'bob@shop.example', 'Bob');
    INSERT INTO orders VALUES (1, 1, 10, ''), (2, 2, 20, '');
"""
Administrator = psycopg.Connection[Any]


@pytest.fixture(scope="session")
def administrator(postgres: Postgres) -> Iterator[Administrator]:
    """The superuser beside the databases of the tests, with a shop to copy."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
        with psycopg.connect(postgres.dsn("shop")) as database:
            database.execute(_SHOP)
        yield connection


@pytest.fixture
def shop(postgres: Postgres, administrator: Administrator) -> Iterator[str]:
    """The dsn of a small shop's database, with nothing counted yet."""
    name = f"shop{next(_NUMBERS)}"
    administrator.execute(f"CREATE DATABASE {name} TEMPLATE shop")
    yield postgres.dsn(name)
    administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def stranger(postgres: Postgres, administrator: Administrator, shop: str) -> Iterator[str]:
    """The shop by a role that may connect and no more."""
    name = f"stranger{next(_NUMBERS)}"
    administrator.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'strange'")
    yield postgres.dsn(shop.rpartition("/")[2], name, "strange")
    administrator.execute(f"DROP ROLE {name}")

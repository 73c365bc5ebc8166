"""One PostgreSQL for the room; each test has a database of its own in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from tests.support.postgres_server import Postgres, postgres

__all__ = ["postgres"]

_NUMBERS = count(1)


@pytest.fixture
def shop(postgres: Postgres) -> Iterator[str]:
    """The dsn of a small shop's database, with nothing counted yet."""
    name = f"shop{next(_NUMBERS)}"
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    dsn = postgres.dsn(name)
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute(
            """
            CREATE EXTENSION pg_stat_statements;
            CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
            CREATE TABLE orders (
                id int PRIMARY KEY, customer_id int REFERENCES customers, total int, note text
            );
            INSERT INTO customers VALUES (1, 'ada@shop.example', 'Ada'), (2, 'bob@shop.example', 'Bob');
            INSERT INTO orders VALUES (1, 1, 10, ''), (2, 2, 20, '');
            """
        )
        database.execute("SELECT pg_stat_statements_reset()")
    yield dsn
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def stranger(postgres: Postgres, shop: str) -> Iterator[str]:
    """The shop by a role that may connect and no more."""
    name = f"stranger{next(_NUMBERS)}"
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'strange'")
        yield postgres.dsn(shop.rpartition("/")[2], name, "strange")
        server.execute(f"DROP ROLE {name}")

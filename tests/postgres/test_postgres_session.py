"""The one connection: it can change nothing, it ends in time, and it never tells its dsn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from contextlib import ExitStack

import psycopg
import pytest
from pydantic import SecretStr

from bot.agent.postgres import Database, DatabaseUnread, database
from bot.agent.postgres.session import session, worded
from bot.clock import SystemClock
from tests.support.ports import kept_port
from tests.support.postgres_client import PATIENCE_S, asked, opened
from tests.support.postgres_server import PASSWORD, Postgres

CLOCK = SystemClock()


async def test_the_session_is_read_only_has_time_limits_and_says_who_it_is(shop: str) -> None:
    async with session(shop) as asked_:
        settings = await asked_.row(
            "current_setting('default_transaction_read_only') AS read_only, "
            "current_setting('statement_timeout') AS statement, "
            "current_setting('application_name') AS name"
        )
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await asked_.rows("1 INTO made")
    assert settings == {"read_only": "on", "statement": "1s", "name": "iora-agent"}


async def test_options_of_the_dsn_are_kept_but_go_behind_the_guards(shop: str) -> None:
    own = "?options=-c%20statement_timeout%3D0%20-c%20work_mem%3D8MB"
    async with session(shop + own) as asked_:
        settings = await asked_.row(
            "current_setting('statement_timeout') AS statement, current_setting('work_mem') AS memory"
        )
    assert settings == {"statement": "1s", "memory": "8MB"}


async def test_a_question_that_takes_too_long_is_given_up(shop: str) -> None:
    async with session(shop) as asked_:
        with pytest.raises(psycopg.errors.QueryCanceled) as late:
            await asked_.rows("pg_sleep(20)")
    assert worded(late.value) == "PostgreSQL took longer than 1 s"


async def test_nothing_is_left_open(shop: str) -> None:
    await asked(shop)
    async with asyncio.timeout(PATIENCE_S), session(shop) as asked_:
        mine = "count(*) AS n FROM pg_stat_activity WHERE application_name = 'iora-agent'"
        while (await asked_.row(mine))["n"] != 1:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("user", "password", "name", "reason"),
    [
        ("postgres", "wr0ng-pass", "postgres", "the user or the password is wrong"),
        ("postgres", PASSWORD, "nowhere", "the database or the user does not exist"),
    ],
)
async def test_a_refusal_says_why_in_one_line_without_the_dsn(
    postgres: Postgres, user: str, password: str, name: str, reason: str
) -> None:
    with pytest.raises(DatabaseUnread) as refused:
        await asked(postgres.dsn(name, user, password))
    said = str(refused.value)
    assert said == f"can't connect to PostgreSQL: {reason}"
    assert refused.value.__suppress_context__, "a logged traceback would hold the driver's words"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://bob:s3cret-w0rd@127.0.0.1:99999999/x",
        "password=s3cret-w0rd host",
        "postgresql://bob:s3cret-w0rd@[::1/x",
        "postgresql://bob:s3cret-w0rd@127.0.0.1/x?sslmode=s3cret",
    ],
)
async def test_a_dsn_that_cant_be_read_is_not_told(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DatabaseUnread) as refused:
        await asked(dsn)
    for word in ("s3cret", "bob", "127.0.0.1"):
        assert word not in str(refused.value)
        assert word not in caplog.text


async def test_nothing_listening_is_said(postgres: Postgres) -> None:
    with kept_port() as port, pytest.raises(DatabaseUnread, match=r"nothing listens there$"):
        await asked(Postgres(port, postgres.pid).dsn())


async def test_a_server_that_never_answers_is_given_up_within_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = Postgres(silent.getsockname()[1], 0).dsn()
        began = CLOCK.monotonic()
        with pytest.raises(DatabaseUnread, match=r"did not answer within 0\.3 s"):
            await database(SecretStr(dsn), CLOCK, limit_s=0.3)
        assert CLOCK.monotonic() - began < 20


async def test_what_was_read_in_time_is_kept_and_the_rest_is_marked(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock on a table of the catalog holds up the section that asks it."""
    async with opened(shop) as holder:
        await holder.execute("LOCK TABLE pg_catalog.pg_constraint IN ACCESS EXCLUSIVE MODE")
        cancelled = await database(SecretStr(shop), CLOCK, limit_s=30)
        unlimited = ("-c default_transaction_read_only=on", "-c statement_timeout=0")
        monkeypatch.setattr("bot.agent.postgres.session._GUARDS", unlimited)
        late = await database(SecretStr(shop), CLOCK, limit_s=4)
    assert late["locks"] is not None
    assert (late["indexes"], late["unknown"]) == (None, {"indexes": "not read in time"})
    assert cancelled["slow_queries"] is not None
    assert cancelled["unknown"] == {"indexes": "PostgreSQL took longer than 1 s"}


async def test_who_asks_at_once_gets_one_answer_from_one_connection(shop: str) -> None:
    one = Database(SecretStr(shop), CLOCK)
    first, second = await asyncio.gather(one.data(), one.data())
    assert first is second
    assert await one.data() is not first


async def test_who_asks_at_once_gets_the_same_refusal() -> None:
    one = Database(None, CLOCK)
    refusals = await asyncio.gather(one.data(), one.data(), return_exceptions=True)
    assert [type(refusal) for refusal in refusals] == [DatabaseUnread, DatabaseUnread]


async def test_a_server_without_a_free_connection_says_so(shop: str, stranger: str) -> None:
    with ExitStack() as clients:
        with contextlib.suppress(psycopg.OperationalError):
            for _ in range(40):
                clients.enter_context(psycopg.connect(stranger))
        with pytest.raises(DatabaseUnread, match="no connection left"):
            await asked(stranger)


async def test_without_the_key_it_says_what_to_add() -> None:
    with pytest.raises(DatabaseUnread, match=r"not configured: add postgres: .* to agent\.yaml"):
        await database(None, CLOCK)


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("bot.agent.postgres.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(DatabaseUnread, match=r"pip install 'iora-bot\[postgres\]'$"):
        await database(SecretStr("postgresql://x"), CLOCK)


async def test_an_extension_that_is_not_loaded_leaves_all_else(shop: str, stranger: str) -> None:
    """Not allowed to read it, as a stand-in for each way in which the view can't be read."""
    with psycopg.connect(shop, autocommit=True) as owner:
        owner.execute("REVOKE ALL ON pg_stat_statements FROM PUBLIC")
    data = await asked(stranger)
    assert data["slow_queries"]["source"] == "pg_stat_activity"
    assert "permission denied" in data["slow_queries"]["unknown"]["queries"]
    assert data["locks"]["deadlocks"] == 0

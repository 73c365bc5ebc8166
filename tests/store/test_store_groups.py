"""Functions on a transaction: what returned is committed, what raised is undone, alone."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import timers
from bot.store.database import GROUP, Database, Tx
from tests.support.clock import ManualClock
from tests.support.store import open_database, together


def keep(tx: Tx, subject: str) -> str:
    timers.arm(tx, "kept", subject, tx.now)
    return subject


def keep_and_raise(tx: Tx, subject: str, error: Exception) -> None:
    keep(tx, subject)
    raise error


def kept(tx: Tx) -> list[str]:
    return [row["subject"] for row in tx.all("SELECT subject FROM timers ORDER BY id")]


def seen_by_others(path: Path) -> list[str]:
    """What a second connection reads: committed rows only."""
    with closing(sqlite3.connect(path)) as other:
        return [row[0] for row in other.execute("SELECT subject FROM timers ORDER BY id")]


async def test_what_returned_is_committed_before_the_waiter_goes_on(database: Database) -> None:
    assert await database.write(keep, "one") == "one"
    assert seen_by_others(database.path) == ["one"]


async def test_what_raised_is_undone(database: Database) -> None:
    with pytest.raises(ValueError, match="no"):
        await database.write(keep_and_raise, "one", ValueError("no"))
    assert seen_by_others(database.path) == []


async def test_a_function_that_raises_is_undone_alone_while_its_group_mates_commit(
    database: Database,
) -> None:
    before = database.counters.groups
    first, second, third = await together(
        database,
        database.write(keep, "one"),
        database.write(keep_and_raise, "two", ValueError("no")),
        database.write(keep, "three"),
    )
    assert (first, third) == ("one", "three")
    assert isinstance(second, ValueError)
    assert seen_by_others(database.path) == ["one", "three"]
    assert database.counters.groups - before == 2, "the one that was busy, and one group of three"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StopIteration("of a next() without a default"), id="StopIteration"),
        pytest.param(KeyError("x"), id="KeyError"),
        pytest.param(AssertionError("x"), id="AssertionError"),
        pytest.param(RecursionError("x"), id="RecursionError"),
        pytest.param(sqlite3.IntegrityError("x"), id="IntegrityError"),
    ],
)
async def test_whatever_a_function_raises_its_waiter_and_its_mates_are_answered(
    database: Database, error: Exception
) -> None:
    results = await together(
        database,
        database.write(keep, "one"),
        database.write(keep_and_raise, "two", error),
        database.write(keep, "three"),
    )
    assert results[0] == "one"
    assert isinstance(results[1], Exception)
    assert results[2] == "three"
    assert seen_by_others(database.path) == ["one", "three"]


async def test_a_waiter_alone_is_answered_even_when_its_function_raises_stop_iteration(
    database: Database,
) -> None:
    async with asyncio.timeout(60):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await database.write(keep_and_raise, "one", StopIteration())


async def test_broken_sql_is_the_functions_own_problem(database: Database) -> None:
    def broken(tx: Tx) -> None:
        tx.run("INSERT INTO nowhere VALUES (1)")

    results = await together(
        database, database.write(keep, "one"), database.write(broken), database.write(keep, "two")
    )
    assert results[0] == "one"
    assert isinstance(results[1], sqlite3.OperationalError)
    assert results[2] == "two"
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        await database.write(broken)


async def test_a_database_that_another_program_holds_refuses_a_whole_group_at_once(
    database: Database,
) -> None:
    """One wait for the lock, not one a function; and when it is given back, all goes on."""

    def wait_less(tx: Tx) -> None:
        tx.all("PRAGMA busy_timeout = 100")

    await database.read(wait_less)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        # Reads only need no lock, so the thread can be kept busy while the others line up.
        results = await together(database, *(database.write(keep, str(n)) for n in range(20)))
        assert all(isinstance(one, StoreError) for one in results)
        assert "another program holds it" in str(results[0])
        other.execute("ROLLBACK")
    assert await database.write(keep, "afterwards") == "afterwards"
    assert seen_by_others(database.path) == ["afterwards"]


async def test_functions_that_wait_are_committed_in_groups_of_64_at_most(
    database: Database,
) -> None:
    before = database.counters.groups
    subjects = [str(number) for number in range(2 * GROUP + 2)]
    await together(database, *(database.write(keep, subject) for subject in subjects))
    assert GROUP == 64
    assert database.counters.groups - before == 1 + 3, "the one that was busy, then 64, 64 and 2"


async def test_functions_are_run_in_the_order_in_which_they_were_asked_for(
    database: Database,
) -> None:
    subjects = [str(number) for number in range(150)]
    results = await together(database, *(database.write(keep, subject) for subject in subjects))
    assert results == subjects
    assert await database.read(kept) == subjects


async def test_the_hook_runs_once_a_group_after_the_commit_and_before_any_waiter(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "hooked.db"
    seen: list[tuple[list[str], bool]] = []
    waiters: list[asyncio.Task[str]] = []

    def hook() -> None:
        seen.append((seen_by_others(path), any(waiter.done() for waiter in waiters)))

    async with open_database(path, clock, after_commit=hook) as database:
        waiters += [
            asyncio.create_task(database.write(keep, "one")),
            asyncio.create_task(database.write(keep, "two")),
        ]
        await together(database, *waiters)
    kept_then = [found for found, _ in seen]
    assert kept_then[-1] == ["one", "two"]
    assert not any(answered for _, answered in seen)


async def test_listeners_are_called_on_the_event_loop_after_writes_and_not_after_reads(
    database: Database,
) -> None:
    called: list[threading.Thread] = []
    database.on_commit(lambda: called.append(threading.current_thread()))
    await database.read(kept)
    assert called == []
    await database.write(keep, "one")
    assert called == [threading.current_thread()]


async def test_a_group_of_which_every_function_raised_wakes_nobody(database: Database) -> None:
    called: list[bool] = []
    database.on_commit(lambda: called.append(True))
    with pytest.raises(ValueError, match="no"):
        await database.write(keep_and_raise, "one", ValueError("no"))
    assert called == []


async def test_a_read_sees_only_what_is_committed(database: Database) -> None:
    """Also a read that stands in one group with a write that is undone."""
    results = await together(
        database,
        database.write(keep, "one"),
        database.write(keep_and_raise, "two", ValueError("no")),
        database.read(kept),
    )
    assert results[2] == ["one"] == seen_by_others(database.path)


async def test_now_is_the_injected_clocks_time(database: Database, clock: ManualClock) -> None:
    def now(tx: Tx) -> int:
        return tx.now

    assert await database.read(now) == clock.now()
    clock.advance(1_234)
    assert await database.write(now) == clock.now()


async def test_a_slow_function_is_logged_with_its_name_and_counted(
    database: Database, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def dawdle(tx: Tx, milliseconds: int) -> None:
        clock.advance(milliseconds)

    with caplog.at_level(logging.WARNING, "bot.store.database"):
        await database.write(dawdle, 19)
        assert (database.counters.slow, caplog.messages) == (0, [])
        await database.write(dawdle, 25)
    assert database.counters.slow == 1
    assert "dawdle" in caplog.text


async def test_a_waiter_that_was_cancelled_leaves_its_mates_alone(database: Database) -> None:
    given_up = asyncio.ensure_future(database.write(keep, "two"))

    async def give_up() -> None:
        given_up.cancel()

    results = await together(
        database, database.write(keep, "one"), given_up, give_up(), database.write(keep, "three")
    )
    assert (results[0], results[3]) == ("one", "three")
    assert given_up.cancelled()
    assert await database.write(keep, "four") == "four"


async def test_closing_finishes_what_waits(tmp_path: Path, clock: ManualClock) -> None:
    database = Database(tmp_path / "iora.db", clock)
    subjects = [str(number) for number in range(100)]
    writes = [asyncio.ensure_future(database.write(keep, subject)) for subject in subjects]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == subjects
    assert seen_by_others(database.path) == subjects


async def test_after_the_close_everybody_is_refused_and_nobody_hangs(
    tmp_path: Path, clock: ManualClock
) -> None:
    database = Database(tmp_path / "iora.db", clock)
    closing_down = asyncio.ensure_future(database.close())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        with pytest.raises(StoreError, match="closed"):
            await database.write(keep, "too late, while it closes")
        await closing_down
        with pytest.raises(StoreError, match="closed"):
            await database.read(kept)
        await database.close()


async def test_two_event_loops_may_use_one_database(database: Database) -> None:
    def elsewhere() -> str:
        return asyncio.run(use(lambda: database.write(keep, "from another thread")))

    async def use(ask: Callable[[], object]) -> str:
        return str(await ask())  # type: ignore[misc]

    assert await asyncio.to_thread(elsewhere) == "from another thread"
    assert await database.read(kept) == ["from another thread"]


async def test_an_answer_for_a_loop_that_is_gone_harms_nobody(database: Database) -> None:
    release = threading.Event()

    def wait_for(tx: Tx) -> None:
        assert release.wait(20)

    def leave_early() -> None:
        loop = asyncio.new_event_loop()

        async def ask() -> None:
            asyncio.ensure_future(database.write(wait_for)).add_done_callback(lambda _: None)
            await asyncio.sleep(0)

        loop.run_until_complete(ask())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    await asyncio.to_thread(leave_early)
    release.set()
    assert await database.write(keep, "one") == "one"


async def test_a_hook_that_raises_after_the_commit_leaves_nobody_without_an_answer(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def raises() -> None:
        raise RuntimeError("of the hook")

    async with (
        open_database(tmp_path / "iora.db", clock, after_commit=raises) as database,
        asyncio.timeout(60),
    ):
        assert await database.write(keep, "one") == "one"
        assert await database.write(keep, "two") == "two"
    assert "of the hook" in caplog.text


class Stubborn:
    """A connection on which some statements fail, once each, from its first change on."""

    def __init__(self, real: sqlite3.Connection, failing: dict[str, Exception]) -> None:
        self.real = real
        self.failing = failing
        self.changing = False

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        self.changing |= sql == "BEGIN IMMEDIATE"
        if self.changing and sql in self.failing:
            raise self.failing.pop(sql)
        return self.real.execute(sql, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


@pytest.mark.parametrize("count", [1, 2], ids=["alone", "in a group"])
@pytest.mark.parametrize(
    "statements",
    [("BEGIN IMMEDIATE",), ("COMMIT",), ("COMMIT", "ROLLBACK"), ("ROLLBACK",)],
    ids=" and ".join,
)
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(sqlite3.OperationalError("cannot do this now"), id="SQLite"),
        pytest.param(MemoryError("no room"), id="not SQLite"),
    ],
)
async def test_whatever_fails_around_the_functions_everyone_is_answered_truly(
    tmp_path: Path,
    clock: ManualClock,
    statements: tuple[str, ...],
    error: Exception,
    count: int,
) -> None:
    async with open_database(tmp_path / "iora.db", clock) as database, asyncio.timeout(60):
        stubborn = Stubborn(database._connection, dict.fromkeys(statements, error))
        database._connection = stubborn  # the thread's own; nobody else has one to break
        names = [f"kept {number}" for number in range(count)]
        writes = [database.write(keep, name) for name in names]
        if statements == ("ROLLBACK",):
            writes.append(database.write(keep_and_raise, "no", sqlite3.OperationalError("no")))
        results = await together(database, *writes)
        assert await database.write(keep, "later") == "later", "the thread lives"
        told = [result for result in results if isinstance(result, str)]
        assert seen_by_others(database.path) == [*told, "later"], "committed is what was told so"
        assert not stubborn.failing or statements == ("ROLLBACK",)

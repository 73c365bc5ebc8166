"""The only way to the data: functions on a transaction, committed in groups by one thread."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import sqlite_utils

from bot.clock import Clock
from bot.errors import StoreError
from bot.store.reserve import Reserve
from bot.store.schema import migrations

log = logging.getLogger(__name__)

Value = str | int | float | None
Row = sqlite3.Row
Params = ParamSpec("Params")
Result = TypeVar("Result")

GROUP = 64
SLOW_MS = 20
# SQLite's primary result codes. Trouble with the file is not the fault of the function that met it.
_FULL, _IO_ERROR, _BUSY = 13, 10, 5
_READ_ONLY, _CORRUPT, _CANT_OPEN, _NOT_A_DATABASE = 8, 11, 14, 26
_DISK_TROUBLE = {_FULL, _IO_ERROR}
_MOST_COPIED = 256 * 1024 * 1024
_FILE_TROUBLE = _DISK_TROUBLE | {_BUSY, _READ_ONLY, _CORRUPT, _CANT_OPEN, _NOT_A_DATABASE}


class Tx:
    """One transaction. ``now`` is its time; nothing above ``store/`` sees the SQL."""

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self._connection = connection
        self.now = now

    def all(self, sql: str, **values: Value) -> list[Row]:
        """Every row of a query, or of a change with RETURNING."""
        rows: list[Row] = self._connection.execute(sql, values).fetchall()
        return rows

    def one(self, sql: str, **values: Value) -> Row | None:
        """The first row, or None."""
        rows = self.all(sql, **values)
        return rows[0] if rows else None

    def run(self, sql: str, **values: Value) -> int:
        """A change; how many rows it touched."""
        return self._connection.execute(sql, values).rowcount


@dataclass(slots=True)
class _Call:
    """A function that waits for its commit. ``outcome`` is its result, or what it raised."""

    function: Callable[..., object]
    records: tuple[object, ...]
    writes: bool
    keeps: bool
    future: asyncio.Future[object]
    loop: asyncio.AbstractEventLoop
    result: object = None
    error: Exception | None = None


@dataclass
class Counters:
    """What the database has done since it was opened."""

    groups: int = 0
    functions: int = 0
    slow: int = 0
    disk_full: int = 0


class Database:
    """SQLite on one connection and one thread.

    ``write(function, *records)`` returns after the commit: what it returned is on the disk. Functions
    that wait are committed together, each in a savepoint of its own, so that one that raises is undone
    alone. A function touches only its transaction and its records, and may be run again.
    """

    def __init__(
        self, path: Path, clock: Clock, *, after_commit: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self.reserve = Reserve(path)
        self.counters = Counters()
        self.trouble: str | None = None
        """Why nothing can be written now, in words; None while it can."""
        self._listeners: list[Callable[[], None]] = []
        self._clock = clock
        self._after_commit = after_commit
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._closed = False
        self._door = threading.Lock()
        self._connection = _connect(path)
        self._changes = 0
        self._thread = threading.Thread(target=self._work, name="database", daemon=True)
        self._thread.start()

    async def write(
        self,
        function: Callable[Concatenate[Tx, Params], Result],
        *records: Params.args,
        **named: Params.kwargs,
    ) -> Result:
        """Run the function in a transaction. Returned means committed; raised means undone."""
        assert not named, "a function of the store takes records by position"
        return cast("Result", await self._submit(function, records, writes=True))

    async def rehearse(
        self,
        function: Callable[Concatenate[Tx, Params], Result],
        *records: Params.args,
        **named: Params.kwargs,
    ) -> Result:
        """What the function would return; nothing of what it does is kept.

        It needs no room on the disk, and a file that can be read is enough.
        """
        assert not named, "a function of the store takes records by position"
        return cast("Result", await self._submit(function, records, writes=True, keeps=False))

    async def read(
        self,
        function: Callable[Concatenate[Tx, Params], Result],
        *records: Params.args,
        **named: Params.kwargs,
    ) -> Result:
        """Run the function on a consistent view of what is committed."""
        assert not named, "a function of the store takes records by position"
        return cast("Result", await self._submit(function, records, writes=False))

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call the listener, on the event loop, after each group that wrote something."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Finish what waits, then close the file."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._calls.put(None)
        await asyncio.to_thread(self._thread.join)

    def _submit(
        self,
        function: Callable[..., object],
        records: tuple[object, ...],
        *,
        writes: bool,
        keeps: bool = True,
    ) -> asyncio.Future[object]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        with self._door:
            # Nobody may stand in line behind the end: that one would wait for ever.
            if self._closed or not self._thread.is_alive():
                raise StoreError(f"{self.path}: the database is closed")
            self._calls.put(_Call(function, records, writes, keeps, future, loop))
        return future

    def _work(self) -> None:
        while True:
            first = self._calls.get()
            if first is None:
                break
            group, last = self._group(first)
            self._commit_together(group)
            self._settle(group)
            if last:
                break
        self._connection.close()

    def _group(self, first: _Call) -> tuple[list[_Call], bool]:
        """What waits right now, up to ``GROUP``; and whether the end was among it."""
        group = [first]
        while len(group) < GROUP:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            if call is None:
                return group, True
            group.append(call)
        return group, False

    def _commit_together(self, group: list[_Call]) -> None:
        if len(group) == 1 or not all(call.keeps for call in group):
            for call in group:
                self._commit_alone(call)
            return
        try:
            self._begin(writes=any(call.writes for call in group))
            for call in group:
                self._run_in_savepoint(call)
            self._connection.execute("COMMIT")
            self._well(group)
        except Exception as error:  # noqa: BLE001 - everyone who waits is answered below
            self._rollback()
            if _code(error) == _BUSY:  # it is held now: each alone would wait for it once more
                for call in group:
                    call.error = self._told(error)
                return
            # A full disk in one savepoint takes the whole transaction with it.
            log.warning("a group of %d was undone, running each alone: %s", len(group), error)
            for call in group:
                self._commit_alone(call)

    def _run_in_savepoint(self, call: _Call) -> None:
        self._connection.execute("SAVEPOINT part")
        self._run(call)
        if call.error is not None:
            if _code(call.error) in _FILE_TROUBLE or not self._connection.in_transaction:
                raise sqlite3.OperationalError(str(call.error))
            self._connection.execute("ROLLBACK TO part")
        self._connection.execute("RELEASE part")

    def _commit_alone(self, call: _Call, *, again: bool = True) -> None:
        call.error = None
        try:
            self._begin(writes=call.writes)
            self._run(call)
            if call.error is None:
                self._connection.execute("COMMIT" if call.keeps else "ROLLBACK")
                self._well((call,))
        except Exception as error:  # noqa: BLE001 - told to the one who waits for it
            call.error = error
        if call.error is None:
            return
        self._rollback()
        if not call.keeps and _code(call.error) in _FILE_TROUBLE:
            self._rehearse_on_a_copy(call)
        elif _code(call.error) in _DISK_TROUBLE:
            self.counters.disk_full += 1
            if again and self.reserve.spend():
                log.error("%s: the disk is full; the reserve was given back to it", self.path)
                self._commit_alone(call, again=False)
                return
        if call.error is not None:
            call.error = self._told(call.error)

    def _rehearse_on_a_copy(self, call: _Call) -> None:
        """In memory, where the file is not too large for it; otherwise the error stands."""
        try:
            ((pages,), (size,)) = (
                self._connection.execute(f"PRAGMA {name}").fetchone()
                for name in ("page_count", "page_size")
            )
            if pages * size > _MOST_COPIED:
                return
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
                self._connection.backup(copy)
                copy.row_factory = sqlite3.Row
                self._run(call, copy)
        except sqlite3.Error as error:
            call.error = error

    def _told(self, error: Exception) -> Exception:
        """An error as the one who waits is told it: trouble with the file in words."""
        if isinstance(error, sqlite3.Error) and _code(error) in _FILE_TROUBLE:
            told = _explained(self.path, error)
            self.trouble = str(told)
            return told
        return error

    def _well(self, group: Sequence[_Call]) -> None:
        """Something was written: whatever kept it from being so is over."""
        kept = any(call.writes and call.keeps for call in group)
        if kept and self._connection.total_changes > self._changes:
            self.trouble = None

    def _run(self, call: _Call, connection: sqlite3.Connection | None = None) -> None:
        started = self._clock.monotonic()
        tx = Tx(connection or self._connection, self._clock.now())
        try:
            call.result = call.function(tx, *call.records)
            call.error = None
        except StopIteration as error:  # a future does not take it
            call.error = RuntimeError(f"{call.function.__qualname__} raised StopIteration")
            call.error.__cause__ = error
        except Exception as error:  # noqa: BLE001 - handed to the one who waits for this function
            call.error = error
        took = (self._clock.monotonic() - started) * 1000
        self.counters.functions += 1
        if took > SLOW_MS:
            self.counters.slow += 1
            log.warning("slow: %s took %d ms", call.function.__qualname__, took)

    def _begin(self, *, writes: bool) -> None:
        self._rollback()  # what a rollback that failed may have left open
        self._changes = self._connection.total_changes
        self._connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def _rollback(self) -> None:
        """Never raises: the thread must live, and whoever waits must be answered."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except Exception:
            log.exception("%s: a rollback failed; it is tried again before the next one", self.path)

    def _settle(self, group: list[_Call]) -> None:
        self.counters.groups += 1
        wrote = any(call.writes and call.keeps and call.error is None for call in group)
        if wrote and self._after_commit is not None:
            try:
                self._after_commit()
            except Exception:
                log.exception("the hook after a commit failed; what was committed is answered")
        by_loop: dict[asyncio.AbstractEventLoop, list[_Call]] = {}
        for call in group:
            by_loop.setdefault(call.loop, []).append(call)
        for loop, calls in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, calls, self._listeners if wrote else ())
            except RuntimeError:
                log.warning("%d answers of the database came after the loop ended", len(calls))


def _resolve(calls: list[_Call], listeners: Sequence[Callable[[], None]]) -> None:
    for call in calls:
        if call.future.cancelled():
            continue
        if call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.result)
    for listener in listeners:
        listener()


def _connect(path: Path) -> sqlite3.Connection:
    """Open, or create as 0600, and bring the tables up to date. Raises ``StoreError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    except OSError as error:
        raise StoreError(
            f"{path}: can't be opened ({error.strerror}); name another place in "
            "IORA_DATABASE_URL, such as sqlite:///data/iora.db"
        ) from error
    except sqlite3.DatabaseError as error:
        raise _explained(path, error) from error
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    # Whoever typed a command is to hear that it is held within the three seconds that Slack waits.
    for pragma in ("busy_timeout=1000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    migrations.apply(sqlite_utils.Database(connection, execute_plugins=False))


def _code(error: BaseException) -> int | None:
    """SQLite's primary result code, where it said one."""
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return None if code is None else code & 0xFF


def _explained(path: Path, error: sqlite3.Error) -> StoreError:
    text = str(error)
    if _code(error) in _DISK_TROUBLE:
        advice = "the disk is full or failing: free some space; nothing was stored"
    elif "locked" in text:
        advice = "another program holds it: end that program (a reader such as Datasette is fine)"
    elif "readonly" in text:
        advice = "it is read-only: make the file and its folder writable"
    else:
        advice = "restore a backup with `iora restore BACKUP`, or name another database"
    return StoreError(f"{path}: {text}; {advice}")

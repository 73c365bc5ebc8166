"""A command that changes something: its ack beside a bare Bolt app and a bare commit together."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

from slack_bolt.app.async_app import AsyncApp

from bench.apps import HurryingClock, bare, dispatch, ours
from bench.pairs import in_blocks, take_turns
from bench.table import Line, microseconds

ROUNDS = 1_000
NOTES = 20
"""An incident gets this many notes; then the next incident is declared and gets its own."""
AIM_MS = 1.0


async def measure(folder: Path) -> AsyncIterator[Line]:
    """A note, then a declaration."""
    clock = HurryingClock()
    async with ours(folder / "changing.db", clock) as (mine, _):
        for number in range(1, (ROUNDS + 100) // NOTES + 1):
            await dispatch(mine, f"declare sev2 checkout answers slowly {number}")
        with closing(_bare_table(folder / "bare.db")) as table:
            yield await _line(mine, table, clock, "note", _note)
            yield await _line(mine, table, clock, "declare", _declare)


def _note(number: int) -> str:
    return f"note INC-{number // NOTES + 1} restarted the cache"


def _declare(number: int) -> str:
    return f"declare sev2 payments fail {number}"


async def _line(
    ours: AsyncApp,
    table: sqlite3.Connection,
    clock: HurryingClock,
    name: str,
    text: Callable[[int], str],
) -> Line:
    theirs = bare(
        await dispatch(ours, text(0)),
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
    )

    async def mine(number: int) -> None:
        clock.skipped_ms += 120_000
        await dispatch(ours, text(number))

    async def commit(number: int) -> None:
        _bare_commit(table, number)

    took, ack, committed = await take_turns(
        ROUNDS, mine, lambda number: dispatch(theirs, text(number)), commit
    )
    more, (low, high) = in_blocks(lambda a, b, c: a - b - c, took, ack, committed)
    return Line(
        what=f"/iora {name}, in process",
        ours=microseconds(in_blocks(float, took)[0]),
        beside=f"bare Bolt {microseconds(in_blocks(float, ack)[0])} "
        f"+ commit {microseconds(in_blocks(float, committed)[0])}",
        result=more,
        low=low,
        high=high,
        unit="ms more",
        aim=AIM_MS,
    )


def _bare_table(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, at INTEGER, text TEXT)")
    return connection


def _bare_commit(table: sqlite3.Connection, number: int) -> None:
    table.execute("BEGIN IMMEDIATE")
    table.execute("INSERT INTO note (at, text) VALUES (?, ?)", (number, "restarted the cache"))
    table.execute("COMMIT")

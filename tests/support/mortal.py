"""A bot that may be killed: the real one, in a process of its own, that can end itself at a commit."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.model.config import Config
from bot.model.settings import Settings
from bot.send import client
from bot.services import digest
from bot.wiring import Bot
from tests.support.forked import forked
from tests.support.house import House
from tests.support.runs import read

ENDS_WITHIN_S = 30.0


class Ahead(SystemClock):
    """The bot's own clock, so many milliseconds ahead: a restart after a while, without the waiting."""

    def __init__(self, ahead_ms: int) -> None:
        super().__init__()
        self._ahead_ms = ahead_ms

    def now(self) -> int:
        return super().now() + self._ahead_ms


@dataclass(frozen=True)
class Fate:
    """``die_at``: the number of the commit right after which it is killed. ``tally``: a file that
    grows by a byte with every commit. ``wall_jump_s``: how far SIGUSR1 sets the wall clock.
    ``call_limit_s``: how long a call of Slack may take, where ten seconds are too long for a test.
    ``books``: runbooks as JSON. ``die_when``: a query; it is killed after the first commit that makes it
    find something.
    ``digest_over``: how many pings may wait for one person before they are told in one message.
    ``small_disk``: a folder that is a disk of 24 MB of its own, for this process.
    """

    environ: Mapping[str, str]
    config: str
    tally: Path
    ahead_ms: int = 0
    die_at: int | None = None
    wall_jump_s: float = 0
    pace_ms: int = 0
    call_limit_s: float | None = None
    books: tuple[str, ...] = ()
    die_when: str | None = None
    digest_over: int = digest.OVER
    small_disk: str = ""


def live(fate: Fate) -> None:
    """What the process runs: until it is killed, or told to end by SIGTERM."""
    log = os.open(fate.tally.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    if fate.small_disk:
        _mount(fate.small_disk)
    asyncio.run(_live(fate))


def _mount(folder: str) -> None:
    """A namespace of its own, in which the folder is a small disk; needs root."""
    libc = ctypes.CDLL(None, use_errno=True)
    private, new = 0x40000 | 0x4000, 0x20000
    for failed in (
        libc.unshare(new),
        libc.mount(b"none", b"/", None, private, None),
        libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b"size=24m"),
    ):
        if failed:
            raise OSError(ctypes.get_errno(), "no small disk can be mounted here")


async def _live(fate: Fate) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGUSR1, _set_wall_clock, fate.wall_jump_s)
    tally = os.open(fate.tally, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    commits = 0
    settings = Settings.read(fate.environ)

    def committed() -> None:
        nonlocal commits
        commits += 1
        os.write(tally, b".")
        if commits == fate.die_at or (fate.die_when and _found(settings.database, fate.die_when)):
            os.kill(os.getpid(), signal.SIGKILL)

    if fate.call_limit_s:
        client.TIME_LIMIT_S = fate.call_limit_s
    config = Config.model_validate_json(fate.config)
    clock = Ahead(fate.ahead_ms)
    books = {one.runbook.id: one for one in map(read, fate.books)}
    bot = Bot(
        settings,
        config,
        books,
        clock=clock,
        after_commit=committed,
        pace_ms=fate.pace_ms,
        digest_over=fate.digest_over,
    )
    await bot.start()
    await ended.wait()
    await bot.stop()


def _found(path: Path, query: str) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as beside:
        return beside.execute(query).fetchone() is not None


def _set_wall_clock(jump_s: float) -> None:
    import time

    real = time.time
    time.time = lambda: real() + jump_s


class Mortal:
    """One life of the bot."""

    def __init__(
        self, house: House, process: ForkServerProcess, tally: Path, *, doomed: bool
    ) -> None:
        self._house = house
        self._doomed = doomed
        self._process = process
        self._tally = tally

    @property
    def dead(self) -> bool:
        return not self._process.is_alive()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def killed(self) -> bool:
        """Whether it died by SIGKILL."""
        return self._process.exitcode == -signal.SIGKILL

    @property
    def commits(self) -> int:
        return self._tally.stat().st_size if self._tally.exists() else 0

    async def connected(self) -> bool:
        """True when its socket is there; False if it died before."""
        sockets = self._house.slack.sockets
        await self._house.until(lambda: sockets.connected or self.dead, "a socket, or its death")
        return not self.dead

    def set_the_wall_clock(self) -> None:
        """By ``wall_jump_s``, as an administrator would while the bot runs."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGUSR1)

    def strike(self) -> None:
        """``kill -9``, without waiting for its death."""
        self._process.kill()

    async def kill(self) -> None:
        """``kill -9``, and wait until its socket is gone too."""
        self._process.kill()
        await self.gone()

    async def end(self) -> None:
        """SIGTERM; fails if it does not end in order (it may die first, if that is its fate)."""
        self._process.terminate()
        await self.gone()
        log = self._tally.with_suffix(".log").read_text()
        code = self._process.exitcode
        assert code == 0 or (self.killed and self._doomed), (code, log)

    async def gone(self) -> None:
        async with asyncio.timeout(ENDS_WITHIN_S):
            while not self.dead or self._house.slack.sockets.connected:
                await asyncio.sleep(0.01)


def _with_secrets(config: Config) -> str:
    """As JSON, with the secrets of the ways, which a dump masks."""
    written = json.loads(config.model_dump_json(by_alias=True))
    for name, way in config.ways.items():
        for key in ("routing_key", "webhook_secret", "secret", "password"):
            value = getattr(way, key, None)
            if value is not None:
                written["ways"][name][key] = value.get_secret_value()
    return json.dumps(written)


@asynccontextmanager
async def mortal(
    house: House,
    config: Config,
    *,
    die_at: int | None = None,
    environ: Mapping[str, str] | None = None,
    **fate: Any,
) -> AsyncIterator[Mortal]:
    """A bot on the house's database, as late as the house's clock is by now; killed at the end."""
    tally = house.folder / "commits"
    written = Fate(
        environ={
            "SLACK_BOT_TOKEN": house.slack.bot_token,
            "SLACK_APP_TOKEN": house.slack.app_token,
            "SLACK_API_URL": house.slack.api_url,
            "IORA_DATABASE_URL": f"sqlite:///{house.folder}/iora.db",
            "PORT": "0",
            **(environ or {}),
        },
        config=_with_secrets(config),
        tally=tally,
        ahead_ms=house.clock.now() - SystemClock().now(),
        die_at=die_at,
        **fate,
    )
    tally.unlink(missing_ok=True)
    process = forked(live, written)
    living = Mortal(house, process, tally, doomed=die_at is not None or bool(fate.get("die_when")))
    try:
        yield living
    finally:
        process.kill()
        await living.gone()
        process.join()
        process.close()


class Books:
    """The database, read from beside: what a second program such as Datasette would see."""

    def __init__(self, house: House, path: Path | None = None) -> None:
        self._path = path or house.folder / "iora.db"

    def rows(self, sql: str) -> list[sqlite3.Row]:
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as found:
            found.row_factory = sqlite3.Row
            return found.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        return int(self.rows(sql)[0][0])

    def integrity(self) -> str:
        return str(self.rows("PRAGMA integrity_check")[0][0])

    def waiting(self) -> int:
        """Messages that are not there yet, and collections, which add some: both as of one moment."""
        return self.number(
            "SELECT (SELECT COUNT(*) FROM outbox WHERE delivered < revision)"
            " + (SELECT COUNT(*) FROM timers WHERE kind = 'collect')"
        )

    def show(self) -> str:
        """The outbox, for a failed test's message."""
        wanted = "key, state, revision, delivered, destination, attempts, ts, error"
        return json.dumps(
            [list(row) for row in self.rows(f"SELECT {wanted} FROM outbox")], indent=1
        )

"""Whether what the bot finds is to be told: by the silences that run, and by the windows of the config."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.config import Config
from bot.model.silence import Muted, Silence
from bot.services.silences import muting, note_muted
from bot.store import silences
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.configs import config

MINUTE = 60_000


async def silence(
    database: Database, *targets: str, minutes: int, reason: str = "deploy"
) -> Silence:
    return await database.write(_silence, targets, minutes, reason)


def _silence(tx: Tx, targets: tuple[str, ...], minutes: int, reason: str) -> Silence:
    return silences.add(tx, targets, reason, tx.now + minutes * MINUTE, "slack:T01TEAM:U02BOB")


async def muted(
    database: Database, targets: Sequence[str], settings: Config | None = None
) -> Muted | None:
    return await database.read(_muted, targets, settings or config())


def _muted(tx: Tx, targets: Sequence[str], settings: Config) -> Muted | None:
    return muting(tx, settings, targets, tx.now)


async def test_a_silence_mutes_its_target_until_it_ends(
    database: Database, clock: ManualClock
) -> None:
    made = await silence(database, "iora", minutes=30)
    found = await muted(database, ["iora"])
    assert found is not None
    assert (found.reason, found.until, found.by) == ("deploy", made.until, "slack:T01TEAM:U02BOB")
    assert found.name == "silence 1"
    clock.advance(30 * MINUTE - 1)
    assert await muted(database, ["iora"]) is not None
    clock.advance(1)
    assert await muted(database, ["iora"]) is None


async def test_one_target_that_is_not_muted_is_told(database: Database) -> None:
    await silence(database, "iora", minutes=30)
    assert await muted(database, ["iora", "worker"]) is None
    await silence(database, "worker", minutes=10, reason="worker too")
    found = await muted(database, ["iora", "worker"])
    assert found is not None
    assert found.reason == "worker too", "from when the first of them counts again"


async def test_of_two_silences_of_a_target_the_longer_one_counts(database: Database) -> None:
    await silence(database, "iora", minutes=60, reason="long")
    await silence(database, "iora", minutes=10, reason="short")
    found = await muted(database, ["iora"])
    assert found is not None
    assert found.reason == "long"


async def test_what_is_about_no_target_is_muted_only_by_what_is_on_everything(
    database: Database,
) -> None:
    await silence(database, "iora", minutes=30)
    assert await muted(database, []) is None
    await silence(database, minutes=30, reason="move")
    assert [one and one.reason for one in [await muted(database, [])]] == ["move"]
    assert await muted(database, ["anything"]) is not None


async def test_one_that_was_ended_mutes_nothing(database: Database) -> None:
    made = await silence(database, "iora", minutes=30)
    await database.write(silences.end, made.id, "cli:alice")
    assert await muted(database, ["iora"]) is None


async def test_a_window_of_the_config_mutes_while_it_is(
    database: Database, clock: ManualClock
) -> None:
    begin = _utc(clock.now() + MINUTE)
    window = {"name": "backup", "targets": ["iora"], "timezone": "UTC", "reason": "nightly backup"}
    settings = config(maintenance=[window | {"from": begin, "to": _utc(clock.now() + 3 * MINUTE)}])
    assert await muted(database, ["iora"], settings) is None
    clock.advance(MINUTE + clock_rest(clock))
    found = await muted(database, ["iora"], settings)
    assert found is not None
    assert (found.name, found.by) == ("maintenance backup", "bot")
    assert await muted(database, ["worker"], settings) is None


async def test_what_is_muted_often_is_counted_once(database: Database, clock: ManualClock) -> None:
    await silence(database, "iora", minutes=30)
    found = await muted(database, ["iora"])
    assert found is not None
    for what in ("cpu-critical", "cpu-critical", "memory"):
        await database.write(note_muted, found, what, "iora")
        clock.advance(MINUTE)
    kept = await database.read(silences.muted, found.key)
    assert kept == [("iora", "cpu-critical"), ("iora", "memory")]


def _utc(at: int) -> str:
    minutes = at // MINUTE % 1_440
    return f"{minutes // 60:02}:{minutes % 60:02}"


def clock_rest(clock: ManualClock) -> int:
    """Until the next whole minute, as windows begin at one."""
    return -clock.now() % MINUTE

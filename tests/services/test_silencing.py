"""Silences as people make and end them: who may, for how long, and what is said when one is over."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.command import EndSilence, SetSilence
from bot.model.config import Config
from bot.model.message import Message
from bot.model.reading import Health, Verdict
from bot.model.timer import Timer
from bot.services import silencing
from bot.services.incidents import Asked
from bot.services.silences import muting, note_muted
from bot.store import outbox, timers
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.configs import BOB, config
from tests.support.incidents import alice, bob, mallory

MINUTE, HOUR = 60_000, 3_600_000
ROOT = Actor.login("root")


class Quiet:
    """What people say about silences, on a real database."""

    def __init__(self, database: Database, clock: ManualClock, settings: Config) -> None:
        self.database, self.clock, self.config = database, clock, settings

    async def make(self, *, by: Actor = bob, **fields: Any) -> Answer | Refusal:
        known = {"targets": ("iora",), "reason": "deploy", "length": 30 * MINUTE} | fields
        return await self.database.write(
            silencing.set_silence, self.config, SetSilence(**known), Asked(by)
        )

    async def end(self, number: int | None = None, *, by: Actor = bob) -> Answer | Refusal:
        command = EndSilence(silence=number)
        return await self.database.write(silencing.end_silence, self.config, command, Asked(by))

    async def due(self, *healths: Health) -> None:
        """Whatever is due about silences is done."""
        for timer in await self.database.write(timers.claim, 10):
            handlers = {silencing.KIND: silencing.expire, silencing.WINDOW: silencing.turn}
            if timer.kind in handlers:
                await self.database.write(handlers[timer.kind], timer, self.config, healths)

    async def mute(self, what: str, target: str = "iora") -> bool:
        return await self.database.write(_mute, self.config, what, target)

    async def told(self, kind: str) -> list[Message]:
        found = await self.database.read(outbox.with_prefix, "")
        return [one for one in found if one.kind == kind]


def _mute(tx: Tx, settings: Config, what: str, target: str) -> bool:
    muted = muting(tx, settings, (target,), tx.now)
    if muted is not None:
        note_muted(tx, muted, what, target)
    return muted is not None


@pytest.fixture
def quiet(database: Database, clock: ManualClock) -> Quiet:
    return Quiet(database, clock, config(people={BOB: {"timezone": "Asia/Tokyo"}}))


def health(verdict: Verdict, reason: str, clock: ManualClock) -> Health:
    return Health(
        target="iora",
        verdict=verdict,
        reason=reason,
        status=None,
        at=clock.now(),
        readings=(),
        findings=(),
    )


async def test_it_is_made_told_and_expires_aloud_with_what_still_holds(
    quiet: Quiet, clock: ManualClock
) -> None:
    made = await quiet.make()
    assert isinstance(made, Answer)
    assert (made.facts["silence"], made.facts["fresh"]) == (1, True)
    (told,) = await quiet.told("silence")
    assert (told.destination, told.facts["by"]) == ("channel:incidents", bob.text)
    for what in ("cpu-critical", "memory", "cpu-critical", "slow"):
        assert await quiet.mute(what)
    clock.advance(30 * MINUTE)
    await quiet.due(health(Verdict.UNHEALTHY, "CPU 96 % (critical above 90)", clock))
    (over,) = await quiet.told("silence_over")
    assert over.facts["muted"] == 3
    assert over.facts["names"] == ["cpu-critical on iora", "memory on iora", "slow on iora"]
    assert [one["reason"] for one in over.facts["still"]] == ["CPU 96 % (critical above 90)"]
    (told,) = await quiet.told("silence")
    assert told.facts["over"], "nothing is left to press"


async def test_what_is_healthy_again_does_not_still_hold(quiet: Quiet, clock: ManualClock) -> None:
    await quiet.make()
    clock.advance(30 * MINUTE)
    await quiet.due(health(Verdict.HEALTHY, "all baselines hold", clock))
    (over,) = await quiet.told("silence_over")
    assert (over.facts["muted"], over.facts["still"], over.facts["looked"]) == (0, [], True)


async def test_ended_early_it_says_by_whom_and_for_how_long_it_was(
    quiet: Quiet, clock: ManualClock
) -> None:
    await quiet.make()
    clock.advance(10 * MINUTE)
    ended = await quiet.end(1, by=alice)
    assert isinstance(ended, Answer)
    assert not await quiet.mute("cpu-critical"), "it counts no more at once"
    await quiet.due()
    (over,) = await quiet.told("silence_over")
    assert over.facts["ended_by"] == alice.text
    assert over.facts["until"] - over.facts["since"] == 10 * MINUTE
    clock.advance(HOUR)
    await quiet.due()
    assert len(await quiet.told("silence_over")) == 1


@pytest.mark.parametrize(
    ("length", "allowed"), [(24 * HOUR, True), (24 * HOUR + 1, False), (1, True)]
)
async def test_it_lasts_for_a_day_at_most(quiet: Quiet, length: int, allowed: bool) -> None:
    made = await quiet.make(length=length)
    assert isinstance(made, Answer) is allowed
    if isinstance(made, Refusal):
        assert "24 h at most" in str(made)
        assert "maintenance" in str(made)


async def test_until_is_on_the_clock_of_whoever_asks(quiet: Quiet, clock: ManualClock) -> None:
    await _until(quiet, 12 * HOUR)  # noon in UTC, nine in the evening in Tokyo
    theirs = await quiet.make(length=None, until=time(21, 30), reason="by Tokyo's clock")
    others = await quiet.make(length=None, until=time(14, 30), reason="by UTC", by=alice)
    assert isinstance(theirs, Answer)
    assert isinstance(others, Answer)
    assert theirs.facts["until"] == clock.now() + 30 * MINUTE
    assert others.facts["until"] == clock.now() + 150 * MINUTE


async def test_only_responders_and_commanders_may(quiet: Quiet) -> None:
    for outsider in (mallory, ROOT):
        refused = await quiet.make(by=outsider)
        assert isinstance(refused, Refusal)
        assert "You may not silence anything" in str(refused)
    assert "add cli:root under `roles`" in str(await quiet.make(by=ROOT))
    await quiet.make()
    assert "You may not end this silence" in str(await quiet.end(1, by=mallory))
    assert await quiet.told("silence_over") == []


async def test_nobody_may_where_nobody_has_a_role(database: Database, clock: ManualClock) -> None:
    quiet = Quiet(database, clock, config(roles={}))
    assert "nobody yet" in str(await quiet.make())


async def test_whoever_made_it_may_end_it_without_their_role(
    database: Database, clock: ManualClock, quiet: Quiet
) -> None:
    await quiet.make()
    later = Quiet(database, clock, config(roles={}))
    assert isinstance(await later.end(1), Answer)


async def test_typed_again_within_a_minute_it_is_the_same(quiet: Quiet, clock: ManualClock) -> None:
    first = await quiet.make()
    clock.advance(MINUTE - 1)
    again = await quiet.make()
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert (again.facts["silence"], again.facts["fresh"]) == (first.facts["silence"], False)
    other = await quiet.make(reason="another thing")
    assert isinstance(other, Answer)
    assert other.facts["silence"] != first.facts["silence"]


async def test_with_another_end_within_the_minute_it_is_another_one(quiet: Quiet) -> None:
    await _until(quiet, 12 * HOUR)
    for end in (time(14, 30), time(15, 30)):
        for fresh in (True, False):
            made = await quiet.make(length=None, until=end, by=alice)
            assert isinstance(made, Answer)
            assert made.facts["fresh"] is fresh
            assert made.facts["until"] == quiet.clock.now() + (end.hour - 12) * HOUR + 30 * MINUTE
    longer = await quiet.make(length=4 * HOUR, by=alice)
    assert isinstance(longer, Answer)
    assert longer.facts["fresh"]


async def test_what_goes_on_after_its_end_is_said(quiet: Quiet, clock: ManualClock) -> None:
    await quiet.make()
    clock.advance(25 * MINUTE)
    await quiet.make(reason="it takes longer")
    clock.advance(5 * MINUTE)
    await quiet.due()
    (over,) = await quiet.told("silence_over")
    assert over.facts["also"] == {"name": "silence 2", "until": clock.now() + 25 * MINUTE}
    clock.advance(25 * MINUTE)
    await quiet.due()
    over = (await quiet.told("silence_over"))[-1]
    assert over.facts["also"] is None


async def test_which_one_ends_must_be_clear(quiet: Quiet) -> None:
    assert "No silence runs" in str(await quiet.end())
    await quiet.make()
    await quiet.make(targets=("worker",))
    assert "2 silences run: 1, 2" in str(await quiet.end())
    assert "No silence 7 runs" in str(await quiet.end(7))
    assert isinstance(await quiet.end(1), Answer)
    assert isinstance(await quiet.end(), Answer), "the only one that is left"


async def test_the_list_has_what_runs_and_the_windows_that_come(
    database: Database, clock: ManualClock
) -> None:
    night = {
        "name": "backup",
        "timezone": "UTC",
        "reason": "nightly",
        "from": "23:00",
        "to": "1:00",
    }
    noon = night | {"name": "noon", "from": "11:30", "to": "12:30", "targets": ["worker"]}
    quiet = Quiet(database, clock, config(maintenance=[night, noon]))
    await _until(quiet, 12 * HOUR)
    await quiet.make()
    await quiet.mute("cpu-critical")
    found = await database.read(silencing.listed, quiet.config)
    assert [(one["silence"], one["muted"]) for one in found.facts["running"]] == [(1, 1)]
    windows = [(one["name"], one["since"] - clock.now()) for one in found.facts["windows"]]
    assert windows == [
        ("noon", -30 * MINUTE),
        ("backup", 11 * HOUR),
        ("noon", 23 * HOUR + 30 * MINUTE),
    ]


async def test_a_window_says_that_it_is_over_where_something_was_muted(
    database: Database, clock: ManualClock
) -> None:
    window = {"name": "noon", "timezone": "UTC", "reason": "r", "from": "12:10", "to": "12:30"}
    quiet = Quiet(database, clock, config(maintenance=[window]))
    await database.write(silencing.schedule, quiet.config)
    await quiet.due()
    assert not await quiet.mute("cpu-critical")
    for _ in range(2):
        await _until(quiet, 12 * HOUR + 10 * MINUTE)
        await quiet.due()
        assert await quiet.told("silence_over") == []
        await _until(quiet, 12 * HOUR + 30 * MINUTE)
        await quiet.due()
    assert await quiet.told("silence_over") == [], "nothing was muted"
    await _until(quiet, 12 * HOUR + 10 * MINUTE)
    await quiet.due()
    assert await quiet.mute("cpu-critical")
    await _until(quiet, 12 * HOUR + 30 * MINUTE)
    await quiet.due()
    (over,) = await quiet.told("silence_over")
    assert (over.facts["name"], over.facts["muted"]) == ("noon", 1)


async def _until(quiet: Quiet, time_of_day: int) -> None:
    """Let time pass to a time of day, in UTC."""
    quiet.clock.advance((time_of_day - quiet.clock.now()) % (24 * HOUR))


async def test_what_is_looked_at_is_what_it_was_on(quiet: Quiet, database: Database) -> None:
    await quiet.make(targets=("worker",))
    await quiet.make(targets=())
    found: dict[str, tuple[str, ...]] = {}
    for number in ("1", "2"):
        timer = Timer(
            id=0,
            kind=silencing.KIND,
            subject=number,
            incident_id=None,
            due_at=0,
            claim=0,
            attempts=0,
            detail={},
        )
        found[number] = await database.read(silencing.targets_of, quiet.config, timer)
    assert found == {"1": ("worker",), "2": ("iora", "worker")}

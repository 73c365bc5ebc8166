"""kill -9 at any moment of a run with an action: nothing is called twice, no step is lost.

The bot is killed right after each commit in turn, and in the middle of the call. People do what a
runbook asks of them: of an action that nobody is sure of they look at the target, and say what they see.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.delivered import arrived
from tests.support.house import ALICE, BOB, House, standing
from tests.support.mortal import Books, Mortal, mortal
from tests.support.runs import book, config_with_actions, step

SIDE_BY_SIDE = 3
LATER_MS = 14_000
"""A look-up waits 13 s after a send began; the restart comes after that."""
PATIENCE_S = 90.0

YES = {"roles": ["responder"]}
BOOK = json.dumps(
    book(
        step("check", "look", of="metrics", bounds={"cpu_percent": {"below": 90}}),
        step(
            "action",
            "open",
            action="circuit_breaker_open",
            approval=YES,
            verify={"that": "verdict != down", "within": "1m"},
        ),
        step("notify", "say", to=["channel"], message="The breaker of {{ target }} is open."),
        step("checklist", "tell", items=[{"text": "Tell the people"}]),
        step("collect", "measure", profile="quick"),
    )
)
STEPS = ("look", "open", "say", "tell", "measure", "undo-open")
OVER = {"ok", "failed", "skipped", "unknown"}
OPENED, CLOSED = {"state": "open"}, {"state": "closed"}


@dataclass
class People:
    """Whoever is asked, and answers; they know only what the database's reader and the target's log say."""

    house: House
    books: Books
    with_incident: bool = False
    repeats: list[str] = field(default_factory=list)
    saw_done: int = 0

    async def work(self, bot: Mortal) -> None:
        """Until the run was taken back and all is delivered, or the bot is dead."""
        end = asyncio.get_running_loop().time() + PATIENCE_S
        await bot.connected()
        while not bot.dead and not self.finished():
            said = self._next()
            if said is not None:
                answer = await self.house.slash(BOB, said)
                if not answer.ok:
                    await self.house.until(lambda: bot.dead, f"its death: {said}: {answer.why}")
            assert asyncio.get_running_loop().time() < end, self.shown()
            await asyncio.sleep(0.01)

    def finished(self) -> bool:
        """Everything was done, taken back, and told."""
        steps = self.steps()
        return (
            len(steps) == len(STEPS)
            and all(one["state"] == "ok" for one in steps)
            and self.books.number("SELECT COUNT(*) FROM runs WHERE state = 'done'") == 1
            and not self.books.waiting()
        )

    def steps(self) -> list[Any]:
        with contextlib.suppress(sqlite3.OperationalError):  # before the tables are there
            return self.books.rows("SELECT * FROM steps ORDER BY position")
        return []

    def begun_twice(self) -> bool:
        """Whether a step was begun twice in vain: one that the bot dies of a third time has failed."""
        return any(one["attempt"] >= 2 and one["state"] not in OVER for one in self.steps())

    def shown(self) -> str:
        """Steps and outbox, for a failed test's message."""
        return f"{[dict(one) for one in self.steps()]}\n{self.books.show()}"

    def called(self, name: str) -> int:
        """How often the target's own log has it."""
        body = CLOSED if name.startswith("undo") else OPENED
        return self.house.target.calls.count(("circuit-breaker", body))

    def _next(self) -> str | None:
        """What they would say now."""
        steps = self.steps()
        if self.with_incident and not self._declared():
            return "declare sev3 API slow"
        if not steps:
            return "run breaker INC-1" if self.with_incident else "run breaker"
        current = next((one for one in steps if one["state"] not in OVER), None)
        if current is None:
            return "run RUN-1 undo" if len(steps) < len(STEPS) and self._over() else None
        if current["state"] == "stuck":
            return self._seen(current["step"])
        return {"approving": "run RUN-1 approve", "doing": "run RUN-1 done"}.get(current["state"])

    def _seen(self, name: str) -> str:
        if self.called(name):  # however often they said to repeat it: the bot may have died of each
            self.saw_done += 1
            return "run RUN-1 done"
        self.repeats.append(name)
        return "run RUN-1 repeat"

    def _over(self) -> bool:
        return self.books.number("SELECT COUNT(*) FROM runs WHERE state = 'done'") == 1

    def _declared(self) -> bool:
        with contextlib.suppress(sqlite3.OperationalError):
            return self.books.number("SELECT COUNT(*) FROM incidents") == 1
        return False


def nothing_lost_or_twice(people: People, after: str) -> None:
    house, books = people.house, people.books
    steps = [dict(one) for one in people.steps()]
    shown = f"{after}: {house.target.calls}, {people.repeats}, {steps}\n{books.show()}"
    assert [one["step"] for one in steps] == list(STEPS), shown
    assert [one["state"] for one in steps] == ["ok"] * len(STEPS), shown
    for name in ("open", "undo-open"):
        assert people.called(name) == 1, shown
    twice = {key: count for key, count in arrived(house).items() if count > 1}
    assert not twice, shown
    assert books.number("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'") == 0, shown
    there = arrived(house)
    assert there["run:1"] == 1, shown
    for position in range(len(STEPS)):
        results = [key for key in there if key.startswith(f"step:1:{position}:") and ":ok" in key]
        assert len(results) == 1, (position, shown)
    assert sum(key.startswith("notice:") for key in there) == 1, shown
    assert books.number("SELECT COUNT(*) FROM timers WHERE kind = 'run'") == 0, shown
    assert books.integrity() == "ok"
    assert not house.slack.rejections
    if people.with_incident:
        entries = [
            json.loads(row["facts"])
            for row in books.rows("SELECT facts FROM timeline WHERE kind = 'step'")
        ]
        results = [one["step"] for one in entries if one["state"] == "ok"]
        assert sorted(results) == sorted(STEPS), shown


@dataclass(frozen=True)
class Told:
    """What one house saw: its commits before the kill, and how often people said what they saw."""

    commits: int
    killed: bool
    calls: int
    saw_done: int
    repeated: int


def fresh(folder: Path) -> None:
    folder.mkdir()


async def lived(folder: Path, die_at: int | None) -> Told:
    """A whole run, with its undo, in one life or in two."""
    fresh(folder)
    async with standing(folder) as house:
        config = config_with_actions(house.target)
        people = People(house, Books(house))
        async with mortal(house, config, books=(BOOK,), die_at=die_at) as bot:
            await people.work(bot)
            commits = bot.commits
            await bot.end()
            killed = bot.killed
        if killed:
            house.clock.move(LATER_MS)
            async with mortal(house, config, books=(BOOK,)) as bot:
                await people.work(bot)
                await bot.end()
        nothing_lost_or_twice(people, f"killed at commit {die_at}")
        calls = len(house.target.calls)
    return Told(commits, killed, calls, people.saw_done, len(people.repeats))


async def test_a_kill_at_any_commit_of_a_run_loses_no_step_and_calls_nothing_twice(
    tmp_path: Path,
) -> None:
    alive = await lived(tmp_path / "alive", None)
    assert alive.commits > 20
    turn = asyncio.Semaphore(SIDE_BY_SIDE)

    async def once(die_at: int) -> Told:
        async with turn:
            return await lived(tmp_path / str(die_at), die_at)

    every = await asyncio.gather(*(once(number) for number in range(1, alive.commits + 1)))
    kills = sum(one.killed for one in every)
    print(
        f"{alive.commits} commits, {kills} kills, {sum(one.calls for one in every)} calls, "
        f"{sum(one.repeated for one in every)} repeats, {sum(one.saw_done for one in every)} "
        "seen as done, 0 steps lost, 0 called twice"
    )
    assert kills >= alive.commits * 2 // 3


@pytest.mark.parametrize("name", ["open", "undo-open"])
async def test_a_kill_between_the_record_and_the_call_leaves_it_to_a_person(
    tmp_path: Path, name: str
) -> None:
    async with standing(tmp_path) as house:
        config = config_with_actions(house.target)
        people = People(house, Books(house), with_incident=True)
        begun = f"SELECT 1 FROM steps WHERE step = '{name}' AND state = 'started'"
        async with mortal(house, config, books=(BOOK,), die_when=begun) as bot:
            await people.work(bot)
            await bot.end()
            assert bot.killed
        assert people.called(name) == 0
        house.clock.move(LATER_MS)
        async with mortal(house, config, books=(BOOK,)) as bot:
            await people.work(bot)
            await bot.end()
        assert people.repeats == [name], "the target's log has no call"
        nothing_lost_or_twice(people, f"killed before {name} was called")


async def killed_in_the_call(
    folder: Path, number: int, hit: Callable[[Mortal], Awaitable[None]], *, with_incident: bool
) -> Told:
    """A run whose bot is hit while the target does its action number ``number``, in the order of calls."""
    fresh(folder)
    async with standing(folder) as house:
        config = config_with_actions(house.target)
        people = People(house, Books(house), with_incident)
        async with mortal(house, config, books=(BOOK,), die_at=10_000) as bot:

            async def op(_: str) -> None:
                if len(house.target.calls) == number:
                    await hit(bot)

            house.target.op = op
            await people.work(bot)
            await bot.end()
            killed = bot.killed
        house.clock.move(LATER_MS)
        async with mortal(house, config, books=(BOOK,)) as bot:
            await people.work(bot)
            await bot.end()
        nothing_lost_or_twice(people, f"killed in call {number}")
        calls = len(house.target.calls)
    return Told(0, killed, calls, people.saw_done, len(people.repeats))


@pytest.mark.parametrize("number", [1, 2], ids=["the action", "its undo"])
async def test_a_kill_in_the_middle_of_a_call_makes_no_second_one(
    tmp_path: Path, number: int
) -> None:
    told = await killed_in_the_call(tmp_path / "x", number, Mortal.kill, with_incident=True)
    assert told.killed
    assert (told.saw_done, told.repeated) == (1, 0), "a person said what the target's log says"


async def test_a_kill_between_the_answer_and_its_commit_makes_no_second_call(
    tmp_path: Path,
) -> None:
    """The kill comes so many milliseconds after the answer has left: before, at and after the commit."""

    async def once(after_ms: float) -> Told:
        async def hit(bot: Mortal) -> None:
            asyncio.get_running_loop().call_later(after_ms / 1000, bot.strike)

        name = str(after_ms).replace(".", "_")
        return await killed_in_the_call(tmp_path / name, 1, hit, with_incident=False)

    every = [await once(after_ms) for after_ms in (0, 0.5, 1, 2, 3, 5)]
    print(f"{sum(one.saw_done for one in every)} of {len(every)} answers were not committed")
    assert all(one.killed for one in every)


async def test_a_cancel_while_the_action_is_called_keeps_what_came_of_it(tmp_path: Path) -> None:
    async with standing(tmp_path) as house:
        config = config_with_actions(house.target)
        books, go_on = Books(house), asyncio.Event()

        async def op(_: str) -> None:
            await go_on.wait()

        house.target.op = op
        async with mortal(house, config, books=(BOOK,)) as bot:
            assert await bot.connected()
            await house.slash(ALICE, "declare sev3 API slow")
            await house.slash(ALICE, "run breaker INC-1")
            await house.until(lambda: state_of(books, "open") == "approving", "the asking")
            await house.slash(BOB, "run RUN-1 approve")
            await house.until(lambda: house.target.calls, "the call")
            await house.slash(ALICE, "run RUN-1 cancel wrong target")
            assert state_of(books, "open") == "started"
            go_on.set()
            await house.until(lambda: state_of(books, "open") == "unknown", "what came of it")
            await house.slash(BOB, "run RUN-1 undo")
            await house.until(lambda: state_of(books, "undo-open") == "ok", "the undo")
            await house.until(lambda: not books.waiting(), "everything is told")
            await bot.end()
        assert house.target.calls == [("circuit-breaker", OPENED), ("circuit-breaker", CLOSED)]
        assert books.number("SELECT COUNT(*) FROM timers WHERE kind = 'run'") == 0


def state_of(books: Books, name: str) -> str:
    return str(
        next((one[0] for one in books.rows(f"SELECT state FROM steps WHERE step = '{name}'")), "")
    )


@pytest.mark.parametrize("seed", range(2))
async def test_a_bot_that_dies_again_and_again_comes_to_the_same_end(
    tmp_path: Path, seed: int
) -> None:
    """Also at a start, while it looks at what the life before has left."""
    lot = random.Random(seed)
    async with standing(tmp_path) as house:
        config = config_with_actions(house.target)
        people = People(house, Books(house), with_incident=True)
        lives = 0
        while not people.finished():
            lives += 1
            spared = lives >= 12 or people.begun_twice()
            die_at = None if spared else lot.randint(1, 14)
            async with mortal(house, config, books=(BOOK,), die_at=die_at) as bot:
                await people.work(bot)
                await bot.end()
            house.clock.move(LATER_MS)
        nothing_lost_or_twice(people, f"{lives} lives")
        print(f"{lives} lives, {len(people.repeats)} repeats, {people.saw_done} seen as done")

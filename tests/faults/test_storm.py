"""A storm: many incidents, many people, a tenth of all calls failing in every way, kills in between.

The seed is printed; IORA_STORM_SEED plays the same storm again (the machine's timing aside).
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest

from bot.workspace import faults
from bot.workspace.faults import Fault
from bot.workspace.records import Person
from tests.support.delivered import arrived
from tests.support.house import BOB, House, config_for, standing
from tests.support.mortal import Books, Mortal, mortal

INCIDENTS, PEOPLE, GROUPS = 25, 15, 4
FAILING = 0.1
KILLS = 8
EVERY_WAY = (
    faults.rate_limited(1),
    faults.error_before,
    faults.error_after,
    faults.hang_before,
    faults.hang_after,
    faults.reset_before,
    faults.reset_after,
    faults.api_error("internal_error"),
)
STRUCK = {
    "chat.postMessage",
    "chat.update",
    "conversations.open",
    "conversations.history",
    "conversations.replies",
    "conversations.list",
}


class Weather:
    """Lets every tenth call fail, in a way that is drawn by lot."""

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot
        self.stormy = True
        self.strikes = 0
        self.calls = 0

    def take(self, method: str) -> Fault | None:
        if method not in STRUCK:
            return None
        self.calls += 1
        if not self.stormy or self._lot.random() >= FAILING:
            return None
        self.strikes += 1
        return self._lot.choice(EVERY_WAY)


def crowd(house: House) -> list[str]:
    people = [f"U1{number:02}PERSON" for number in range(PEOPLE)]
    for person in people:
        house.slack.workspace.add_person(Person(id=person, name=person.lower(), real_name=person))
    return people


def storm_config(house: House, people: list[str]) -> Any:
    groups = {f"team{at}": people[at::GROUPS] for at in range(GROUPS)}
    policies = {
        f"policy{at}": {
            "levels": [{"after": "0s", "notify": ["channel", f"group:team{at}"]}],
            "repeat": {"every": "24h"},
        }
        for at in range(GROUPS)
    }
    by_severity = {f"sev{at + 1}": f"policy{at}" for at in range(GROUPS)}
    return config_for(
        house.target,
        groups=groups,
        escalation={"default": "policy0", "by_severity": by_severity, "policies": policies},
    )


async def declare_all(house: House, bot: Mortal, left: list[int]) -> None:
    """Declare what nobody got an answer for yet, until all are declared or the bot is dead."""
    while left and not bot.dead:
        number = left[0]
        said = await house.slash(BOB, f"declare sev{number % GROUPS + 1} Storm {number}")
        if said.ok:
            left.pop(0)
        elif not bot.dead:
            await bot.connected()


async def test_a_storm_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = int(os.environ.get("IORA_STORM_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    print(f"IORA_STORM_SEED={seed}")
    lot = random.Random(seed)
    weather = Weather(lot)
    kills = 0
    async with standing(tmp_path) as house:
        books = Books(house)
        monkeypatch.setattr(house.slack.faults, "take", weather.take)
        people = crowd(house)
        config = storm_config(house, people)
        left = list(range(INCIDENTS))
        for life in range(60):
            calm = kills >= KILLS and life % 2
            die_at = None if kills >= KILLS else lot.randrange(8, 40)
            weather.stormy = not calm
            async with mortal(house, config, die_at=die_at, call_limit_s=1.0) as bot:
                await bot.connected()
                await declare_all(house, bot, left)
                await until_it_only_waits(house, bot, books)
                done = not left and not books.waiting()
                if not done and not bot.dead:
                    await bot.kill()
                kills += bot.killed
                if not bot.dead:
                    await bot.end()
            if done:
                break
            house.slack.faults.release()
            house.clock.move(14_000)
        counts = arrived(house)
        wanted = wanted_keys(books, people)
        lost = [key for key in wanted if counts[key] == 0]
        twice = [key for key in counts if counts[key] > 1]
        sent = sum(counts.values())
        print(
            f"{INCIDENTS} incidents, {PEOPLE} people, {weather.calls} calls, {weather.strikes} failed,"
            f" {kills} kills, {sent} messages: {len(lost)} lost, {len(twice)} twice"
        )
        assert (lost, twice) == ([], []), books.show()
        assert kills >= KILLS
        assert books.number("SELECT COUNT(*) FROM incidents") == INCIDENTS
        assert books.number("SELECT COUNT(DISTINCT title) FROM incidents") == INCIDENTS
        assert books.number("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'") == 0, books.show()
        assert set(counts) <= {row["key"] for row in books.rows("SELECT key FROM outbox")}
        assert books.integrity() == "ok"
        assert not house.slack.rejections


async def until_it_only_waits(house: House, bot: Mortal, books: Books) -> None:
    """Until the bot is dead, or nothing is left that it could do before its next look-up is due."""

    def resting() -> bool:
        now = house.clock.now()
        busy = books.number(
            f"SELECT COUNT(*) FROM outbox WHERE delivered < revision AND due_at <= {now + 3_000}"
        )
        return bot.dead or not (busy or books.number(COLLECTING))

    async with asyncio.timeout(40):
        while not resting():
            await asyncio.sleep(0.02)


COLLECTING = "SELECT COUNT(*) FROM timers WHERE kind = 'collect'"


def wanted_keys(books: Books, people: list[str]) -> list[str]:
    """A card an incident, and a ping for everyone of its severity's group: from the incidents alone."""
    wanted = []
    for row in books.rows("SELECT id, severity FROM incidents"):
        team = people[int(row["severity"][3]) - 1 :: GROUPS]
        entry = books.number(
            f"SELECT seq FROM timeline WHERE incident_id = {row['id']} AND kind = 'escalation'"
        )
        wanted.append(f"card:{row['id']}")
        wanted += [f"ping:{row['id']}:{entry}:{person}" for person in team]
    return wanted

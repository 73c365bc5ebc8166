"""A storm: many incidents, many people, a tenth of all calls failing in every way, kills in between.

Each page is told in a message of its own here: that many in one is another test's matter.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from bot.workspace import faults
from bot.workspace.faults import Fault
from bot.workspace.records import Person
from tests.support.delivered import arrived, of_itself
from tests.support.house import BOB, House, config_for, standing
from tests.support.mortal import Books, Mortal, mortal
from tests.support.scale import FULL, scaled, told
from tests.support.scale import lot as scale_lot

INCIDENTS, PEOPLE, EACH = scaled(25, 1_500), scaled(15, 60), 3
FAILING = 0.1
KILLS = scaled(8, 200)
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


def storm_config(house: House, people: list[str], lot: random.Random) -> Any:
    """A policy a severity, each for three people who are drawn anew for every life."""
    policies = {
        f"policy{at}": {
            "levels": [{"after": "0s", "notify": ["channel", *told_to(people, lot)]}],
            "repeat": {"every": "24h"},
        }
        for at in range(4)
    }
    by_severity = {f"sev{at + 1}": f"policy{at}" for at in range(4)}
    config = config_for(
        house.target,
        escalation={"default": "policy0", "by_severity": by_severity, "policies": policies},
    )
    if not FULL:
        return config
    # Of two targets none is meant where none is named: no evidence, so that pings are what is sent.
    targets = {**config.targets, "other": config.targets["iora"]}
    return config.model_copy(update={"targets": targets})


def told_to(people: list[str], lot: random.Random) -> list[str]:
    return [f"user:{person}" for person in lot.sample(people, EACH)]


async def declare_all(house: House, bot: Mortal, left: list[int]) -> None:
    """Declare what nobody got an answer for yet, until all are declared or the bot is dead."""
    while left and not bot.dead:
        number = left[0]
        said = await house.slash(BOB, f"declare sev{number % 4 + 1} Storm {number}")
        if said.ok:
            left.pop(0)
        elif not bot.dead:
            await bot.connected()


async def test_a_storm_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = scale_lot("storm")
    weather = Weather(lot)
    kills = 0
    async with standing(tmp_path) as house:
        books = Books(house)
        monkeypatch.setattr(house.slack.faults, "take", weather.take)
        people = crowd(house)
        left = list(range(INCIDENTS))
        began = time.monotonic()
        for life in range(KILLS * 2 + 60):
            config = storm_config(house, people, lot)
            calm = kills >= KILLS and life % 2
            die_at = None if kills >= KILLS else lot.randrange(8, 40)
            weather.stormy = not calm
            fate = {"call_limit_s": 1.0, "digest_over": 1_000_000}
            async with mortal(house, config, die_at=die_at, **fate) as bot:
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
        wanted = wanted_keys(books)
        lost = [key for key in wanted if counts[key] == 0]
        twice = [key for key in counts if counts[key] > 1]
        sent = sum(counts.values())
        pings = [key for key in wanted if key.startswith("ping:")]
        told(
            "storm",
            f"{INCIDENTS} incidents, {len(pings)} pings to {destinations(pings)} people, {weather.calls}"
            f" calls, {weather.strikes} failed, {kills} kills, {sent} messages, "
            f"{time.monotonic() - began:.0f} s: {len(lost)} lost, {len(twice)} twice, "
            f"{repeats(house)} marked as a possible repeat",
        )
        assert (lost, twice) == ([], []), books.show()
        assert kills >= KILLS
        assert books.number("SELECT COUNT(*) FROM incidents") == INCIDENTS
        assert books.number("SELECT COUNT(DISTINCT title) FROM incidents") == INCIDENTS
        assert books.number("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'") == 0, books.show()
        recorded = {row["key"] for row in books.rows("SELECT key FROM outbox")}
        assert {key for key in counts if not of_itself(key)} <= recorded
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

    async with asyncio.timeout(scaled(180, 900)):
        while not resting():
            await asyncio.sleep(0.02)


COLLECTING = "SELECT COUNT(*) FROM timers WHERE kind = 'collect'"


def wanted_keys(books: Books) -> list[str]:
    """A card an incident, and a ping for everyone of its pinned policy: from the incidents alone."""
    firsts = {
        row["incident_id"]: row["seq"]
        for row in books.rows(
            """SELECT incident_id, MIN(seq) AS seq FROM timeline WHERE kind = 'escalation'
            GROUP BY incident_id"""
        )
    }
    wanted = []
    for row in books.rows("SELECT id, policy FROM incidents"):
        notify = json.loads(row["policy"])["policy"]["levels"][0]["notify"]
        people = [text.removeprefix("user:") for text in notify if text != "channel"]
        wanted.append(f"card:{row['id']}")
        wanted += [f"ping:{row['id']}:{firsts.get(row['id'])}:{person}" for person in people]
    return wanted


def destinations(pings: list[str]) -> int:
    return len({key.rpartition(":")[2] for key in pings})


def repeats(house: House) -> int:
    """The pings that say themselves that they may have come before."""
    return sum(
        "possible repeat" in message.text
        for channel in house.slack.workspace.channels
        for message in house.messages(channel)
    )

"""Ten thousand open incidents whose levels are due in the same second."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bot.model.actor import Actor
from bot.model.command import Declare
from bot.model.config import Config
from bot.services import incidents
from bot.services.incidents import Asked
from bot.store.database import Tx
from bot.workspace.records import Person
from tests.support.house import ALICE, BOB, House, config_for, living, standing
from tests.support.scale import scaled, told

NUMBER = scaled(400, 10_000)
PEOPLE = [f"U1{number:02}PERSON" for number in range(4)]
AFTER_MS = 3_600_000


def settings(house: House) -> Config:
    config = config_for(
        house.target,
        escalation={
            "default": "later",
            "last_resort": [f"user:{ALICE}"],
            "policies": {
                "later": {
                    "levels": [
                        {"after": "1h", "notify": [f"user:{one}" for one in PEOPLE]},
                    ],
                    "repeat": {"every": "24h"},
                }
            },
        },
    )
    return config.model_copy(
        update={"targets": {**config.targets, "other": config.targets["iora"]}}
    )


def declare_some(tx: Tx, config: Config, first: int, many: int) -> None:
    for number in range(first, first + many):
        asked = Asked(Actor.slack("T01TEAM", BOB))
        incidents.declare(tx, config, Declare(title=f"Trouble {number}"), asked)
    # Their cards are another matter: as many go into one channel at its rate, whatever is due.
    tx.run("UPDATE outbox SET delivered = revision, state = 'withdrawn' WHERE kind = 'card'")


def undecided(tx: Tx) -> int:
    (row,) = tx.all(
        "SELECT COUNT(*) AS n FROM timers WHERE kind = 'level' AND due_at <= :now OR attempts > 0",
        now=tx.now,
    )
    number: int = row["n"]
    return number


def fired(tx: Tx) -> int:
    (row,) = tx.all("SELECT COUNT(*) AS n FROM timeline WHERE kind = 'escalation'")
    number: int = row["n"]
    return number


def pings(tx: Tx) -> dict[str, int]:
    rows = tx.all("SELECT state, COUNT(*) AS n FROM outbox WHERE kind = 'ping' GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


async def test_all_are_decided_commands_are_answered_and_each_person_gets_one_digest(tmp_path):
    async with standing(tmp_path) as house:
        for person in PEOPLE:
            house.slack.workspace.add_person(
                Person(id=person, name=person.lower(), real_name=person)
            )
        config = settings(house)
        async with living(house, config, pace_ms=1_000) as bot:
            for first in range(0, NUMBER, 200):
                await bot.database.write(declare_some, config, first, min(200, NUMBER - first))
            house.advance(AFTER_MS + 1_000)
            began = time.monotonic()
            waits: list[float] = []
            decided = None
            async with asyncio.timeout(900):
                while decided is None:
                    asked = time.monotonic()
                    said = await house.slash(BOB, f"note INC-{len(waits) + 1} still here")
                    waits.append(time.monotonic() - asked)
                    assert said.ok, said.why
                    if await bot.database.read(fired) == NUMBER:
                        decided = time.monotonic() - began
                    await asyncio.sleep(0.05)
                assert await bot.database.read(undecided) == 0
                while not (told_all := await told_now(bot, house)):
                    await asyncio.sleep(0.1)
            arrived = time.monotonic() - began
            digests = {person: told_all[person] for person in PEOPLE}
            assert all(number == 1 for number, _ in digests.values()), digests
            assert all(alone <= 5 for _, alone in digests.values()), digests
            (first, *_) = [one for one in house.pings(PEOPLE[0]) if "incidents" in one.text]
            told(
                "ten thousand",
                f"{NUMBER} levels due at once, {NUMBER * len(PEOPLE)} pings: decided and committed in"
                f" {decided:.1f} s, told after {arrived:.1f} s in 1 digest a person and "
                f"{max(alone for _, alone in digests.values())} single messages at most; {len(waits)}"
                f" commands in between, answered after {max(waits) * 1000:.0f} ms at most",
            )
            assert max(waits) < scaled(60, 3)
            assert "incidents" in first.text


async def told_now(bot: Any, house: House) -> dict[str, tuple[int, int]] | None:
    """Digests and single messages a person, once every ping is in one of them."""
    states = await bot.database.read(pings)
    if set(states) - {"sent", "digested"} or sum(states.values()) != NUMBER * len(PEOPLE):
        return None
    if await bot.database.read(_digest_waits):
        return None
    return {
        person: (
            sum("in one message" in str(one.blocks) for one in house.pings(person)),
            sum("in one message" not in str(one.blocks) for one in house.pings(person)),
        )
        for person in PEOPLE
    }


def _digest_waits(tx: Tx) -> bool:
    return bool(tx.all("SELECT id FROM outbox WHERE kind = 'digest' AND delivered < revision"))

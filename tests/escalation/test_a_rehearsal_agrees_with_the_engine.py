"""`iora escalation simulate` and the engine say the same: over random policies, readings and acts of people."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bot.model.command import (
    Acknowledge,
    Escalate,
    Mitigate,
    Note,
    OnIncident,
    OnIt,
    Reopen,
    Resolve,
    SetSeverity,
)
from bot.model.config import Config
from bot.model.incident import Entry, Severity
from bot.model.policy import Policy
from bot.rules.known import Known, Values
from bot.rules.rehearsal import Happening, Moment, rehearse
from bot.services import course, escalation
from bot.services.reasons import words
from bot.services.roster import roster
from bot.store import incidents
from bot.store.database import Tx
from tests.support.clock import NOON, ManualClock
from tests.support.configs import ALICE, BOB, config
from tests.support.incidents import alice, bob
from tests.support.store import open_database
from tests.support.story import Story

POLICIES = 100
MINUTE = 60_000
ENDS = NOON + 150 * MINUTE
HEALTH = {"url": "http://127.0.0.1:8080/api/health", "status": "status"}
CONDITIONS = (
    "cpu_percent > 90",
    "memory_mb > 1024 and cpu_percent > 50",
    "cpu_percent > 90 or unknown(memory_mb)",
    "incident.age > 20m",
    "incident.severity == sev1",
    "cpu_percent.change_5m > 10",
)
TOLD = (
    *("channel", f"user:{ALICE}", f"user:{BOB}", "group:engineering", "group:few", "oncall:week"),
    "oncall:gap",  # behind which there is nobody
)


def policy(dice: random.Random) -> dict[str, Any]:
    count = dice.randint(1, 5)
    times = sorted(dice.choice((0, 60, 300, 301, 600, 900, 1_800)) for _ in range(count))
    levels = [level(dice, seconds) for seconds in times]
    levels.sort(key=lambda one: one["seconds"])
    written: dict[str, Any] = {
        "levels": [
            {key: value for key, value in one.items() if key != "seconds"} for one in levels
        ],
        "repeat": {"every": f"{dice.choice((60, 600, 900))}s", "times": dice.randint(0, 3)},
        "no_data_after": dice.choice(("1m", "5m")),
    }
    if dice.random() < 0.2:
        begin = dice.randint(0, 23)
        written["hours"] = {
            "timezone": dice.choice(("UTC", "Europe/Berlin")),
            "days": "mon-sun",
            "from": f"{begin:02}:00",
            "to": f"{(begin + 22) % 24:02}:30",
        }
    return written


def level(dice: random.Random, seconds: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "seconds": seconds,
        "after": f"{seconds}s",
        "notify": dice.sample(TOLD, dice.randint(1, 2)),
    }
    if dice.random() < 0.5:
        made["when"] = dice.choice(CONDITIONS)
    if dice.random() < 0.3:
        made["reason"] = dice.choice(("Critical CPU usage", "CPU {{ readings.cpu_percent }}"))
    if dice.random() < 0.3:
        made["after_acknowledge"] = True
    if dice.random() < 0.15:
        made["from"] = "acknowledged"
    return made


class Readings:
    """Values that change now and then, and are lost now and then."""

    def __init__(self, dice: random.Random) -> None:
        self._changes = [
            (NOON + dice.randint(0, 100) * MINUTE, self._values(dice)) for _ in range(8)
        ]
        self._changes.sort(key=lambda one: one[0])

    def _values(self, dice: random.Random) -> Values:
        cpu = dice.choice((None, 20.0, 60.0, 95.0, 97.0))
        memory = dice.choice((None, 300.0, 1_200.0))
        return {
            "cpu_percent": Known(cpu, "%", None if cpu else "away", "agent"),
            "memory_mb": Known(memory, "MB", None if memory else "away", "agent"),
            "cpu_percent.change_5m": Known(dice.choice((None, 0.0, 20.0)), "%", "none", "agent"),
        }

    def at(self, now: int) -> Mapping[str, Values]:
        found: Values = {"cpu_percent": Known(20.0, "%"), "memory_mb": Known(300.0, "MB")}
        for since, known in self._changes:
            if now >= since:
                found = known
        return {"iora": found}


def acts(dice: random.Random) -> list[tuple[int, OnIncident, Any]]:
    """What people do, at odd milliseconds: never in the same one as a timer."""
    kinds = (
        Acknowledge(take_over=True),
        Acknowledge(take_over=True),
        Note(text="looking"),
        OnIt(),
        Escalate(),
        SetSeverity(severity=Severity.SEV1),
        SetSeverity(severity=Severity.SEV3),
        Mitigate(),
        Resolve(),
        Reopen(incident=1),
    )
    times = sorted(dice.sample(range(1, 140), dice.randint(0, 6)))
    return [
        (NOON + minute * MINUTE + 12_345, dice.choice(kinds), dice.choice((alice, bob)))
        for minute in times
    ]


def settings(dice: random.Random) -> Config:
    names = ("one", "two", "three")
    return config(
        escalation={
            "default": "one",
            "by_severity": {"sev1": "two", "sev3": "three"},
            "idle": dice.choice(("5m", "30m")),
            "last_resort": dice.choice(([], [f"user:{ALICE}"])),
            "policies": {name: policy(dice) for name in names},
        },
        groups={"engineering": [ALICE, BOB], "few": ["U05CAROL"]},
        targets={"iora": {"poll": dice.choice(("30s", "2m")), "health": HEALTH}},
        oncall={
            "week": {
                "timezone": "UTC",
                "rotation": {"people": [ALICE, BOB], "handoff": "16:00", "every": "1d"},
            },
            "gap": {"timezone": "UTC", "rotation": {"people": []}},
        },
    )


async def play(story: Story, readings: Readings, doings: list[Any]) -> list[Happening]:
    """The engine, with people who do something; what they did, as the rehearsal takes it."""
    done: list[Happening] = []
    for at, command, actor in [*doings, (ENDS, None, None)]:
        while True:
            due = await story.database.read(_due)
            if due is None or due >= at:
                break
            story.clock.advance(max(0, due - story.clock.now()))
            for timer in await story.claim():
                if timer.kind == "level":
                    await fire(story, timer, readings)
        story.clock.advance(at - story.clock.now())
        if command is not None:
            before = await story.incident()
            count = len(await story.timeline())
            await story.try_change(command, by=actor)
            done += [
                happening(entry, before, await story.incident())
                for entry in (await story.timeline())[count:]
            ]
    return done


async def fire(story: Story, timer: Any, readings: Readings) -> None:
    wanted = await story.database.read(escalation.wanted, timer, story.config)
    read = readings.at(story.clock.now()) if wanted is not None else {}
    await story.database.write(escalation.fire, timer, story.config, read)


def happening(entry: Entry, before: Any, after: Any) -> Happening:
    names = [field.name for field in fields(after)]
    columns = {
        name: getattr(after, name)
        for name in names
        if getattr(after, name) != getattr(before, name)
    }
    return Happening(
        entry.at,
        entry.actor,
        entry.kind,
        entry.facts,
        columns,
        Policy.from_pinned(after.policy["policy"]),
        calls=entry.kind == "escalated",
    )


def _due(tx: Tx) -> int | None:
    row = tx.one("SELECT MIN(due_at) AS due FROM timers WHERE kind = 'level'")
    return row["due"] if row else None


def told(entries: list[Entry]) -> list[tuple[int, str, Any]]:
    return [
        (entry.at - NOON, entry.kind, dict(entry.facts))
        for entry in entries
        if entry.kind in {"escalation", "asked"}
    ]


def foretold(moments: list[Moment]) -> list[tuple[int, str, Any]]:
    from bot.rules.firing import facts_of_ask

    found: list[tuple[int, str, Any]] = []
    for moment in moments:
        if moment.account is not None:
            found.append((moment.at - NOON, "escalation", dict(moment.account.facts)))
        if moment.ask is not None:
            facts = dict(facts_of_ask(moment.ask, moment.asked))
            found.append((moment.at - NOON, "asked", facts))
    return found


@pytest.mark.parametrize("seed", range(POLICIES))
async def test_what_is_foretold_is_what_happens(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    clock = ManualClock()
    async with open_database(tmp_path / "iora.db", clock) as database:
        story = Story(database, clock, settings(dice))
        readings, doings = Readings(dice), acts(dice)
        targets = dice.choice((("iora",), ("iora",), ()))
        await story.declare(targets=targets or ("iora",))
        if not targets:
            await database.write(_forget_targets)
        declared = await story.incident()
        done = await play(story, readings, doings)
        behind = await database.read(roster, story.config, NOON)
        pinned = Policy.from_pinned(declared.policy["policy"])
        foretelling = rehearse(
            course.case(story.config, declared, pinned),
            behind.people,
            readings.at,
            ENDS - 1,
            done,
            words,
        )
        expected = foretold(list(foretelling))
        assert told(await story.timeline()) == expected
        pings = [
            (ping.facts["at"] - NOON, ping.facts["person"]) for ping in await story.messages("ping")
        ]
        assert pings == [
            (at, person)
            for at, kind, facts in expected
            if kind == "escalation"
            for person in facts["people"]
        ]


def _forget_targets(tx: Tx) -> None:
    tx.run("DELETE FROM incident_targets")
    found = incidents.get(tx, 1)
    assert found is not None

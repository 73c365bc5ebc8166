"""Drawing a card, and the health of ten targets, beside 20 bare blocks: dicts built and dumped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bench.config import ALICE, BOB, config
from bench.pairs import Work, in_blocks, take_turns
from bench.table import Line, microseconds
from bot.clock import SystemClock
from bot.model.actor import Actor
from bot.model.answer import Answer
from bot.model.command import Acknowledge, Declare, Note
from bot.model.message import Drawing
from bot.model.overview import Overview
from bot.model.reading import Reading
from bot.model.timer import Timer
from bot.render.answer import answer
from bot.render.card import card
from bot.rules import verdict
from bot.services import escalation, incidents
from bot.services.incidents import Asked, Done
from bot.services.overview import overview
from bot.store import timers
from bot.store.database import Database, Tx

ROUNDS = 1_000
TARGETS = 10
AIM = 1.0
_TEXT = "*FAIL* CPU 96 % of all cores, critical above 90 (agent, 4 s ago)"


async def measure(folder: Path) -> AsyncIterator[Line]:
    """The card of an acknowledged incident with pings, then health as a failing fleet shows it."""
    clock = SystemClock()
    database = Database(folder / "drawing.db", clock)
    try:
        seen = await database.write(_incident)
    finally:
        await database.close()
    yield await _line("drawing a card", lambda: card(seen), AIM)
    now = clock.now()
    given = Answer(kind="health", facts={"targets": [_health(at, now) for at in range(TARGETS)]})
    yield await _line(f"drawing the health of {TARGETS} targets", lambda: answer(given, now), None)


async def _line(what: str, draw: Callable[[], Drawing], aim: float | None) -> Line:
    mine, theirs = await take_turns(ROUNDS, _drawing(draw), _bare)
    ratio, (low, high) = in_blocks(lambda a, b: a / b, mine, theirs)
    return Line(
        what=what,
        ours=f"{microseconds(in_blocks(float, mine)[0])}, {len(draw().blocks)} blocks",
        beside=f"20 bare blocks {microseconds(in_blocks(float, theirs)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=aim,
    )


def _drawing(draw: Callable[[], Drawing]) -> Work:
    async def work(number: int) -> None:
        drawn = draw()
        json.dumps({"text": drawn.text, "blocks": list(drawn.blocks)})

    return work


async def _bare(number: int) -> None:
    blocks = [
        {
            "type": "section",
            "block_id": f"line:{at}",
            "text": {"type": "mrkdwn", "text": f"{_TEXT}, {number}"},
            "accessory": {
                "type": "button",
                "text": {"type": "plain_text", "text": "Open"},
                "action_id": f"open:{at}",
                "value": f"INC-{at}",
            },
        }
        for at in range(20)
    ]
    json.dumps({"text": _TEXT, "blocks": blocks})


def _incident(tx: Tx) -> Overview:
    rules = config()
    alice, bob = (Asked(Actor.slack("T01TEAM", person)) for person in (ALICE, BOB))
    done = incidents.declare(tx, rules, Declare(title="checkout answers slowly"), alice)
    assert isinstance(done, Done)
    for timer in timers.claim(tx, 10):
        _fire(tx, timer)
    number = done.incident.id
    for at in range(10):
        incidents.change(tx, rules, Note(incident=number, text=f"restarted cache {at}"), bob)
    incidents.change(tx, rules, Acknowledge(incident=number), alice)
    seen = overview(tx, rules, number)
    assert seen is not None
    return seen


def _fire(tx: Tx, timer: Timer) -> None:
    if timer.kind == "level":
        escalation.fire(tx, timer, config())


def _health(number: int, now: int) -> dict[str, object]:
    rules = config()
    said = verdict.Said(verdict.Verdict.HEALTHY, 'status word "ok"', failed=False)
    values = {"response_time_p95_ms": 910.0, "error_rate_percent": 0.0, "cpu_percent": 96.0}
    units = {"response_time_p95_ms": "ms", "error_rate_percent": "%", "cpu_percent": "%"}
    readings = [
        Reading(metric=metric, value=value, unit=units[metric], reason=None, at=now, source="agent")
        for metric, value in values.items()
    ]
    name = f"service-{number}"
    judged = verdict.judge(name, said, "ok", readings, rules.baselines, rules.critical, now)
    return verdict.facts(judged)

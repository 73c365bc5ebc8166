"""What each configured value reads at this moment, and from where."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass

from bot.clock import Clock
from bot.collect import agent, health, metrics, probe, vantage
from bot.http import Client
from bot.model.config import Config
from bot.model.probe import ProbeFailed
from bot.model.reading import Reading, Verdict
from bot.model.target import Target
from bot.model.units import format_duration, format_value
from bot.rules import verdict
from bot.rules.verdict import Said
from bot.text import clean

_AGENT = ("cpu_percent", "memory_mb")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """``at`` is the dotted path of the value's keys; ``reason`` says why nothing could be read."""

    at: str
    metric: str | None
    value: float | str | None
    unit: str
    reason: str | None
    source: str
    age_ms: int

    def __str__(self) -> str:
        name = f" {self.metric}" if self.metric and not self.at.endswith(self.metric) else ""
        if self.value is None:
            return f"live: {self.at}:{name} unknown: {clean(self.reason or 'no reason', 400)}"
        value = self.value
        text = value if isinstance(value, str) else format_value(value, self.unit)
        age = f", {format_duration(self.age_ms)} old" if self.age_ms >= 1_000 else ""
        return f"live: {self.at}:{name} {clean(text, 200)} ({clean(self.source, 200)}{age})"

    def facts(self) -> dict[str, object]:
        """For a program."""
        return asdict(self)


async def look(config: Config, clock: Clock) -> tuple[Seen, ...]:
    """Ask every source of every target once, all at once; in the order of the config."""
    async with Client(config.allows) as client:
        found = await asyncio.gather(
            *(_target(client, name, target, clock.now()) for name, target in config.targets.items())
        )
    return tuple(seen for one in found for seen in one)


async def probes(config: Config) -> dict[str, frozenset[str]]:
    """What the agents offer, by target; one that doesn't say is left out."""
    asked = {name: one.agent for name, one in config.targets.items() if one.agent is not None}
    async with Client(config.allows) as client:
        answers = await asyncio.gather(
            *(probe.offered(client, source) for source in asked.values())
        )
    return {
        name: frozenset(offers)
        for name, offers in zip(asked, answers, strict=True)
        if not isinstance(offers, ProbeFailed)
    }


async def _target(client: Client, name: str, target: Target, now: int) -> list[Seen]:
    at = f"targets.{name}"
    answered, relayed, given, *sources = await asyncio.gather(
        _health(client, at, target, now),
        _relayed(client, at, target, now),
        _agent(client, at, target, now),
        *(_source(client, at, target, number, now) for number in range(len(target.metrics))),
    )
    return [*answered, *relayed, *(seen for one in sources for seen in one), *given]


async def _health(client: Client, at: str, target: Target, now: int) -> list[Seen]:
    said = verdict.said(await health.check(client, target, now), target.health)
    return [_said(f"{at}.health", said, target.health.label)]


async def _relayed(client: Client, at: str, target: Target, now: int) -> list[Seen]:
    """What the agent would answer in the night when the health URL doesn't."""
    if target.health.relay is None:
        return []
    there = await vantage.look(client, target, now)
    assert there is not None, "checked when the config is read"
    if there.check is None:
        said = Said(Verdict.UNKNOWN, there.problem, failed=False)
    else:
        said = verdict.said(there.check, target.health)
    return [_said(f"{at}.health.relay", said, f"{target.health.relay} via agent")]


def _said(at: str, said: Said, source: str) -> Seen:
    read = said.verdict not in {Verdict.UNKNOWN, Verdict.DOWN}
    return Seen(
        at=at,
        metric=None,
        value=f"{said.verdict}, {said.reason}" if read else None,
        unit="",
        reason=None if read else said.reason,
        source=source,
        age_ms=0,
    )


async def _source(client: Client, at: str, target: Target, number: int, now: int) -> list[Seen]:
    readings = await metrics.measure(client, target, target.metrics[number], now)
    place = f"{at}.metrics[{number}].values"
    return [_seen(f"{place}.{reading.metric}", reading, now) for reading in readings]


async def _agent(client: Client, at: str, target: Target, now: int) -> list[Seen]:
    if target.agent is None:
        return []
    readings = await agent.measure(client, target.agent, _AGENT, now)
    return [_seen(f"{at}.agent", reading, now) for reading in readings]


def _seen(at: str, reading: Reading, now: int) -> Seen:
    return Seen(
        at=at,
        metric=reading.metric,
        value=reading.value,
        unit=reading.unit,
        reason=reading.reason,
        source=reading.source,
        age_ms=max(0, now - reading.at),
    )

"""A target whose polls say what the test says, before the real services and a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from bot.files.runbooks import load_books
from bot.files.shipped import shipped
from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.book import Books
from bot.model.command import OnFinding, Resolve
from bot.model.config import GUIDE_BASELINES, GUIDE_CRITICAL
from bot.model.incident import Incident
from bot.model.message import Drawing, Message
from bot.model.reading import Health, Reading, Verdict, View
from bot.render.message import draw
from bot.rules.detection import Hold
from bot.rules.verdict import Said, judge
from bot.services import detection, incidents, offers, sending, suggestions
from bot.services.due import schedule
from bot.services.incidents import Asked
from bot.store import holds, outbox, samples, silences, timers
from bot.store import incidents as stored
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.drawings import judge as valid
from tests.support.drawings import shown
from tests.support.incidents import alice, bob
from tests.support.story import Story

MINUTE, POLL = 60_000, 30_000
CPU_CRITICAL: dict[str, Any] = {
    "name": "cpu-critical",
    "when": "cpu_percent > 90",
    "for": "2m",
    "severity": "sev2",
    "runbook": "high-cpu-usage",
}


@cache
def books() -> Books:
    """Those that come with the bot."""
    return load_books(shipped())


class Watched(Story):
    """Its incidents can be asked for as in a ``Story``."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database, clock)
        self.rule()

    def rule(self, *more: dict[str, Any], **changes: Any) -> None:
        """The rule with keys changed, and other rules beside it."""
        self.config = config(detection=[CPU_CRITICAL | changes, *more])

    def fleet(self, names: Sequence[str], **changes: Any) -> None:
        """Targets of these names instead, all watched by the rule with keys changed."""
        one = {"poll": "30s", "health": {"url": "http://127.0.0.1:9/health"}}
        self.config = config(detection=[CPU_CRITICAL | changes], targets=dict.fromkeys(names, one))

    async def poll(
        self,
        cpu: float | None,
        *,
        target: str = "iora",
        memory: float | None = 120.0,
        next_in: int = POLL,
        views: tuple[View, ...] = (),
    ) -> None:
        """One poll now, and the next one planned."""
        now = self.clock.now()
        why = "the agent refused the connection"
        readings = [
            Reading(
                metric=metric,
                value=value,
                unit=unit,
                reason=None if value is not None else why,
                at=now,
                source="agent",
            )
            for metric, value, unit in (("cpu_percent", cpu, "%"), ("memory_mb", memory, "MB"))
        ]
        word = Said(Verdict.HEALTHY, 'status word "ok"', failed=False)
        await self.found(target, word, readings, next_in=next_in, views=views)

    async def found(
        self,
        target: str,
        word: Said,
        readings: Sequence[Reading] = (),
        *,
        next_in: int = POLL,
        views: tuple[View, ...] = (),
        silent: bool = False,
    ) -> None:
        """One poll that said this."""
        now = self.clock.now()
        health = judge(target, word, None, readings, GUIDE_BASELINES, GUIDE_CRITICAL, now)
        health = replace(health, views=views, silent=silent or bool(views))
        await self.database.write(_polled, health, now + next_in)
        await self.database.write(detection.look, self.config, books(), health)

    async def stays(self, cpu: float | None, span: int, **also: Any) -> None:
        """Polls for so long, one every 30 s."""
        for _ in range(span // POLL):
            await self.poll(cpu, **also)
            self.clock.advance(POLL)

    async def suggestions(self) -> list[Message]:
        """The messages that tell what was found, oldest first."""
        return await self.database.read(outbox.with_prefix, "finding:")

    async def said(self, prefix: str = "finding:") -> list[str]:
        """All words of these messages as they would be drawn now."""
        told = await self.database.read(outbox.with_prefix, prefix)
        return [shown(valid(await self._drawn(message))) for message in told]

    async def _drawn(self, message: Message) -> Drawing:
        return draw(await self.database.read(sending.attempt_of, message, self.config))

    async def press(self, verb: Any, key: str | None = None, by: Actor = bob) -> Answer | Refusal:
        """Press a button of the newest message."""
        named = key or (await self.suggestions())[-1].key
        command = OnFinding(key=named, verb=verb)
        return await self.database.write(suggestions.answer, self.config, command, Asked(by))

    async def live(self) -> list[Incident]:
        return await self.database.read(stored.live, 100)

    async def resolve(self, number: int = 1) -> None:
        command = Resolve(incident=number, text="mended", anyway=True)
        await self.database.write(incidents.change, self.config, command, Asked(alice))

    async def rarely(self, target: str, word: Said, wait: int) -> None:
        """One poll now, as of a target that is silent: the next one is planned late."""
        await self.found(target, word, next_in=wait, silent=True)

    async def silence(self, target: str, span: int) -> None:
        until = self.clock.now() + span
        await self.database.write(silences.add, (target,), "a deploy", until, alice.text)

    async def muted(self, silence: int) -> list[tuple[str, str]]:
        """What was found and not told: target and rule."""
        return await self.database.read(silences.muted, f"silence:{silence}")

    async def collect(self) -> None:
        """The evidence is there: runbooks are offered."""
        await self.database.write(offers.opened, self.config, books(), await self.incident(), ())

    async def reload(self) -> None:
        await self.database.write(schedule, self.config)

    async def kept(self, target: str = "iora") -> list[str]:
        """The rules of which something is kept."""
        return [one.rule for one in await self.database.read(holds.of_target, target)]

    async def hold(self) -> Hold:
        """What is kept of the condition of ``cpu-critical``."""
        known = await self.database.read(holds.of_target, "iora")
        return next(one for one in known if one.rule == "cpu-critical" and not one.data)

    async def planned(self, target: str = "iora") -> int | None:
        """When the next poll is due."""
        return await self.database.read(timers.due_of, "poll", target)


def _polled(tx: Tx, health: Health, next_at: int) -> None:
    for reading in health.readings:
        kept = Sample(reading.at, reading.value, reading.reason)
        samples.add(tx, health.target, reading.metric, kept)
    timers.arm(tx, "poll", health.target, next_at)

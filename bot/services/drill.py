"""Drills: asked for, declared as practice, and over by themselves, with what they showed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.model.actor import BOT, Actor
from bot.model.answer import Answer, Refusal
from bot.model.command import Drill, Resolve
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.nearest import nearest
from bot.model.overview import Overview
from bot.model.policy import Policy
from bot.model.timer import Timer
from bot.rules import drill, lifecycle
from bot.rules.wall_clock import local
from bot.services import incidents as changes
from bot.services.incidents import Asked
from bot.services.live import Live
from bot.services.overview import overview
from bot.services.roster import roster
from bot.store import incidents, timers
from bot.store.database import Database, Tx
from bot.text import outside

KIND = "drill"
Zone = Callable[[str], Awaitable[str | None]]


class Drills:
    """``zone``: a person's time zone, as Slack knows it."""

    def __init__(self, database: Database, live: Live, zone: Zone) -> None:
        self._database = database
        self._live = live
        self._zone = zone

    async def carry_out(self, command: Drill, asked: Asked) -> Answer | Refusal:
        """Show whom it would ping and ask; with ``start``, ping them."""
        if command.start:
            return await self._database.write(start, self._live.config, command, asked)
        found = await self._database.read(plan, self._live.config, command, asked)
        if isinstance(found, Refusal):
            return found
        people = {person for level in found.facts["levels"] for person in level["people"]}
        zones = {person: await self._zone_of(person) for person in sorted(people)}
        return Answer(
            kind="drill", facts={**found.facts, "local": _local(zones, found.facts["at"])}
        )

    async def _zone_of(self, person: str) -> str | None:
        """As the config has it, else Slack."""
        return self._live.config.contact(person).timezone or await self._zone(person)


def plan(tx: Tx, config: Config, command: Drill, asked: Asked) -> Answer | Refusal:
    """Whom a drill would ping, level by level."""
    chosen = _chosen(tx, config, command, asked)
    if isinstance(chosen, Refusal):
        return chosen
    name, policy = chosen
    behind = roster(tx, config)
    levels = [
        {
            "after": level.after,
            "people": list(
                dict.fromkeys(one for text in level.notify for one in behind.people(text, tx.now))
            ),
            "channel": "channel" in level.notify,
        }
        for level in policy.levels
    ]
    facts = {"policy": name, "whole": command.whole, "levels": levels, "at": tx.now}
    return Answer(kind="drill", facts=facts)


def start(tx: Tx, config: Config, command: Drill, asked: Asked) -> Answer | Refusal:
    """Declare the practice incident; one at a time."""
    chosen = _chosen(tx, config, command, asked)
    if isinstance(chosen, Refusal):
        return chosen
    name, policy = chosen
    pinned = {"name": name, "policy": policy.model_dump(mode="json"), "whole": command.whole}
    incident = incidents.add(
        tx,
        title=f"Practice of the policy {name}: nothing is wrong",
        severity=config.escalation.default_severity,
        policy=pinned,
        declared_by=asked.actor.text,
        channel=config.slack.channel,
        targets=(),
        started_at=tx.now,
        drill=True,
    )
    changes.announce(tx, config, incident)
    last = max(level.after for level in policy.levels)
    _arm(tx, incident, tx.now + last + drill.ANSWER_WITHIN_MS)
    seen = overview(tx, config, incident.id)
    return Answer(kind="done", facts={"done": "declared", "fresh": True, "overview": seen})


def look(tx: Tx, timer: Timer, config: Config) -> None:
    """After an answer, at its end and when its time is over: end it, and say what it showed."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    seen = overview(tx, config, timer.incident_id)
    if seen is None or seen.last("drill") is not None:
        return
    found, ends_at = drill.answers(seen.pings, seen.entries), int(timer.detail["ends_at"])
    over = drill.is_done(seen.incident, found, seen.entries) or tx.now >= ends_at
    if seen.incident.live and not over:
        _arm(tx, seen.incident, ends_at)
        return
    if seen.incident.live:
        _resolve(tx, config, seen)
    seq = incidents.add_entry(tx, seen.incident.id, BOT, "drill", drill.summary(found))
    changes.add_reply(tx, seen.incident, seq, broadcast=True)


def _resolve(tx: Tx, config: Config, seen: Overview) -> None:
    actor = Actor(BOT)
    decided = lifecycle.decide(seen.incident, Resolve(text="the drill is over"), actor, tx.now)
    assert isinstance(decided, lifecycle.Change)
    changes.apply(tx, config, seen.incident, decided, actor)
    timers.remove(tx, KIND, str(seen.incident.id))


def _arm(tx: Tx, incident: Incident, ends_at: int) -> None:
    timers.arm(tx, KIND, str(incident.id), ends_at, incident_id=incident.id, ends_at=ends_at)


def _chosen(tx: Tx, config: Config, command: Drill, asked: Asked) -> tuple[str, Policy] | Refusal:
    """The policy, as far as it is played; only commanders may, and one drill at a time."""
    if asked.actor.holder not in config.holders("commander"):
        who = ", ".join(_who(one) for one in config.holders("commander"))
        return Refusal("Only commanders may start a drill.", f"Who may: {who or 'nobody yet'}.")
    running = incidents.live_drill(tx)
    if running is not None:
        end = f"`/iora resolve INC-{running}` ends it."
        return Refusal(f"A drill is under way already: INC-{running}.", end)
    name, policies = command.policy or config.escalation.default, config.escalation.policies
    if name not in policies:
        near = nearest(name, policies)
        hint = f"Did you mean `{near}`?" if near else f"There are: {', '.join(policies)}."
        return Refusal(f"There is no policy `{outside(name, 63)}`.", hint)
    policy = drill.trimmed(policies[name], whole=command.whole)
    if not policy.pings_people:
        return Refusal(f"The policy `{name}` pings nobody: there is nothing to practise.")
    return name, policy


def _who(holder: str) -> str:
    return f"<@{holder}>" if not holder.startswith("cli:") else outside(holder[4:], 60)


def _local(zones: dict[str, str | None], now: int) -> dict[str, dict[str, Any]]:
    """What the wall clock of each person shows, where their zone is known."""
    found: dict[str, dict[str, Any]] = {}
    for person, name in zones.items():
        zone = _zone(name)
        if zone is not None:
            there = local(now, zone)
            night = not 7 <= there.hour < 22
            found[person] = {"zone": name, "time": f"{there:%H:%M}", "night": night}
    return found


def _zone(name: str | None) -> ZoneInfo | None:
    """Slack may know zones that this machine doesn't."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

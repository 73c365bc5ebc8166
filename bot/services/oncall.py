"""Who is on call, asked and overridden by a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.command import EndOverride, OnCall, SetOverride
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.nearest import listed, nearest
from bot.model.schedule import Override
from bot.rules import access
from bot.rules.lifecycle import SAME_DECLARATION_MS
from bot.rules.oncall import HORIZON_MS, Roster, who
from bot.rules.wall_clock import moment
from bot.services.handover import look_now
from bot.services.incidents import Asked
from bot.services.roster import roster
from bot.store import outbox, overrides
from bot.store.database import Tx
from bot.text import outside

_NEXT = 3  # duties after the one that is asked about


def ask(tx: Tx, config: Config, command: OnCall) -> Answer | Refusal:
    """Who is on call now and next, or at a time, by one schedule or by all of them."""
    unknown = _unknown(config, command.schedule)
    if unknown is not None:
        return unknown
    names = [command.schedule] if command.schedule else [*config.oncall]
    times = {name: _time(tx, config, name, command) for name in names}
    behind = roster(tx, config, min(times.values()) - HORIZON_MS)
    found = [
        {
            "schedule": name,
            "timezone": config.oncall[name].timezone,
            "at": at,
            "now": asdict(behind.duty(name, at)),
            "next": [asdict(duty) for duty in behind.upcoming(name, at, _NEXT)],
        }
        for name, at in times.items()
    ]
    facts = {"asked_at": command.at is not None, "schedules": found}
    nobody = any(behind.duty(name, at).person is None for name, at in times.items())
    return Answer(kind="oncall", facts=facts, finding=nobody)


def set_override(tx: Tx, config: Config, command: SetOverride, asked: Asked) -> Answer | Refusal:
    """Put somebody on call for a while. What the same person typed a moment ago is not done twice."""
    unknown = _unknown(config, command.schedule)
    if unknown is not None:
        return unknown
    if not _may(config, asked.actor, command.person):
        return _refused(config, asked.actor, "put somebody else on call")
    start = tx.now
    if command.start is not None:
        start = moment(command.start, config.oncall[command.schedule].zone, tx.now)
    if start < tx.now or start > tx.now + HORIZON_MS:
        return Refusal("An override begins now or within a year.", "Give another time.")
    known = _same(tx, command, asked, start)
    instead = _without(tx, config, command.schedule, known, known.since if known else start)
    made = known or overrides.add(
        tx, command.schedule, command.person, start, start + command.length, asked.actor.text
    )
    if known is None:
        _changed(tx, config, made, "made", {"by": asked.actor.text, "instead": instead})
    facts = _facts(config, made) | {"instead": instead, "fresh": known is None, "what": "made"}
    return Answer(kind="override", facts=facts)


def end_override(tx: Tx, config: Config, command: EndOverride, asked: Asked) -> Answer | Refusal:
    """Take back the override that counts now, else the next one to come."""
    unknown = _unknown(config, command.schedule)
    if unknown is not None:
        return unknown
    override = _meant(_roster(tx, config).overrides.get(command.schedule, ()), tx.now)
    if override is None:
        reason = f"No override of `{command.schedule}` counts now or is to come."
        return Refusal(reason, f"See `/iora oncall {command.schedule}`.")
    if asked.actor.text != override.made_by and not _may(config, asked.actor, override.person):
        return _refused(config, asked.actor, "take back this override")
    overrides.end(tx, override, asked.actor.text)
    then = _roster(tx, config).duty(command.schedule, max(tx.now, override.since)).person
    _changed(tx, config, override, "ended", {"by": asked.actor.text, "instead": then})
    facts = _facts(config, override) | {"instead": then, "fresh": True, "what": "ended"}
    return Answer(kind="override", facts=facts)


def _changed(tx: Tx, config: Config, override: Override, what: str, facts: Facts) -> None:
    """The channel is told, and whoever is on call now because of it."""
    known = _facts(config, override) | {"what": what} | dict(facts)
    where = f"channel:{config.slack.channel}"
    outbox.add(tx, f"override:{override.id}:{what}", "override", where, known)
    look_now(tx, override.schedule)


def _facts(config: Config, override: Override) -> dict[str, Any]:
    return {
        "override": override.id,
        "schedule": override.schedule,
        "timezone": config.oncall[override.schedule].timezone,
        "person": override.person,
        "since": override.since,
        "until": override.until,
    }


def _meant(found: Iterable[Override], now: int) -> Override | None:
    """The newest that counts now, else the first to come."""
    to_end = [one for one in found if one.ended_at is None and one.until > now]
    current = [one for one in to_end if one.since <= now]
    if current:
        return max(current, key=lambda one: one.id)
    return min(to_end, key=lambda one: (one.since, -one.id), default=None)


def _same(tx: Tx, command: SetOverride, asked: Asked, start: int) -> Override | None:
    """The same words, typed again because the answer got lost."""
    since = tx.now - SAME_DECLARATION_MS
    for one in overrides.made_since(tx, command.schedule, asked.actor.text, since):
        alike = one.person == command.person and one.until - one.since == command.length
        began = one.made_at if command.start is None else start
        if alike and one.since == began:
            return one
    return None


def _without(tx: Tx, config: Config, name: str, override: Override | None, at: int) -> str | None:
    """Who would be on call at a time if it weren't for one override."""
    others = [one for one in _roster(tx, config).overrides.get(name, ()) if one != override]
    return who(config.oncall[name], others, at).person


def _may(config: Config, actor: Actor, person: str) -> bool:
    """The person themself, and who has a role."""
    holders = (*config.holders("responder"), *config.holders("commander"))
    return actor.person == person or actor.holder in holders


def _refused(config: Config, actor: Actor, verb: str) -> Refusal:
    holders = dict.fromkeys((*config.holders("responder"), *config.holders("commander")))
    names = listed([access.mention(one) for one in holders], "and") if holders else "nobody else"
    remedy = f"Who may: the person themself; {names}."
    if actor.person is None:
        remedy += f" To be one of them, add {actor.holder} under `roles` in the config."
    return Refusal(f"You may not {verb}.", remedy)


def _unknown(config: Config, name: str | None) -> Refusal | None:
    if not config.oncall:
        return Refusal("No schedule is configured.", "Add one below `oncall` in the config.")
    if name is None or name in config.oncall:
        return None
    near = nearest(name, config.oncall)
    hint = f"Did you mean `{near}`?" if near else f"There are: {', '.join(config.oncall)}."
    return Refusal(f"There is no schedule `{outside(name, 40)}`.", hint)


def _time(tx: Tx, config: Config, name: str, command: OnCall) -> int:
    return tx.now if command.at is None else moment(command.at, config.oncall[name].zone, tx.now)


def _roster(tx: Tx, config: Config) -> Roster:
    """With the overrides that are over, so that it is right about since when."""
    return roster(tx, config, tx.now - HORIZON_MS)

"""Whoever resolves an incident while its targets still fail is asked first, and says why."""

from __future__ import annotations

from dataclasses import replace

from bot.model.answer import Challenge
from bot.model.command import OnIncident, Resolve
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.units import format_duration
from bot.rules import closing, lifecycle
from bot.rules.alert import counted, named
from bot.rules.detection import Hold, Phase
from bot.services.latest import latest
from bot.store import alerts, holds
from bot.store.database import Tx
from bot.text import outside

_SHOWN = 12  # lines in a message, which has 3,000 characters; the timeline keeps all


def challenged(
    tx: Tx,
    config: Config,
    incident: Incident,
    command: OnIncident,
    change: lifecycle.Change,
) -> lifecycle.Change | Challenge:
    """The change, with what was still failing among its facts; or the question, before there is a reason.

    Out of what is stored: the answer to a click doesn't wait for a target. Alerts of other tools that
    fire count too. A drill is not asked about.
    """
    if not isinstance(command, Resolve) or incident.drill:
        return change
    failing = [line for name in incident.targets for line in _failing(tx, config, name)]
    failing = failing or _holding(tx, incident)
    failing += _firing(tx, incident)
    if not failing:
        return change
    if command.anyway and command.text:
        return replace(change, facts={**change.facts, "failing": failing})
    return _question(incident, command, tuple(failing))


def _failing(tx: Tx, config: Config, name: str) -> tuple[str, ...]:
    target = config.targets.get(name)
    if target is None:  # a reload took it away: there is no bound to hold anything against
        return ()
    stale_ms = closing.POLLS * target.poll + target.timeout
    return closing.failing(name, latest(tx, config, name), stale_ms, tx.now)


def _holding(tx: Tx, incident: Incident) -> list[str]:
    """Rules of metrics without a baseline: resolved while one holds, it would be told to nobody again.

    No data is no recovery here either.
    """
    found = holds.of_incident(tx, incident.id)
    return [f"{hold.target}: {said}" for hold in found if (said := _not_over(hold)) is not None]


def _not_over(hold: Hold) -> str | None:
    match hold.phase:
        case Phase.LOST:
            return f"data that the rule {hold.rule} asks for is lost"
        case Phase.FOUND if hold.yes.since is not None:
            return f"the rule {hold.rule} still holds, for {format_duration(hold.yes.lasted)}"
        case Phase.FOUND if hold.no.since is None:
            return f"whether the rule {hold.rule} still holds is not known"
    return None


def _firing(tx: Tx, incident: Incident) -> list[str]:
    """Also what came a moment ago: resolved with the rest, it would be told to nobody."""
    found = alerts.firing_now(tx, incident.id)
    if not found.firing:
        return []
    return [f"{counted(found.firing, found.resolved)}: {named(found.titles)}"]


def _question(incident: Incident, command: Resolve, failing: tuple[str, ...]) -> Challenge:
    key = incident.key
    shown = [outside(line, 200) for line in failing[:_SHOWN]]
    more = [f"{len(failing) - _SHOWN} more"] if len(failing) > _SHOWN else []
    why = "Resolving it anyway takes a reason" if not command.anyway else "Say why all the same"
    return Challenge(
        f"{key} is not resolved yet: {'; '.join([*shown, *more])}.",
        f"{why}: `/iora resolve {key} anyway REASON`.",
        "Resolve anyway",
        "iora:incident:resolve",
        key,
        incident.id,
        failing,
        command.text,
    )

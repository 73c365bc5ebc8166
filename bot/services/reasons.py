"""The reason of a level in the team's own words: its template, filled in."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.errors import TemplateFailed
from bot.model.incident import Incident
from bot.model.units import format_duration
from bot.rules.condition import Truth, evaluate
from bot.rules.firing import Part
from bot.rules.known import Values, of_incident, of_time, shown
from bot.rules.levels import Case
from bot.template import render_plain

log = logging.getLogger(__name__)


def words(part: Part, case: Case, read: Mapping[str, Values], now: int) -> str:
    """One line; where the template fails, the reason that needs none."""
    if part.template is None or part.unknown or part.level is None:
        return part.reason
    target = _target(case, part.level, read, now)
    try:
        said = render_plain(part.template, _values(case.incident, target, read, now))
    except TemplateFailed as error:
        log.warning("%s: the reason of level %d: %s", case.incident.key, part.level + 1, error)
        return part.reason
    return " ".join(said.split()) or part.reason


def _target(case: Case, level: int, read: Mapping[str, Values], now: int) -> str | None:
    """The target that the reason is about: the one that meets the condition, else the first."""
    condition = case.policy.levels[level].when
    shared = {**of_incident(case.incident, now), **of_time(now)}
    if condition is not None:
        for name, values in read.items():
            if evaluate(condition, {**shared, **values}, now).truth is Truth.YES:
                return name
    return next(iter(case.incident.targets), None)


def _values(
    incident: Incident, target: str | None, read: Mapping[str, Values], now: int
) -> dict[str, object]:
    readings = {
        name: shown(name, known) if known.value is not None else "unknown"
        for name, known in (read.get(target, {}) if target else {}).items()
    }
    return {
        "target": target or "no target",
        "readings": readings,
        "incident": {
            "key": incident.key,
            "title": incident.title,
            "severity": str(incident.severity),
            "status": str(incident.status),
            "impact": incident.impact or "not said yet",
            "age": format_duration(now - incident.opened_at),
        },
    }

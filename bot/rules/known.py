"""What is known of the names of a condition at one time: the values that it is evaluated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.model.incident import Facts, Incident
from bot.model.operand import WEEKDAYS, change_of
from bot.model.reading import Health, Reading
from bot.model.units import format_duration, format_value
from bot.rules.verdict import title


@dataclass(frozen=True)
class Known:
    """A name's value, or unknown (``value`` None) with the reason.

    A number is in ``unit``, which is the one of its name: a metric's own, ms for a duration.
    ``at``: when it was read, in milliseconds since the epoch; ``None`` where age says nothing.
    """

    value: float | str | None
    unit: str = ""
    reason: str | None = None
    source: str = ""
    at: int | None = None


Values = Mapping[str, Known]

NOT_MEASURED = Known(None, reason="not measured")


def of_reading(reading: Reading) -> Known:
    """A metric's value with its source and its time."""
    return Known(reading.value, reading.unit, reading.reason, reading.source, reading.at)


def of_health(health: Health) -> dict[str, Known]:
    """A target's metrics and its ``verdict``. A verdict of unknown is a word, not an unknown."""
    values = {reading.metric: of_reading(reading) for reading in health.readings}
    return {**values, "verdict": Known(str(health.verdict), at=health.at)}


def of_facts(health: Facts) -> dict[str, Known]:
    """The same of a health that was kept as JSON."""
    values = {
        one["metric"]: Known(one["value"], one["unit"], one["reason"], one["source"], one["at"])
        for one in health["readings"]
    }
    return {**values, "verdict": Known(str(health["verdict"]))}


def of_change(name: str, now: Reading | None, before: Reading | None) -> Known:
    """``METRIC.change_5m``: how much more it is than it was that long before, in its own unit.

    Unknown when either end is.
    """
    found = change_of(name)
    assert found is not None, f"{name} is no change of a metric"
    over = format_duration(found[1])
    if now is None or now.value is None:
        return Known(None, reason=(now and now.reason) or "not measured")
    if before is None or before.value is None:
        return Known(None, reason=f"no reading from {over} before")
    return Known(now.value - before.value, now.unit, source=now.source, at=now.at)


def of_incident(incident: Incident, now: int) -> dict[str, Known]:
    """``incident.age`` counts from the declaration, without the time that it stood resolved."""
    end = incident.resolved_at if incident.resolved_at is not None else now
    age = max(0, end - incident.declared_at - incident.closed_ms)
    return {
        "incident.age": Known(float(age), "ms"),
        "incident.severity": Known(str(incident.severity)),
        "incident.status": Known(str(incident.status)),
    }


def of_time(now: int, zone: tzinfo = UTC) -> dict[str, Known]:
    """``time.hour`` and ``time.weekday`` in a time zone."""
    local = datetime.fromtimestamp(now / 1000, zone)
    source = str(zone)
    return {
        "time.hour": Known(float(local.hour), source=source),
        "time.weekday": Known(WEEKDAYS[local.weekday()], source=source),
    }


def label(name: str) -> str:
    """A name as people say it: ``CPU``, ``CPU change in 5 min``, ``step breaker``."""
    first, *rest = name.split(".")
    changed = change_of(name)
    if changed is not None:
        return f"{title(changed[0])} change in {format_duration(changed[1])}"
    match first, rest:
        case "steps", [step, "state"]:
            return f"step {step}"
        case "steps", [step, metric]:
            return f"step {step}: {title(metric)}"
        case "inputs", [asked]:
            return f"input {asked}"
        case "incident", ["age"]:
            return "incident's age"
        case (("incident" | "time"), [attribute]):
            return attribute
    return title(name)


def shown(name: str, known: Known) -> str:
    """A known value in words, with its unit: ``96 %``, ``6 min``, ``sev2``."""
    if not isinstance(known.value, float | int):
        return str(known.value)
    if known.unit == "ms" and name.startswith(("incident.", "inputs.")):
        return format_duration(round(known.value))
    value = format_value(known.value, known.unit)
    return f"+{value}" if change_of(name) and known.value > 0 else value

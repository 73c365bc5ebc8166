"""A check step against a target's health: is it well, are its baselines held, or bounds of the step's own."""

from __future__ import annotations

from dataclasses import asdict

from bot.model.incident import Facts
from bot.model.reading import Health, Reading, Verdict
from bot.model.reading import Result as Standing
from bot.model.run import Result, ResultState
from bot.model.step import CheckStep
from bot.model.target import Bound
from bot.model.units import format_value
from bot.rules.verdict import title


def measured(step: CheckStep, health: Health) -> Result:
    """``ok`` within the bounds, ``failed`` past one, ``unknown`` where one can't be read."""
    readings = readings_of(health)
    match step.of:
        case "health":
            return _of_health(health, readings)
        case "baselines":
            return _of_baselines(health, readings)
        case "metrics":
            return _of_metrics(step, health, readings)


def readings_of(health: Health) -> list[Facts]:
    """The readings as a step keeps them."""
    return [asdict(reading) for reading in health.readings]


def state_of(health: Health) -> ResultState:
    """A verdict as a step's result."""
    if health.verdict is Verdict.UNKNOWN:
        return "unknown"
    return "failed" if health.verdict in {Verdict.DOWN, Verdict.UNHEALTHY} else "ok"


def _of_health(health: Health, readings: list[Facts]) -> Result:
    text = f"{health.target} is {health.verdict}: {health.reason}"
    facts = {"verdict": str(health.verdict), "status": health.status}
    return Result(state=state_of(health), text=text, readings=readings, facts=facts)


def _of_baselines(health: Health, readings: list[Facts]) -> Result:
    """A target that is down holds no baseline, whatever was read before."""
    failed = [one for one in health.findings if one.result is Standing.FAIL]
    unread = [one for one in health.findings if one.result is Standing.UNKNOWN]
    facts = {"verdict": str(health.verdict), "status": health.status}
    if failed:
        said = "; ".join(_past(one.metric, one.reading, one.bound) for one in failed)
        return Result(state="failed", text=said, readings=readings, facts=facts)
    if health.verdict in {Verdict.DOWN, Verdict.UNHEALTHY}:
        return _of_health(health, readings)
    if unread:
        said = "; ".join(_unread(one.metric, one.reading) for one in unread)
        return Result(state="unknown", text=said, readings=readings, facts=facts)
    held = sum(one.result is Standing.PASS for one in health.findings)
    return Result(state="ok", text=f"{held} baselines hold", readings=readings, facts=facts)


def _of_metrics(step: CheckStep, health: Health, readings: list[Facts]) -> Result:
    known = {reading.metric: reading for reading in health.readings}
    failed, unread, held = [], [], []
    for metric, bound in step.bounds.items():
        reading = known.get(metric)
        if reading is None or reading.value is None:
            unread.append(_unread(metric, reading))
        elif bound.holds(reading.value):
            held.append(f"{title(metric)} {format_value(reading.value, reading.unit)}")
        else:
            failed.append(_past(metric, reading, bound))
    if failed:
        return Result(state="failed", text="; ".join([*failed, *unread]), readings=readings)
    if unread:
        return Result(state="unknown", text="; ".join([*unread, *held]), readings=readings)
    return Result(state="ok", text="; ".join(held), readings=readings)


def _past(metric: str, reading: Reading | None, bound: Bound) -> str:
    assert reading is not None
    assert reading.value is not None
    value = format_value(reading.value, reading.unit)
    limit = format_value(bound.limit, reading.unit)
    return f"{title(metric)} {value}, must be {bound.direction} {limit}"


def _unread(metric: str, reading: Reading | None) -> str:
    reason = reading.reason if reading is not None and reading.reason else "not measured"
    return f"{title(metric)} unknown: {reason}"

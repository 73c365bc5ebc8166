"""What the conditions and templates of a run can speak of, and which target a step means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.model.condition import Condition, change_of
from bot.model.incident import Incident
from bot.model.reading import Health
from bot.model.run import Progress, Run, StepRun
from bot.model.runbook import Input, Runbook
from bot.model.step import AdviseStep, Step, WaitStep, target_of
from bot.model.units import format_duration, format_value, parse_duration
from bot.rules.known import Known, Values, of_health, of_incident, of_time

_ASIDE = ("incident", "inputs", "steps", "time")


def needs_readings(condition: Condition) -> bool:
    """Whether it names a metric or the verdict, which are read anew for it."""
    return any(name.name.split(".")[0] not in _ASIDE for name in condition.names)


def changes_named(book: Runbook) -> tuple[str, ...]:
    """The changes over time that a runbook's conditions ask for, such as ``cpu_percent.change_5m``."""
    found = dict.fromkeys(
        mention.name
        for step in book.steps
        for condition in conditions_of(step)
        for mention in condition.names
        if change_of(mention.name) is not None
    )
    return tuple(found)


def conditions_of(step: Step) -> Iterator[Condition]:
    """Every condition of a step."""
    if step.when is not None:
        yield step.when
    if step.verify is not None:
        yield step.verify.that
    if isinstance(step, WaitStep):
        yield step.that
    if isinstance(step, AdviseStep):
        yield from (cause.when for cause in step.causes if cause.when is not None)


def target_named(step: Step, run: Run) -> str:
    """The target that a step means: its own, by name or by an input; else the run's."""
    named = target_of(step)
    if named is None:
        return run.target
    return str(run.inputs[named.removeprefix("inputs.")]) if named.startswith("inputs.") else named


def values(
    progress: Progress, incident: Incident | None, health: Health | None, extra: Values, now: int
) -> Values:
    """Everything by its name; ``extra``: what the readings changed since some time."""
    run = progress.run
    return {
        **of_time(now),
        **(of_incident(incident, now) if incident is not None else {}),
        **{f"inputs.{name}": _of_input(run, name) for name in run.book.inputs},
        **_of_steps(progress.steps),
        **(of_health(health) if health is not None else {}),
        **extra,
    }


def shown(
    progress: Progress, incident: Incident | None, health: Health | None
) -> Mapping[str, object]:
    """What a template of the run may name, as plain data."""
    run = progress.run
    return {
        "target": run.target,
        "run": {"key": run.key, "by": run.by, "runbook": run.runbook},
        "inputs": {name: _shown_input(run, name) for name in run.book.inputs},
        "incident": _shown_incident(incident),
        "readings": _shown_readings(progress, health),
        "steps": {step.step: _shown_step(step) for step in progress.steps},
    }


def _of_input(run: Run, name: str) -> Known:
    value = run.inputs.get(name)
    if value is None:
        return Known(None, reason="not given")
    if run.book.inputs[name].type == "duration":
        return Known(float(parse_duration(value)), "ms")
    return Known(float(value) if isinstance(value, int | float) else value)


def _of_steps(steps: tuple[StepRun, ...]) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for step in steps:
        if step.state.over:
            found[f"steps.{step.step}.state"] = Known(str(step.state))
        for reading in step.output.get("readings", ()):
            found[f"steps.{step.step}.{reading['metric']}"] = Known(
                reading["value"],
                reading["unit"],
                reading["reason"],
                reading["source"],
                reading["at"],
            )
    return found


def _shown_input(run: Run, name: str) -> str | float | None:
    asked: Input = run.book.inputs[name]
    value = run.inputs.get(name)
    if asked.type == "duration" and value is not None:
        return format_duration(parse_duration(value))
    return value


def _shown_incident(incident: Incident | None) -> Mapping[str, object] | None:
    if incident is None:
        return None
    return {
        "key": incident.key,
        "title": incident.title,
        "severity": str(incident.severity),
        "status": str(incident.status),
        "impact": incident.impact or "not said yet",
        "commander": incident.commander or "nobody",
    }


def _shown_readings(progress: Progress, health: Health | None) -> Mapping[str, str]:
    """The newest of each metric in words, ``unknown`` where it could not be read."""
    found: dict[str, str] = {}
    for step in progress.steps:
        for one in step.output.get("readings", ()):
            found[one["metric"]] = _words(one["value"], one["unit"])
    for reading in health.readings if health is not None else ():
        found[reading.metric] = _words(reading.value, reading.unit)
    return found


def _shown_step(step: StepRun) -> Mapping[str, object]:
    readings = {
        one["metric"]: _words(one["value"], one["unit"]) for one in step.output.get("readings", ())
    }
    said = step.output.get("text") or step.reason
    return {**readings, "state": str(step.state), "text": said, "reason": step.reason}


def _words(value: float | None, unit: str) -> str:
    return "unknown" if value is None else format_value(value, unit)

"""What a run is started with: its target and its inputs, checked before anything begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.model.answer import Refusal
from bot.model.command import StartRun
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.nearest import nearest
from bot.model.runbook import Input, Runbook
from bot.model.units import parse_duration

TEXT = 500


@dataclass(frozen=True)
class Settled:
    """The run's target, and every input by its name."""

    target: str
    inputs: Mapping[str, str | float]


def settle(
    runbook: Runbook, command: StartRun, incident: Incident | None, config: Config
) -> Settled | Refusal:
    """The inputs that were given, then the defaults; what is missing or wrong is said."""
    unknown = [name for name in command.inputs if name not in runbook.inputs]
    if unknown:
        near = nearest(unknown[0], list(runbook.inputs))
        hint = f"Did you mean `{near}=`?" if near else _offered(runbook)
        return Refusal(f"`{runbook.id}` has no input `{unknown[0]}`.", hint)
    target = _target(runbook, command, incident, config)
    if isinstance(target, Refusal):
        return target
    found: dict[str, str | float] = {}
    for name, asked in runbook.inputs.items():
        if asked.type == "target" and name not in command.inputs:
            found[name] = str(asked.default or target)
            continue
        given = command.inputs.get(name, asked.default)
        if given is None:
            what = asked.title or name
            return Refusal(
                f"`{runbook.id}` needs `{name}`: {what}.", f"Write `{name}=…` behind it."
            )
        value = _value(name, asked, given, config)
        if isinstance(value, Refusal):
            return value
        found[name] = value
    return Settled(target, found)


def missing(runbook: Runbook, command: StartRun, incident: Incident | None, config: Config) -> bool:
    """Whether somebody must say more before it can start: nothing that was said is wrong, but too little."""
    asked = {name: one for name, one in runbook.inputs.items() if one.type != "target"}
    if any(name not in runbook.inputs for name in command.inputs):
        return False
    if any(one.default is None and name not in command.inputs for name, one in asked.items()):
        return True
    return command.target is None and isinstance(
        _target(runbook, command, incident, config), Refusal
    )


def _target(
    runbook: Runbook, command: StartRun, incident: Incident | None, config: Config
) -> str | Refusal:
    """The one that is named, the incident's, or the only one there is."""
    named = [
        str(command.inputs[name])
        for name, asked in runbook.inputs.items()
        if asked.type == "target" and name in command.inputs
    ]
    defaults = [
        str(asked.default)
        for asked in runbook.inputs.values()
        if asked.type == "target" and asked.default is not None
    ]
    of_incident = list(incident.targets) if incident is not None else []
    only = list(config.targets) if len(config.targets) == 1 else []
    for found in (
        [command.target] if command.target else [],
        named[:1],
        of_incident,
        defaults,
        only,
    ):
        if len(found) == 1:
            return _known(found[0], config)
        if len(found) > 1:
            return Refusal(
                f"{incident.key if incident else 'It'} has {len(found)} targets: {', '.join(found)}.",
                f"Name one: `/iora run {runbook.id} {found[0]}`.",
            )
    names = ", ".join(config.targets)
    return Refusal("Which target?", f"Write `/iora run {runbook.id} TARGET`. There are: {names}.")


def _known(name: str, config: Config) -> str | Refusal:
    if name in config.targets:
        return name
    near = nearest(name, list(config.targets))
    hint = f"Did you mean `{near}`?" if near else f"There are: {', '.join(config.targets)}."
    return Refusal(f"There is no target `{name}`.", hint)


def _value(name: str, asked: Input, given: str | float, config: Config) -> str | float | Refusal:
    match asked.type:
        case "number":
            try:
                return float(given)
            except ValueError:
                return Refusal(f"`{name}` is no number: `{given}`.", "Write it as 5 or 0.5.")
        case "duration":
            try:
                parse_duration(given)
            except ValueError as error:
                return Refusal(f"`{name}`: {error}.")
        case "choice":
            if given not in asked.choices:
                return Refusal(f"`{name}` is one of {', '.join(asked.choices)}.")
        case "target":
            return _known(str(given), config)
        case "text":
            if len(str(given)) > TEXT:
                return Refusal(f"`{name}` has at most {TEXT} characters.")
    return given


def _offered(runbook: Runbook) -> str:
    if not runbook.inputs:
        return "It has no inputs."
    return f"It has: {', '.join(runbook.inputs)}."

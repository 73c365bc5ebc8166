"""Watching a condition that must hold for a while, within a time: ``verify`` and ``wait_for``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.model.run import Run, StepRun
from bot.model.step import Recovery, Step, WaitStep
from bot.model.target import Target
from bot.model.units import format_duration, parse_duration
from bot.rules.condition import Truth
from bot.rules.hold import Held, hold

_FASTEST_MS, _SLOWEST_MS = 500, 15_000
_MISSED = 3  # looks that may be missed before what held begins anew


@dataclass(frozen=True)
class Watched:
    """The step after one more look; ``enough``: it held for long enough."""

    step: StepRun
    enough: bool
    too_late: str


def of(step: StepRun, definition: Step) -> Recovery:
    """What is watched: the step's ``verify`` once it was done, or what it waits for."""
    if isinstance(definition, WaitStep) and not step.output.get("verifying"):
        return Recovery.model_construct(
            that=definition.that, hold=definition.hold, within=definition.within
        )
    assert definition.verify is not None
    return definition.verify


def length(written: int | str, run: Run) -> int:
    """A length in milliseconds, which may be an input of the run."""
    if isinstance(written, int):
        return written
    return parse_duration(run.inputs[written.removeprefix("inputs.")])


def pace(target: Target | None) -> int:
    """How often it is looked at, in milliseconds: as often as the target is polled."""
    poll = target.poll if target is not None else _SLOWEST_MS
    return min(max(poll, _FASTEST_MS), _SLOWEST_MS)


def look_at(target: Target | None, step: StepRun) -> int:
    """When it is to be looked at again, in milliseconds since the epoch."""
    looked: int = step.output.get("looked_at", 0)
    return looked + pace(target) if looked else 0


def look(
    step: StepRun,
    watched: Recovery,
    run: Run,
    target: Target | None,
    truth: Truth,
    because: str,
    now: int,
) -> Watched:
    """One more observation."""
    before = Held(step.held_since, step.output.get("looked_at", 0))
    gap = _MISSED * pace(target) + (target.timeout if target is not None else 0)
    held = hold(before, truth, now, gap, recovery=True)
    wanted = length(watched.hold, run)
    progress = because
    if held.since is not None:
        lasted, whole = format_duration(held.lasted), format_duration(wanted)
        progress = f"held {lasted} of {whole}: {because}"
    output = {**step.output, "looked_at": now, "progress": progress}
    if held.met(wanted):
        output["text"] = because if not step.output.get("text") else step.output["text"]
        output["held"] = because
    within = format_duration(length(watched.within, run))
    return Watched(
        replace(step, held_since=held.since, output=output),
        enough=held.met(wanted),
        too_late=f"not within {within}: {because}",
    )

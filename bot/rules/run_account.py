"""A run of a runbook as a post-mortem tells it."""

from __future__ import annotations

from bot.model.actor import person_of
from bot.model.postmortem import RunAccount, StepLine
from bot.model.run import Progress, StepRun
from bot.model.units import format_duration
from bot.rules.names import moment, named


def told(progress: Progress, now: int) -> RunAccount:
    """The run in a sentence, and its steps with their results."""
    run = progress.run
    took = format_duration((run.ended_at or now) - run.started_at)
    ended = f"{run.state} after {took}" if run.ended_at else f"{run.state} for {took}"
    why = f": {run.reason}" if run.reason else ""
    return RunAccount(
        sentence=(
            f"{run.key}, {run.book.title} (version {run.version}) on {run.target}, started by "
            f"{named(run.by)} at {moment(run.started_at)}: {ended}{why}."
        ),
        source=run.key,
        steps=tuple(_line(progress, step) for step in progress.steps),
    )


def place(progress: Progress, step: StepRun) -> str:
    """How a draft refers to a step."""
    return f"{progress.run.key} step {step.position + 1}"


def titled(progress: Progress, step: StepRun) -> str:
    """The step by its title, in quotes."""
    return f"“{progress.definition(step).title}”"


def by_a_person(step: StepRun) -> bool:
    """Whether its result is somebody's word, and not the bot's."""
    return step.by is not None and (person_of(step.by) is not None or step.by.startswith("cli:"))


def _line(progress: Progress, step: StepRun) -> StepLine:
    who = [named(step.by)] if step.by else []
    who += [f"approved by {named(actor)}" for actor in progress.approvers(step)]
    timed = step.started_at is not None and step.ended_at is not None
    return StepLine(
        number=step.position + 1,
        title=progress.definition(step).title,
        kind=progress.definition(step).kind,
        result=str(step.state).upper(),
        by=", ".join(who),
        took=(step.ended_at or 0) - (step.started_at or 0) if timed else None,
        text=_came_of_it(step),
    )


def _came_of_it(step: StepRun) -> str:
    text = str(step.output.get("text", ""))
    return (
        f"{text}; {step.reason}" if text and step.reason not in {"", text} else text or step.reason
    )

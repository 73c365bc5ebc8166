"""The buttons of a run: what a person can say to it now, one of them primary."""

from __future__ import annotations

from collections.abc import Mapping

from bot.model.incident import Incident
from bot.model.outlook import Outlook
from bot.model.run import Mark, RunState, StepRun, StepState
from bot.render.blocks import Block, actions, button, overflow

MENU = "iora:run:more"
_STEP: Mapping[StepState, tuple[tuple[str, str, str | None], ...]] = {
    StepState.APPROVING: (
        ("Approve", "approve", "primary"),
        ("Reject", "reject", None),
        ("Preview", "preview", None),
    ),
    StepState.DOING: (("Done", "done", "primary"), ("Skip", "skip", None)),
    StepState.ASKING: (("Do it", "do", "primary"), ("Skip", "skip", None)),
    StepState.STUCK: (("It was done", "done", None), ("Repeat", "repeat", None)),
}


def of_step(seen: Outlook, step: StepRun) -> list[Block]:
    """What the step asks for. Of an action that may have been done, nothing is primary: look first."""
    mark = str(Mark.of(step))
    drawn = [
        button(label, f"iora:run:{verb}", mark, style=style)
        for label, verb, style in _STEP.get(step.state, ())
    ]
    if step.state is StepState.STUCK and _can_be_taken_back(seen, step):
        drawn.append(button("Undo", "iora:run:undo", mark))
    return drawn


def of_run(seen: Outlook) -> list[Block]:
    """Those of the step, and a menu for the run as a whole; of a run that is over, what follows."""
    run, step = seen.progress.run, seen.progress.current
    if not run.state.live:
        return _row(_afterwards(seen))
    if run.state is RunState.PAUSED:
        first = [button("Resume", "iora:run:resume", run.key, style="primary")]
    else:
        first = of_step(seen, step) if step is not None else []
    return _row([*first, overflow(MENU, _menu(seen, step))])


def _menu(seen: Outlook, step: StepRun | None) -> list[tuple[str, str]]:
    run = seen.progress.run
    found = [] if run.state is RunState.PAUSED else [("Pause", f"pause {run.key}")]
    if step is not None and step.state is not StepState.STARTED and run.state is RunState.RUNNING:
        found.append(("Skip this step", f"skip {Mark.of(step)}"))
    found += [("Preview what is left", f"preview {run.key}")]
    if seen.reversals:
        found.append(("Undo what was done", f"undo {run.key}"))
    return [*found, ("Cancel the run", f"cancel {run.key}")]


def _afterwards(seen: Outlook) -> list[Block]:
    run = seen.progress.run
    drawn = _of_incident(seen.incident, done=run.state is RunState.DONE)
    if seen.reversals:
        drawn.append(button("Undo what was done", "iora:run:undo", run.key))
    return drawn


def _of_incident(incident: Incident | None, *, done: bool) -> list[Block]:
    """What comes next for its incident: nobody is led to resolve it by a run that was not done to its end."""
    if incident is None or (incident.live and not done):
        return []
    key = incident.key
    if incident.live:
        return [button(f"Resolve {key}", "iora:incident:resolve", key, style="primary")]
    return [button("Post-mortem", "iora:incident:postmortem", key, style="primary")]


def _can_be_taken_back(seen: Outlook, step: StepRun) -> bool:
    return any(one.position == step.position for one in seen.reversals)


def _row(elements: list[Block]) -> list[Block]:
    return [actions(elements)] if elements else []

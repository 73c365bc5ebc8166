"""Taking back what a run did: a step of its own for each, in reverse order, behind approval like any action."""

from __future__ import annotations

from bot.model.config import Config
from bot.model.run import Progress, StepRun, StepState
from bot.model.step import ActionStep
from bot.rules.facts import target_named

_MAY_HAVE_BEEN_DONE = {StepState.OK, StepState.UNKNOWN, StepState.STUCK}


def possible(config: Config, progress: Progress, step: StepRun) -> bool:
    """Whether the step did something that can be taken back, and was not yet.

    A step that failed, or whose watch was skipped, was done before what it should bring about did not
    come; one of which nobody knew whether it was done stays so, whatever became of it.
    """
    if step.undoes is not None or progress.undone(step) or not _may_have_been_done(step):
        return False
    return way(config, progress, step) is not None


def step(config: Config, progress: Progress, done: StepRun, position: int) -> StepRun:
    """The step that takes ``done`` back."""
    known = way(config, progress, done)
    assert known is not None
    return StepRun(
        run_id=done.run_id,
        position=position,
        step=f"undo-{done.step}"[:63],
        state=StepState.WAITING,
        output={"undo": known},
        undoes=done.position,
    )


def way(config: Config, progress: Progress, step: StepRun) -> dict[str, str] | None:
    """What the step says, else what the action's own config says."""
    definition = progress.definition(step)
    if definition.undo is not None:
        if definition.undo.action is not None:
            return {"action": definition.undo.action}
        return {"text": str(definition.undo.text)}
    if not isinstance(definition, ActionStep) or step.output.get("by_hand"):
        return None
    target = config.targets.get(target_named(definition, progress.run))
    action = target.actions.get(definition.action) if target is not None else None
    return {"action": action.undo} if action is not None and action.undo else None


def _may_have_been_done(step: StepRun) -> bool:
    if step.output.get("called") or step.output.get("verifying"):
        return True
    return step.state in _MAY_HAVE_BEEN_DONE

"""What a run shows beside its own state: who is asked now, whose yes counts, what can be taken back."""

from __future__ import annotations

from bot.model.actor import Actor
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.outlook import Outlook, Reversal
from bot.model.run import Progress, StepRun, StepState
from bot.rules import approval, undo


def outlook(config: Config, progress: Progress, incident: Incident | None) -> Outlook:
    """The run with all that its drawings need."""
    step = progress.current
    wanted = approval.wanted(progress.definition(step), step) if step is not None else None
    return Outlook(
        progress=progress,
        incident=incident,
        reversals=reversals(config, progress),
        asked=_asked(config, progress, incident, step) if step is not None else (),
        wanted=wanted.min if wanted is not None else 0,
        approved=approval.valid(config, progress, step) if step is not None else (),
        roles=wanted.roles if wanted is not None else (),
    )


def reversals(config: Config, progress: Progress) -> tuple[Reversal, ...]:
    """Everything that can be taken back, the last one first."""
    return tuple(
        Reversal(step.position, progress.definition(step).title, _how(config, progress, step))
        for step in reversed(progress.steps)
        if undo.possible(config, progress, step)
    )


def _how(config: Config, progress: Progress, step: StepRun) -> str:
    way = undo.way(config, progress, step)
    assert way is not None
    return f"calls {way['action']}" if "action" in way else f"by hand: {way['text']}"


def _asked(
    config: Config, progress: Progress, incident: Incident | None, step: StepRun
) -> tuple[str, ...]:
    """Who may approve it; of what a person does: who took a part of it, else the commander or the starter."""
    wanted = approval.wanted(progress.definition(step), step)
    if step.state in {StepState.APPROVING, StepState.STUCK} and wanted is not None:
        left_out = {Actor(actor).holder for actor in progress.approvers(step)}
        return tuple(
            holder
            for holder in approval.holders(config, wanted, progress)
            if step.state is StepState.STUCK or holder not in left_out
        )
    if not step.state.for_a_person:
        return ()
    owners = [str(one["owner"]) for one in step.output.get("items", {}).values() if one["owner"]]
    if owners:
        return tuple(dict.fromkeys(owners))
    if incident is not None and incident.commander is not None:
        return (incident.commander,)
    starter = Actor(progress.run.by)
    return (starter.holder,) if progress.run.by != "bot" else ()

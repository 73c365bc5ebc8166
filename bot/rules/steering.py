"""Whether a person's word to a run counts: the right step, the right asking, the right person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import OnRun, Tick, Verb
from bot.model.config import Config
from bot.model.run import Progress, Run, RunState, StepRun, StepState
from bot.model.step import ActionStep, ChecklistStep
from bot.rules import access, approval, undo

_FITS: Mapping[Verb, tuple[StepState, ...]] = {
    "approve": (StepState.APPROVING,),
    "reject": (StepState.APPROVING,),
    "do": (StepState.ASKING,),
    "done": (StepState.DOING, StepState.STUCK),
    "repeat": (StepState.STUCK,),
    "skip": (
        StepState.WAITING,
        StepState.ASKING,
        StepState.APPROVING,
        StepState.DOING,
        StepState.WATCHING,
        StepState.STUCK,
    ),
}
_ANYBODY: tuple[Verb, ...] = ("done",)
_WAITS_FOR = {
    StepState.ASKING: "whether it is to be done",
    StepState.APPROVING: "approval",
    StepState.DOING: "somebody to do it",
    StepState.STUCK: "somebody who says whether it was done",
}


def meant(progress: Progress, command: OnRun) -> StepRun | Refusal:
    """The step that is meant, if the run still asks for this; a late click hits nothing."""
    run = progress.run
    if not run.state.live:
        return Refusal(f"{run.key} is over: {ended(run)}.", f"See `/iora run {run.key}`.")
    step = progress.current
    if command.mark is not None:
        if command.mark.position >= len(progress.steps):
            return Refusal(f"{run.key} has no such step.")
        step = progress.steps[command.mark.position]
        if step.state.over or step.attempt != command.mark.attempt:
            return _answered(progress, step)
    if step is None or step.state not in _FITS[command.verb]:
        return _does_not_fit(progress, step, command.verb)
    if run.state is RunState.PAUSED:
        return Refusal(f"{run.key} is paused.", f"Resume it first: `/iora run {run.key} resume`.")
    return step


def too_late(progress: Progress, step: StepRun, now: int) -> Refusal | None:
    """Why it comes too late, though the bot has not come to the end of its time yet."""
    run = progress.run
    if now >= run.ends_by:
        return Refusal(f"The time is over that {run.key} has.", f"See `/iora run {run.key}`.")
    if step.state is StepState.APPROVING and step.due_at is not None and now >= step.due_at:
        title = progress.definition(step).title
        return Refusal(f"“{title}” expired: it was not approved in time.")
    return None


def refuse(
    config: Config,
    progress: Progress,
    step: StepRun,
    command: OnRun,
    actor: Actor,
    *,
    stands: bool,
) -> Refusal | None:
    """Why this person may not say this of the step.

    Approvals, and what became of an action that nobody is sure of, are for those who may approve it.
    """
    if command.verb in {"approve", "reject"} or step.state is StepState.STUCK:
        return approval.refuse(config, progress, step, actor)
    if command.verb in _ANYBODY or stands:
        return None
    return _not_yours(config, progress, command.verb)


def refuse_run(
    config: Config, progress: Progress, command: OnRun, actor: Actor, *, stands: bool
) -> Refusal | None:
    """Why this may not be said to the run as a whole, now or by this person."""
    run = progress.run
    if command.verb == "undo":
        return _refuse_undo(config, progress, command, actor, stands=stands)
    if not run.state.live:
        return Refusal(f"{run.key} is over: {ended(run)}.", f"See `/iora run {run.key}`.")
    if command.verb == "pause" and run.state is RunState.PAUSED:
        return Refusal(f"{run.key} is paused already.")
    if command.verb == "resume" and run.state is RunState.RUNNING:
        return Refusal(f"{run.key} is not paused.")
    return None if stands else _not_yours(config, progress, command.verb)


def ended(run: Run) -> str:
    """How a run ended, in words, and who ended it."""
    who = (
        f" by {access.mention(Actor(run.ended_by).holder)}"
        if run.ended_by not in {None, "bot"}
        else ""
    )
    if run.state is RunState.CANCELLED:
        return f"cancelled{who}"
    return f"{run.state}{who}" + (f" ({run.reason})" if run.reason else "")


def ticked(
    step: ChecklistStep, now_step: StepRun, command: OnRun, actor: Actor, run: Run, now: int
) -> StepRun | Refusal:
    """The checklist with one or more lines ticked; what they ask for must be given."""
    done = {int(number): dict(one) for number, one in now_step.output.get("items", {}).items()}
    given = dict(command.ticks) or {
        number: Tick(command.text) for number in range(1, len(step.items) + 1) if number not in done
    }
    for number, tick in given.items():
        if not 1 <= number <= len(step.items):
            return Refusal(f"“{step.title}” has no line {number}.", f"It has {len(step.items)}.")
        item = step.items[number - 1]
        if item.note and not tick.note.strip():
            return Refusal(
                f"Line {number} asks for a note: {item.text.removesuffix('.')}.",
                f"Write `/iora run {run.key} done {number} NOTE`, or press Done.",
            )
        owner = tick.owner or (actor.holder if item.owner else None)
        done[number] = {"by": actor.text, "at": now, "note": tick.note.strip(), "owner": owner}
    items = {str(number): done[number] for number in sorted(done)}
    output = {**now_step.output, "items": items, "text": _noted(step, done)}
    return replace(now_step, output=output, by=actor.text)


def complete(step: ChecklistStep, now_step: StepRun) -> bool:
    """Whether every line of the checklist is ticked."""
    return len(now_step.output["items"]) == len(step.items)


def by_hand(step: StepRun, command: OnRun, actor: Actor) -> StepRun:
    """What a person did because the target does not offer it, with what they say of it."""
    note = command.text or next((tick.note for tick in command.ticks.values()), "")
    output = {**step.output, "text": f"done by hand: {note}" if note else "done by hand"}
    return replace(step, output=output, by=actor.text, reason="")


def _noted(step: ChecklistStep, done: Mapping[int, Mapping[str, object]]) -> str:
    notes = [str(one["note"]) for one in done.values() if one["note"]]
    return "; ".join(notes) if notes else f"{len(done)} of {len(step.items)} done"


def _answered(progress: Progress, step: StepRun) -> Refusal:
    title = progress.definition(step).title
    if step.state.over:
        who = f" by {access.mention(Actor(step.by).holder)}" if step.by else ""
        why = f" ({step.reason})" if step.reason else ""
        return Refusal(f"“{title}” is over: {step.state}{who}{why}.")
    return _earlier(progress, step)


def _earlier(progress: Progress, step: StepRun) -> Refusal:
    title = progress.definition(step).title
    return Refusal(
        f"That button is of an earlier asking: “{title}” was asked anew.",
        f"See `/iora run {progress.run.key}`.",
    )


def _does_not_fit(progress: Progress, step: StepRun | None, verb: str) -> Refusal:
    run = progress.run
    remedy = f"See `/iora run {run.key}`."
    if step is None:
        return Refusal(f"{run.key} has no step that waits.", remedy)
    title = progress.definition(step).title
    if step.state in _WAITS_FOR:
        return Refusal(
            f"“{title}” waits for {_WAITS_FOR[step.state]}: there is nothing to {verb}.", remedy
        )
    return Refusal(f"The bot is at “{title}”: there is nothing to {verb}.", remedy)


def _refuse_undo(
    config: Config, progress: Progress, command: OnRun, actor: Actor, *, stands: bool
) -> Refusal | None:
    """Whoever may approve what was done may take it back; what a person did, whoever has a part in it."""
    run, mark = progress.run, command.mark
    steps = (
        [one for one in progress.steps if one.position == mark.position]
        if mark is not None
        else [one for one in progress.steps if undo.possible(config, progress, one)]
    )
    current = progress.current
    if current is not None and current.state is StepState.STARTED:
        return Refusal("The bot is doing a step at this moment.", "Try again when it has ended.")
    if not steps or not all(undo.possible(config, progress, one) for one in steps):
        return Refusal(f"{run.key} did nothing there that can be taken back, or it was already.")
    if mark is not None and steps[0].attempt != mark.attempt:
        return _earlier(progress, steps[0])
    actions = [one for one in steps if isinstance(progress.definition(one), ActionStep)]
    if not actions and not stands:
        return _not_yours(config, progress, command.verb)
    refusals = (approval.refuse(config, progress, step, actor) for step in actions)
    return next((one for one in refusals if one is not None), None)


def _not_yours(config: Config, progress: Progress, verb: str) -> Refusal:
    holders = dict.fromkeys(
        (
            Actor(progress.run.by).holder,
            *config.holders("responder"),
            *config.holders("commander"),
        )
    )
    return Refusal(
        f"You may not {verb} here.", f"Who may: {approval.listed(holders)}, or whoever was paged."
    )

"""What people say to a run: done, skip, approve, pause, undo, each checked when it arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import OnRun, Verb
from bot.model.config import Config
from bot.model.run import Progress, Run, RunState, StepRun, StepState
from bot.model.step import ChecklistStep
from bot.rules import access, approval, outcome, steering, undo
from bot.rules.outcome import Move
from bot.services import run_news, runbooks
from bot.services.incidents import Asked
from bot.services.overview import paged
from bot.store import incidents, runs, timers
from bot.store.database import Tx


def act(tx: Tx, config: Config, command: OnRun, asked: Asked) -> Progress | Refusal:
    """Carry it out, or refuse it with the reason; a refusal is on the incident's timeline too."""
    progress = runs.progress(tx, command.run)
    if progress is None:
        return Refusal(f"There is no RUN-{command.run}.", "See `/iora runbooks`.")
    refusal = access.refuse_outsider(config, asked.actor)
    if command.verb in _LOOKS:
        return refusal or progress
    refusal = refusal or _act(tx, config, progress, command, asked.actor)
    if refusal is not None:
        if progress.run.incident_id is not None:
            said = {"command": f"{command.verb} in {progress.run.key}", "reason": refusal.reason}
            incidents.add_entry(tx, progress.run.incident_id, asked.actor.text, "refused", said)
        return refusal
    after = runs.progress(tx, command.run)
    assert after is not None
    return after


def refused(tx: Tx, config: Config, command: OnRun, asked: Asked) -> Refusal | None:
    """Why a click would be refused, asked before a form opens for it; nothing else is done."""
    progress = runs.progress(tx, command.run)
    if progress is None:
        return Refusal(f"There is no RUN-{command.run}.")
    outsider = access.refuse_outsider(config, asked.actor)
    if outsider is not None or command.verb in _LOOKS:
        return outsider
    stands = _stands(tx, config, progress, asked.actor)
    if command.verb in _ON_RUN:
        return steering.refuse_run(config, progress, command, asked.actor, stands=stands)
    step = steering.meant(progress, command)
    if isinstance(step, Refusal):
        return step
    return steering.refuse(config, progress, step, command, asked.actor, stands=stands)


def _act(
    tx: Tx, config: Config, progress: Progress, command: OnRun, actor: Actor
) -> Refusal | None:
    stands = _stands(tx, config, progress, actor)
    if command.verb in _ON_RUN:
        refusal = steering.refuse_run(config, progress, command, actor, stands=stands)
        if refusal is None:
            return _ON_RUN[command.verb](tx, config, progress, command, actor)
        return refusal
    step = steering.meant(progress, command)
    if isinstance(step, Refusal):
        return step
    refusal = steering.too_late(progress, step, tx.now) or steering.refuse(
        config, progress, step, command, actor, stands=stands
    )
    if refusal is not None:
        return refusal
    return _ON_STEP[command.verb](tx, config, progress, step, command, actor)


def _stands(tx: Tx, config: Config, progress: Progress, actor: Actor) -> bool:
    """Whoever started it, and whoever has a part in its incident, or a role."""
    if actor.text == progress.run.by:
        return True
    incident_id = progress.run.incident_id
    incident = incidents.get(tx, incident_id) if incident_id is not None else None
    if incident is None:
        return actor.holder in {*config.holders("responder"), *config.holders("commander")}
    return access.stands(
        config, actor, incident, paged(incidents.timeline(tx, incident.id, ("escalation",)))
    )


def _approve(
    tx: Tx, config: Config, progress: Progress, step: StepRun, command: OnRun, actor: Actor
) -> Refusal | None:
    if actor.text in progress.approvers(step):
        return Refusal("You approved it already: it waits for somebody else.")
    runs.approve(tx, step, actor.text)
    after = runs.progress(tx, progress.run.id)
    assert after is not None
    wanted = approval.wanted(progress.definition(step), step)
    count = len(approval.valid(config, after, step))
    _note(tx, progress, step, actor, "approved", f"{count} of {wanted.min if wanted else 1}")
    _woken(tx, after, step)
    return None


def _reject(
    tx: Tx, config: Config, progress: Progress, step: StepRun, command: OnRun, actor: Actor
) -> Refusal | None:
    _note(tx, progress, step, actor, "rejected", command.text)
    reason = f"rejected: {command.text}" if command.text else "rejected"
    _settle(tx, config, progress, replace(step, by=actor.text), StepState.SKIPPED, reason, actor)
    return None


def _do(
    tx: Tx, config: Config, progress: Progress, step: StepRun, command: OnRun, actor: Actor
) -> Refusal | None:
    """A person says that the step is to be done, though its condition is not known to hold."""
    output = {**step.output, "agreed": True, "agreed_by": actor.text}
    again = replace(step, state=StepState.WAITING, output=output, by=actor.text, reason="")
    _apply(tx, config, progress, Move(steps=(again,)), actor)
    return None


def _skip(
    tx: Tx, config: Config, progress: Progress, step: StepRun, command: OnRun, actor: Actor
) -> Refusal | None:
    if not command.text.strip():
        remedy = f"Write `/iora run {progress.run.key} skip REASON`."
        return Refusal("A step is skipped with a reason.", remedy)
    reason = f"skipped: {command.text}"
    _settle(tx, config, progress, replace(step, by=actor.text), StepState.SKIPPED, reason, actor)
    return None


def _done(
    tx: Tx, config: Config, progress: Progress, step: StepRun, command: OnRun, actor: Actor
) -> Refusal | None:
    if step.state is StepState.STUCK:
        said = "it was done, as a person saw"
        output = {**step.output, "text": f"{said}: {command.text}" if command.text else said}
        done = replace(step, by=actor.text, output=output, reason="")
        _settle(tx, config, progress, done, StepState.OK, "", actor)
        return None
    definition = progress.definition(step)
    if not isinstance(definition, ChecklistStep):
        done = steering.by_hand(step, command, actor)
        _settle(tx, config, progress, done, StepState.OK, "", actor)
        return None
    ticked = steering.ticked(definition, step, command, actor, progress.run, tx.now)
    if isinstance(ticked, Refusal):
        return ticked
    if steering.complete(definition, ticked):
        _settle(tx, config, progress, ticked, StepState.OK, "", actor)
    else:
        _apply(tx, config, progress, Move(steps=(ticked,)), actor)
        run_news.answered(tx, progress.run, ticked)  # its asking shows the ticks, too
    return None


def _repeat(
    tx: Tx, config: Config, progress: Progress, step: StepRun, command: OnRun, actor: Actor
) -> Refusal | None:
    """Whoever looked, and asks for it again, says yes to the new call with it."""
    kept = {"undo": step.output["undo"]} if step.undoes is not None else {}
    again = replace(
        step,
        state=StepState.WAITING,
        attempt=step.attempt + 1,
        due_at=None,
        reason="",
        output={**kept, "agreed": True, "called": True},
    )
    _note(tx, progress, step, actor, "repeated", command.text)
    _apply(tx, config, progress, Move(steps=(again,)), actor)
    runs.approve(tx, again, actor.text)
    return None


def _undo_run(
    tx: Tx, config: Config, progress: Progress, command: OnRun, actor: Actor
) -> Refusal | None:
    """Everything that was done and can be taken back, in reverse order."""
    if command.mark is not None:
        step = progress.steps[command.mark.position]
        return _take_back(tx, config, progress, (step,), actor)
    done = tuple(step for step in reversed(progress.steps) if undo.possible(config, progress, step))
    if not done:
        return Refusal(f"{progress.run.key} did nothing that can be taken back.")
    return _take_back(tx, config, progress, done, actor)


def _take_back(
    tx: Tx, config: Config, progress: Progress, steps: tuple[StepRun, ...], actor: Actor
) -> Refusal | None:
    """Steps that take others back, behind the last one; what was still to come is skipped.

    Whoever asks for it says yes to each with it, where they may.
    """
    run = progress.run
    if not run.state.live and (other := runs.live_of(tx, run.runbook, run.target)) is not None:
        return Refusal(f"{other.key} runs `{run.runbook}` on {run.target}.", "Let it end first.")
    for step in outcome.skip_rest(progress, -1, "what was done is taken back", tx.now, always=True):
        if step.undoes is None:  # what is to be taken back already, is
            runs.save(tx, step)
            run_news.answered(tx, run, step)
    for number, step in enumerate(steps):
        taking = undo.step(config, progress, step, len(progress.steps) + number)
        runs.add_step(tx, taking)
        runs.approve(tx, taking, actor.text)
    ends_by = max(run.ends_by, tx.now + run.book.run_timeout)
    runs.set_state(tx, run.id, RunState.RUNNING, reason=run.reason, ends_by=ends_by)
    run_news.run_changed(tx, run, "undoing", actor.text)
    runbooks.wake(tx, run)
    return None


def _pause(
    tx: Tx, config: Config, progress: Progress, command: OnRun, actor: Actor
) -> Refusal | None:
    run = progress.run
    _set(tx, run, RunState.PAUSED, ends_by=run.ends_by, paused_at=tx.now)
    run_news.run_changed(tx, run, "paused", actor.text, command.text)
    current = progress.current
    if current is None or current.state is not StepState.STARTED:
        timers.remove(tx, runbooks.KIND, str(run.id))
    return None


def _resume(
    tx: Tx, config: Config, progress: Progress, command: OnRun, actor: Actor
) -> Refusal | None:
    """Every time limit moves by as long as it was paused."""
    run = progress.run
    lost = tx.now - (run.paused_at or tx.now)
    step = progress.current
    if step is not None and step.due_at is not None and step.state is not StepState.STARTED:
        runs.save(tx, replace(step, due_at=step.due_at + lost))
    _set(tx, run, RunState.RUNNING, ends_by=run.ends_by + lost, paused_at=None)
    run_news.run_changed(tx, run, "resumed", actor.text)
    runbooks.wake(tx, run)
    return None


def _cancel(
    tx: Tx, config: Config, progress: Progress, command: OnRun, actor: Actor
) -> Refusal | None:
    reason = f"cancelled: {command.text}" if command.text else "cancelled"
    runbooks.end(tx, progress, RunState.CANCELLED, reason, actor.text)
    return None


def _set(tx: Tx, run: Run, state: RunState, *, ends_by: int, paused_at: int | None) -> None:
    runs.set_state(tx, run.id, state, reason=run.reason, ends_by=ends_by, paused_at=paused_at)


def _settle(
    tx: Tx,
    config: Config,
    progress: Progress,
    step: StepRun,
    state: StepState,
    reason: str,
    actor: Actor,
) -> None:
    looked = runbooks.seen(tx, progress, config)
    _apply(tx, config, progress, outcome.settle(looked, step, state, reason), actor)


def _apply(tx: Tx, config: Config, progress: Progress, move: Move, actor: Actor) -> None:
    runbooks.apply(tx, runbooks.seen(tx, progress, config), move, actor.text)
    runbooks.wake(tx, progress.run)


def _woken(tx: Tx, progress: Progress, step: StepRun) -> None:
    run_news.answered(tx, progress.run, step)
    run_news.redraw(tx, progress.run.id)
    runbooks.wake(tx, progress.run)


def _note(tx: Tx, progress: Progress, step: StepRun, actor: Actor, choice: str, text: str) -> None:
    if progress.run.incident_id is not None:
        said = {
            "run": progress.run.key,
            "step": step.step,
            "title": progress.definition(step).title,
            "choice": choice,
            "text": text,
        }
        incidents.add_entry(tx, progress.run.incident_id, actor.text, "approval", said)


OnStep = Callable[[Tx, Config, Progress, StepRun, OnRun, Actor], Refusal | None]
OnWhole = Callable[[Tx, Config, Progress, OnRun, Actor], Refusal | None]

_LOOKS = frozenset({"show", "preview"})
_ON_STEP: Mapping[Verb, OnStep] = {
    "approve": _approve,
    "reject": _reject,
    "do": _do,
    "skip": _skip,
    "done": _done,
    "repeat": _repeat,
}
_ON_RUN: Mapping[Verb, OnWhole] = {
    "undo": _undo_run,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
}

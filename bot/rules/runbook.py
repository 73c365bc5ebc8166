"""What a run does next: one decision at a time, from the run, the config and fresh readings.

A step goes from ``waiting`` through asking, approval and doing to a result. Whatever needs the world
outside is work that is committed as started first; whatever needs a person waits for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from bot.model.condition import Condition
from bot.model.run import Progress, RunState, StepRun, StepState, Work
from bot.model.step import (
    ActionStep,
    AdviseStep,
    Approval,
    ChecklistStep,
    CheckStep,
    NotifyStep,
    Step,
    WaitStep,
)
from bot.rules import advice, approval, recovery
from bot.rules.check import measured
from bot.rules.condition import Truth, evaluate
from bot.rules.facts import needs_readings, target_named
from bot.rules.outcome import Move, Seen, by_hand, doing, ended, finish, orphan, over, settle

# After the work's own time: for the commit of what came of it.
LEASE_MARGIN_MS = 10_000
# An approval that came in time is used until so long after its time: for a restart in between.
TOO_LATE_MS = 60_000
_NOBODY = "nobody approved it in time"
_REQUEST = "asked_for"


@dataclass(frozen=True)
class Look:
    """The decision needs the target's readings as they are now: measured since the last step ended."""

    target: str
    since: int = 0


@dataclass(frozen=True)
class Wait:
    """Nothing to do before ``until`` (None: before a person says something)."""

    until: int | None


@dataclass(frozen=True)
class End:
    """The run is over."""

    state: RunState
    reason: str


Decision = Look | Wait | End | Move


def decide(seen: Seen) -> Decision:
    """The next thing that happens to a run."""
    run, step = seen.progress.run, seen.progress.current
    if step is not None and step.state is StepState.STARTED:
        return _leased(seen, step)
    if not run.state.live:
        return Wait(None)
    if step is None:
        return _end(seen.progress)
    if run.state is RunState.PAUSED:
        return Wait(None)
    if seen.now >= run.ends_by:
        return End(RunState.EXPIRED, "its time is over")
    return _DECISIONS[step.state](seen, step, seen.progress.definition(step))


def _end(progress: Progress) -> End:
    reason = progress.run.reason
    return End(RunState.STOPPED if reason else RunState.DONE, reason)


def _leased(seen: Seen, step: StepRun) -> Decision:
    """The bot works on it, or died doing so."""
    if step.due_at is None or seen.now < step.due_at:
        return Wait(step.due_at)
    return orphan(seen, step)


def _waiting(seen: Seen, step: StepRun, definition: Step) -> Decision:
    if step.due_at is not None and seen.now < step.due_at:
        return Wait(step.due_at)  # the pause before it is tried again
    if definition.when is not None and not step.output.get("agreed"):
        judged = _judge(seen, step, definition.when, definition)
        if isinstance(judged, Look):
            return judged
        truth, because = judged
        if truth is Truth.NO:
            return Move(steps=(_skipped(step, f"not needed: {because}", seen.now),))
        if truth is Truth.UNKNOWN:
            return Move(steps=(replace(step, state=StepState.ASKING, reason=because, due_at=None),))
    wanted = approval.wanted(definition, step)
    if wanted is None or (step.output.get("approved") and not isinstance(definition, ActionStep)):
        return _go(seen, step, definition)
    if _approved(seen, step, wanted):  # whoever asked for it again, or to take it back, said so
        return _go_approved(seen, step, definition)
    return _ask_approval(seen, step, definition, wanted)


def _ask_approval(seen: Seen, step: StepRun, definition: Step, wanted: Approval) -> Decision:
    missing = _not_offered(seen, step, definition)
    if missing:
        return Move(steps=(by_hand(step, definition, missing, seen.now),))
    asked = replace(
        step,
        state=StepState.APPROVING,
        due_at=seen.now + wanted.expires,
        reason="",
        output={**step.output, _REQUEST: _request(seen, definition)},
    )
    return Move(steps=(asked,))


def _asking(seen: Seen, step: StepRun, definition: Step) -> Decision:
    return Wait(seen.progress.run.ends_by)


def _approving(seen: Seen, step: StepRun, definition: Step) -> Decision:
    wanted = approval.wanted(definition, step)
    assert wanted is not None
    asked, now = step.output.get(_REQUEST), _request(seen, definition)
    if asked and now and asked != now:
        return _asked_anew(seen, step, wanted, "its request was changed in the config")
    enough = _approved(seen, step, wanted)
    late = seen.now - step.due_at if step.due_at is not None else 0
    if enough and late < TOO_LATE_MS:
        return _go_approved(seen, step, definition)
    if step.due_at is not None and late >= 0:
        why = "approved, but the bot was away until that was too old" if enough else _NOBODY
        return _expired(seen, step, wanted, why)
    return Wait(step.due_at)


def _approved(seen: Seen, step: StepRun, wanted: Approval) -> bool:
    return len(approval.valid(seen.config, seen.progress, step)) >= wanted.min


def _go_approved(seen: Seen, step: StepRun, definition: Step) -> Decision:
    """A step that changes nothing is tried again on the same yes; an action never."""
    return _go(seen, replace(step, output={**step.output, "approved": True}), definition)


def _expired(seen: Seen, step: StepRun, wanted: Approval, reason: str) -> Move:
    if wanted.on_expire == "skip":
        return Move(steps=(_skipped(step, reason, seen.now),))
    if wanted.on_expire == "fail":
        return ended(seen, step, StepState.FAILED, reason)
    title = seen.progress.definition(step).title
    anew = _asked_anew(seen, step, wanted, reason)
    return replace(anew, escalate=f"“{title}” waits for approval, and {reason}")


def _asked_anew(seen: Seen, step: StepRun, wanted: Approval, reason: str) -> Move:
    """Another asking: no yes to the one before counts for it."""
    definition = seen.progress.definition(step)
    anew = replace(
        step,
        attempt=step.attempt + 1,
        due_at=seen.now + wanted.expires,
        reason=reason,
        output={**step.output, _REQUEST: _request(seen, definition)},
    )
    return Move(steps=(anew,))


def _request(seen: Seen, definition: Step) -> str | None:
    """What a yes is said to: the request as the config has it now, but for its secrets. None: there is none."""
    if not isinstance(definition, ActionStep):
        return None
    target = seen.config.targets.get(target_named(definition, seen.progress.run))
    action = target.actions.get(definition.action) if target is not None else None
    if action is None:
        return None
    return f"{action.method} {action.url} {json.dumps(action.body, sort_keys=True)}"


def _go(seen: Seen, step: StepRun, definition: Step) -> Decision:
    """Nothing stands before the step any more: do it, or let a person do it."""
    missing = _not_offered(seen, step, definition)
    if missing:
        return Move(steps=(by_hand(step, definition, missing, seen.now),))
    begun = replace(step, started_at=seen.now, reason="", due_at=None)
    target = target_named(definition, seen.progress.run)
    match definition:
        case CheckStep():
            health = seen.healths.get(target)
            return (
                _look(seen, step, target)
                if health is None
                else finish(seen, begun, measured(definition, health))
            )
        case AdviseStep():
            return _advise(seen, begun, definition)
        case ChecklistStep():
            return Move(steps=(doing(begun, definition, seen.now),))
        case NotifyStep():
            output = {**begun.output, "text": f"told {', '.join(definition.to)}"}
            move = settle(seen, replace(begun, output=output), StepState.OK)
            return replace(move, send=True)
        case WaitStep():
            within = recovery.length(definition.within, seen.progress.run)
            watched = replace(begun, state=StepState.WATCHING, due_at=seen.now + within)
            return Move(steps=(watched,))
    return _begin(seen, begun, definition, target)


def _begin(seen: Seen, step: StepRun, definition: Step, target: str) -> Move:
    within = _time_limit(seen, definition, target)
    started = replace(step, state=StepState.STARTED, due_at=seen.now + within + LEASE_MARGIN_MS)
    work = Work(
        run=seen.progress.run,
        step=started,
        definition=definition,
        target=target,
        within_ms=within,
        approved=approval.wanted(definition, step) is not None,
    )
    return Move(steps=(started,), work=work)


def _time_limit(seen: Seen, definition: Step, target: str) -> int:
    """In milliseconds. An action's own is its request's."""
    if isinstance(definition, ActionStep):
        return seen.config.targets[target].actions[definition.action].timeout
    return definition.timeout or seen.progress.run.book.defaults.timeout


def _advise(seen: Seen, step: StepRun, definition: AdviseStep) -> Decision:
    """Each cause whose condition matches, or may; those that certainly don't are left out."""
    target = target_named(definition, seen.progress.run)
    conditions = [one.when for one in definition.causes if one.when is not None]
    if any(needs_readings(one) for one in conditions) and target not in seen.healths:
        return _look(seen, step, target)
    matched = advice.matched(definition, seen.values(target), seen.now)
    output = {**step.output, "causes": matched, "text": advice.words(definition, matched)}
    return settle(seen, replace(step, output=output), StepState.OK)


def _doing_by_a_person(seen: Seen, step: StepRun, definition: Step) -> Decision:
    if step.due_at is not None and seen.now >= step.due_at:
        return ended(seen, step, StepState.FAILED, "nobody did it in time")
    remind_at, every = _remind_at(step, definition)
    if remind_at is not None and seen.now >= remind_at:
        missed = (seen.now - remind_at) // every  # while the bot was away, or the run paused
        output = {**step.output, "reminded": int(step.output.get("reminded", 0)) + 1 + missed}
        return Move(steps=(replace(step, output=output),), remind=True)
    times = [one for one in (step.due_at, remind_at) if one is not None]
    return Wait(min(times) if times else None)


def _remind_at(step: StepRun, definition: Step) -> tuple[int | None, int]:
    """When the next reminder is due, and how often one is."""
    every = definition.remind if isinstance(definition, ChecklistStep) else None
    if every is None or step.started_at is None:
        return None, 1
    return step.started_at + every * (int(step.output.get("reminded", 0)) + 1), every


def _watching(seen: Seen, step: StepRun, definition: Step) -> Decision:
    """``verify`` and ``wait_for``: the condition must hold for a while, within the time."""
    watched = recovery.of(step, definition)
    target = target_named(definition, seen.progress.run)
    source = seen.config.targets.get(target)
    due = recovery.look_at(source, step)
    if seen.now < due:
        return Wait(due)
    if needs_readings(watched.that) and target not in seen.healths:
        return _look(seen, step, target)
    truth, because = evaluate_words(seen, watched.that, target)
    after = recovery.look(step, watched, seen.progress.run, source, truth, because, seen.now)
    if after.enough and step.output.get("verifying"):
        return over(seen, after.step, StepState.OK, "")
    if after.enough:
        return settle(seen, after.step, StepState.OK, "")
    if step.due_at is not None and seen.now >= step.due_at:
        return over(seen, after.step, StepState.FAILED, after.too_late)
    return Move(steps=(after.step,))


def _stuck(seen: Seen, step: StepRun, definition: Step) -> Decision:
    return Wait(seen.progress.run.ends_by)


def _look(seen: Seen, step: StepRun, target: str) -> Look:
    """What was measured before an action ended says nothing of what it did."""
    ended_at = (one.ended_at or 0 for one in seen.progress.steps)
    return Look(target, max(step.output.get("since", 0), *ended_at))


def _judge(
    seen: Seen, step: StepRun, condition: Condition, definition: Step
) -> Look | tuple[Truth, str]:
    target = target_named(definition, seen.progress.run)
    if needs_readings(condition) and target not in seen.healths:
        return _look(seen, step, target)
    return evaluate_words(seen, condition, target)


def evaluate_words(seen: Seen, condition: Condition, target: str) -> tuple[Truth, str]:
    """Whether it holds for the target, and the readings that decided it."""
    judged = evaluate(condition, seen.values(target), seen.now)
    return judged.truth, "; ".join(judged.because)


def _not_offered(seen: Seen, step: StepRun, definition: Step) -> str:
    """Why the target can't be asked to do it, or empty."""
    name = target_named(definition, seen.progress.run)
    target = seen.config.targets.get(name)
    if isinstance(definition, ActionStep) and (
        target is None or definition.action not in target.actions
    ):
        return f"{name} offers no action {definition.action}"
    if definition.kind == "probe" and (target is None or target.agent is None):
        return f"{name} has no agent in the config"
    return ""


def _skipped(step: StepRun, reason: str, now: int) -> StepRun:
    return replace(step, state=StepState.SKIPPED, reason=reason, ended_at=now, due_at=None)


_DECISIONS = {
    StepState.WAITING: _waiting,
    StepState.ASKING: _asking,
    StepState.APPROVING: _approving,
    StepState.DOING: _doing_by_a_person,
    StepState.WATCHING: _watching,
    StepState.STUCK: _stuck,
}

"""What follows when a step has its result, or can't have one: verify, try again, go on, stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.reading import Health
from bot.model.run import Progress, Result, StepRun, StepState, Work
from bot.model.step import ActionStep, ChecklistStep, RetriedStep, Step
from bot.rules import facts, recovery
from bot.rules.known import Values

TRIES_AFTER_A_CRASH = 3


@dataclass(frozen=True, kw_only=True)
class Move:
    """Steps as they are from now on, and what else follows.

    ``stop``: why the run goes no further but for what is always done; ``escalate``: tell the incident's
    next level, and why; ``work``: what the bot is to do outside; ``send``: the step's message goes out;
    ``remind``: whoever does the step is asked again.
    """

    steps: tuple[StepRun, ...]
    stop: str = ""
    escalate: str = ""
    work: Work | None = None
    send: bool = False
    remind: bool = False


@dataclass(frozen=True)
class Seen:
    """What a decision looks at.

    ``healths``: the readings that were taken for it, by target; ``changes``: by target, how much more
    they are than some time before, where a condition asks for it.
    """

    progress: Progress
    config: Config
    incident: Incident | None
    now: int
    healths: Mapping[str, Health] = field(default_factory=dict)
    changes: Mapping[str, Values] = field(default_factory=dict)

    def values(self, target: str) -> Values:
        """What a condition about the target can speak of."""
        health, changes = self.healths.get(target), self.changes.get(target, {})
        return facts.values(self.progress, self.incident, health, changes, self.now)


def finish(seen: Seen, step: StepRun, result: Result) -> Move:
    """What follows from the work's result; only a step that is still at that attempt may be given."""
    definition = seen.progress.definition(step)
    if not seen.progress.run.state.live:
        return Move(steps=(_recorded(step, definition, result, seen.now),))
    if result.state == "by_hand":
        return Move(steps=(by_hand(step, definition, result.text, seen.now),))
    if result.state == "approval":
        output = {**step.output, "must_approve": True}
        asked = replace(step, state=StepState.WAITING, due_at=None, output=output)
        return Move(steps=(asked,))
    done = _with_result(step, result)
    if result.state == "unknown" and isinstance(definition, ActionStep):
        return Move(steps=(replace(done, state=StepState.STUCK, due_at=None),))
    return settle(seen, done, StepState(result.state))


def awaits(step: StepRun, work: Work) -> bool:
    """Whether the work's result is still to be taken: at this attempt, and not known yet.

    A call that outlived its lease says what nobody knew until then.
    """
    if step.attempt != work.step.attempt:
        return False
    unknown_yet = step.state is StepState.STUCK and bool(step.output.get("orphaned"))
    return step.state is StepState.STARTED or unknown_yet


def _with_result(step: StepRun, result: Result) -> StepRun:
    output = {
        **step.output,
        **result.facts,
        "text": result.text,
        "readings": [dict(one) for one in result.readings],
    }
    if step.output.get("called"):
        output["called"] = True  # once before, and a person asked for it again
    return replace(step, output=output, reason="" if result.state == "ok" else result.text)


def _recorded(step: StepRun, definition: Step, result: Result, now: int) -> StepRun:
    """A run that is over asks nobody and tries nothing again: what came of its last work is kept."""
    done = replace(_with_result(step, result), ended_at=now, due_at=None)
    if result.state in {"by_hand", "approval"}:
        return replace(done, state=StepState.SKIPPED)
    if result.state == "ok" and definition.verify is not None:
        reason = "done, but the run was over before it was verified"
        return replace(done, state=StepState.UNKNOWN, reason=reason)
    return replace(done, state=StepState(result.state))


def settle(seen: Seen, step: StepRun, state: StepState, reason: str | None = None) -> Move:
    """A step has its result: verify it, try it again, or go on as ``on_failure`` says."""
    definition = seen.progress.definition(step)
    if state is StepState.OK and definition.verify is not None:
        within = recovery.length(definition.verify.within, seen.progress.run)
        output = {**step.output, "verifying": True, "looked_at": 0, "since": seen.now}
        watched = replace(
            step,
            state=StepState.WATCHING,
            output=output,
            due_at=seen.now + within,
            held_since=None,
        )
        return Move(steps=(watched,))
    return over(seen, step, state, reason)


def over(seen: Seen, step: StepRun, state: StepState, reason: str | None = None) -> Move:
    """The step is over with this result, unless it is tried again."""
    definition = seen.progress.definition(step)
    why = step.reason if reason is None else reason
    again = _again(step, definition, state, why, seen.now)
    if again is not None:
        return Move(steps=(again,))
    return ended(seen, step, state, why)


def ended(seen: Seen, step: StepRun, state: StepState, reason: str) -> Move:
    """The step is over with this result, and is not tried again."""
    definition = seen.progress.definition(step)
    ended = replace(step, state=state, reason=reason, ended_at=seen.now, due_at=None)
    if state not in {StepState.FAILED, StepState.UNKNOWN}:
        return Move(steps=(ended,))
    return _after_failure(seen, ended, definition)


def skip_rest(
    progress: Progress, after: int, reason: str, now: int, *, always: bool
) -> tuple[StepRun, ...]:
    """Every later step that has no result yet; ``always``: also those that are always done."""
    return tuple(
        _cut_off(step, reason, now)
        for step in progress.steps
        if step.position > after
        and not step.state.over
        and step.state is not StepState.STARTED
        and (always or not progress.definition(step).always)
    )


def _cut_off(step: StepRun, reason: str, now: int) -> StepRun:
    """It goes no further. What was done, or may have been, is not said to be skipped."""
    done = step.state is StepState.STUCK or step.output.get("verifying")
    state = StepState.UNKNOWN if done else StepState.SKIPPED
    return replace(step, state=state, reason=reason, ended_at=now, due_at=None)


def orphan(seen: Seen, step: StepRun) -> Move:
    """The bot stopped in the middle: an action may have been done, anything else is done again."""
    live = seen.progress.run.state.live
    orphaned = int(step.output.get("orphaned", 0)) + 1
    output = {**step.output, "orphaned": orphaned}
    if isinstance(seen.progress.definition(step), ActionStep):
        reason = "the bot stopped while it was called: nobody knows whether it was done"
        cut = replace(step, reason=reason, due_at=None, output={**output, "called": True})
        if live:
            return Move(steps=(replace(cut, state=StepState.STUCK),))
        return Move(steps=(replace(cut, state=StepState.UNKNOWN, ended_at=seen.now),))
    reason = "the bot stopped while it was done"
    if not live:
        over_with = replace(step, state=StepState.FAILED, reason=reason, ended_at=seen.now)
        return Move(steps=(replace(over_with, due_at=None),))
    if orphaned >= TRIES_AFTER_A_CRASH:
        return ended(seen, step, StepState.FAILED, f"{reason}, {orphaned} times")
    output.pop("approved", None)  # whoever said yes did not say it to a second time
    again = replace(
        step,
        state=StepState.WAITING,
        attempt=step.attempt + 1,
        due_at=None,
        reason=reason,
        output={**output, "agreed": True},
    )
    return Move(steps=(again,))


def by_hand(step: StepRun, definition: Step, why: str, now: int) -> StepRun:
    """The target does not offer it: a person does it, and ticks it."""
    output = {**step.output, "by_hand": why}
    return doing(replace(step, output=output, reason=why, started_at=now), definition, now)


def doing(step: StepRun, definition: Step, now: int) -> StepRun:
    """The step is with a person now."""
    timeout = definition.timeout if isinstance(definition, ChecklistStep) else None
    due_at = now + timeout if timeout is not None else None
    return replace(step, state=StepState.DOING, due_at=due_at)


def _again(
    step: StepRun, definition: Step, state: StepState, reason: str, now: int
) -> StepRun | None:
    """The step to be tried once more, where it says so."""
    retry = definition.retry if isinstance(definition, RetriedStep) else None
    tries = int(step.output.get("tries", 1))
    if retry is None or state not in retry.on or tries >= retry.attempts:
        return None
    wait = retry.backoff * 2 ** (tries - 1)
    kept = {name: step.output[name] for name in ("approved", "must_approve") if name in step.output}
    return replace(
        step,
        state=StepState.WAITING,
        attempt=step.attempt + 1,
        due_at=now + wait,
        held_since=None,
        reason=f"{reason}; tried again",
        output={**kept, "tries": tries + 1, "agreed": True},
    )


def _after_failure(seen: Seen, ended: StepRun, definition: Step) -> Move:
    way = definition.on_failure or seen.progress.run.book.defaults.on_failure
    if way == "continue":
        return Move(steps=(ended,))
    if way == "escalate":
        return Move(steps=(ended,), escalate=f"“{definition.title}” failed: {ended.reason}")
    if way == "stop":
        reason = f"“{definition.title}” failed"
        rest = skip_rest(seen.progress, ended.position, f"{reason} before", seen.now, always=False)
        return Move(steps=(ended, *rest), stop=reason)
    jump = next(one.position for one in seen.progress.steps if one.step == way)
    reason = f"“{definition.title}” failed"
    over_it = skip_rest(seen.progress, ended.position, reason, seen.now, always=False)
    return Move(steps=(ended, *(one for one in over_it if one.position < jump)))

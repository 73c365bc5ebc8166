"""Runs of runbooks: start one, do what is next, keep what came of it. Every step's state is in the store."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from bot.errors import TemplateFailed
from bot.model.actor import BOT, Actor
from bot.model.answer import Refusal
from bot.model.book import Book
from bot.model.command import StartRun
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.reading import Health
from bot.model.run import Progress, Result, Run, RunState, StepRun, StepState, Work
from bot.model.step import CollectStep, NotifyStep
from bot.model.timer import Timer
from bot.rules import access, facts, inputs, outcome, runbook
from bot.rules.known import Values
from bot.rules.outcome import Move, Seen
from bot.rules.runbook import End, Look, Wait
from bot.services import asking, run_news
from bot.services.incidents import Asked, find
from bot.store import incidents, reports, runs, timers
from bot.store.database import Tx
from bot.template import render_mrkdwn

log = logging.getLogger(__name__)

KIND = "run"
_MOVES = 200  # in one transaction; a run of 60 steps needs fewer


def start(tx: Tx, config: Config, book: Book, command: StartRun, asked: Asked) -> Run | Refusal:
    """Begin a run with its message and its timer; one of the same runbook a target at a time."""
    incident = incident_meant(tx, command, asked)
    if isinstance(incident, Refusal):
        return incident
    wanted = inputs.settle(book.runbook, command, incident, config)
    if isinstance(wanted, Refusal):
        return wanted
    running = runs.live_of(tx, book.runbook.id, wanted.target)
    if running is not None:
        return Refusal(
            f"{running.key} runs `{book.runbook.id}` on {wanted.target} already, "
            f"started by {access.mention(Actor(running.by).holder)}.",
            f"See `/iora run {running.key}`.",
        )
    run_id = runs.add(
        tx,
        runbook=book.runbook.id,
        version=book.runbook.version,
        digest=book.hash,
        source=book.source,
        pinned=book.runbook.model_dump_json(by_alias=True),
        target=wanted.target,
        incident_id=incident.id if incident is not None else None,
        by=asked.actor.text,
        inputs=wanted.inputs,
        steps=[step.id for step in book.runbook.steps],
        ends_by=tx.now + book.runbook.run_timeout,
    )
    run = _progress(tx, run_id).run
    if asked.actor.person is not None or incident is not None:
        run_news.announce(tx, run, asking.destination(asked), asked.thread)
    run_news.run_changed(tx, run, "started", asked.actor.text)
    wake(tx, run)
    return run


def wake(tx: Tx, run: Run) -> None:
    """Something changed: the run goes on now."""
    timers.arm(tx, KIND, str(run.id), tx.now, incident_id=run.incident_id)


def looks_at(tx: Tx, run_id: int, config: Config) -> Look | None:
    """Whose readings the next decision needs."""
    decision = runbook.decide(seen(tx, _progress(tx, run_id), config))
    return decision if isinstance(decision, Look) else None


def advance(
    tx: Tx,
    timer: Timer,
    config: Config,
    healths: Mapping[str, Health],
    changes: Mapping[str, Values],
) -> Work | None:
    """Go on as far as it goes without the world outside or a person; what is to be done there, if anything."""
    if not timers.fire(tx, timer):
        return None
    run_id = int(timer.subject)
    for _ in range(_MOVES):
        looked = replace(seen(tx, _progress(tx, run_id), config), healths=healths, changes=changes)
        match runbook.decide(looked):
            case Look():
                wake(tx, looked.progress.run)
                return None
            case Wait(until):
                _sleep(tx, looked.progress, until)
                return None
            case End(state, reason):
                end(tx, looked.progress, state, reason, BOT)
                return None
            case Move() as move:
                apply(tx, looked, move)
                if move.work is not None:
                    _sleep(tx, looked.progress, move.work.step.due_at)
                    return move.work
    log.error("RUN-%d made %d moves without an end", run_id, _MOVES)
    _sleep(tx, _progress(tx, run_id), tx.now + 60_000)
    return None


def finish(tx: Tx, work: Work, result: Result, config: Config) -> None:
    """What came of the work, if the step still waits for it."""
    progress = _progress(tx, work.run.id)
    step = progress.steps[work.step.position]
    if not outcome.awaits(step, work):
        log.warning("%s: the result of “%s” came too late", work.run.key, work.definition.title)
        return
    if result.report is not None:
        reports.add(tx, result.report, work.run.incident_id, config.reports.keep)
    looked = seen(tx, progress, config)
    apply(tx, looked, outcome.finish(looked, step, result))
    if progress.run.state.live:
        wake(tx, work.run)
    else:
        timers.remove(tx, KIND, str(work.run.id))


def told(tx: Tx, work: Work, text: str) -> None:
    """How far long work has come, in its run's message."""
    progress = _progress(tx, work.run.id)
    step = progress.steps[work.step.position]
    if step.state is StepState.STARTED and step.attempt == work.step.attempt:
        runs.save(tx, replace(step, output={**step.output, "progress": text}))
        run_news.redraw(tx, work.run.id)


def apply(tx: Tx, looked: Seen, move: Move, actor: str = BOT) -> None:
    """Steps as they are from now on, with all that follows."""
    run = looked.progress.run
    for changed in move.steps:
        before = looked.progress.steps[changed.position]
        step = _with_text(looked, before, changed)
        runs.save(tx, step)
        if step.state is not before.state or step.attempt != before.attempt:
            run_news.step_changed(tx, looked.config, looked.progress, step, actor)
            run_news.answered(tx, run, step)
        if move.remind:
            run_news.ask(tx, run, step)
        if move.send:
            _send(tx, looked, step)
    if move.stop and not run.reason:
        _set(tx, run, run.state, move.stop)
    if move.escalate:
        run_news.escalate(tx, run, move.escalate)
    run_news.redraw(tx, run.id)


def end(tx: Tx, progress: Progress, state: RunState, reason: str, actor: str) -> None:
    """The run is over: what has no result yet is skipped, but what the bot is still doing."""
    run = progress.run
    why = reason or f"the run is {state}"
    for step in outcome.skip_rest(progress, -1, why, tx.now, always=True):
        runs.save(tx, step)
        run_news.answered(tx, run, step)
    runs.set_state(
        tx,
        run.id,
        state,
        reason=reason,
        ends_by=run.ends_by,
        ended_at=tx.now,
        ended_by=actor,
    )
    current = progress.current
    if current is not None and current.state is StepState.STARTED:
        _sleep(tx, progress, current.due_at)
    else:
        timers.remove(tx, KIND, str(run.id))
    run_news.run_changed(tx, run, str(state), actor, reason)


def recover(tx: Tx, config: Config) -> None:
    """At a start: nobody works on what was started, whatever its lease says; and nothing is forgotten."""
    for run_id in runs.unfinished(tx):
        progress = _progress(tx, run_id)
        for step in progress.steps:
            if step.state is StepState.STARTED:
                looked = seen(tx, progress, config)
                apply(tx, looked, outcome.orphan(looked, step))
        wake(tx, progress.run)
    armed = set(timers.armed(tx, KIND))
    for run in runs.live(tx):
        if str(run.id) not in armed:
            wake(tx, run)


def look_again(tx: Tx) -> None:
    """After the config was read anew: a role may have been given back, and a request changed."""
    for run in runs.live(tx):
        wake(tx, run)


def seen(tx: Tx, progress: Progress, config: Config) -> Seen:
    """What a decision about the run looks at, without readings."""
    incident_id = progress.run.incident_id
    incident = incidents.get(tx, incident_id) if incident_id is not None else None
    return Seen(progress, config, incident, tx.now)


def incident_meant(tx: Tx, command: StartRun, asked: Asked) -> Incident | Refusal | None:
    """The incident that is named, or the one whose channel or thread it is asked in; or none."""
    found = find(tx, command.incident, asked)
    if isinstance(found, Refusal):
        return found if command.incident is not None else None
    if command.incident is not None or command.target is None or command.target in found.targets:
        return found
    return None


def _progress(tx: Tx, run_id: int) -> Progress:
    found = runs.progress(tx, run_id)
    assert found is not None, f"RUN-{run_id}"
    return found


def _sleep(tx: Tx, progress: Progress, until: int | None) -> None:
    """Until then; the end of the run's time wakes it in any case, unless it is paused or over."""
    run = progress.run
    due = until
    if run.state is RunState.RUNNING and (until is None or tx.now < run.ends_by < until):
        due = run.ends_by
    if due is not None:
        timers.arm(tx, KIND, str(run.id), due, incident_id=run.incident_id)


def _set(tx: Tx, run: Run, state: RunState, reason: str) -> None:
    runs.set_state(
        tx,
        run.id,
        state,
        reason=reason,
        ends_by=run.ends_by,
        paused_at=run.paused_at,
    )


def _with_text(looked: Seen, before: StepRun, step: StepRun) -> StepRun:
    """A step that leaves its place in the line shows its text as it is true now."""
    if before.state is not StepState.WAITING or step.state in {
        StepState.WAITING,
        StepState.SKIPPED,
    }:
        return step
    definition = looked.progress.definition(step)
    texts = {"words": definition.text}
    if isinstance(definition, CollectStep):
        texts["issue"] = definition.issue
    target = facts.target_named(definition, looked.progress.run)
    shown = facts.shown(looked.progress, looked.incident, looked.healths.get(target))
    filled = {name: _rendered(text, shown) for name, text in texts.items() if text}
    return replace(step, output={**step.output, **filled})


def _rendered(source: str, shown: Mapping[str, object]) -> str:
    """In plain words what could not be filled in: a text with a hole is better than none at 3 a.m."""
    try:
        return render_mrkdwn(source, shown)
    except TemplateFailed as error:
        log.warning("a runbook's text can't be filled in: %s", error)
        return source


def _send(tx: Tx, looked: Seen, step: StepRun) -> None:
    definition = looked.progress.definition(step)
    assert isinstance(definition, NotifyStep)
    shown = facts.shown(looked.progress, looked.incident, None)
    text = _rendered(definition.message, shown)
    run_news.send(tx, looked.config, looked.progress.run, step, definition, text)

"""What a runbook would do, with its texts filled in and its actions' exact requests. It calls nothing."""

from __future__ import annotations

from bot.errors import TemplateFailed
from bot.model.action import Request
from bot.model.answer import Answer
from bot.model.book import Book
from bot.model.config import Config
from bot.model.incident import Facts, Incident
from bot.model.run import Progress, Run, RunState, StepRun, StepState
from bot.model.step import (
    ActionStep,
    Approval,
    ChecklistStep,
    CheckStep,
    CollectStep,
    NotifyStep,
    ProbeStep,
    Recovery,
    Step,
    WaitStep,
)
from bot.model.units import format_duration
from bot.rules import approval, facts, recovery, undo
from bot.rules.inputs import Settled
from bot.send.action import request_of
from bot.template import render_mrkdwn


def preview(
    book: Book, wanted: Settled, incident: Incident | None, config: Config, by: str, now: int
) -> Answer:
    """Each step with what it would do; what only a run can know is said as it is written."""
    progress = _imagined(book, wanted, incident, by, now)
    steps = [_step(progress, step, incident, config) for step in progress.steps]
    runbook = book.runbook
    return Answer(
        kind="preview",
        facts={
            "runbook": runbook.id,
            "title": runbook.title,
            "version": runbook.version,
            "trial": runbook.trial,
            "target": wanted.target,
            "incident": incident.key if incident is not None else None,
            "inputs": dict(wanted.inputs),
            "steps": steps,
        },
    )


def of_run(
    progress: Progress, position: int | None, incident: Incident | None, config: Config
) -> Answer:
    """What a run would still do, or what its step at the position would: filled in from its results."""
    run = progress.run
    left = [
        step
        for step in progress.steps
        if (step.position == position if position is not None else not step.state.over)
    ]
    return Answer(
        kind="preview",
        facts={
            "run": run.key,
            "runbook": run.runbook,
            "title": run.book.title,
            "version": run.version,
            "trial": False,
            "target": run.target,
            "incident": incident.key if incident is not None else None,
            "inputs": dict(run.inputs),
            "steps": [_step(progress, step, incident, config) for step in left],
        },
    )


def _imagined(
    book: Book, wanted: Settled, incident: Incident | None, by: str, now: int
) -> Progress:
    run = Run(
        id=0,
        runbook=book.runbook.id,
        version=book.runbook.version,
        hash=book.hash,
        pinned=book.runbook.model_dump_json(by_alias=True),
        target=wanted.target,
        incident_id=incident.id if incident is not None else None,
        by=by,
        inputs=wanted.inputs,
        state=RunState.RUNNING,
        reason="",
        started_at=now,
        ends_by=now + book.runbook.run_timeout,
        paused_at=None,
        ended_at=None,
    )
    steps = (
        StepRun(run_id=0, position=number, step=step.id, state=StepState.WAITING)
        for number, step in enumerate(book.runbook.steps)
    )
    return Progress(run, tuple(steps))


def _step(progress: Progress, step: StepRun, incident: Incident | None, config: Config) -> Facts:
    definition = progress.definition(step)
    target = facts.target_named(definition, progress.run)
    request = _request(config, target, definition)
    by_hand = isinstance(definition, ActionStep) and request is None
    wanted = approval.wanted(definition, step) if not by_hand else None
    shown: dict[str, object] = {
        "number": step.position + 1,
        "step": step.step,
        "title": definition.title,
        "kind": definition.kind,
        "target": target,
        "does": _does(progress, definition, target, request),
        "when": definition.when.text if definition.when is not None else None,
        "approval": _approval(config, progress, wanted) if wanted is not None else None,
        "text": _filled(definition.text, progress, incident),
    }
    if request is not None:
        shown["request"] = {
            "method": request.method,
            "url": request.shown_url,
            "headers": dict(request.shown_headers),
            "json": request.shown_json,
            "timeout_ms": request.timeout,
        }
    if isinstance(definition, NotifyStep):
        shown["message"] = _filled(definition.message, progress, incident)
    if isinstance(definition, ChecklistStep):
        shown["items"] = [item.text.strip() for item in definition.items]
    way = undo.way(config, progress, step)
    if way is not None and not by_hand:
        shown["undo"] = f"calls {way['action']}" if "action" in way else f"by hand: {way['text']}"
    if definition.verify is not None:
        shown["verify"] = _watched(progress, definition.verify)
    return shown


def _request(config: Config, target: str, definition: Step) -> Request | None:
    known = config.targets.get(target)
    if not isinstance(definition, ActionStep) or known is None:
        return None
    return request_of(known, definition.action)


def _does(progress: Progress, definition: Step, target: str, request: Request | None) -> str:
    match definition:
        case CheckStep():
            return f"reads the {definition.of} of {target}"
        case CollectStep():
            return f"collects ({definition.profile}) of {target}"
        case ProbeStep():
            return f"runs the probe {definition.probe} on the agent of {target}"
        case ActionStep() if request is not None:
            return f"calls {request.method} {request.shown_url}"
        case ActionStep():
            return f"{target} offers no action {definition.action}: a person does it by hand"
        case ChecklistStep():
            count = len(definition.items)
            what, those = ("it", "it") if count == 1 else (f"{count} things", "them")
            return f"a person does {what} and ticks {those}"
        case NotifyStep():
            return f"tells {', '.join(definition.to)}"
        case WaitStep():
            watched = recovery.of(progress.steps[0], definition)
            return f"waits for {_watched(progress, watched)}"
    return {
        "analyze": "judges what was collected",
        "advise": "shows the causes that fit",
        "postmortem": "drafts the post-mortem",
    }[definition.kind]


def _watched(progress: Progress, watched: Recovery) -> str:
    held = recovery.length(watched.hold, progress.run)
    within = format_duration(recovery.length(watched.within, progress.run))
    lasting = f" for {format_duration(held)}" if held else ""
    return f"{watched.that.text}{lasting}, within {within}"


def _approval(config: Config, progress: Progress, wanted: Approval) -> str:
    people = f"{wanted.min} of " if wanted.min > 1 else ""
    expires = format_duration(wanted.expires)
    return f"{people}{approval.who(config, wanted, progress)}, within {expires}"


def _filled(source: str, progress: Progress, incident: Incident | None) -> str:
    """A text that needs a result which only a run has stays as it is written."""
    shown = facts.shown(progress, incident, None)
    if progress.run.id == 0:
        shown = {
            **shown,
            "run": {"key": "RUN-n", "by": progress.run.by, "runbook": progress.run.runbook},
        }
    try:
        return render_mrkdwn(source, shown)
    except TemplateFailed:
        return source

"""Answers for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from bot.model.answer import Answer, Refusal
from bot.model.chart import Chart
from bot.model.incident import Facts
from bot.model.message import Block, Drawing
from bot.model.overview import Overview
from bot.model.run import Mark, Progress, StepRun
from bot.model.step import Advice, AdviseStep, ChecklistStep
from bot.rules import approval
from bot.text import plain

_CHARTS = TypeAdapter(Chart)


def chart_of(facts: Facts) -> Chart:
    """The chart that was printed as JSON."""
    return _CHARTS.validate_python({name: facts[name] for name in facts if name != "target"})


def text(drawing: Drawing) -> str:
    """A drawing as lines of plain text."""
    lines = [line for block in drawing.blocks for line in _lines(block)]
    return "\n".join(lines) if lines else plain(drawing.text)


def json_of(given: Answer | Refusal) -> dict[str, Any]:
    """What ``--json`` prints: an incident's columns with its targets and timeline, or the facts."""
    if isinstance(given, Refusal):
        return {"refused": given.reason, "remedy": given.remedy}
    facts = dict(given.facts)
    if "chart" in facts:
        chart: dict[str, Any] = _CHARTS.dump_python(facts.pop("chart"), mode="json")
        return {"target": facts["target"], **chart}
    seen = facts.pop("outlook", None)  # the rest of it is what buttons need
    if "progress" in facts:
        facts |= _run(facts.pop("progress")) | {"asked": list(seen.asked) if seen else []}
    if "overview" in facts:
        incident = _incident(facts.pop("overview"))
        return incident if given.kind in {"show", "timeline"} else {**facts, "incident": incident}
    if "overviews" in facts:
        facts["incidents"] = [_incident(seen) for seen in facts.pop("overviews")]
    return facts


def _incident(seen: Overview) -> dict[str, Any]:
    columns = asdict(seen.incident)
    columns["policy"] = dict(seen.incident.policy)
    return {"key": seen.incident.key, **columns, "timeline": [asdict(e) for e in seen.entries]}


def _run(progress: Progress) -> dict[str, Any]:
    """A run with its steps, what each is called and asks for, and who said yes."""
    run, current = progress.run, progress.current
    known = {
        "run": run.key,
        "runbook": run.runbook,
        "title": run.book.title,
        "version": run.version,
        "hash": run.hash,
        "target": run.target,
        "incident": f"INC-{run.incident_id}" if run.incident_id is not None else None,
        "by": run.by,
        "inputs": dict(run.inputs),
        "state": str(run.state),
        "reason": run.reason,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "current": current.position if current is not None and run.state.live else None,
    }
    return known | {"steps": [_step(progress, step) for step in progress.steps]}


def _step(progress: Progress, step: StepRun) -> dict[str, Any]:
    definition = progress.definition(step)
    wanted = approval.wanted(definition, step)
    return {
        "step": step.step,
        "mark": str(Mark.of(step)),
        "title": definition.title,
        "kind": definition.kind,
        "state": str(step.state),
        "attempt": step.attempt,
        "by": step.by,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "due_at": step.due_at,
        "reason": step.reason,
        "approved_by": list(progress.approvers(step)),
        "approval": {"roles": list(wanted.roles), "min": wanted.min}
        if wanted is not None
        else None,
        "items": [item.model_dump() for item in definition.items]
        if isinstance(definition, ChecklistStep)
        else [],
        "causes": [_cause(definition.causes[one["number"]], one) for one in step.output["causes"]]
        if isinstance(definition, AdviseStep) and step.output.get("causes")
        else [],
        "output": dict(step.output),
    }


def _cause(cause: Advice, found: Facts) -> dict[str, Any]:
    return {
        "cause": cause.cause,
        "fits": found["fits"],
        "because": found["because"],
        "solution": cause.solution,
        "example": cause.example,
    }


def _lines(block: Block) -> list[str]:
    match block["type"]:
        case "header":
            return [block["text"]["text"], ""]
        case "section" if "fields" in block:
            # A line break in a field parts its label from its value.
            return ["  " + plain(field["text"]).replace("\n", ": ") for field in block["fields"]]
        case "section":
            return plain(block["text"]["text"]).splitlines()
        case "context":
            return [" | ".join(plain(_text(element)) for element in block["elements"])]
    return []


def _text(element: Mapping[str, Any]) -> str:
    return str(element.get("text", ""))

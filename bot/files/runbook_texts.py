"""The texts of a runbook that are templates, and those that only look like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.files.draft import Draft, DraftStep
from bot.files.problem import Fault
from bot.files.runbook_names import READS, no_input, not_earlier
from bot.files.tree import each
from bot.template import check

ABOUT = frozenset(
    {"target", "run.key", "run.by", "run.runbook"}
    | {f"incident.{name}" for name in ("key", "title", "severity", "status", "impact", "commander")}
)
"""What a template may name in every run, beside its inputs, steps and readings."""
_OF_STEP = ("state", "text", "reason")
_NAMED = re.compile(r"(steps|inputs)(?:\.([a-z][a-z0-9_-]*)|\[['\"]([^'\"]*)['\"]\])")
_FILLED_IN = re.compile(r"\{\{-?\s*(?:target|run|inputs|incident|readings|steps)\b")


def templates(draft: Draft, metrics: frozenset[str] | None) -> Iterator[Fault]:
    """Every template can be read, and names what there is when it is shown.

    ``metrics``: those that the config's targets have; None where that isn't known.
    """
    for step, at, source in draft.templates():
        earlier = _known(draft, draft.before(step), metrics)
        problem = check(source, earlier)
        if problem is None:
            continue
        fault = Fault(
            at=at,
            text=problem.text,
            expected=problem.expected,
            near=problem.near,
            inside=problem.offset,
        )
        yield _plainer(draft, step, source, fault)


def _known(draft: Draft, steps: tuple[str, ...], metrics: frozenset[str] | None) -> frozenset[str]:
    read = {"readings"} if metrics is None else {f"readings.{metric}" for metric in metrics}
    given = {f"inputs.{name}" for name in draft.inputs}
    told = {
        f"steps.{name}.{what}"
        for name in steps
        for what in (*_OF_STEP, *(metrics or () if draft.by_id[name].kind in READS else ()))
    }
    open_steps = {
        f"steps.{name}" for name in steps if metrics is None and draft.by_id[name].kind in READS
    }
    closed = {one for one in told if one.rpartition(".")[0] not in open_steps}
    return ABOUT | read | given | closed | open_steps


def _plainer(draft: Draft, step: DraftStep, source: str, fault: Fault) -> Fault:
    """In plainer words, where it is about a step that comes later, or a name with a ``-`` in it."""
    found = _NAMED.match(source, fault.inside or 0)
    if found is None or not fault.text.startswith("nothing is known as"):
        return fault
    group, name = found[1], found[2] or found[3]
    known = draft.before(step) if group == "steps" else tuple(draft.inputs)
    if name in known:
        if found[2] is None or "-" not in name:
            return fault
        text = "a - in a template is a minus"
        return replace(fault, text=text, near=f"{group}['{name}']", expected="")
    if group == "inputs":
        return no_input(fault.at, name, known, fault.inside)
    told = not_earlier(draft, step, name)
    return replace(told, at=fault.at, inside=fault.inside)


def not_templates(draft: Draft) -> Iterator[Fault]:
    """Texts that are shown as they are written, in which somebody expects a value."""
    for step in draft.steps:
        for path in (
            ("title",),
            ("items", None, "text"),
            ("causes", None, "cause"),
            ("causes", None, "solution"),
            ("undo", "text"),
        ):
            for at, text in each(step.data, *path):
                found = _FILLED_IN.search(text) if isinstance(text, str) else None
                if found is not None:
                    said = "no value is filled in here: only text and message are templates"
                    fix = "say it in the step's text"
                    yield Fault(at=step.at(*at), text=said, fix=fix, inside=found.start())

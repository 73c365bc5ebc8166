"""The names that a runbook speaks of: its inputs, its earlier steps, and what they give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.files.draft import Asked, Draft, DraftStep
from bot.files.problem import Fault, Loc
from bot.files.tree import Data, each, shorten
from bot.model.condition import Literal, Mention
from bot.model.nearest import listed, nearest
from bot.model.operand import Quantity, expected_of, factor
from bot.model.step import KINDS
from bot.rules.possible import tests_of

READS = frozenset({"check", "collect"})
"""The kinds of steps whose results hold readings."""


def references(draft: Draft) -> Iterator[Fault]:
    """``inputs.NAME`` in place of a target or a duration."""
    for step in draft.steps:
        for path, kind in (
            (("target",), "target"),
            (("hold",), "duration"),
            (("within",), "duration"),
            (("verify", "hold"), "duration"),
            (("verify", "within"), "duration"),
        ):
            for at, value in each(step.data, *path):
                yield from _reference(draft, step.at(*at), value, kind)


def _reference(draft: Draft, at: Loc, value: Data, kind: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not value.startswith("inputs."):
        return
    name = value.removeprefix("inputs.")
    if name not in draft.inputs:
        yield no_input(at, name, draft.inputs_of(kind) or draft.inputs)
        return
    got = draft.inputs[name].get("type")
    if isinstance(got, str) and got != kind:
        text = f"input '{name}' is of the type {shorten(got)}"
        near = nearest(name, draft.inputs_of(kind))
        yield Fault(at=at, text=text, expected=f"an input of the type {kind}", near=_input(near))


def no_input(at: Loc | int, name: str, known: Iterable[str], inside: int | None = None) -> Fault:
    near = nearest(name, known)
    return Fault(
        at=at,
        text=f"there is no input '{shorten(name)}'",
        near=_input(near),
        fix="" if near else "add it below inputs",
        inside=inside,
    )


def _input(name: str) -> str:
    return f"inputs.{name}" if name else ""


def conditions(draft: Draft) -> Iterator[Fault]:
    """Every name in a condition is known where it is asked."""
    for asked in draft.conditions:
        for mention in asked.condition.names:
            found = _mention(draft, asked, mention)
            if found is not None:
                yield replace(found, at=asked.at, inside=mention.start)
        yield from _compared(draft, asked)


def _mention(draft: Draft, asked: Asked, mention: Mention) -> Fault | None:
    first, *rest = mention.name.split(".")
    if asked.step is None and first in {"steps", "inputs"}:
        text = f"a trigger is asked before there is a run, so it can't speak of {first}"
        return Fault(at=(), text=text)
    if asked.where == "symptoms" and first == "incident":
        return Fault(at=(), text="symptoms are looked for without an incident too")
    if first == "inputs" and rest[0] not in draft.inputs:
        return no_input((), rest[0], draft.inputs)
    if first == "steps" and asked.step is not None:
        return _of_step(draft, asked.step, rest[0], rest[1])
    return None


def _of_step(draft: Draft, step: DraftStep, name: str, what: str) -> Fault | None:
    """``steps.ID.WHAT`` in a condition of a step."""
    earlier = draft.before(step)
    if name not in earlier:
        return not_earlier(draft, step, name)
    if what == "state":
        return None
    kind = draft.by_id[name].kind
    if what == "verdict":
        return Fault(at=(), text="a step keeps no verdict", near=f"steps.{name}.state")
    if kind in KINDS and kind not in READS:
        text = f"step '{name}' reads nothing ({kind}): only its state is known"
        return Fault(at=(), text=text, near=f"steps.{name}.state")
    return None


def not_earlier(draft: Draft, step: DraftStep, name: str) -> Fault:
    if name == step.id:
        return Fault(at=(), text="a step can't speak of its own result before it is done")
    if name in draft.by_id:
        return Fault(at=(), text=f"step '{name}' comes later: nothing is known of it yet")
    near = nearest(name, draft.before(step))
    text = f"there is no step '{shorten(name)}'"
    return Fault(at=(), text=text, near=f"steps.{near}" if near else "")


def _compared(draft: Draft, asked: Asked) -> Iterator[Fault]:
    """Inputs are compared with what they can be."""
    for test in tests_of(asked.condition.root):
        first, _, name = test.name.partition(".")
        if first != "inputs" or name not in draft.inputs or asked.step is None:
            continue
        expected = _unsuited(draft.inputs[name], test.op, test.literal)
        if expected:
            words = _choices(draft.inputs[name])
            yield Fault(
                at=asked.at,
                text=f"got {shorten(test.literal.text)}",
                expected=f"{expected} for {test.name}",
                near=nearest(str(test.literal.value), words),
                inside=test.literal.start,
            )


def _unsuited(asked: dict[str, Data], op: str, literal: Literal) -> str:
    """What an input of this type is compared with, where the literal is something else."""
    match asked.get("type"):
        case "number":
            kind = Quantity("")
        case "duration":
            kind = Quantity("ms", needs_unit=True)
        case "choice" if words := _choices(asked):
            return "" if literal.value in words else listed(words)
        case "text" | "target" | "choice":
            return "" if isinstance(literal.value, str) else "a word or 'text'"
        case _:
            return ""
    suits = isinstance(literal.value, float) and factor(kind, literal.unit) is not None
    return "" if suits else expected_of(kind)


def _choices(asked: dict[str, Data]) -> tuple[str, ...]:
    given = asked.get("choices")
    return tuple(word for word in given if isinstance(word, str)) if isinstance(given, list) else ()


CHECKS = (references, conditions)

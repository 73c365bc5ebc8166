"""The forms about runs: what a runbook starts with, and what is said with more than one press."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.model.command import Command, OnRun, StartRun, Tick, Verb
from bot.model.config import Config
from bot.model.offer import Offer
from bot.model.outlook import Outlook, Reversal
from bot.model.run import Mark, Run, StepRun
from bot.model.runbook import Input, Runbook
from bot.model.step import ChecklistStep, Item
from bot.render.blocks import section
from bot.rules.inputs import TEXT
from bot.slack.form import Read, typed
from bot.slack.view import (
    BOXES,
    View,
    boxes_field,
    menu_field,
    modal,
    option,
    person_field,
    text_field,
)
from bot.text import authored, cut, outside

_REASON, _NOTE = 500, 1_000
_LEAVE = "Leave it"
_LISTED = 15
_LABELS = {"target": "Which target?"}
_HINTS = {"duration": "Such as 90s, 5m or 1h30m.", "number": "Such as 5 or 0.5."}


def skip(seen: Outlook, mark: Mark) -> View:
    """A step is skipped with a reason."""
    reason = text_field("reason", "Why is it skipped?", "", limit=_REASON, lines=True)
    return _about_step("run-skip", "Skip", seen, mark, [reason])


def reject(seen: Outlook, mark: Mark) -> View:
    """A no to a step; why may be left out."""
    reason = text_field("reason", "Why not?", "", limit=_REASON, optional=True, lines=True)
    return _about_step("run-reject", "Reject", seen, mark, [reason])


def repeat(seen: Outlook, mark: Mark) -> View:
    """An action of which nobody knows whether it was done is called once more: asked once."""
    warning = section("*It may have been done already.* Repeating it calls it once more.")
    saw = text_field("reason", "What did you see at the target?", "", limit=_REASON, optional=True)
    return _about_step("run-repeat", "Repeat", seen, mark, [warning, saw])


def cancel(run: Run) -> View:
    """Cancelling asks once: nothing that is left is done then, and what was done stays."""
    blocks = [
        section("What is left is not done. What was done stays as it is: Undo takes it back."),
        text_field("reason", "Why?", "", limit=_REASON, optional=True, lines=True),
    ]
    kept = {"run": run.id}
    return modal("run-cancel", f"Cancel {run.key}", "Cancel the run", blocks, kept, close=_LEAVE)


def undo(run: Run, reversals: Sequence[Reversal], mark: Mark | None) -> View:
    """Taking back asks once: what would be taken back, in order."""
    lines = [
        f"{number}. *{outside(one.title, 150)}*: {outside(one.how, 300)}"
        for number, one in enumerate(reversals[:_LISTED], 1)
    ]
    more = len(reversals) - len(lines)
    blocks = [
        section("*This is taken back, in this order, each called once:*"),
        section("\n".join(lines)),
    ]
    if more > 0:
        blocks.append(section(f"and {more} more"))
    if run.state.live:
        blocks.append(section("What is left of the run is not done."))
    kept = {"run": run.id, "mark": str(mark) if mark is not None else ""}
    return modal("run-undo", f"Undo in {run.key}", "Take back", blocks, kept, close=_LEAVE)


def done(seen: Outlook, mark: Mark, person: str) -> View | None:
    """What a step asks for with its Done; None where nothing is asked: a press is enough.

    A line is done when what it asks for is filled in; the others are ticked in their boxes.
    """
    step = seen.progress.steps[mark.position]
    definition = seen.progress.definition(step)
    if not isinstance(definition, ChecklistStep):
        label = "What came of it? What you note here is the step's result."
        note = text_field("reason", label, "", limit=_NOTE, optional=True, lines=True)
        return _about_step("run-by-hand", "Done", seen, mark, [note])
    left = {
        number: item
        for number, item in enumerate(definition.items, 1)
        if str(number) not in step.output.get("items", {})
    }
    if not any(item.note or item.owner for item in left.values()):
        return None
    only = len(left) == 1
    blocks = [block for one in left.items() for block in _line(*one, person, optional=not only)]
    plain = {number: item for number, item in left.items() if not item.note and not item.owner}
    blocks += _boxes(plain)
    asked = {
        str(number): "note" if left[number].note else "owner"
        for number in left
        if number not in plain
    }
    return _about_step("run-done", "Done", seen, mark, blocks, {"asked": asked})


def inputs(runbook: Runbook, command: StartRun, config: Config, channel: str) -> View:
    """What a runbook starts with: what has no default must be given."""
    targets = list(config.targets)
    blocks = [section(outside(runbook.description, 1_500))] if runbook.description else []
    if not any(one.type == "target" for one in runbook.inputs.values()):
        blocks.append(menu_field("target", "Which target?", targets, command.target))
    blocks += [_asked(name, one, command, targets) for name, one in runbook.inputs.items()]
    offer = Offer(runbook.id, command.incident, command.target)
    kept = {"offer": str(offer), "channel": channel}
    return modal(
        "run-start",
        "Run a runbook",
        "Run",
        [section(f"*{outside(runbook.title, 150)}*"), *blocks],
        kept,
    )


def _asked(name: str, one: Input, command: StartRun, targets: Sequence[str]) -> View:
    label, block = one.title or _LABELS.get(one.type, name), f"input-{name}"
    given = command.inputs.get(name, one.default)
    hint = _HINTS.get(one.type, "")
    match one.type:
        case "target":
            only = targets[0] if len(targets) == 1 else None
            return menu_field(block, label, targets, str(given or command.target or only or ""))
        case "choice":
            return menu_field(block, label, one.choices, str(given or ""))
    value = f"{given:g}" if isinstance(given, float) else str(given or "")
    optional = one.default is not None
    return text_field(block, label, value, limit=TEXT, optional=optional, hint=hint)


def _line(number: int, item: Item, person: str, *, optional: bool) -> list[View]:
    """What one line asks for; a line that is too long for a label stands above its field in full."""
    if not item.note and not item.owner:
        return []
    text = " ".join(item.text.split())
    long = len(text) > 120
    blocks: list[View] = [section(f"*{number}.* {authored(text)}")] if long else []
    label = f"{number}. Your note" if long and item.note else f"{number}. {cut(text, 120)}"
    if item.note:
        blocks.append(
            text_field(f"note-{number}", label, "", limit=_NOTE, optional=optional, lines=True)
        )
    if item.owner:
        who = f"{number}. Who takes it?" if item.note else f"{label}: who takes it?"
        blocks.append(person_field(f"owner-{number}", who, person, optional=True))
    return blocks


def _boxes(plain: Mapping[int, Item]) -> list[View]:
    """The lines that ask for nothing, ten in a group."""
    options = [
        option(f"{number}. {' '.join(item.text.split())}", str(number))
        for number, item in plain.items()
    ]
    return [
        boxes_field(f"lines-{at}", "Done as well", options[at : at + BOXES])
        for at in range(0, len(options), BOXES)
    ]


def _about_step(
    name: str,
    verb: str,
    seen: Outlook,
    mark: Mark,
    blocks: Sequence[View],
    kept: Mapping[str, Any] | None = None,
) -> View:
    step = seen.progress.steps[mark.position]
    head = section(f"*{_called(seen, step)}*")
    title = f"{seen.progress.run.key} step {step.position + 1}: {verb}"
    known = {"mark": str(mark), **(kept or {})}
    return modal(name, title, verb, [head, *blocks], known, close=_LEAVE)


def _called(seen: Outlook, step: StepRun) -> str:
    return f"{step.position + 1}. {outside(seen.progress.definition(step).title, 150)}"


Values = Mapping[str, Any]


def _reads(verb: Verb, *, needs: str = "") -> Callable[[Values, Mapping[str, Any], int], Read]:
    """A word about a step with a reason; ``needs``: what is said where there is none."""

    def read(values: Values, kept: Mapping[str, Any], now: int) -> Read:
        reason = typed(values, "reason")
        if needs and not reason:
            return {"reason": needs}
        mark = Mark.parse(kept["mark"])
        assert mark is not None
        return OnRun(run=mark.run_id, verb=verb, text=reason, mark=mark)

    return read


def _read_cancel(values: Values, kept: Mapping[str, Any], now: int) -> Read:
    return OnRun(run=kept["run"], verb="cancel", text=typed(values, "reason"))


def _read_undo(values: Values, kept: Mapping[str, Any], now: int) -> Read:
    return OnRun(run=kept["run"], verb="undo", mark=Mark.parse(kept["mark"]))


def _read_done(values: Values, kept: Mapping[str, Any], now: int) -> Read:
    mark = Mark.parse(kept["mark"])
    assert mark is not None
    ticks: dict[int, Tick] = {}
    for number, what in kept["asked"].items():
        note = typed(values, f"note-{number}") if f"note-{number}" in values else ""
        owner = values.get(f"owner-{number}", {}).get("selected_user")
        if note or (what == "owner" and owner):
            ticks[int(number)] = Tick(note, owner)
    for name, one in values.items():
        if name.startswith("lines-"):
            ticks |= {int(box["value"]): Tick() for box in one.get("selected_options") or ()}
    if not ticks:
        first = next(name for name in values if name.startswith(("note-", "owner-")))
        return {first: "Fill in at least one line: it is done then."}
    return OnRun(run=mark.run_id, verb="done", mark=mark, ticks=ticks)


def _read_start(values: Values, kept: Mapping[str, Any], now: int) -> Read:
    offer = Offer.parse(kept["offer"])
    assert offer is not None
    given = {name: _value(values, name) for name in values if name.startswith("input-")}
    command: Command = StartRun(
        runbook=offer.runbook,
        incident=offer.incident,
        target=_value(values, "target") if "target" in values else None,
        inputs={name.removeprefix("input-"): value for name, value in given.items() if value},
    )
    return command


def _value(values: Values, name: str) -> str:
    chosen = values[name].get("selected_option")
    return str(chosen["value"]) if chosen else typed(values, name)


READERS: Mapping[str, Callable[[Values, Mapping[str, Any], int], Read]] = {
    "run-skip": _reads("skip", needs="Say why: a step is skipped with a reason."),
    "run-reject": _reads("reject"),
    "run-repeat": _reads("repeat"),
    "run-by-hand": _reads("done"),
    "run-cancel": _read_cancel,
    "run-undo": _read_undo,
    "run-done": _read_done,
    "run-start": _read_start,
}

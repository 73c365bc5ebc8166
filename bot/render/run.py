"""A run as one message, edited in place: how far it is, what it asks for, who does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.run import Mark, Progress, StepRun, StepState
from bot.render.blocks import Block, actions, button, context, header, section
from bot.render.entry import who
from bot.text import outside

_BUTTONS: Mapping[StepState, tuple[tuple[str, str, str | None], ...]] = {
    StepState.APPROVING: (("Approve", "approve", "primary"), ("Reject", "reject", None)),
    StepState.DOING: (("Done", "done", "primary"), ("Skip", "skip", None)),
    StepState.ASKING: (("Do it", "do", "primary"), ("Skip", "skip", None)),
    StepState.STUCK: (("It was done", "done", None), ("Repeat", "repeat", None)),
}


def run(progress: Progress) -> Drawing:
    """The run's own message."""
    told = progress.run
    title = f"{told.key} {told.book.title}: {told.state}, {progress.done} of {len(progress.steps)}"
    blocks: list[Block] = [header(title)]
    step = progress.current if told.state.live else None
    text = title
    if step is not None:
        asked = _asked(progress, step)
        text = f"{title}. {asked}"
        blocks += [section(asked), *_buttons(step)]
    blocks.append(context(f"{outside(told.target)} | started by {who(told.by)}"))
    return Drawing(text, blocks)


def ask(progress: Progress, facts: Facts) -> Drawing:
    """Somebody is asked for a step; once that is answered, who did."""
    step = progress.steps[facts["position"]]
    asked = _asked(progress, step)
    if step.state != facts["state"] or step.attempt != facts["attempt"]:
        return Drawing(asked, (section(asked),))
    return Drawing(asked, (section(asked), *_buttons(step)))


def result(facts: Facts) -> Drawing:
    """What came out of a step."""
    text = f"{facts['title']}: {facts['state']}. {facts['text']}"
    return Drawing(outside(text), (section(outside(text)),))


def notice(facts: Facts) -> Drawing:
    """The message of a notify step: its author's mrkdwn, what was filled in is escaped already."""
    note = context(f"{facts['run']} | sent for {who(facts['by'])}")
    return Drawing(facts["text"], (section(facts["text"]), note))


def _asked(progress: Progress, step: StepRun) -> str:
    title = outside(progress.definition(step).title)
    words = step.output.get("words", "")
    return f"*{title}* ({step.state}) {outside(step.reason)} {words}".strip()


def _buttons(step: StepRun) -> list[Block]:
    mark = str(Mark.of(step))
    drawn = [
        button(label, f"iora:run:{verb}", mark, style=style)
        for label, verb, style in _BUTTONS.get(step.state, ())
    ]
    return [actions(drawn)] if drawn else []


def started(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    """The answer to whoever started a run, or said something to it."""
    drawn = run(facts["progress"])
    return drawn if buttons else Drawing(drawn.text)

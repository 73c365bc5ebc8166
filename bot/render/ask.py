"""A person is asked for a step, in the thread: who, for what, until when; once it is answered, by whom."""

from __future__ import annotations

import re

from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.outlook import Outlook
from bot.model.run import StepRun, StepState
from bot.model.step import ChecklistStep, Step
from bot.render.blocks import Block, actions, context, section, time
from bot.render.entry import holder, who
from bot.render.run_buttons import of_step
from bot.text import authored, cut_mrkdwn, outside

_WORDS, _ITEM = 900, 300
_UNCLEAR = "nobody knows whether it was done: "
# A long line that ends within a sentence, before one that is no item of a list.
_WRAPPED = re.compile(r"(?m)(^.{60,}[^\s.:!?])[ \t]*\n(?=[^\s*•>-])")
_ASKS = {
    StepState.APPROVING: "please approve or reject",
    StepState.DOING: "please do",
    StepState.ASKING: "is it to be done?",
    StepState.STUCK: "was it done?",
}


def ask(seen: Outlook, facts: Facts) -> Drawing:
    """The asking with its buttons as long as it stands; then what became of it, without any."""
    step = seen.progress.steps[facts["position"]]
    if not _stands(seen, step, facts):
        text = answered(seen, step, facts)
        return Drawing(text, (section(text),))
    definition = seen.progress.definition(step)
    head = f"{_called(seen)}: {_ASKS[step.state]} {_named(seen, step)}{_until(step)}"
    if facts.get("reminded"):
        head = f"Reminder {facts['reminded']}: {head}"
    why = reason(step)
    blocks = [section(head), *([section(why)] if why else [])]
    blocks += words(step, _WORDS) + items(definition, step)
    blocks.append(
        context(
            _approvals(seen)
            or f"{seen.progress.run.key} on {outside(seen.progress.run.target, 63)}"
        )
    )
    return Drawing(f"{head}. {why}" if why else f"{head}.", [*blocks, actions(of_step(seen, step))])


def words(step: StepRun, limit: int) -> list[Block]:
    """What the step says, filled in already: what is done, and why."""
    text = unwrapped(authored(str(step.output.get("words", ""))).strip())
    return [section(cut_mrkdwn(text, limit))] if text else []


def unwrapped(text: str) -> str:
    """A text whose lines were wrapped where its author's screen ended: those breaks are none of it."""
    return _WRAPPED.sub(r"\1 ", text)


def items(definition: Step, step: StepRun) -> list[Block]:
    """The lines of a checklist with their ticks: ``[x] 1. ...``; a line is cut so that all are there."""
    if not isinstance(definition, ChecklistStep):
        return []
    limit = max(80, min(_ITEM * 2, 4_000 // len(definition.items)))
    ticked: Facts = step.output.get("items", {})
    lines = []
    for number, item in enumerate(definition.items, 1):
        wanted = [
            word for word, is_asked in (("note", item.note), ("owner", item.owner)) if is_asked
        ]
        one = ticked.get(str(number))
        told = f"  _({' and '.join(wanted)} asked for)_" if wanted and one is None else ""
        by = f", by {who(one['by'])}" if one is not None else ""
        box = "[x]" if one is not None else "[  ]"
        lines.append(f"{box} {number}. {cut_mrkdwn(authored(item.text.strip()), limit)}{told}{by}")
    return [section("\n".join(lines))]


def reason(step: StepRun) -> str:
    """Why a person is asked, where that is not plain."""
    why = outside(step.reason, 500)
    match step.state:
        case StepState.STUCK:
            unclear = f"*Nobody knows whether it was done*: {why.removeprefix(_UNCLEAR)}."
            return f"{unclear} Look at the target first: it is not called again by itself."
        case StepState.ASKING:
            return f"Nobody knows whether it is needed: {why}"
        case StepState.DOING if step.output.get("by_hand"):
            return f"By hand, for {why}. Say with Done what came of it."
        case StepState.APPROVING if why:
            return f"Asked again: {why}"
    return ""


def approvals(seen: Outlook) -> str:
    """``1 of 2 approved: @bob``; nothing where one is enough, for that one ends it."""
    if seen.wanted < 2:
        return ""
    by = f": {', '.join(who(actor) for actor in seen.approved)}" if seen.approved else ""
    return f"{len(seen.approved)} of {seen.wanted} approved{by}"


def answered(seen: Outlook, step: StepRun, facts: Facts) -> str:
    """``“Open”: approved by Alice at 03:14; done: HTTP 200.``"""
    title = f"“{outside(seen.progress.definition(step).title, 150)}”"
    # Of what was skipped, the first word of the reason says why: skipped, rejected, cancelled, not needed.
    skipped = f"{outside(step.reason, 500) or 'skipped'}{_by(step)}"
    if facts["state"] == StepState.APPROVING and (given := _given(seen, step, facts["attempt"])):
        said = "" if step.state is StepState.OK else _said(step)  # its result says what
        came = skipped if step.state is StepState.SKIPPED else f"{_outcome(step)}{said}"
        after = f"; {came}" if step.state is not StepState.WAITING else ""
        return f"{title}: approved by {', '.join(given)}{after}."
    if step.state is StepState.SKIPPED:
        return f"{title}: {skipped}."
    if facts["state"] == StepState.ASKING and step.output.get("agreed"):
        by = step.output.get("agreed_by")
        return f"{title}: to be done, says {who(by)}." if by else f"{title}: to be done."
    newer = facts.get("reminded", 0) != step.output.get("reminded", 0)
    if step.attempt != facts["attempt"] or (newer and not step.state.over):
        return f"{title} was asked again: see the newer message."
    if facts["state"] == StepState.APPROVING:
        return f"{title}: {outside(step.reason, 300) or 'not asked any more'}."
    if facts["state"] == StepState.DOING and step.state in {StepState.OK, StepState.WATCHING}:
        return f"{title}: done{_by(step)}."
    return f"{title}: {_outcome(step)}{_by(step)}{_said(step)}."


def _by(step: StepRun) -> str:
    by = f" by {who(step.by)}" if step.by else ""
    return f"{by} at {time(step.ended_at)}" if step.ended_at else by


def _given(seen: Outlook, step: StepRun, attempt: int) -> list[str]:
    """Who said yes to that asking, and when."""
    if step.state is StepState.APPROVING and step.attempt == attempt:
        return []
    return [
        f"{who(one.actor)} at {time(one.at)}"
        for one in seen.progress.choices
        if one.position == step.position and one.attempt == attempt
    ]


def _outcome(step: StepRun) -> str:
    match step.state:
        case StepState.OK:
            return "done"
        case StepState.STARTED:
            return "under way"
        case StepState.WATCHING:
            return "done, its effect is being watched"
        case StepState.STUCK:
            return "unclear"
    return str(step.state)


def _said(step: StepRun) -> str:
    said = outside(str(step.output.get("text") or ""), 300)
    why = outside(step.reason, 300)
    return f": {said or why}" if said or why else ""


def _stands(seen: Outlook, step: StepRun, facts: Facts) -> bool:
    """Whether it is still this that is asked, and no newer message asks it."""
    return (
        seen.progress.run.state.live
        and step is seen.progress.current
        and step.state == facts["state"]
        and step.attempt == facts["attempt"]
        and step.output.get("reminded", 0) == facts.get("reminded", 0)
    )


def _called(seen: Outlook) -> str:
    return " or ".join(holder(one) for one in seen.asked[:10]) or "Whoever is here"


def _named(seen: Outlook, step: StepRun) -> str:
    title = outside(seen.progress.definition(step).title, 150)
    run = seen.progress.run
    place = f"{run.key} step {step.position + 1} of {len(seen.progress.steps)} on {outside(run.target, 63)}"
    return f"*“{title}”* ({place})"


def _until(step: StepRun) -> str:
    return f", until {time(step.due_at)}" if step.due_at is not None else ""


def _approvals(seen: Outlook) -> str:
    step = seen.progress.current
    return approvals(seen) if step is not None and step.state is StepState.APPROVING else ""

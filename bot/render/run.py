"""A run as one message, edited in place: how far it is, the step now and who does it, what came out so far."""

from __future__ import annotations

from collections import Counter

from bot.model.message import Drawing
from bot.model.outlook import Outlook
from bot.model.run import Progress, RunState, StepRun, StepState
from bot.model.units import format_duration
from bot.render import ask
from bot.render.blocks import Block, context, header, paragraphs, section, time
from bot.render.entry import who
from bot.render.run_buttons import of_run
from bot.render.step import sign
from bot.text import clean, outside

_BAR, _WORDS, _LINE = 20, 1_000, 220
_FAILED, _RECENT, _DONE = 6, 3, 8
_COUNTED = (StepState.FAILED, StepState.UNKNOWN, StepState.OK, StepState.SKIPPED)
_NOTED = {
    "do": "It is to be done",
    "done": "Noted as done",
    "skip": "Skipped",
    "approve": "Your yes is noted",
    "reject": "Rejected",
    "repeat": "It is done once more",
    "undo": "What was done is taken back",
    "pause": "Paused",
    "resume": "Resumed",
    "cancel": "Cancelled",
}
_PHASES = {
    StepState.ASKING: "waits for a decision",
    StepState.APPROVING: "waits for approval",
    StepState.DOING: "waits for a person",
    StepState.WATCHING: "watches the effect",
    StepState.STUCK: "is unclear, a person must decide",
}


def run(seen: Outlook) -> Drawing:
    """The run's own message: state, failures, the step now, the last results, one primary button."""
    progress = seen.progress
    step = progress.current if progress.run.state.live else None
    bar = f"\n{_bar(progress)}" if progress.run.state.live else ""
    blocks = [header(heading(progress)), section(f"{_status(progress)}{bar}")]
    blocks += paragraphs(line(progress, one) for one in _failures(progress))
    blocks += _now(seen, step) if step is not None else _ending(seen)
    blocks += paragraphs(line(progress, one) for one in _recent(progress))
    blocks.append(context(" | ".join(_small(seen, step))))
    return Drawing(sentence(seen), [*blocks, *of_run(seen)])


def heading(progress: Progress) -> str:
    """``RUN-5 High CPU usage on iora``. Plain text, as a header wants it."""
    told = progress.run
    return f"{told.key} {clean(told.book.title)} on {told.target}"


def sentence(seen: Outlook) -> str:
    """The message in one sentence, for screen readers and notifications. Escaped."""
    progress = seen.progress
    told, step = progress.run, progress.current
    named = f"{told.key} {outside(told.book.title, 150)} on {outside(told.target, 63)}"
    parts = [f"{named}: {told.state}"]
    if told.state.live or told.state is RunState.DONE:
        parts = [f"{parts[0]}, {progress.done} of {len(progress.steps)} steps over"]
    failed = [one for one in progress.steps if one.state is StepState.FAILED]
    if failed:
        titles = ", ".join(f"“{_title(progress, one)}”" for one in failed[:3])
        parts.append(f"{len(failed)} failed: {titles}")
    if not told.state.live:
        parts.append(_ended(progress))
    elif step is not None:
        parts.append(f"now “{_title(progress, step)}” {_phase(progress, step)}{_until(step)}")
    return f"{'; '.join(parts)}."


def noted(seen: Outlook, verb: str) -> str:
    """The answer to whoever started the run, or said something to it."""
    progress = seen.progress
    told = progress.run
    if verb == "start":
        where = f"in the thread of {seen.incident.key}" if seen.incident is not None else "here"
        named = f"{told.key} {outside(told.book.title, 150)} on {outside(told.target, 63)}"
        count = len(progress.steps)
        many = "1 step" if count == 1 else f"{count} steps"
        return f"{named} has started, {many}: its message is {where}."
    return f"{_NOTED[verb]}. {sentence(seen)}"


def steps(seen: Outlook) -> list[Block]:
    """Every step in one line, for a terminal."""
    progress = seen.progress
    return [section(_status(progress)), *paragraphs(line(progress, one) for one in progress.steps)]


def line(progress: Progress, step: StepRun) -> str:
    """A step's result in one line."""
    said = outside(str(step.output.get("text") or ""), _LINE)
    why = outside(step.reason, _LINE)
    parts = [part for part in dict.fromkeys((said, why)) if part]
    told = f": {'; '.join(parts)}" if parts else ""
    return f"{sign(step.state)} {step.position + 1}. “{_title(progress, step)}”{told}"


def _status(progress: Progress) -> str:
    told, step = progress.run, progress.current
    if not told.state.live:
        return f"*{told.state.upper()}* {_ended(progress)} | {_counts(progress)}"
    if step is None:
        return f"*{told.state.upper()}* | {_counts(progress)}"
    at = f"step {step.position + 1} of {len(progress.steps)}"
    if told.state is RunState.PAUSED:
        since = f" since {time(told.paused_at)}" if told.paused_at else ""
        return f"*PAUSED*{since} | {at}: {_counts(progress)}"
    phase = _phase(progress, step).removeprefix("is ").upper()
    return f"*{phase}* | {at}: {_counts(progress)}"


def _phase(progress: Progress, step: StepRun) -> str:
    """What goes on at a step, in words that follow its title too."""
    if progress.run.state is RunState.PAUSED:
        return "is paused"
    if step.state is StepState.WAITING and step.due_at is not None:
        return "is tried again"
    return _PHASES.get(step.state, "is running")


def _counts(progress: Progress) -> str:
    """``1 failed, 2 ok, 1 skipped``: failures first."""
    found = Counter(step.state for step in progress.steps if step.state.over)
    told = [f"{found[state]} {state}" for state in _COUNTED if found[state]]
    return ", ".join(told) or "nothing done yet"


def _bar(progress: Progress) -> str:
    """How far it is; the words beside it say the same."""
    width = min(_BAR, len(progress.steps))
    full = round(width * progress.done / len(progress.steps))
    return f"{'█' * full}{'░' * (width - full)}"


def _now(seen: Outlook, step: StepRun) -> list[Block]:
    """The step that the run is at: who does it since and until when, what it says, how far it is."""
    definition = seen.progress.definition(step)
    head = f"*{step.position + 1}. {_title(seen.progress, step)}*"
    lines = [head, _doer(seen, step), ask.reason(step)]
    if step.output.get("progress") and step.state in {StepState.STARTED, StepState.WATCHING}:
        lines.append(outside(str(step.output["progress"]), 400))
    if step.state is StepState.WAITING and step.reason:
        lines.append(outside(step.reason, 400))
    blocks = [section("\n".join(one for one in lines if one))]
    return [*blocks, *ask.words(step, _WORDS), *ask.items(definition, step)]


def _doer(seen: Outlook, step: StepRun) -> str:
    """Who does it, since when and until when."""
    since = f" since {time(step.started_at)}" if step.started_at else ""
    roles = f"a {' or '.join(seen.roles)}"
    match step.state:
        case StepState.WATCHING:
            return f"The bot watches{since},{_until(step)} at the latest"
        case StepState.DOING:
            return f"A person does it{since}{_until(step)}"
        case StepState.APPROVING:
            yes = "a yes" if seen.wanted == 1 else f"{seen.wanted} yeses"
            given = f"; {ask.approvals(seen)}" if seen.approved else ""
            return f"Needs {yes} of {roles}{_until(step)}{given}"
        case StepState.WAITING if step.due_at is not None:
            return f"Tried again at {time(step.due_at)}"
        case StepState.STUCK:
            return f"Whoever may approve it decides: {roles}"
        case StepState.ASKING:
            return "A responder decides"
    return f"The bot does it{since}"


def _ending(seen: Outlook) -> list[Block]:
    """What is left to know of a run that is over."""
    lines = []
    step = seen.progress.current
    if step is not None and step.state is StepState.STARTED:
        lines.append(
            f"The bot is still at “{_title(seen.progress, step)}”: its result comes into the thread."
        )
    if seen.reversals:
        lines.append("Still in effect, and can be taken back:")
        lines += [
            f"• {outside(one.title, 150)} ({outside(one.how, 200)})" for one in seen.reversals[:10]
        ]
    return paragraphs(lines)


def _ended(progress: Progress) -> str:
    """``after 12 min``, by whom and why."""
    told = progress.run
    parts = [f"after {format_duration((told.ended_at or told.started_at) - told.started_at)}"]
    if told.ended_by not in {None, "bot"}:
        parts.append(f"by {who(str(told.ended_by))}")
    reason = told.reason.removeprefix("cancelled").removeprefix(": ")
    return " ".join(parts) + (f": {outside(reason, 500)}" if reason else "")


def _failures(progress: Progress) -> list[StepRun]:
    bad = [one for one in progress.steps if one.state in {StepState.FAILED, StepState.UNKNOWN}]
    return bad[-_FAILED:]


def _recent(progress: Progress) -> list[StepRun]:
    """The last results that are no failures: those stand further up."""
    if not progress.run.state.live:  # what the end left out is counted, and says nothing more
        return [one for one in progress.steps if one.state is StepState.OK][-_DONE:]
    good = [one for one in progress.steps if one.state in {StepState.OK, StepState.SKIPPED}]
    return good[-_RECENT:]


def _small(seen: Outlook, step: StepRun | None) -> list[str]:
    progress = seen.progress
    told = progress.run
    parts = []
    if step is not None:
        following = next(
            (one for one in progress.steps[step.position + 1 :] if not one.state.over), None
        )
        upcoming = (
            f"{following.position + 1}. {_title(progress, following)}" if following else "the end"
        )
        parts.append(f"Next: {upcoming}")
    if seen.incident is not None:
        parts.append(seen.incident.key)
    parts.append(f"started by {who(told.by)} at {time(told.started_at)}")
    parts.append(f"`{told.runbook}` version {told.version}")
    return parts


def _until(step: StepRun) -> str:
    return (
        f" until {time(step.due_at)}"
        if step.due_at is not None and step.state is not StepState.STARTED
        else ""
    )


def _title(progress: Progress, step: StepRun) -> str:
    return outside(progress.definition(step).title, 150)

"""What is told of a run: its one message, the results in the thread, the incident's timeline."""

from __future__ import annotations

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.run import Progress, Run, StepRun, StepState
from bot.model.step import AdviseStep, NotifyStep
from bot.services import course
from bot.services.roster import roster
from bot.store import incidents, outbox
from bot.store.database import Tx

_SAID = {StepState.OK, StepState.FAILED, StepState.UNKNOWN, StepState.STUCK}
_SHOWN = 2_500  # characters of what a probe printed; the rest is in its file
_IN_THREAD = {"stdout", "stdout_cut", "findings", "causes"}  # too long for the timeline


def announce(tx: Tx, run: Run, destination: str, thread_ts: str | None) -> None:
    """The message that shows the run, edited in place; with an incident it hangs on its card."""
    card = outbox.by_key(tx, f"card:{run.incident_id}") if run.incident_id is not None else None
    facts: dict[str, object] = {"run": run.id, "person": None, "broadcast": card is not None}
    if card is None:
        facts["thread_ts"] = thread_ts
    outbox.add(
        tx,
        key(run.id),
        "run",
        card.destination if card else destination,
        facts,
        incident_id=run.incident_id,
        parent_id=card.id if card else None,
    )


def redraw(tx: Tx, run_id: int) -> None:
    """Show the run as it is now."""
    message = outbox.by_key(tx, key(run_id))
    if message is not None:
        outbox.set_facts(tx, message.id, message.facts)


def run_changed(tx: Tx, run: Run, what: str, actor: str, reason: str = "") -> None:
    """A line on the timeline: started, paused, resumed, cancelled, or how it ended."""
    if run.incident_id is not None:
        facts = {
            "run": run.key,
            "runbook": run.runbook,
            "title": run.book.title,
            "target": run.target,
            "what": what,
            "reason": reason,
        }
        incidents.add_entry(tx, run.incident_id, actor, "run", facts)
        outbox.revise(tx, run.incident_id, ("card",))
    redraw(tx, run.id)


def step_changed(
    tx: Tx, config: Config, progress: Progress, step: StepRun, actor: str = BOT
) -> None:
    """What came out of a step, or whom it asks: in the thread, and a result on the timeline too."""
    run = progress.run
    if step.state.over or step.state is StepState.STUCK:
        if run.incident_id is not None:
            facts = _facts(progress, step)
            line = {name: facts[name] for name in facts if name not in _IN_THREAD}
            incidents.add_entry(tx, run.incident_id, actor, "step", line)
        if step.state in _SAID:
            reply(tx, run, f"{step.position}:{step.attempt}:{step.state}", _facts(progress, step))
            add_files(tx, progress, step)
    if step.state.for_a_person:
        ask(tx, run, step)


def ask(tx: Tx, run: Run, step: StepRun) -> None:
    """A message in the thread that asks people for the step, with its buttons; anew for a reminder."""
    reminded = int(step.output.get("reminded", 0))
    named = f"ask:{run.id}:{step.position}:{step.attempt}:{step.state}:{reminded}"
    facts = {"run": run.id, "position": step.position, "attempt": step.attempt}
    if reminded:
        answered(tx, run, step)  # only the newest asking keeps its buttons
    _hang(tx, run, named, "ask", {**facts, "state": str(step.state), "reminded": reminded})


def answered(tx: Tx, run: Run, step: StepRun) -> None:
    """Draw the messages that asked for the step again: they say who answered."""
    for message in outbox.with_prefix(tx, f"ask:{run.id}:{step.position}:"):
        outbox.set_facts(tx, message.id, message.facts)


def reply(tx: Tx, run: Run, name: str, facts: Facts) -> None:
    """A result as a reply in the run's thread."""
    _hang(tx, run, f"step:{run.id}:{name}", "step", facts)


def add_files(tx: Tx, progress: Progress, step: StepRun) -> None:
    """What a step left behind, as files in the thread."""
    run = progress.run
    for number, file in enumerate(step.output.get("files", ())):
        name = f"run-file:{run.id}:{step.position}:{step.attempt}:{number}"
        called = f"{run.key}-{step.step}-{step.attempt}-{file['name']}"  # no two have the same
        _hang(tx, run, name, "file", {**file, "name": called, "title": called})
    examples = _examples(progress, step)
    if examples:
        name = f"{run.key}-{step.step}.txt"
        title = f"{run.key} {progress.definition(step).title}"
        facts = {"text": examples, "name": name, "title": title}
        _hang(tx, run, f"examples:{run.id}:{step.position}:{step.attempt}", "file", facts)
    report = step.output.get("report")
    if report is not None:
        facts = {"report": report, "format": "html", "name": f"{report}.html"}
        _hang(tx, run, f"file:{report}:html", "file", facts)


def send(
    tx: Tx, config: Config, run: Run, step: StepRun, definition: NotifyStep, text: str
) -> None:
    """The message of a notify step, to everybody that it names."""
    for destination in _destinations(tx, config, definition):
        named = f"notice:{run.id}:{step.position}:{step.attempt}:{destination}"
        facts = {"run": run.key, "text": text, "by": run.by}
        outbox.add(tx, named, "notice", destination, facts, incident_id=run.incident_id)


def escalate(tx: Tx, run: Run, reason: str) -> None:
    """Tell the incident's next level now, and why; without an incident the run's message says it."""
    incident = incidents.get(tx, run.incident_id) if run.incident_id is not None else None
    if incident is None or not incident.live:
        return
    facts = {"text": f"{run.key}: {reason}"}
    incidents.add_entry(tx, incident.id, BOT, "escalated", facts)
    course.hasten(tx, incident, "called")


def key(run_id: int) -> str:
    """The outbox's key of a run's message."""
    return f"run:{run_id}"


def _hang(tx: Tx, run: Run, named: str, kind: str, facts: Facts) -> None:
    """In the thread: of the incident's card, or of the run's own message."""
    message = outbox.by_key(tx, key(run.id))
    if message is None:
        return  # started at a terminal without an incident: it is read there
    outbox.add(
        tx,
        named,
        kind,
        message.destination,
        facts,
        incident_id=run.incident_id,
        parent_id=message.parent_id or message.id,
    )


def _destinations(tx: Tx, config: Config, definition: NotifyStep) -> list[str]:
    behind = roster(tx, config)
    found: list[str] = []
    for text in definition.to:
        if text == "channel":
            found.append(f"channel:{config.slack.channel}")
        else:
            found += [f"user:{person}" for person in behind.people(text, tx.now)]
    return list(dict.fromkeys(found))


def _examples(progress: Progress, step: StepRun) -> str:
    """The code of the causes that fit: Slack folds a file, and nothing else."""
    definition = progress.definition(step)
    if not isinstance(definition, AdviseStep):
        return ""
    fitting = [
        definition.causes[one["number"]]
        for one in step.output.get("causes", ())
        if one["fits"] == "fits"
    ]
    parts = [
        f"{one.cause}\n\n{one.solution.strip()}\n\n{one.example.rstrip()}\n"
        for one in fitting
        if one.example
    ]
    return "\n\n".join(parts)


def _facts(progress: Progress, step: StepRun) -> Facts:
    definition = progress.definition(step)
    output = step.output
    facts: dict[str, object] = {
        "run": progress.run.key,
        "runbook": progress.run.runbook,
        "target": progress.run.target,
        "step": step.step,
        "number": step.position + 1,
        "title": definition.title,
        "kind": definition.kind,
        "state": str(step.state),
        "text": output.get("text") or step.reason,
        "reason": step.reason,
        "by": step.by,
        "took": (step.ended_at or 0) - step.started_at
        if step.started_at and step.ended_at
        else None,
    }
    if output.get("stdout"):
        facts["stdout"] = str(output["stdout"])[-_SHOWN:]
        facts["stdout_cut"] = len(str(output["stdout"])) > _SHOWN
    for name in ("findings", "items", "report", "held", "by_hand", "said", "left_out"):
        if output.get(name):
            facts[name] = output[name]
    if output.get("files"):
        facts["files"] = [file["name"] for file in output["files"]]
    if isinstance(definition, AdviseStep):
        facts["causes"] = [
            {
                **one,
                "cause": definition.causes[one["number"]].cause,
                "solution": definition.causes[one["number"]].solution,
                "example": definition.causes[one["number"]].example,
            }
            for one in output.get("causes", ())
        ]
    return facts

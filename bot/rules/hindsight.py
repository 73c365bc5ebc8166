"""Looking back at an incident: what worked, what did not, what is left to do, what to ask.

Blameless: the questions are about the system and its signals, and name nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.config import Config
from bot.model.incident import Entry, Status
from bot.model.message import State
from bot.model.person import PERSON
from bot.model.postmortem import INCIDENT, PINGS, READINGS, FollowUp, Line, Record, place_of
from bot.model.run import Progress, RunState, StepRun, StepState
from bot.model.step import ActionStep, ChecklistStep, WaitStep
from bot.model.units import format_duration
from bot.rules import picture, undo
from bot.rules.names import holder, named
from bot.rules.run_account import by_a_person, place, titled

# In their own words: each is something that did not go as it should.
_BAD_NEWS = ("unreached", "refused", "reopened")
_BAD_STEPS = {StepState.FAILED, StepState.UNKNOWN, StepState.STUCK}
_BAD_ENDS = {RunState.STOPPED, RunState.CANCELLED, RunState.EXPIRED}
_TO_DO = re.compile(
    r"\s*(?:todo\b\s*:?|actions?(?: items?)?\s*:)\s*(\S.*)", re.IGNORECASE | re.DOTALL
)
_OWNER = re.compile(r"(?<!\S)@([A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])")


@dataclass(frozen=True, kw_only=True)
class LookedBack:
    """What worked, what did not, and what is still to be done."""

    worked: tuple[Line, ...]
    failed: tuple[Line, ...]
    follow_ups: tuple[FollowUp, ...]


def looked_back(record: Record, config: Config) -> LookedBack:
    """Judged by the record alone."""
    return LookedBack(
        worked=(*_response_worked(record), *_steps_worked(record)),
        failed=(*_response_failed(record), *_unread(record), *_steps_failed(record)),
        follow_ups=(*_from_runs(record, config), *_from_notes(record), *_from_pings(record)),
    )


def questions(record: Record, drawn: picture.Picture) -> tuple[Line, ...]:
    """What the people who were there should talk about, as the record or its gaps suggest."""
    asked = (
        *_about_the_impact(record),
        *_about_the_cause(record, drawn),
        *_about_the_response(record),
        *_about_the_runbooks(record),
    )
    once = {line.text: line for line in reversed(asked)}  # each by the first entry that suggests it
    return tuple(reversed(once.values()))


def _escalations(record: Record) -> list[Entry]:
    """Who was told before anybody acknowledged; at every level but the first somebody was late."""
    acknowledged = _acknowledged(record)
    before = acknowledged.seq if acknowledged else len(record.entries) + 1
    return [one for one in record.entries if one.kind == "escalation" and one.seq < before]


def _acknowledged(record: Record) -> Entry | None:
    return next((one for one in record.entries if one.kind == "acknowledged"), None)


def _response_worked(record: Record) -> Iterator[Line]:
    incident = record.incident
    acknowledged = _acknowledged(record)
    if acknowledged and len(_escalations(record)) <= 1:
        took = format_duration(acknowledged.at - incident.declared_at)
        text = f"{named(acknowledged.actor)} acknowledged after {took}, before a further level was told."
        yield Line(text, place_of(acknowledged))
    if record.pings and all(ping.state is State.SENT for ping in record.pings):
        count = len(record.pings)
        yield Line("The ping arrived." if count == 1 else f"All {count} pings arrived.", PINGS)
    for entry in record.entries:
        if entry.kind == "evidence":
            gap = entry.at - incident.declared_at
            when = f"{format_duration(gap)} after" if gap >= 1_000 else "at"
            yield Line(f"Evidence was kept {when} the declaration.", place_of(entry))
            return


def _steps_worked(record: Record) -> Iterator[Line]:
    """What changed or proved something, each; the rest by its number."""
    for progress in record.runs:
        done = [step for step in progress.steps if step.state is StepState.OK]
        telling = [step for step in done if _telling(progress, step)]
        for step in telling:
            verify = progress.definition(step).verify
            held = f", and {verify.that} held" if verify is not None else ""
            yield Line(f"{titled(progress, step)} went well{held}.", place(progress, step))
        rest = len(done) - len(telling)
        if rest:
            further = "further " if telling else ""
            steps = "step" if rest == 1 else "steps"
            yield Line(f"{rest} {further}{steps} went well.", progress.run.key)


def _telling(progress: Progress, step: StepRun) -> bool:
    definition = progress.definition(step)
    return isinstance(definition, ActionStep | WaitStep) or definition.verify is not None


def _response_failed(record: Record) -> Iterator[Line]:
    late = _escalations(record)[1:]
    if late:
        levels = "1 further level was" if len(late) == 1 else f"{len(late)} further levels were"
        took = record.incident.time_to_acknowledge
        answer = f"it took {format_duration(took)}" if took is not None else "nobody has yet"
        text = f"{levels} told before anybody acknowledged: {answer}."
        yield Line(text, place_of(late[0]))
    yield from (Line.of(entry) for entry in record.entries if entry.kind in _BAD_NEWS)
    known = {entry.facts.get("person") for entry in record.entries if entry.kind == "unreached"}
    for ping in record.pings:
        if ping.state is State.REFUSED and ping.person not in known:
            known.add(ping.person)
            yield Line(
                f"{holder(ping.person)} could not be reached: {ping.error or 'no reason given'}.",
                PINGS,
            )


def _unread(record: Record) -> Iterator[Line]:
    """What the evidence could not tell."""
    for entry in record.entries:
        if entry.kind != "evidence":
            continue
        for health in entry.facts["healths"]:
            for finding in health["findings"]:
                if finding["result"] == "unknown":
                    yield Line(f"{health['target']}: {finding['text']}.", place_of(entry))
        for report in entry.facts.get("reports", ()):
            for part, reason in report["partial"].items():
                yield Line(
                    f"{report['target']}: {part} could not be collected: {reason}.", place_of(entry)
                )


def _steps_failed(record: Record) -> Iterator[Line]:
    for progress in record.runs:
        for step in progress.steps:
            if step.state in _BAD_STEPS or _left_out(step):
                yield Line(f"{titled(progress, step)}: {_went(step)}.", place(progress, step))
        run = progress.run
        if run.state in _BAD_ENDS:
            why = f": {run.reason}" if run.reason else ""
            yield Line(f"{run.key} was {run.state}{why}.", run.key)


def _left_out(step: StepRun) -> bool:
    """Skipped by somebody. Where its own condition said that it isn't needed, all is well."""
    return step.state is StepState.SKIPPED and by_a_person(step)


def _went(step: StepRun) -> str:
    words = "nobody knows what it did" if step.state is StepState.STUCK else str(step.state)
    who = f" by {named(step.by)}" if step.by and step.state is StepState.SKIPPED else ""
    return f"{words}{who}: {step.reason}" if step.reason else f"{words}{who}"


def _from_runs(record: Record, config: Config) -> Iterator[FollowUp]:
    for progress in record.runs:
        for step in progress.steps:
            yield from _owned(progress, step)
            if step.state in _BAD_STEPS or _left_out(step):
                text = f"See to {titled(progress, step)}, which was {_went(step)}."
                if step.state is StepState.STUCK:
                    text = f"Find out about {titled(progress, step)}: {_went(step)}."
                yield FollowUp(Line(text, place(progress, step)), "")
        yield from _not_taken_back(progress, config)


def _owned(progress: Progress, step: StepRun) -> Iterator[FollowUp]:
    """What somebody took on in a checklist."""
    definition = progress.definition(step)
    if not isinstance(definition, ChecklistStep):
        return
    for number, ticked in step.output.get("items", {}).items():
        if ticked["owner"]:
            note = f" ({ticked['note']})" if ticked["note"] else ""
            text = f"{definition.items[int(number) - 1].text}{note}"
            yield FollowUp(Line(text, place(progress, step)), _owner(ticked["owner"]))


def _owner(text: str) -> str:
    """A member id, an actor, or a name as it was written."""
    if PERSON.match(text):
        return holder(text)
    return named(text) if text.startswith(("slack:", "cli:")) else text


def _not_taken_back(progress: Progress, config: Config) -> Iterator[FollowUp]:
    """A change that has an undo, and stands, or may stand."""
    for step in progress.steps:
        way = undo.way(config, progress, step)
        if way is not None and undo.possible(config, progress, step):
            done = "was done" if step.state is StepState.OK else "may have been done"
            how = way.get("action") or way["text"]
            text = f"{titled(progress, step)} {done} and is not taken back; its undo: {how}."
            yield FollowUp(Line(text, place(progress, step)), "")


def _from_notes(record: Record) -> Iterator[FollowUp]:
    for entry in record.entries:
        found = _TO_DO.match(entry.facts.get("text") or "") if entry.kind == "note" else None
        if found:
            owner = _OWNER.search(found[1])
            yield FollowUp(Line(found[1], place_of(entry)), f"@{owner[1]}" if owner else "")


def _from_pings(record: Record) -> Iterator[FollowUp]:
    for entry in record.entries:
        if entry.kind == "unreached" and "person" in entry.facts:
            text = f"Make sure that pings reach {holder(entry.facts['person'])}."
            yield FollowUp(Line(text, place_of(entry)), "")


def _about_the_impact(record: Record) -> Iterator[Line]:
    incident = record.incident
    if not incident.impact:
        yield Line("Who was affected, and how? The record does not say.", INCIDENT)
    if incident.started_at == incident.declared_at:
        text = "When did the impact begin? The record only has the time of the declaration."
        yield Line(text, INCIDENT)
    else:
        took = format_duration(incident.declared_at - incident.started_at)
        text = f"What would have shown it sooner? It was declared {took} after the impact began."
        yield Line(text, INCIDENT)
    if incident.status is Status.RESOLVED and not _has(record, "mitigated"):
        text = "When was the impact over? The record only has the time of the resolution."
        yield Line(text, INCIDENT)


def _about_the_cause(record: Record, drawn: picture.Picture) -> Iterator[Line]:
    for one in drawn.breaches:
        yield Line(f"What brought {picture.said(one)}?", READINGS)
    for entry in record.entries:
        if entry.kind == "evidence":
            for report in entry.facts.get("reports", ()):
                if not report["finding"].startswith("nothing"):
                    text = f"What lies behind “{report['finding']}” ({report['target']})?"
                    yield Line(text, place_of(entry))


def _about_the_response(record: Record) -> Iterator[Line]:
    late = _escalations(record)[1:]
    if late:
        text = "What stood between the first ping and an answer?"
        yield Line(text, place_of(late[0]))
    for entry in record.entries:
        match entry.kind:
            case "reopened":
                yield Line("What would have shown that it was not over yet?", place_of(entry))
            case "severity":
                yield Line("What would have shown its severity from the start?", place_of(entry))
            case "refused":
                yield Line("Did the roles let those act who were there?", place_of(entry))
            case "unreached":
                yield Line("What keeps the ways to people true?", place_of(entry))
    if any(True for _ in _unread(record)):
        source = next(line.source for line in _unread(record))
        yield Line("What would have been known with the readings that were missing?", source)


def _about_the_runbooks(record: Record) -> Iterator[Line]:
    if record.entries and not record.runs:
        yield Line("Is there a runbook for this? None was run.", INCIDENT)
    for progress in record.runs:
        for step in progress.steps:
            if step.state in _BAD_STEPS:
                text = f"What would make {titled(progress, step)} work the next time?"
                yield Line(text, place(progress, step))
            elif _left_out(step):
                text = f"Is {titled(progress, step)} needed, and could it be done?"
                yield Line(text, place(progress, step))


def _has(record: Record, kind: str) -> bool:
    return any(entry.kind == kind for entry in record.entries)

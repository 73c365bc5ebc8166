"""What the draft of a post-mortem says: every sentence is of the record, with the place where it stands.

What the record doesn't hold is not said; an empty section stays empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.model.config import Config
from bot.model.incident import Entry, Facts, Incident, Status
from bot.model.overview import last_entry
from bot.model.postmortem import INCIDENT, Account, Length, Line, Measure, Record, place_of
from bot.model.target import Bound
from bot.model.units import format_duration, format_value
from bot.rules import hindsight, picture, run_account
from bot.rules.names import holder, moment, named
from bot.rules.verdict import title

_RESULTS = {"fail": "FAIL", "unknown": "UNKNOWN", "pass": "PASS", "info": "INFO"}


def account(record: Record, config: Config) -> Account:
    """The whole draft in words and figures, before it is drawn."""
    incident = record.incident
    drawn = picture.pictured(record, config)
    looked_back = hindsight.looked_back(record, config)
    return Account(
        incident=incident,
        at=record.now,
        summary=tuple(_summary(record)),
        impact=tuple(_impact(incident)),
        durations=_durations(record) if record.entries else (),
        entries=record.entries,
        evidence=tuple(_evidence(record)),
        charts=drawn.charts,
        readings=drawn.lines,
        runs=tuple(run_account.told(progress, record.now) for progress in record.runs),
        worked=looked_back.worked,
        failed=looked_back.failed,
        follow_ups=looked_back.follow_ups,
        questions=hindsight.questions(record, drawn),
    )


def _summary(record: Record) -> Iterator[Line]:
    incident = record.incident
    when = moment(incident.declared_at)
    declared = last_entry(record.entries, "declared")
    if declared:
        severity = declared.facts["severity"].upper()
        on = f" on {', '.join(declared.facts['targets'])}" if declared.facts["targets"] else ""
        who = named(declared.actor)
        yield Line(f"{who} declared it as {severity}{on} at {when}.", place_of(declared))
    else:
        yield Line(f"{named(incident.declared_by)} declared it at {when}.", INCIDENT)
    if incident.commander:
        yield Line(f"{holder(incident.commander)} commanded it.", INCIDENT)
    yield from map(Line.of, _first(record.entries, "evidence"))
    for progress in record.runs:
        run = progress.run
        yield Line(f"{run.key}, {run.book.title}: {run.state}.", run.key)
    yield _standing(record)


def _standing(record: Record) -> Line:
    """How it ended, or that it has not."""
    incident = record.incident
    resolved = last_entry(record.entries, "resolved")
    if incident.status is Status.RESOLVED:
        if resolved:
            return Line.of(resolved)
        assert incident.resolved_at is not None
        return Line(f"It was resolved at {moment(incident.resolved_at)}.", INCIDENT)
    return Line(f"It is {incident.status}, and not resolved at {moment(record.now)}.", INCIDENT)


def _impact(incident: Incident) -> Iterator[Line]:
    if incident.impact:
        yield Line(incident.impact, INCIDENT)


def _first(entries: Sequence[Entry], kind: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind == kind][:1]


def _durations(record: Record) -> tuple[Length, ...]:
    """As the incident's columns have them; a step that was set by a later one says so."""
    incident = record.incident
    left_out = (
        f"without the {format_duration(incident.closed_ms)} in which it stood resolved"
        if incident.closed_ms
        else ""
    )
    began = incident.started_at
    apart = began != incident.declared_at
    detect = Length(
        "To detect",
        incident.time_to_detect if apart else None,
        began,
        incident.declared_at,
        "" if apart else "the record has the impact begin with the declaration",
    )
    acknowledge = Length(
        "To acknowledge",
        incident.time_to_acknowledge,
        incident.declared_at,
        incident.acknowledged_at,
        _implied(record, "acknowledged"),
    )
    mitigate = Length(
        "To mitigate",
        incident.time_to_mitigate,
        began,
        incident.mitigated_at,
        _implied(record, "mitigated") or left_out,
    )
    resolve = Length("To resolve", incident.time_to_resolve, began, incident.resolved_at, left_out)
    return detect, acknowledge, mitigate, resolve


def _implied(record: Record, kind: str) -> str:
    """Nobody said it: the next status brought it along."""
    at_time = getattr(record.incident, f"{kind}_at")
    if at_time is None or any(entry.kind == kind for entry in record.entries):
        return ""
    return "nobody said so on its own: it was set with the status after it"


def _evidence(record: Record) -> Iterator[Measure]:
    for entry in _first(record.entries, "evidence"):
        for health in entry.facts["healths"]:
            readings = {one["metric"]: one for one in health["readings"]}
            for finding in health["findings"]:
                if finding["result"] in _RESULTS:
                    yield _measure(health["target"], finding, readings.get(finding["metric"]))


def _measure(target: str, finding: Facts, reading: Facts | None) -> Measure:
    bound = Bound.model_validate(dict(finding["bound"]))
    value = "unknown"
    if reading is not None and reading["value"] is not None:
        value = format_value(reading["value"], reading["unit"])
    elif reading is not None and reading["reason"]:
        value = f"unknown: {reading['reason']}"
    kind = "critical, " if finding["critical"] else ""
    limit = f"{kind}{bound.direction} {format_value(bound.limit, '')}"
    return Measure(target, title(finding["metric"]), value, limit, _RESULTS[finding["result"]])

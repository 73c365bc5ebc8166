"""The sections of a draft as plain text, in order; Markdown and HTML both draw these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bot.model.incident import Entry, Incident
from bot.model.postmortem import INCIDENT, Account, FollowUp, Length, Line, RunAccount
from bot.model.units import format_duration
from bot.render.entry import sentence
from bot.render.postmortem.figure import Figure
from bot.rules.names import holder, moment, named
from bot.text import clean, plain

_LONG, _CELL = 2_000, 600
NOTHING = "Not recorded."
# The rest are the bot's own sentences: their backticks are no part of anybody's words.
_PEOPLES_WORDS = {
    "declared",
    "note",
    "updated",
    "mitigated",
    "resolved",
    "reopened",
    "escalated",
}


class Said(NamedTuple):
    """A text with the place in the record that it is from."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Texts:
    """Paragraphs, or the lines of a list; ``boxes``: each is still to be done."""

    kind: Literal["paragraphs", "list", "boxes"]
    lines: tuple[Said, ...]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Table:
    """Rows of cells; without a ``head`` the first cell of each names it.

    The first ``whole`` cells of a row are never broken into lines.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    whole: int = 1
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Picture:
    """A chart."""

    figure: Figure
    kind: Literal["picture"] = "picture"


Part = Texts | Heading | Table | Picture


@dataclass(frozen=True)
class Section:
    """``parts`` is empty where nothing is recorded."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Sheet:
    """The whole draft. ``notices`` stand above all else: a draft, a drill, still open."""

    title: str
    notices: tuple[str, ...]
    facts: Table
    sections: tuple[Section, ...]

    @property
    def recorded(self) -> int:
        """How many sections the record fills."""
        return sum(bool(section.parts) for section in self.sections)


def sheet(account: Account, figures: Sequence[Figure]) -> Sheet:
    """Everything in order. All text is redacted and without signs that can't be seen; not yet escaped."""
    incident = account.incident
    return Sheet(
        title=_text(f"Post-mortem of {incident.key}: {incident.title}", 300),
        notices=tuple(_notices(account)),
        facts=_facts(incident),
        sections=(
            Section("Summary", _paragraphs(account.summary)),
            Section("Impact", _paragraphs(account.impact)),
            Section("Durations", _durations(account.durations)),
            Section("Timeline", _timeline(account.entries)),
            Section("Readings", tuple(_readings(account, figures))),
            Section("Runbook steps", tuple(_runs(account.runs))),
            Section("What worked", _list(account.worked)),
            Section("What did not", _list(account.failed)),
            Section("Open actions", _follow_ups(account.follow_ups)),
            Section("Questions", _list(account.questions)),
        ),
    )


def _notices(account: Account) -> Iterator[str]:
    incident = account.incident
    yield (
        f"Draft, written from the record of {incident.key} at {moment(account.at)}. "
        "Edit it: an edited file is never overwritten."
    )
    if incident.drill:
        yield "Drill: this was practice, not a real incident."
    if incident.live:
        yield f"Still open: {incident.key} is {incident.status}. Ask for another draft when it is over."


def _facts(incident: Incident) -> Table:
    rows = (
        ("Severity", incident.severity.upper()),
        ("Status", str(incident.status)),
        ("Targets", ", ".join(incident.targets) or NOTHING),
        ("Commander", holder(incident.commander) if incident.commander else NOTHING),
        ("Declared by", named(incident.declared_by)),
        ("Impact began", moment(incident.started_at)),
        ("Declared", moment(incident.declared_at)),
        ("Resolved", moment(incident.resolved_at) if incident.resolved_at else "not yet"),
    )
    return Table((), tuple((name, _text(value, _CELL)) for name, value in rows))


def _text(text: str, limit: int = _LONG) -> str:
    return clean(" ".join(text.split()), limit)


def _said(line: Line) -> Said:
    """The incident itself needs no pointing at: it heads the draft."""
    source = "" if line.source == INCIDENT else line.source
    return Said(_sentence(line.entry) if line.entry else _text(line.text), source)


def _sentence(entry: Entry) -> str:
    text = plain(sentence(entry))
    return _text(text if entry.kind in _PEOPLES_WORDS else text.replace("`", ""))


def _paragraphs(lines: Sequence[Line]) -> tuple[Part, ...]:
    return (Texts("paragraphs", tuple(map(_said, lines))),) if lines else ()


def _list(lines: Sequence[Line]) -> tuple[Part, ...]:
    return (Texts("list", tuple(map(_said, lines))),) if lines else ()


def _durations(lengths: Sequence[Length]) -> tuple[Part, ...]:
    if not lengths:
        return ()
    head: tuple[str, ...] = ("", "Took", "From", "Until", "Note")
    rows = tuple(_length(one) for one in lengths)
    if not any(one.note for one in lengths):
        head, rows = head[:-1], tuple(row[:-1] for row in rows)
    return (Table(head, rows, whole=4),)


def _length(one: Length) -> tuple[str, ...]:
    took = format_duration(one.took) if one.took is not None else "not recorded"
    until = moment(one.end) if one.end is not None else "not recorded"
    return one.name, took, moment(one.start), until, one.note


def _timeline(entries: Sequence[Entry]) -> tuple[Part, ...]:
    rows = tuple((str(entry.seq), moment(entry.at), _sentence(entry)) for entry in entries)
    return (Table(("No.", "When", "What"), rows, whole=2),) if rows else ()


def _readings(account: Account, figures: Sequence[Figure]) -> Iterator[Part]:
    if account.evidence:
        yield Heading("At the declaration")
        rows = tuple(
            (one.target, one.metric, _text(one.value, _CELL), one.bound, one.result)
            for one in account.evidence
        )
        yield Table(("Target", "Reading", "Value", "Bound", "Result"), rows)
    if figures or account.readings:
        yield Heading("Over the incident")
        yield from map(Picture, figures)
        if account.readings:
            yield Texts("list", tuple(map(_said, account.readings)))


def _runs(runs: Iterable[RunAccount]) -> Iterator[Part]:
    for run in runs:
        yield Texts("paragraphs", (Said(_text(run.sentence), ""),))
        head = ("No.", "Step", "Kind", "Result", "By", "Took", "What came of it")
        yield Table(head, tuple(_steps(run)))


def _steps(run: RunAccount) -> Iterator[tuple[str, ...]]:
    for step in run.steps:
        took = format_duration(step.took) if step.took is not None else ""
        cells = (step.title, step.kind, step.result, step.by, took, step.text)
        yield (str(step.number), *(_text(cell, _CELL) for cell in cells))


def _follow_ups(follow_ups: Sequence[FollowUp]) -> tuple[Part, ...]:
    if not follow_ups:
        return ()
    lines = []
    for one in follow_ups:
        said = _said(one.line)
        stop = "" if said.text.endswith((".", "!", "?")) else "."
        owner = _text(one.owner, 100) or "not recorded"
        lines.append(Said(f"{said.text}{stop} Owner: {owner}.", said.source))
    return (Texts("boxes", tuple(lines)),)

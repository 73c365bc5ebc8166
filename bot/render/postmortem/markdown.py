"""A draft as Markdown, to be read as it is, edited, and pasted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.render.postmortem.layout import NOTHING, Heading, Part, Picture, Said, Sheet, Table, Texts
from bot.text import markdown as escaped


def markdown(sheet: Sheet, name: str) -> str:
    """The whole file. ``name`` is the draft's own, which its pictures' names begin with."""
    return "\n".join(_lines(sheet, name)) + "\n"


def _lines(sheet: Sheet, name: str) -> Iterator[str]:
    yield f"# {escaped(sheet.title)}"
    for notice in sheet.notices:
        yield from ("", f"> {escaped(notice)}")
    yield from ("", *_table(sheet.facts))
    for section in sheet.sections:
        yield from ("", f"## {section.title}")
        if not section.parts:
            yield from ("", NOTHING)
        for part in section.parts:
            yield from ("", *_part(part, name))


def _part(part: Part, name: str) -> Iterable[str]:
    match part:
        case Heading(text):
            return (f"### {escaped(text)}",)
        case Table():
            return _table(part)
        case Picture(figure):
            if figure.png is None:
                return (
                    f"{escaped(figure.title)}: {escaped(figure.signs)}",
                    "",
                    escaped(figure.words),
                )
            return (f"![{escaped(figure.title)}]({name}-{figure.name})", "", escaped(figure.words))
        case Texts():
            return _texts(part)


def _texts(part: Texts) -> Iterator[str]:
    match part.kind:
        case "list":
            yield from (f"- {_said(line)}" for line in part.lines)
        case "boxes":
            yield from (f"- [ ] {_said(line)}" for line in part.lines)
        case "paragraphs":
            for number, line in enumerate(part.lines):
                yield from ("", _said(line)) if number else (_said(line),)


def _said(line: Said) -> str:
    return f"{escaped(line.text)} ({line.source})" if line.source else escaped(line.text)


def _table(table: Table) -> Iterator[str]:
    columns = len(table.head or (table.rows[0] if table.rows else ()))
    yield _row(table.head or ("",) * columns)
    yield f"|{' --- |' * columns}"
    yield from map(_row, table.rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"

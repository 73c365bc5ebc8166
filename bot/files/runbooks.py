"""``runbooks/*.yaml``: read, with everything in them checked against each other and the config."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from bot.errors import ConfigError
from bot.files import runbook_config, runbook_flow, runbook_names, runbook_texts
from bot.files.document import Check, load_text, read
from bot.files.draft import Draft
from bot.files.problem import Fault, Problem
from bot.files.tree import Data, shorten
from bot.model.book import Book
from bot.model.config import Config
from bot.model.runbook import Runbook

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SUFFIXES = {".yaml", ".yml"}
_MOST = 200
"""Faults that are looked for in one file: a file with more is not the file that was meant."""
_MOST_DEAD = 20
"""Of these conditions that can't hold: each takes a while."""


def load_books(folder: Path, config: Config | None = None) -> dict[str, Book]:
    """Every runbook of a folder by its id; a folder that isn't there holds none.

    With a ``config``, what they name of it is checked too. Raises ``ConfigError`` with the problems of
    all files.
    """
    books, problems = read_books(folder, config)
    if problems:
        raise ConfigError(tuple(problems))
    return books


def read_books(
    folder: Path, config: Config | None = None
) -> tuple[dict[str, Book], tuple[Problem, ...]]:
    """The runbooks that can be used, by their id, and every problem of those that can't."""
    books: dict[str, Book] = {}
    problems: list[Problem] = []
    try:
        paths = _files(folder)
    except ConfigError as error:
        return books, _problems(error)
    for path in paths:
        try:
            book = load_book(path, config)
        except ConfigError as error:
            problems += _problems(error)
            continue
        if (other := books.get(book.runbook.id)) is not None:
            text = f"the id '{book.runbook.id}' is {Path(other.path).name}'s too"
            problems.append(Problem(path=book.path, text=text, fix="keep one of the files"))
        books.setdefault(book.runbook.id, book)
    return books, tuple(problems)


def names_in(folder: Path) -> tuple[str, ...]:
    """The names of all runbooks of a folder, whether they can be used or not."""
    try:
        return tuple(path.stem for path in _files(folder))
    except ConfigError:  # whoever reads them tells why
        return ()


def _problems(error: ConfigError) -> tuple[Problem, ...]:
    return tuple(problem for problem in error.problems if isinstance(problem, Problem))


def load_book(path: Path, config: Config | None = None) -> Book:
    """One file; raises ``ConfigError`` with every problem in it."""
    source = read(path)
    runbook = load_text(source, str(path), Runbook, None, _checks(path.stem, config))
    digest = hashlib.sha256(source.encode()).hexdigest()
    return Book(runbook=runbook, source=source, hash=digest, path=str(path))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    except FileNotFoundError:
        return []
    except OSError as error:
        text = f"can't be read: {error.strerror}"
        raise ConfigError((Problem(path=str(folder), text=text, expected="a folder"),)) from None


def _checks(stem: str, config: Config | None) -> Check:
    """Every check that the schema can't make, as one."""

    def check(data: Data) -> Iterator[Fault]:
        draft = Draft(data)
        found = list(islice(_faults(draft, stem, config), _MOST))
        told = {fault.at for fault in found}
        # Of a condition with a wrong name it says nothing that it can't hold either.
        return chain(found, islice(runbook_flow.reachable(draft, told), _MOST_DEAD))

    return check


def _faults(draft: Draft, stem: str, config: Config | None) -> Iterator[Fault]:
    yield from _called(draft, stem)
    for flows in runbook_flow.CHECKS:
        yield from flows(draft)
    for names in runbook_names.CHECKS:
        yield from names(draft)
    known = runbook_config.metrics_of(config) if config is not None else None
    yield from runbook_texts.templates(draft, known)
    yield from runbook_texts.not_templates(draft)
    if config is not None:
        yield from runbook_config.check(draft, config)


def _called(draft: Draft, stem: str) -> Iterator[Fault]:
    """A runbook is found by its file's name, so the two must agree."""
    name = draft.get("id")
    if not _NAME.fullmatch(stem):
        fix = "rename the file: lower-case letters, digits, - and _, beginning with a letter"
        yield Fault(at=("id",), text=f"a file called {shorten(stem)} can't be a runbook's", fix=fix)
    elif isinstance(name, str) and name != stem:
        text = f"got text '{shorten(name)}'"
        yield Fault(at=("id",), text=text, expected=f"the file's name, {shorten(stem)}")

"""One file that people write, as a record of its schema, or every problem that is in it."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import ConfigError
from bot.files import secret, wording
from bot.files.place import place
from bot.files.problem import Fault, Problem
from bot.files.secret import Secrets
from bot.files.shape import Shape
from bot.files.tree import DEPTH, Data, TooDeep, Tree, parse

ModelT = TypeVar("ModelT", bound=BaseModel)
Check = Callable[[Data], Iterable[Fault]]
"""Looks at the whole data, validated or not, for what a schema can't see, such as names.

Where it finds something, it speaks instead of the schema."""

SIZE = 256 * 1024
_MOST = 100
"""Problems that are told at once: a file with more is not the file that was meant."""

_FIRST_STEP = {"config.yaml": "write one with `iora init`"}


def load(
    path: Path, schema: type[ModelT], environ: Mapping[str, str] | None, *checks: Check
) -> ModelT:
    """Read the file; raises ``ConfigError`` with every ``Problem``, in file order.

    ``${NAME}`` is filled in from ``environ``; ``None`` leaves it as written.
    """
    return load_text(read(path), str(path), schema, environ, *checks)


def load_text(
    text: str, name: str, schema: type[ModelT], environ: Mapping[str, str] | None, *checks: Check
) -> ModelT:
    """As ``load``, for a text that is not in a file (yet); ``name`` is what problems call it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    shape = Shape(schema)
    try:
        tree = parse(text, environ, Secrets(shape.secret_fields()))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        fault = _syntax(error, text)
        tree = Tree(faults=[fault], hidden=list(secret.guessed(text)))
        raise ConfigError(_Page(name, text, tree).problems()) from None
    if tree.data is None and not tree.faults:
        raise ConfigError((Problem(path=name, text="the file is empty", fix=_keys(shape)),))
    record, errors = _validated(schema, tree.data)
    checked = [fault for check in checks for fault in check(tree.data)]
    told = {(fault.at, fault.on_key) for fault in checked}
    tree.faults += [fault for fault in checked if not _is_noise(fault, tree)]
    tree.faults += [
        fault
        for fault in wording.faults(errors, tree, shape)
        if (fault.at, fault.on_key) not in told
    ]
    if record is None or tree.faults:
        raise ConfigError(_Page(name, text, tree).problems())
    return record


def read(path: Path) -> str:
    """The file as text; raises ``ConfigError`` with the one line that says why not."""
    name = str(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ConfigError((Problem(path=name, text="a pipe or a device", expected="a file"),))
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE + 1)
    except FileNotFoundError:
        problem = Problem(
            path=name, text="there is no such file", fix=_FIRST_STEP.get(path.name, "")
        )
        raise ConfigError((problem,)) from None
    except IsADirectoryError:
        raise ConfigError((Problem(path=name, text="a folder", expected="a file"),)) from None
    except PermissionError:
        problem = Problem(path=name, text="no permission to read it", fix=f"chmod u+r {name}")
        raise ConfigError((problem,)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ConfigError((Problem(path=name, text=f"can't be read: {reason}"),)) from None
    if len(raw) > SIZE:
        raise ConfigError((Problem(path=name, text="too large", expected="at most 256 KB"),))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        text = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        problem = Problem(path=name, line=line, column=column, text=text, fix="save it as UTF-8")
        raise ConfigError((problem,)) from None


def _validated(schema: type[ModelT], data: Data) -> tuple[ModelT | None, tuple[ErrorDetails, ...]]:
    """Through JSON, so that in a strict schema a list is a tuple and a word an enum."""
    try:
        return schema.model_validate_json(json.dumps(data)), ()
    except ValidationError as error:
        return None, tuple(error.errors(include_url=False))


def _is_noise(fault: Fault, tree: Tree) -> bool:
    return isinstance(fault.at, tuple) and tree.is_broken(fault.at)


def _keys(shape: Shape) -> str:
    return f"it starts with '{shape.known_keys(())[0]}:'"


class _Page:
    """The text of a file with what is wrong in it: offsets become lines and columns."""

    def __init__(self, name: str, text: str, tree: Tree) -> None:
        self._name = name
        self._text = text
        self._tree = tree
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._hidden = [*tree.hidden, *secret.shapes(text)]

    def problems(self) -> tuple[Problem, ...]:
        """In file order, at most a hundred."""
        placed = [(self._offset(fault), fault) for fault in self._tree.faults]
        placed.sort(key=lambda pair: pair[0])
        shown = tuple(self._problem(offset, fault) for offset, fault in placed[:_MOST])
        if len(placed) <= _MOST:
            return shown
        rest = f"and {len(placed) - _MOST} more problems"
        return (*shown, Problem(path=self._name, text=rest))

    def _offset(self, fault: Fault) -> int:
        if isinstance(fault.at, int):
            return fault.at
        begin = self._tree.offset(fault.at, on_key=fault.on_key)
        if fault.inside is None or fault.at not in self._tree.values:
            return begin
        value, (start, end) = self._tree.value(fault.at), self._tree.values[fault.at]
        inside = place(self._text[start:end], str(value), fault.inside)
        return begin if inside is None else start + inside

    def _problem(self, offset: int, fault: Fault) -> Problem:
        row = bisect_right(self._starts, offset) - 1
        start = self._starts[row]
        end = self._text.find("\n", start)
        end = len(self._text) if end < 0 else end
        shown = secret.masked(self._text, start, end, self._hidden)
        before = secret.masked(self._text, start, offset, self._hidden)
        return Problem(
            path=self._name,
            line=row + 1,
            column=offset - start + 1,
            text=_safe(fault.text),
            expected=_safe(fault.expected),
            near=_safe(fault.near),
            fix=_safe(fault.fix),
            source_line=_printable(shown),
            caret=min(len(before), len(shown)),
        )


def _safe(text: str) -> str:
    return _printable(secret.masked(text, 0, len(text), secret.shapes(text)))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


_OPEN = "a { or [ that is never closed"
_UNQUOTED = "a character that can't stand here"
_PLAIN = {
    "mapping values are not allowed": ("a second ': ' in one value", "put the value in quotes"),
    "found character '\\t'": ("a tab where a value begins", "indent with spaces"),
    "found character": (_UNQUOTED, "put the value in quotes"),
    "could not find expected ':'": ("a line without ': '", "write key: value"),
    "found unexpected end of stream": ("a quote that is never closed", "close it"),
    "found unexpected document separator": ("a quote that is never closed", "close it"),
    "found unknown escape character": ("an unknown escape (\\)", "use single quotes"),
    "expected escape sequence": ("an escape (\\) that is cut short", "use single quotes"),
    "expected ',' or": (_UNQUOTED, "put text with { } [ ] , or ? such as ${NAME} in quotes"),
    "expected <block end>": (
        "this doesn't line up with the lines above",
        "mend the indentation, or close a quote further up",
    ),
    "expected the node content": ("a value is missing", ""),
    "found undefined tag handle": ("a tag (!name)", "write the plain value"),
    "expected '<document start>'": ("text after the end of the document", "remove it"),
    "sequence entries are not allowed": ("a list (- ) inside a line", "begin it on its own line"),
}


def _syntax(error: Exception, text: str) -> Fault:
    """Why the text is no YAML, without repeating any of it."""
    if isinstance(error, TooDeep):
        return Fault(at=error.offset, text="nested too deep", expected=f"at most {DEPTH} levels")
    if isinstance(error, yaml.reader.ReaderError):
        code = error.character if isinstance(error.character, int) else ord(error.character)
        return Fault(at=error.position, text=f"a control character (U+{code:04X})", fix="remove it")
    if not isinstance(error, yaml.MarkedYAMLError):
        found = re.search(r"\\U(?!000|0010)", text)
        at = found.start() if found else 0
        return Fault(at=at, text="an escape or a directive that can't be read", fix="remove it")
    plain, fix = next(
        (words for start, words in _PLAIN.items() if (error.problem or "").startswith(start)),
        ("this is not YAML", "put the value in quotes if it has special characters"),
    )
    begun, mark = error.context_mark, error.problem_mark or error.context_mark
    if begun and mark and plain == _UNQUOTED and begun.line != mark.line:
        plain, fix, mark = _OPEN, "close it", begun
    elif begun and "never closed" in plain:
        mark = begun
    return Fault(at=min(mark.index, len(text)) if mark else 0, text=plain, fix=fix)

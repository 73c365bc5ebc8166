"""YAML as plain data, with the place of every key and value: a strict and small part of YAML.

Accepted: mappings, lists, text, numbers, ``true``, ``false``, ``null``. Refused: duplicate keys,
anchors and aliases (a few lines of them can fill the memory), tags, merge keys, several documents,
nesting deeper than 20. ``on``, ``yes``, ``010``, ``1:30``, ``0x1f`` and dates stay text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from bot.files import environment
from bot.files.problem import Fault, Loc
from bot.files.secret import Secrets

Data = None | bool | int | float | str | list["Data"] | dict[str, "Data"]

DEPTH = 20
_DIGITS = 30
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Span = tuple[int, int]


class TooDeep(yaml.YAMLError):
    """The nesting is over the limit: nothing below it is read."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        super().__init__("nested too deep")


@dataclass
class Tree:
    """The data, where each part of it was written, and what was refused on the way."""

    data: Data = None
    keys: dict[Loc, Span] = field(default_factory=dict)
    values: dict[Loc, Span] = field(default_factory=dict)
    written: dict[Loc, Data] = field(default_factory=dict)
    """Scalars before ``${NAME}`` was filled in: what a message may show."""
    secret: set[Loc] = field(default_factory=set)
    hidden: list[Span] = field(default_factory=list)
    """Where literal secrets stand in the text."""
    broken: set[Loc] = field(default_factory=set)
    """Where something was refused: what a schema says about these is noise."""
    faults: list[Fault] = field(default_factory=list)

    def offset(self, loc: Loc, *, on_key: bool = False) -> int:
        """Where the value (or its key) begins; for a path that leads nowhere, its nearest part."""
        while loc:
            if on_key and loc in self.keys:
                return self.keys[loc][0]
            if loc in self.values:
                return self.values[loc][0]
            on_key, loc = True, loc[:-1]
        return self.values.get((), (0, 0))[0]

    def value(self, loc: Loc) -> Data:
        """The data at a place that is in the tree."""
        data = self.data
        for step in loc:
            if isinstance(data, dict) and isinstance(step, str):
                data = data.get(step)
            elif isinstance(data, list) and isinstance(step, int):
                data = data[step]
        return data

    def is_broken(self, loc: Loc) -> bool:
        """Whether the place, or one that it lies in, was refused already."""
        return any(loc[:length] in self.broken for length in range(len(loc) + 1))


def parse(text: str, environ: Mapping[str, str] | None, secrets: Secrets) -> Tree:
    """Read the one document of a text; ``environ`` of ``None`` leaves ``${NAME}`` as it is.

    Raises ``yaml.YAMLError`` (syntax, ``TooDeep``) and ``ValueError`` (an escape or a directive
    that PyYAML can't hold). Everything else is among the tree's faults.
    """
    return _Composer(text, environ, secrets).document()


class _Composer:
    def __init__(self, text: str, environ: Mapping[str, str] | None, secrets: Secrets) -> None:
        self._text = text
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)
        self._environ = environ
        self._secrets = secrets
        self._tree = Tree()
        self._depth = 0

    def document(self) -> Tree:
        event = self._next()
        assert isinstance(event, StreamStartEvent)
        event = self._next()
        if isinstance(event, StreamEndEvent):
            return self._tree
        assert isinstance(event, DocumentStartEvent)
        self._tree.data = self._node(self._next(), (), hidden=False)
        event = self._next()
        assert isinstance(event, DocumentEndEvent)
        event = self._next()
        if not isinstance(event, StreamEndEvent):
            self._fault(event, "a second document", fix="keep one document, without '---'")
            while not isinstance(self._next(), StreamEndEvent):
                pass
        return self._tree

    def _next(self) -> Event:
        return next(self._events)

    def _node(self, event: Event, loc: Loc, *, hidden: bool) -> Data:
        """The data of one node; ``hidden`` when it belongs to a secret."""
        self._tree.values[loc] = _span(event)
        self._refuse_extras(event, loc)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, loc, hidden=hidden)
        if isinstance(event, AliasEvent):
            return None
        self._depth += 1
        if self._depth > DEPTH:
            raise TooDeep(_span(event)[0])
        data = (
            self._mapping(loc, hidden=hidden)
            if isinstance(event, MappingStartEvent)
            else self._list(event, loc, hidden=hidden)
        )
        self._depth -= 1
        return data

    def _refuse_extras(self, event: Event, loc: Loc) -> None:
        if isinstance(event, AliasEvent):
            self._fault(event, "an alias (*name)", fix="write the value out", broken=loc)
            return
        assert isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent)
        if event.anchor is not None:
            self._fault(event, "an anchor (&name)", fix="write the value out where it is used")
        if event.tag is not None:
            self._fault(event, "a tag (!name)", fix="write the plain value", broken=loc)

    def _list(self, event: Event, loc: Loc, *, hidden: bool) -> Data:
        assert isinstance(event, SequenceStartEvent)
        items: list[Data] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._node(event, (*loc, len(items)), hidden=hidden))
        return items

    def _mapping(self, loc: Loc, *, hidden: bool) -> Data:
        data: dict[str, Data] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._key(event, loc, hidden=hidden)
            secret = hidden or (key is not None and self._secrets.named(key))
            if key is None or key in data or key == "<<":
                self._pass_over(self._next(), hidden=secret)
                continue
            here = (*loc, key)
            self._tree.keys[here] = _span(event)
            data[key] = self._node(self._next(), here, hidden=secret)
        return data

    def _key(self, event: Event, loc: Loc, *, hidden: bool) -> str | None:
        """The text of a key, or ``None`` when it can't be one."""
        if not isinstance(event, ScalarEvent):
            self._fault(event, "a key that is not a word", expected="key: value")
            self._pass_over(event, hidden=hidden)
            return None
        self._refuse_extras(event, (*loc, event.value))
        if hidden:
            self._tree.hidden.append(_span(event))
        if not environment.encodable(event.value):
            self._fault(event, "a key with half a character", expected="valid Unicode")
            return None
        if event.implicit[0] and event.value == "<<":
            self._fault(event, "a merge key (<<)", fix="write the keys out")
        elif not event.value.strip():
            self._fault(event, "an empty key", expected="key: value")
            return None
        elif (*loc, event.value) in self._tree.keys:
            name = "this key" if hidden else f"key '{shorten(event.value)}'"
            self._fault(event, f"{name} is here twice", fix="keep one of them")
        return event.value

    def _pass_over(self, event: Event, *, hidden: bool) -> None:
        """Read what was refused to its end, for the faults and the secrets in it."""
        kept, self._tree = self._tree, Tree(hidden=self._tree.hidden, faults=self._tree.faults)
        self._node(event, (), hidden=hidden)
        self._tree = kept

    def _scalar(self, event: ScalarEvent, loc: Loc, *, hidden: bool) -> Data:
        if hidden or self._secrets.told_in(event.value):
            self._tree.secret.add(loc)
            if not environment.only_refers(event.value):
                self._tree.hidden.append(_span(event))
        if not environment.encodable(event.value):
            self._fault(event, "half a character (a lone surrogate)", broken=loc)
            return None
        value = _typed(event) if event.implicit[0] and event.style is None else event.value
        self._tree.written[loc] = value
        if isinstance(value, str):
            if event.style is None and _FLOAT.fullmatch(value):
                self._fault(
                    event,
                    "a number that is too long or too large",
                    fix="put it in quotes if it is text",
                    broken=loc,
                )
            elif event.style is None and _NOT_FINITE.fullmatch(value):
                self._fault(
                    event,
                    "a number that is not finite",
                    fix="put it in quotes if it is text",
                    broken=loc,
                )
            else:
                return self._filled(event, value, loc)
        return value

    def _filled(self, event: ScalarEvent, value: str, loc: Loc) -> str:
        if self._environ is None or "${" not in value:
            return value
        filled = environment.fill(value, self._environ)
        start, end = _span(event)
        place = start
        for reference, text in filled.faults:
            found = self._text.find(reference, place, end)
            offset = start if found < 0 else found
            place = max(place, offset + 2)
            wrong = reference == "${"
            self._tree.faults.append(
                Fault(
                    at=offset,
                    text=text,
                    expected="${NAME} or ${NAME:-default}" if wrong else "",
                    fix="write $${ for a plain ${"
                    if wrong
                    else f"set it, or give a default: {reference}:-default" + "}",
                )
            )
            self._tree.broken.add(loc)
        return filled.text

    def _fault(
        self,
        event: Event,
        text: str,
        *,
        expected: str = "",
        fix: str = "",
        broken: Loc | None = None,
    ) -> None:
        self._tree.faults.append(Fault(at=_span(event)[0], text=text, expected=expected, fix=fix))
        if broken is not None:
            self._tree.broken.add(broken)


def _span(event: Event) -> Span:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def _typed(event: ScalarEvent) -> Data:
    """The value of a plain scalar; a number that can't be held stays text."""
    text = event.value
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) <= _DIGITS and _INT.fullmatch(text):
        return int(text)
    if len(text) <= _DIGITS and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def each(data: Data, *path: str | None) -> Iterator[tuple[Loc, Data]]:
    """Every place that the path leads to, with its value; ``None`` stands for every key or item.

    Data of another shape than the path expects is passed over: a schema says what is wrong there.
    """
    if not path:
        yield (), data
        return
    step, *rest = path
    entries: Iterable[tuple[str | int, Data]] = ()
    if isinstance(data, dict):
        entries = data.items() if step is None else [(step, data[step])] if step in data else ()
    elif isinstance(data, list) and step is None:
        entries = enumerate(data)
    for key, value in entries:
        for loc, found in each(value, *rest):
            yield (key, *loc), found


def shorten(text: str) -> str:
    """A text from the file that is short enough for a message, without control characters."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= 40 else shown[:37] + "..."

"""Values for templates: plain, redacted and bounded, and how each is shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from jinja2 import StrictUndefined

from bot.template.allowance import MAX_OUTPUT, MAX_VALUE, Trouble
from bot.text import redacted

MAX_NUMBER = 10**15
_MAX_DIGITS = 10**100
_MAX_DEPTH = 12
_MAX_PARTS = 10_000
_MAX_TEXT = 400_000

Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None
Wanted = dict[str, "Wanted | None"]


class Missing(StrictUndefined):
    """A value that isn't there: may be asked for (``is defined``, ``default``), never shown."""

    @property
    def _undefined_message(self) -> str:
        return self.reason

    @property
    def reason(self) -> str:
        """In words for a person, with the names that there are."""
        name, owner = self._undefined_name, self._undefined_obj
        if name is None:
            return "this part has no value"
        beside = [key for key in owner if isinstance(key, str)] if type(owner) is dict else []
        there = f" (there is: {', '.join(beside[:10])})" if beside else ""
        return f"there is no value {str(name)[:80]}{there}"


def wanted(paths: Collection[tuple[str, ...]]) -> Wanted:
    """The paths that a template asks for, as a tree; ``None`` stands for all that is below."""
    tree: Wanted = {}
    for path in sorted(paths, key=len):
        here = tree
        for name in path[:-1]:
            below = here.setdefault(name, {})
            if below is None:
                break
            here = below
        else:
            here[path[-1]] = None
    return tree


def plain(values: Mapping[str, object], only: Wanted) -> dict[str, Plain]:
    """What is wanted of the values, as new dicts, lists, texts and numbers, redacted.

    Enums become their text or number, tuples lists; a number that isn't one becomes unknown, a text
    ends after ``2 * MAX_VALUE`` characters. A key that isn't wanted holds nothing.
    Raises ``Trouble`` for anything else, and for more than a text can be made of.
    """
    copied = _Copy().mapping(values, "", _MAX_DEPTH, only)
    result = redacted(copied)
    assert isinstance(result, dict)
    return result


class _Copy:
    def __init__(self) -> None:
        self._parts = _MAX_PARTS
        self._text = _MAX_TEXT

    def of(self, value: object, path: str, depth: int, only: Wanted | None) -> Plain:
        self._parts -= 1
        if self._parts < 0 or depth < 0:
            raise _too_much(path)
        match value:
            case None | bool():
                return value
            case str():
                return self._cut(value, path)
            case int():
                return int(value) if abs(value) <= MAX_NUMBER else _digits(value, path)
            case float():
                return float(value) if math.isfinite(value) else None
            case Mapping():
                return self.mapping(value, path, depth, only)
            case list() | tuple():
                return [self.of(item, path, depth - 1, None) for item in value]
        raise Trouble(f"{path} is a {type(value).__name__}, which no text can be made of")

    def mapping(
        self,
        values: Mapping[object, object] | Mapping[str, object],
        path: str,
        depth: int,
        only: Wanted | None,
    ) -> dict[str, Plain]:
        result: dict[str, Plain] = {}
        for key, item in values.items():
            if not isinstance(key, str):
                raise Trouble(f"{path} has a key that is no text: {str(key)[:80]}")
            name = str.__str__(key)
            if only is None or name in only:
                below = None if only is None else only[name]
                result[name] = self.of(item, f"{path}.{name}".lstrip("."), depth - 1, below)
            else:
                result[name] = None
        return result

    def _cut(self, text: str, path: str) -> str:
        part = str.__str__(text[: 2 * MAX_VALUE])
        self._text -= len(part)
        if self._text < 0:
            raise _too_much(path)
        return part


def _too_much(path: str) -> Trouble:
    return Trouble(f"{path or 'the data'} holds more than a text can be made of")


def _digits(value: int, path: str) -> str:
    """A long number is somebody's identifier: it is shown, not counted with."""
    if abs(value) >= _MAX_DIGITS:
        raise Trouble(f"{path} is a number that is too long to be shown")
    return str(value)


def shown(value: object) -> str:
    """A value as text: ``unknown``, ``yes``, ``5``, ``96.5``, ``a, b``. Raises ``Trouble`` for a mapping."""
    match value:
        case str():
            return value
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            return f"{value:.12g}"
        case list() | tuple():
            return joined(value, ", ")
        case Missing():
            raise Trouble(value.reason)
        case dict():
            names = ", ".join(str(key) for key in list(value)[:10]) or "nothing"
            raise Trouble(f"this is a group of values: name one of it ({names})")
    raise Trouble("this part is no value that can be shown")


def joined(items: list[object] | tuple[object, ...], separator: str) -> str:
    """Stops before the text gets longer than any output may be."""
    parts: list[str] = []
    size = 0
    for item in items:
        parts.append(shown(item))
        size += len(parts[-1]) + len(separator)
        if size > 2 * MAX_OUTPUT:
            raise Trouble(
                "a list is too long to be shown whole: take its beginning, as in items[:5]"
            )
    return separator.join(parts)

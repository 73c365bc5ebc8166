"""What pydantic found, in plain English and at its place in the tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic_core import ErrorDetails

from bot.errors import Misplaced
from bot.files.problem import Fault, Loc
from bot.files.shape import Shape
from bot.files.tree import Tree, shorten
from bot.model.nearest import listed, nearest

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "none_required": "nothing",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
}
_LIMITS: dict[str, Callable[[Any], str]] = {
    "greater_than": lambda ctx: f"more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"{ctx['ge']:g} or more",
    "less_than": lambda ctx: f"less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"{ctx['le']:g} or less",
    "multiple_of": lambda ctx: f"a multiple of {ctx['multiple_of']:g}",
    "string_too_short": lambda ctx: f"at least {_count(ctx['min_length'], 'character')}",
    "string_too_long": lambda ctx: f"at most {_count(ctx['max_length'], 'character')}",
    "string_pattern_mismatch": lambda ctx: f"text that matches {ctx['pattern']}",
}


def faults(errors: Iterable[ErrorDetails], tree: Tree, shape: Shape) -> list[Fault]:
    """One fault a place; alternatives that all failed at one place are told together."""
    found: dict[tuple[Loc, bool, str], Fault] = {}
    for error in errors:
        fault = _fault(error, tree, shape)
        assert isinstance(fault.at, tuple)
        if tree.is_broken(fault.at) or _is_echo(error, fault.at, tree):
            continue
        place = (fault.at, fault.on_key, fault.text)
        other = found.get(place)
        found[place] = fault if other is None else _either(other, fault)
    meant = {fault.near for fault in found.values() if fault.on_key}
    return [
        fault
        for fault in found.values()
        if not (fault.text.startswith("missing key") and fault.text[13:-1] in meant)
    ]


def _either(one: Fault, other: Fault) -> Fault:
    """Two faults with the same words at the same place: what either would have accepted."""
    if one.expected == other.expected or not other.expected:
        return one
    return replace(one, expected=f"{one.expected} or {other.expected}", near=one.near or other.near)


def _is_echo(error: ErrorDetails, loc: Loc, tree: Tree) -> bool:
    """A list counts as short for pydantic when its items are wrong: they speak for themselves."""
    if error["type"] != "too_short":
        return False
    value = tree.value(loc)
    return isinstance(value, list | dict) and len(value) >= error["ctx"]["min_length"]


def _fault(error: ErrorDetails, tree: Tree, shape: Shape) -> Fault:
    kind, ctx = error["type"], error.get("ctx", {})
    loc, on_key = _place(shape.without_labels(error["loc"]), tree)
    if kind == "extra_forbidden":
        return _unknown_key(loc, shape.known_keys(error["loc"][:-1]), tree)
    if kind == "missing":
        return Fault(at=loc, text=f"missing key '{error['loc'][-1]}'", on_key=True)
    if kind == "union_tag_not_found":
        return Fault(at=loc, text=f"missing key {ctx['discriminator']}", on_key=True)
    if kind == "union_tag_invalid":
        return _unknown_kind(loc, ctx, tree)
    if kind in {"literal_error", "enum"}:
        return _unknown_word(loc, ctx["expected"], tree, on_key=on_key)
    if kind in {"too_short", "too_long"}:
        return _wrong_length(loc, kind, ctx)
    if kind == "value_error" and isinstance(ctx["error"], Misplaced):
        return _misplaced(loc, ctx["error"], tree, on_key=on_key)
    if kind in {"value_error", "assertion_error"}:
        return _refused(loc, str(ctx["error"]), tree, on_key=on_key)
    got = _got(loc, tree, on_key=on_key)
    if kind in _TYPES:
        fix = "put it in quotes" if kind == "string_type" and _is_number(loc, tree) else ""
        return Fault(at=loc, text=got, expected=_TYPES[kind], fix=fix, on_key=on_key)
    if kind in _LIMITS:
        return Fault(at=loc, text=got, expected=_LIMITS[kind](ctx), on_key=on_key)
    return Fault(at=loc, text=f"{got}: {kind.replace('_', ' ')}", on_key=on_key)


def _place(where: tuple[int | str, ...], tree: Tree) -> tuple[Loc, bool]:
    """The path in the tree: pydantic's labels of branches are left out, ``[key]`` is the key."""
    loc: Loc = ()
    for step in where:
        if (*loc, step) in tree.values:
            loc = (*loc, step)
    return loc, bool(where) and where[-1] == "[key]" and loc[-1:] != ("[key]",)


def _unknown_key(loc: Loc, known: tuple[str, ...], tree: Tree) -> Fault:
    name = shorten(str(loc[-1])) if loc else ""
    beside = [key for key in known if (*loc[:-1], key) not in tree.values]
    near = nearest(name, beside)
    return Fault(
        at=loc,
        text=f"unknown key '{name}'",
        expected="" if near else f"{listed(known)}" if known else "",
        near=near,
        on_key=True,
    )


def _unknown_kind(loc: Loc, ctx: dict[str, Any], tree: Tree) -> Fault:
    key = ctx["discriminator"].strip("'")
    words = re.findall(r"'([^']*)'", ctx["expected_tags"])
    return _unlisted((*loc, key), words, tree)


def _unknown_word(loc: Loc, expected: str, tree: Tree, *, on_key: bool) -> Fault:
    words = re.findall(r"'([^']*)'", expected) or [expected]
    return _unlisted(loc, words, tree, on_key=on_key)


def _unlisted(loc: Loc, words: list[str], tree: Tree, *, on_key: bool = False) -> Fault:
    value = loc[-1] if on_key else tree.written.get(loc)
    near = nearest(value, words) if isinstance(value, str) and loc not in tree.secret else ""
    return Fault(
        at=loc,
        text=_got(loc, tree, on_key=on_key),
        expected=listed(words),
        near=near,
        on_key=on_key,
    )


def _wrong_length(loc: Loc, kind: str, ctx: dict[str, Any]) -> Fault:
    noun = "entry" if ctx["field_type"] == "Dictionary" else "item"
    bound = (
        f"at least {_count(ctx['min_length'], noun)}"
        if kind == "too_short"
        else f"at most {_count(ctx['max_length'], noun)}"
    )
    actual = ctx["actual_length"]
    got = (
        "nothing in it" if actual == 0 else f"got {_count(actual, noun)}" if actual else "too many"
    )
    return Fault(at=loc, text=got, expected=bound)


def _refused(loc: Loc, message: str, tree: Tree, *, on_key: bool) -> Fault:
    """What a validator of ours said: ``expected ...``, with ``field: `` before it where it
    looked at a whole record."""
    name, separator, rest = message.partition(": ")
    if separator and (*loc, name) in tree.values:
        loc, message = (*loc, name), rest
    if message.startswith("expected "):
        got = _got(loc, tree, on_key=on_key)
        return Fault(at=loc, text=got, expected=message[9:], on_key=on_key)
    return Fault(at=loc, text=message, on_key=on_key)


def _misplaced(loc: Loc, error: Misplaced, tree: Tree, *, on_key: bool) -> Fault:
    """A text that is wrong at a place of its own; of one that came out of the environment, or is a
    secret, no part is repeated."""
    if on_key or loc in tree.secret or tree.written.get(loc) != tree.value(loc):
        got = _got(loc, tree, on_key=on_key)
        return Fault(at=loc, text=got, expected=error.expected, on_key=on_key)
    return Fault(
        at=loc, text=error.text, expected=error.expected, near=error.near, inside=error.offset
    )


def _got(loc: Loc, tree: Tree, *, on_key: bool) -> str:
    if on_key:
        return f"got key '{shorten(str(loc[-1]))}'"
    return f"got {_kind(tree, loc)}"


def _kind(tree: Tree, loc: Loc) -> str:
    """A value as it was written (never as the environment filled it in), or only its type."""
    value = tree.written.get(loc, tree.value(loc))
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = "text" if isinstance(value, str) else "number"
    if loc in tree.secret:
        return kind
    return f"text '{shorten(value)}'" if isinstance(value, str) else f"number {value}"


def _is_number(loc: Loc, tree: Tree) -> bool:
    value = tree.written.get(loc)
    return isinstance(value, int | float)


def _count(number: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"

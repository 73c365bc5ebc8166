"""Checks of JSON values, which are put together like building bricks and report Slack's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[Any, str, "Report"], None]
"""Looks at a value; the second argument is its JSON pointer, findings go to the report."""


@dataclass
class Report:
    """What was found; ``files`` are the ids of files that an image may show."""

    files: Container[str] = ()
    findings: list[str] = field(default_factory=list)

    def say(self, pointer: str, reason: str) -> None:
        self.findings.append(f"{reason} [json-pointer:{pointer}]")


def string(least: int = 1, most: int = 3000, pattern: str | None = None) -> Check:
    """A text of so many characters."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, str):
            report.say(pointer, "must be a string")
        elif len(value) < least:
            report.say(pointer, f"must be more than {least - 1} characters")
        elif len(value) > most:
            report.say(pointer, f"must be less than {most + 1} characters")
        elif pattern is not None and not re.fullmatch(pattern, value):
            report.say(pointer, f"must match the pattern {pattern}")

    return check


def integer(least: int, most: int) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report.say(pointer, "must be an integer")
        elif not least <= value <= most:
            report.say(pointer, f"must be between {least} and {most}")

    return check


def boolean(value: Any, pointer: str, report: Report) -> None:
    if not isinstance(value, bool):
        report.say(pointer, "must be a boolean")


def one_of(*choices: str) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        if value not in choices:
            report.say(pointer, f"value must be one of {', '.join(choices)}")

    return check


def array(each: Check, least: int = 1, most: int = 100) -> Check:
    """A list of so many items."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, list):
            report.say(pointer, "must be an array")
            return
        if len(value) < least:
            report.say(pointer, f"no fewer than {least} items allowed")
        if len(value) > most:
            report.say(pointer, f"no more than {most} items allowed")
        for place, item in enumerate(value):
            each(item, f"{pointer}/{place}", report)

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.say(pointer, "must provide an object")
            return
        for key in required:
            if key not in value:
                report.say(pointer, f"missing required field: {key}")
        for key, item in value.items():
            if key in known:
                known[key](item, f"{pointer}/{key}", report)
            else:
                report.say(pointer, f"invalid additional property: {key}")

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose ``type`` says which check it must pass."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.say(pointer, "must provide an object")
            return
        kind = value.get("type")
        if kind is None:
            report.say(pointer, "missing required field: type")
        elif not isinstance(kind, str) or kind not in kinds:
            report.say(f"{pointer}/type", f"unsupported type: {kind}")
        else:
            kinds[kind](value, pointer, report)

    return check


def both(*checks: Check) -> Check:
    """Several checks of one value."""

    def check(value: Any, pointer: str, report: Report) -> None:
        for one in checks:
            one(value, pointer, report)

    return check


def exactly_one(*keys: str) -> Check:
    """An object in which one of the keys is there, and only one."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if isinstance(value, dict) and sum(key in value for key in keys) != 1:
            report.say(pointer, f"must define exactly one of: {', '.join(keys)}")

    return check


def unique(key: str) -> Check:
    """A list of objects in which no two have the same value under the key."""

    def check(value: Any, pointer: str, report: Report) -> None:
        seen: set[str] = set()
        for place, item in enumerate(value if isinstance(value, list) else ()):
            name = item.get(key) if isinstance(item, dict) else None
            if not isinstance(name, str):
                continue
            if name in seen:
                report.say(f"{pointer}/{place}/{key}", f"`{key}` {name!r} already exists")
            seen.add(name)

    return check


def anything(value: Any, pointer: str, report: Report) -> None:
    """Any value at all."""

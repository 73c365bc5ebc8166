"""Values out of the JSON of other programs: by JMESPath, as text that any store takes, as times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

NO_RESULT = (JMESPathError, RecursionError, TypeError, ValueError, ArithmeticError)
"""How an expression fails on data: jmespath's functions pass on what Python raises."""


class Unreadable(ValueError):
    """Nothing in it can be understood: what was expected, in words for whoever set the tool up."""


@lru_cache(1_000)
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)


def found(expression: str, data: object) -> object:
    """What an expression finds; one that does not suit what it is asked of finds nothing."""
    try:
        value: object = _compiled(expression).search(data)
    except NO_RESULT:
        return None
    return value


def text_of(value: object, limit: int) -> str:
    """A value as one line of text that any store takes; a list or an object as JSON.

    Empty where it is nested too deep: such a one can be read, and not written again.
    """
    match value:
        case None:
            return ""
        case str():
            text = value[: 4 * limit]
        case bool() | int() | float() | list() | dict():
            try:
                text = json.dumps(value, ensure_ascii=False)[: 4 * limit]
            except RecursionError:
                return ""
        case _:
            text = str(value)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())[:limit]


def moment(value: object) -> int | None:
    """Milliseconds since the epoch; None for Go's zero date (year 1) and whatever else is no time."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            aware = read if read.tzinfo else read.replace(tzinfo=UTC)
            at = round(aware.timestamp() * 1_000)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value < 10**11  # up to the year 5138; what is more are milliseconds
            at = round(value * 1_000 if seconds else value)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return at if at > 0 else None

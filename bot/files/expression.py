"""JMESPath in the config: whether it can be read."""

from __future__ import annotations

import jmespath
from jmespath.exceptions import JMESPathError

from bot.files.problem import Fault, Loc

LIMIT = 200
"""Characters of an expression: its parser recurses."""


def is_jmespath(expression: str) -> bool:
    """Whether it compiles."""
    if len(expression) > LIMIT:
        return False
    try:
        jmespath.compile(expression)
    except JMESPathError:
        return False
    return True


def no_jmespath(loc: Loc, expected: str) -> Fault:
    """What is wrong with one that doesn't."""
    return Fault(at=loc, text="not a JMESPath expression", expected=expected)

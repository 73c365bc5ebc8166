"""Whether a condition can hold at all, whatever the world does: one that can't is a mistake in a file."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise, product

from bot.model.condition import And, Condition, Node, Not, Or, Test, Unknown
from bot.model.operand import DURATIONS, Hour, Words, kind_of
from bot.rules.condition import Truth, evaluate
from bot.rules.known import Known

_MOST = 500
"""Ways in which its names can stand that are tried: with more it counts as possible."""


def can_hold(
    condition: Condition, words: Mapping[str, tuple[str, ...]], never: Collection[str] = ()
) -> bool:
    """Tries the condition with every mix of values that makes a difference to it.

    ``words``: all that a name can be, where this is less than its kind says (the states in which a
    step can be, the choices of an input). ``never``: names that nothing gives a value.
    """
    tests = tuple(tests_of(condition.root))
    names = tuple(dict.fromkeys(mention.name for mention in condition.names))
    choices = [
        [Known(None)] if name in never else _values(name, tests, words.get(name)) for name in names
    ]
    if math.prod(map(len, choices)) > _MOST:
        return True
    return any(
        evaluate(condition, dict(zip(names, mix, strict=True)), 0).truth is Truth.YES
        for mix in product(*choices)
    )


def tests_of(node: Node) -> Iterator[Test]:
    """Every comparison in a condition, in order."""
    match node:
        case Or(parts) | And(parts):
            for part in parts:
                yield from tests_of(part)
        case Not(part):
            yield from tests_of(part)
        case Test():
            yield node
        case Unknown():
            return


def _values(name: str, tests: tuple[Test, ...], only: tuple[str, ...] | None) -> list[Known]:
    """What makes a difference: each word, or each number with what is beside it, and unknown."""
    if only is not None:
        return [Known(word) for word in only]
    kind = kind_of(name)
    if isinstance(kind, Words):
        return [Known(None), *map(Known, kind.words)]
    if isinstance(kind, Hour):
        return [Known(float(hour)) for hour in range(24)]
    literals = [test.literal for test in tests if test.name == name]
    unit = "ms" if any(one.unit in DURATIONS for one in literals) else ""
    numbers = sorted({one.value for one in literals if isinstance(one.value, float)})
    words = sorted({one.value for one in literals if isinstance(one.value, str)})
    other = [f"not {' '.join(words)}"] if words else []
    return [
        Known(None),
        *(Known(number, unit) for number in _around(numbers)),
        *map(Known, (*words, *other)),
    ]


def _around(numbers: list[float]) -> Iterator[float]:
    """Each number, one between each two, and one beyond each end; any, where there is none."""
    if not numbers:
        yield 0.0
        return
    yield numbers[0] - 1
    for one, following in pairwise(numbers):
        yield from (one, (one + following) / 2)
    yield from (numbers[-1], numbers[-1] + 1)

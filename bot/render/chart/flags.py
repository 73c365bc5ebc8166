"""Where the names of marks stand above the plot, so that none lies on another one or on its pole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Flag:
    """A name beside its pole at ``x``: from ``left`` to ``right``, in a row counted from the plot up."""

    x: float
    text: str
    left: float
    right: float
    row: int


def placed(
    marks: Sequence[tuple[float, str]],
    measure: Callable[[str], float],
    edge: float,
    room: float,
    rows: int,
) -> list[Flag]:
    """The names that find a place up to ``edge`` in a few rows; ``room`` is kept between two.

    A name stands right of its pole or, where that is taken, left of it; the later mark stands lower, so that
    the pole of the earlier one passes it on its left.
    """
    flags: list[Flag] = []
    for x, text in sorted(marks, key=lambda mark: -mark[0]):
        width = measure(text)
        for left, row in product((x + room / 2, x - room / 2 - width), range(rows)):
            flag = Flag(x, text, left, left + width, row)
            inside = left >= 0 and flag.right <= edge
            if inside and not any(_clash(flag, other, room) for other in flags):
                flags.append(flag)
                break
    return flags


def _clash(one: Flag, other: Flag, room: float) -> bool:
    if one.row == other.row:
        return one.left < other.right + room and other.left < one.right + room
    upper, lower = (one, other) if one.row > other.row else (other, one)
    return lower.left <= upper.x <= lower.right

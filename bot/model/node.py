"""A condition as a tree: frozen nodes that know where they stand in its text.

``start`` and ``end`` are offsets in characters; they don't count when trees are compared.
``str`` of a node is a text that parses to the same tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Literal:
    """What a name is compared with.

    ``value`` is a number in the name's own unit (a duration of a name without a type of its own
    in ms, a size in MB) or a word; ``unit`` and ``text`` are as written.
    """

    value: float | str
    unit: str
    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Test:
    """``name op literal``; it begins with the name."""

    name: str
    op: str
    literal: Literal
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.name} {self.op} {self.literal}"


@dataclass(frozen=True)
class Unknown:
    """``unknown(name)``: whether nothing is known of it. ``name_start``: where the name begins."""

    name: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    name_start: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"unknown({self.name})"


@dataclass(frozen=True)
class Not:
    """The opposite; of what isn't known, not known."""

    part: Node
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"not {_nested(self.part, (And, Or))}"


@dataclass(frozen=True)
class And:
    """All of two or more parts."""

    parts: tuple[Node, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return " and ".join(_nested(part, (And, Or)) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """Any of two or more parts."""

    parts: tuple[Node, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return " or ".join(_nested(part, (Or,)) for part in self.parts)


Node = Or | And | Not | Unknown | Test


def _nested(part: Node, in_brackets: tuple[type[And] | type[Or], ...]) -> str:
    return f"({part})" if isinstance(part, in_brackets) else str(part)

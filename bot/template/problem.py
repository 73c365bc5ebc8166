"""What is wrong with a template, and where in its source."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class TemplateProblem:
    """``offset`` counts characters of the source from 0, ``line`` and ``column`` from 1.

    ``near`` is the known name that was probably meant; ``expected`` is what would have been right.
    """

    text: str
    offset: int
    line: int
    column: int
    expected: str = ""
    near: str = ""

    @property
    def message(self) -> str:
        """What is wrong, what was expected, what was meant: without the place."""
        parts = [self.text]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.near:
            parts.append(f"did you mean {self.near}?")
        return "; ".join(parts)

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


def located(
    source: str, offset: int, text: str, *, expected: str = "", near: str = ""
) -> TemplateProblem:
    """A problem at a character of the source."""
    before = source[:offset]
    return TemplateProblem(
        text=text,
        offset=offset,
        line=before.count("\n") + 1,
        column=offset - (before.rfind("\n") + 1) + 1,
        expected=expected,
        near=near,
    )


def find(source: str, line: int, word: str = "") -> int:
    """Where a word stands in the code of a line or after it; else where the line's code begins."""
    start = sum(len(text) + 1 for text in source.split("\n")[: line - 1])
    spans = [found.span() for found in _CODE.finditer(source) if found.end() > start]
    # A word ends where a name does; a sign such as ~ stands for itself.
    edges = (r"(?<![\w.'\"])", r"(?!\w)") if word[:1].isalpha() else ("", "")
    wanted = re.compile(edges[0] + re.escape(word) + edges[1])
    for begin, end in spans if word else ():
        found = wanted.search(source, max(begin, start), end)
        if found:
            return found.start()
    begin = max(spans[0][0], start) if spans else start
    return min(begin, len(source))

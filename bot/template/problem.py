"""What is wrong with a template, and where in its source."""

from __future__ import annotations

from dataclasses import dataclass


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
    offset = min(offset, len(source))
    before = source[:offset]
    return TemplateProblem(
        text=text,
        offset=offset,
        line=before.count("\n") + 1,
        column=offset - (before.rfind("\n") + 1) + 1,
        expected=expected,
        near=near,
    )

"""What is wrong in a file that people write, and how it is shown to them."""

from __future__ import annotations

from dataclasses import dataclass

Loc = tuple[str | int, ...]

_SHOWN = 100
"""Characters of an offending line that are shown at most."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong, before it is located: ``at`` is a path in the tree or an offset in the text.

    ``on_key`` points to the key instead of the value; ``near`` is the known word that was
    probably meant; ``fix`` is what to do next. ``inside``: how many characters into the value, where
    the text there is wrong at a place of its own.
    """

    at: Loc | int
    text: str
    expected: str = ""
    near: str = ""
    fix: str = ""
    on_key: bool = False
    inside: int | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A located fault. ``line`` and ``column`` count from 1; both are ``None`` for a whole file.

    ``source_line`` is safe to show: secrets are masked and control characters replaced.
    """

    path: str
    line: int | None = None
    column: int | None = None
    text: str
    expected: str = ""
    near: str = ""
    fix: str = ""
    source_line: str = ""
    caret: int = 0

    @property
    def message(self) -> str:
        """What is wrong, what was expected, what to do: without the place."""
        parts = [self.text]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.near:
            parts.append(f"did you mean {self.near}?")
        if self.fix:
            parts.append(self.fix)
        return "; ".join(parts)

    def __str__(self) -> str:
        if self.line is None:
            return f"{self.path}: {self.message}"
        head = f"{self.path}:{self.line}:{self.column}: {self.message}"
        if not self.source_line:
            return head
        line, caret = _window(self.source_line, self.caret)
        return f"{head}\n    {line}\n    {' ' * caret}^"


def _window(line: str, caret: int) -> tuple[str, int]:
    """The part of a long line around the caret, and where the caret is in it."""
    if len(line) <= _SHOWN:
        return line, caret
    start = max(0, min(caret - _SHOWN // 2, len(line) - _SHOWN))
    part = line[start : start + _SHOWN]
    if start + _SHOWN < len(line):
        part += "..."
    return (f"...{part}", caret - start + 3) if start else (part, caret)

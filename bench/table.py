"""The one table that a run prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measurement: ours, what it is held against, and how the result stands to its aim.

    ``low`` and ``high`` are the spread of ``result``; ``aim`` is the most it may be, or, where
    ``at_least`` is set, the least; None: it is only shown.
    """

    what: str
    ours: str
    beside: str
    result: float
    low: float
    high: float
    unit: str
    aim: float | None = None
    at_least: bool = False

    def cells(self) -> tuple[str, ...]:
        """The line as the table shows it."""
        return (
            self.what,
            self.ours,
            self.beside,
            f"{self.result:.2f} {self.unit}",
            f"{self.low:.2f} to {self.high:.2f}",
            *self._against_the_aim(),
        )

    def _against_the_aim(self) -> tuple[str, str]:
        if self.aim is None:
            return "none", ""
        bound = "at least" if self.at_least else "at most"
        reached = self.result >= self.aim if self.at_least else self.result <= self.aim
        return f"{bound} {self.aim:g} {self.unit}", "reached" if reached else "MISSED"


HEADS = ("measurement", "ours", "beside", "result", "spread", "aim", "")


def text(lines: Iterable[Line]) -> str:
    """The lines below their heads, each column as wide as it must be."""
    rows = [HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def microseconds(milliseconds: float) -> str:
    """``412 us``, or in milliseconds from 10 ms on."""
    return f"{milliseconds:.1f} ms" if milliseconds >= 10 else f"{milliseconds * 1000:.0f} us"

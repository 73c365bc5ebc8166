"""Charts to draw, and what an SVG shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from bot.model.chart import Chart, Limit, Mark, Point, Span
from bot.model.target import Bound

START = 1_749_956_400_000
"""2025-06-15 03:00:00 UTC."""
MINUTE = 60_000
_SHEET = "{http://www.w3.org/2000/svg}"


def points(*values: float | None, every: int = MINUTE) -> tuple[Point, ...]:
    """Readings from ``START`` on."""
    return tuple(Point(START + number * every, value) for number, value in enumerate(values))


def under(baseline: float, critical: float | None = None) -> tuple[Limit, ...]:
    """The house's two bounds, both from above."""
    limits = [Limit("baseline", Bound(below=baseline))]
    if critical is not None:
        limits.append(Limit("critical", Bound(below=critical)))
    return tuple(limits)


def p95(*values: float | None, **changes: Any) -> Chart:
    """P95 of iora, a reading a minute, from the first to the last of them or for an hour."""
    drawn = points(*values)
    end = drawn[-1].at if len(drawn) > 1 else START + 60 * MINUTE
    whole: dict[str, Any] = {
        "title": "P95 of iora",
        "metric": "response_time_p95_ms",
        "unit": "ms",
        "start": START,
        "end": end,
        "points": drawn,
        **changes,
    }
    return Chart(**whole)


def night() -> Chart:
    """An incident as a post-mortem shows it: a peak beyond both bounds, and a gap."""
    values: list[float | None] = [90.0 + number % 7 for number in range(60)]
    values[20:24] = [None] * 4
    values[30:40] = [300, 600, 900, 1240, 1210, 1100, 800, 450, 200, 100]
    return p95(
        *values,
        limits=under(500, 1000),
        spans=(Span(START + 31 * MINUTE, START + 45 * MINUTE, "INC-7"),),
        marks=(
            Mark(START + 29 * MINUTE, "deploy"),
            Mark(START + 32 * MINUTE, "declared"),
            Mark(START + 34 * MINUTE, "acknowledged"),
            Mark(START + 45 * MINUTE, "resolved"),
        ),
    )


class Seen:
    """An SVG, parsed: what a browser and a screen reader find in it."""

    def __init__(self, svg: str) -> None:
        self.root = ElementTree.fromstring(svg)
        self.title = self.root.findtext(f"{_SHEET}title")
        self.description = self.root.findtext(f"{_SHEET}desc") or ""
        self.texts = [text.text or "" for text in self.root.iter(f"{_SHEET}text")]
        self.tags = {element.tag.removeprefix(_SHEET) for element in self.root.iter()}
        self.attributes = {name for element in self.root.iter() for name in element.attrib}

    def paths(self, name: str) -> list[str]:
        """The paths of what is drawn under this name, such as ``line``."""
        groups: Iterable[ElementTree.Element] = self.root.iter(f"{_SHEET}g")
        return [
            path.get("d", "")
            for group in groups
            if group.get("class") == f"chart-{name}"
            for path in group.iter(f"{_SHEET}path")
        ]

    def pieces(self, name: str) -> int:
        """In how many pieces it is drawn: lines without a gap, outlines."""
        return sum(path.count("M") for path in self.paths(name))

    def highest(self, name: str) -> float:
        """How far up it reaches, as the distance from the upper edge."""
        pairs = (re.findall(r"[ML] (\S+) (\S+)", path) for path in self.paths(name))
        return min(float(y) for found in pairs for _, y in found)

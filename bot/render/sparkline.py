"""Readings as one line of text: what is shown where no chart can be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.chart import Point
from bot.render.chart.axis import said

_BLOCKS = "▁▂▃▄▅▆▇█"
_FLAT = "▄"
GAP = "·"  # a space would be lost at the ends, and says nothing


def sparkline(points: Sequence[Point], width: int, unit: str = "") -> str:
    """``▁▁▂█▅·▂ first 84 ms, last 310 ms, lowest 84 ms, highest 1,240 ms (· unknown)``.

    At most ``width`` signs (1 or more), each the highest reading of its share of the time; the points are
    in order of time.
    """
    known = [value for point in points if (value := _known(point)) is not None]
    signs = strip(points, width)
    if not known:
        return f"{signs} all unknown" if points else "no readings"
    if len(known) == 1:
        text = said(known[0], unit)
    else:
        text = (
            f"first {said(known[0], unit)}, last {said(known[-1], unit)}, "
            f"lowest {said(min(known), unit)}, highest {said(max(known), unit)}"
        )
    return f"{signs} {text} ({GAP} unknown)" if GAP in signs else f"{signs} {text}"


def strip(points: Sequence[Point], width: int) -> str:
    """The signs alone: ``▁▁▂█▅·▂``."""
    return _signs([_highest(share) for share in _shares(points, max(1, width))])


def _shares(points: Sequence[Point], width: int) -> list[list[Point]]:
    if len(points) <= width:
        return [[point] for point in points]
    start, end = points[0].at, points[-1].at
    shares: list[list[Point]] = [[] for _ in range(width)]
    for number, point in enumerate(points):
        # By time; points of one moment by their number.
        share = (point.at - start) / (end - start) if end > start else number / len(points)
        shares[min(width - 1, int(share * width))].append(point)
    return shares


def _highest(points: Sequence[Point]) -> float | None:
    return max((value for point in points if (value := _known(point)) is not None), default=None)


def _known(point: Point) -> float | None:
    return point.value if point.known else None


def _signs(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return "".join(
        GAP if value is None else _sign(value, min(known), max(known)) for value in values
    )


def _sign(value: float, low: float, high: float) -> str:
    if low == high:
        return _FLAT if low else _BLOCKS[0]
    # Halves first: the distance of two huge numbers is no float.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return _BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))]

"""Drawing a chart as a PNG beside what pyplot makes of the same readings and bounds."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

from bench.pairs import in_blocks, take_turns
from bench.table import Line, microseconds
from bot.model.chart import Chart, Limit, Mark, Point
from bot.model.target import Bound
from bot.render.chart import chart_png, chart_svg

ROUNDS = 30
READINGS = 240  # two hours of polls
AIM = 1.0
_START = 1_750_000_000_000


async def measure(folder: Path) -> AsyncIterator[Line]:
    """The PNG, with headings, names and summary; then the SVG, which has no pixels to pack."""
    chart = _chart()

    async def png(number: int) -> None:
        chart_png(chart)

    async def svg(number: int) -> None:
        chart_svg(chart)

    async def plain_png(number: int) -> None:
        _by_pyplot(chart, "png")

    async def plain_svg(number: int) -> None:
        _by_pyplot(chart, "svg")

    yield _line("drawing a chart as PNG", *(await take_turns(ROUNDS, png, plain_png)))
    yield _line("drawing a chart as SVG", *(await take_turns(ROUNDS, svg, plain_svg)))


def _line(what: str, mine: list[float], theirs: list[float]) -> Line:
    ratio, (low, high) = in_blocks(lambda a, b: a / b, mine, theirs)
    return Line(
        what=f"{what}, {READINGS} readings",
        ours=microseconds(in_blocks(float, mine)[0]),
        beside=f"plain pyplot {microseconds(in_blocks(float, theirs)[0])}",
        result=ratio,
        low=low,
        high=high,
        unit="times",
        aim=AIM,
    )


def _chart() -> Chart:
    values = [84.0 + at % 17 + (900 if 120 < at < 150 else 0) for at in range(READINGS)]
    points = tuple(Point(_START + at * 30_000, value) for at, value in enumerate(values))
    return Chart(
        title="P95 of iora",
        metric="response_time_p95_ms",
        unit="ms",
        start=points[0].at,
        end=points[-1].at,
        points=points,
        limits=(Limit("baseline", Bound(below=500)), Limit("critical", Bound(below=1_000))),
        marks=(Mark(points[118].at, "deploy"), Mark(points[125].at, "declared")),
    )


def _by_pyplot(chart: Chart, form: str) -> None:
    """Not drawn for anybody to read: no names, no summary, no room made for them."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.25), dpi=200)
    axes.plot([point.at for point in chart.points], [point.value for point in chart.points])
    for limit in chart.limits:
        axes.axhline(limit.bound.limit, linestyle="--")
    for mark in chart.marks:
        axes.axvline(mark.at)
    axes.set_title(chart.title)
    figure.savefig(io.BytesIO(), format=form)
    pyplot.close(figure)

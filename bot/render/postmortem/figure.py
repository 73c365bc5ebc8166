"""The charts of a draft, drawn; without matplotlib a line of signs stands in their place."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.chart import Chart
from bot.model.postmortem import Account
from bot.render.chart import available, chart_png, chart_svg, words
from bot.render.sparkline import sparkline

MOST = 6  # of a draft; the rest is in the bot's store and in its words
_WIDTH = 60


@dataclass(frozen=True)
class Figure:
    """A chart in all its forms; ``name`` is what its picture is called after the draft's own name."""

    title: str
    words: str
    signs: str
    name: str
    svg: str | None
    png: bytes | None


def figures(account: Account) -> tuple[Figure, ...]:
    """The first charts, drawn. Takes some ten milliseconds each: in a thread of its own."""
    drawing = available()
    return tuple(
        _figure(number, chart, drawing=drawing)
        for number, chart in enumerate(account.charts[:MOST], 1)
    )


def _figure(number: int, chart: Chart, *, drawing: bool) -> Figure:
    return Figure(
        title=chart.title,
        words=words(chart),
        signs=sparkline(chart.within(), _WIDTH, chart.unit),
        name=f"chart-{number}-{chart.metric.replace('_', '-')}.png",
        svg=chart_svg(chart) if drawing else None,
        png=chart_png(chart) if drawing else None,
    )

"""Charts as files: one figure for all of them, for one thread at a time."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from threading import Lock

from bot.model.chart import Chart
from bot.render.chart.frame import Form
from bot.render.chart.picture import draw
from bot.render.chart.sheet import Sheet
from bot.render.chart.svg import inline
from bot.render.chart.words import heading, words

_PAGE = Form(width=640, height=290, em=10.5)
_SLACK = Form(width=640, height=340, em=15)  # read on a phone, at a quarter of its size
_PIXELS = 2.5
"""A point of a PNG: 1,600 x 850 pixels."""

_alone = Lock()


@cache
def available() -> bool:
    """Whether the extra ``charts`` is installed."""
    return find_spec("matplotlib") is not None


def chart_svg(chart: Chart) -> str:
    """An ``<svg>`` element for HTML, as wide as its place; the same chart gives the same text.

    It holds no ids, scripts, links or prolog, so that it stands in any page, several times too.
    Raises ``ImportError`` without the extra.
    """
    with _alone:
        sheet = _sheet()
        draw(chart, sheet, _PAGE)
        document, texts = sheet.svg(), sheet.texts
    return inline(document, heading(chart), words(chart), texts)


def chart_png(chart: Chart) -> bytes:
    """A PNG of 1,600 x 850 pixels on a paper of its own, for light and dark themes.

    Raises ``ImportError`` without the extra.
    """
    with _alone:
        sheet = _sheet()
        draw(chart, sheet, _SLACK)
        return sheet.png(_PIXELS)


@cache
def _sheet() -> Sheet:
    return Sheet()

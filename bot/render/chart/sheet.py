"""A figure to draw on, in points from its lower left corner: the only place that knows matplotlib."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.render.chart.frame import Place

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

Side = Literal["left", "center", "right"]

PAPER = "#ffffff"
_FAMILY = "DejaVu Sans"
_STRANGE = "□"  # stands for a sign that the font doesn't have


class Sheet:
    """One figure, reused: ``clear`` it before each drawing. Not to be used by two threads at a time."""

    def __init__(self) -> None:
        _quiet()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self._figure = Figure(facecolor=PAPER)
        FigureCanvasAgg(self._figure)
        self._points = Affine2D().scale(1 / 72) + self._figure.dpi_scale_trans
        self._layer = 0
        self.texts: dict[str, str] = {}
        """What each text says, by the name that it has in the SVG."""

    def clear(self, width: float, height: float) -> None:
        """An empty sheet of this size, in points."""
        self._figure.clear()
        self._figure.set_size_inches(width / 72, height / 72)
        self._layer = 0
        self.texts = {}

    def lines(
        self,
        runs: Iterable[Sequence[Place]],
        colour: str,
        width: float,
        *,
        name: str,
        dashes: tuple[float, ...] = (),
    ) -> None:
        """Lines through places, one a run; dashes in multiples of the width."""
        from matplotlib.lines import Line2D

        places: list[Place] = []
        for run in runs:
            places += [*run, (float("nan"), float("nan"))]
        if not places:
            return
        line = Line2D(
            [x for x, _ in places],
            [y for _, y in places],
            color=colour,
            linewidth=width,
            linestyle=(0, dashes) if dashes else "solid",
            solid_capstyle="round",
            solid_joinstyle="round",
            transform=self._points,
            zorder=self._next(),
            gid=name,
        )
        self._figure.add_artist(line)

    def areas(
        self, outlines: Iterable[Sequence[Place]], colour: str, *, name: str, alpha: float = 1.0
    ) -> None:
        """Filled outlines."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path as Outline

        found = [Outline([*outline, outline[0]], closed=True) for outline in outlines]
        if not found:
            return
        patch = PathPatch(
            Outline.make_compound_path(*found),
            facecolor=colour,
            edgecolor="none",
            alpha=alpha,
            transform=self._points,
            zorder=self._next(),
            gid=name,
        )
        self._figure.add_artist(patch)

    def text(
        self,
        place: Place,
        text: str,
        size: float,
        colour: str,
        *,
        side: Side = "left",
        bold: bool = False,
    ) -> None:
        """One line of text on its baseline; ``side`` is the end of it that is at the place."""
        name = f"text-{len(self.texts)}"
        self.texts[name] = text
        self._figure.text(
            *place,
            legible(text, bold=bold),
            fontproperties=_font(size, bold=bold),
            color=colour,
            ha=side,
            va="baseline",
            transform=self._points,
            zorder=self._next(),
            parse_math=False,
            gid=name,
        )

    def svg(self) -> str:
        """As matplotlib writes it: a document of its own, texts as texts."""
        from matplotlib import rc_context

        written = BytesIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        with rc_context({"svg.fonttype": "none"}):
            self._figure.savefig(written, format="svg", metadata=nothing)
        return written.getvalue().decode()

    def png(self, per_point: float) -> bytes:
        """As pixels, so many of them a point, in at most 128 colours: a third of the bytes."""
        from PIL import Image

        drawn = BytesIO()
        self._figure.savefig(drawn, format="raw", dpi=72 * per_point)
        width, height = (
            round(inches * 72 * per_point) for inches in self._figure.get_size_inches()
        )
        image = Image.frombytes("RGBA", (width, height), drawn.getvalue()).convert("RGB")
        written = BytesIO()
        method = Image.Quantize.FASTOCTREE
        image.quantize(128, method, dither=Image.Dither.NONE).save(written, "PNG")
        return written.getvalue()

    def _next(self) -> int:
        """What is drawn later lies above."""
        self._layer += 1
        return self._layer


@lru_cache(maxsize=1_000)
def measure(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in points."""
    from matplotlib.textpath import text_to_path

    shown = legible(text, bold=bold)
    return text_to_path.get_text_width_height_descent(shown, _font(size, bold=bold), ismath=False)[
        0
    ]


def fitting(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """As much of a text as there is room for, in points."""
    if measure(text, size, bold=bold) <= room:
        return text

    def wide(length: int) -> float:
        return measure(f"{text[:length]}…", size, bold=bold)

    length = bisect_right(range(len(text)), room, key=wide) - 1
    return f"{text[: max(0, length)].rstrip()}…"


def legible(text: str, *, bold: bool = False) -> str:
    """The text as far as the font has its signs."""
    signs = _signs(_file(bold=bold))
    return "".join(sign if ord(sign) in signs else _STRANGE for sign in text)


@cache
def _font(size: float, *, bold: bool) -> FontProperties:
    """The font that comes with matplotlib: widths don't depend on what the machine has installed."""
    from matplotlib.font_manager import FontProperties

    weight = "bold" if bold else "normal"
    return FontProperties(family=_FAMILY, size=size, weight=weight, fname=_file(bold=bold))


@cache
def _signs(file: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(file).get_charmap())


@cache
def _file(*, bold: bool) -> str:
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(get_data_path()) / "fonts" / "ttf" / name)


def _quiet() -> None:
    """Say nothing of where fonts are listed: without a home that can be written it is a temporary folder."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)

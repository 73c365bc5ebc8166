"""``iora chart``: a metric over time, in words and a line of signs, as a file, or as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bot.cli.fail import plainly
from bot.cli.talk import say, show
from bot.errors import WrongSettings
from bot.model.words import BY_WORD

_SUFFIXES = (".png", ".svg")


@click.command(
    help=f"{BY_WORD['chart'].does.capitalize()}.\n\nWritten: iora {BY_WORD['chart'].usage}"
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print its readings, bounds and marks as JSON."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw it into a .png or a .svg file.",
)
@click.argument("words", nargs=-1, metavar="TARGET METRIC [WINDOW]")
def chart(words: tuple[str, ...], output: Path | None, *, as_json: bool) -> None:
    """Its help is that of the word."""
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise click.UsageError(f"--output {output}: expected a file that ends in .png or .svg.")
    with plainly():
        said = asyncio.run(say("chart", words))
        if output is not None and not said["refused"]:
            _draw(output, said["json"])
    show(said, as_json=as_json)


def _draw(output: Path, facts: Mapping[str, Any]) -> None:
    from bot.render.chart import available, chart_png, chart_svg
    from bot.render.plain import chart_of

    if not available():
        raise WrongSettings("charts are drawn by the extra: pip install 'iora-bot[charts]'")
    drawn = chart_of(facts)
    if output.suffix.lower() == ".png":
        output.write_bytes(chart_png(drawn))
    else:
        output.write_text(chart_svg(drawn), encoding="utf-8")

"""``iora reports``: the diagnostic reports that are kept, one of them, or one as a page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from bot.cli.fail import plainly
from bot.cli.talk import say, show


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page."
)
@click.argument("report", metavar="[ID]", required=False)
def reports(report: str | None, page: Path | None, *, as_json: bool) -> None:
    """List the diagnostic reports that are kept, or open the one with this ID."""
    if page is not None and report is None:
        raise click.UsageError("--html wants the ID of a report: see `iora reports`.")
    with plainly():
        said = asyncio.run(say("reports", (report,) if report else ()))
        if page is not None and not said["refused"]:
            _write(page, said["json"])
            return
    show(said, as_json=as_json)


def _write(page: Path, facts: dict[str, object]) -> None:
    from bot.model.report import Report
    from bot.render.page import html

    page.write_text(html(Report.from_json(facts)))
    print(f"{page}: written")

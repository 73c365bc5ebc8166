"""``iora runbooks``: the runbooks that fit, or, as ``iora runbooks schema``, what one may hold."""

from __future__ import annotations

import asyncio

import click

from bot.cli.fail import plainly
from bot.cli.talk import say, show

_SCHEMA = ("schema",)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("words", metavar="[TARGET] | schema", nargs=-1)
def runbooks(words: tuple[str, ...], *, as_json: bool) -> None:
    """List the runbooks, those that fit a target's readings first.

    With the word schema: print the JSON Schema of runbook files, for editors.
    """
    if words == _SCHEMA:
        from bot.files.schema import schema_json

        click.echo(schema_json("runbook"))
        return
    with plainly():
        said = asyncio.run(say("runbooks", words))
    show(said, as_json=as_json)

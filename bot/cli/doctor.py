"""``iora doctor``: whether the bot is well; with ``--test-ping``, whether a ping arrives."""

from __future__ import annotations

import asyncio

import click

from bot.cli.fail import plainly
from bot.cli.talk import say, show


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--test-ping", metavar="PERSON", help="Also send a harmless ping to a member id.")
def doctor(as_json: bool, test_ping: str | None) -> None:
    """Look at the tokens, scopes, database, targets, agents and clock; each line with its fix."""
    words = ("--test-ping", test_ping) if test_ping else ()
    with plainly():
        said = asyncio.run(say("doctor", words))
    show(said, as_json=as_json)

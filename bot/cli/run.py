"""``iora run``: start a runbook and walk through it at the terminal, or come back to a run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys

import click
from rich.console import Console

from bot.cli.fail import FINDING, plainly
from bot.cli.keyboard import Keyboard
from bot.cli.line import open_line
from bot.cli.run_view import Screen
from bot.cli.talk import say, show, tell, waiting
from bot.cli.walk import Walk
from bot.clock import SystemClock
from bot.model.settings import Settings
from bot.model.words import BY_WORD
from bot.render import run_lines
from bot.text import escape

_RUN = re.compile(r"run-?[0-9]+(/[0-9]+/[0-9]+)?", re.IGNORECASE)
_INPUT = re.compile(r"([a-z][a-z0-9_-]{0,62})=(.*)", re.DOTALL)
_ONLY_SAID = {"pause", "cancel", "preview"}  # after these there is nothing to stay for


@click.command(
    help=f"{BY_WORD['run'].does.capitalize()}.\n\nWritten: iora {BY_WORD['run'].usage}",
    context_settings={"ignore_unknown_options": True},
)
@click.option("--target", metavar="T", help="The target; default: the incident's, or the only one.")
@click.option("--incident", metavar="INC-n", help="The incident that it belongs to.")
@click.option(
    "--input", "inputs", metavar="NAME=VALUE", multiple=True, help="An input; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="Show what it would do, and call nothing.")
@click.option("--json", "as_json", is_flag=True, help="Ask nothing, and print the run as JSON.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def run(
    words: tuple[str, ...],
    target: str | None,
    incident: str | None,
    inputs: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    given = (*((target,) if target else ()), *((incident,) if incident else ()), *inputs)
    if not words:
        raise click.UsageError("Name a runbook: `iora runbooks` shows which fit.")
    on_run = _RUN.fullmatch(words[0]) is not None
    if on_run and (given or dry_run):
        raise click.UsageError("--target, --incident, --input and --dry-run start a runbook.")
    for one in inputs:
        if _INPUT.fullmatch(one) is None:
            raise click.UsageError(f"--input wants NAME=VALUE, such as hold=5m, not {one!r}.")
    typed = words if on_run else tuple(_quoted(word) for word in (*words, *given))
    with plainly():
        if dry_run:
            said = asyncio.run(say("run", (*typed, "--dry-run")))
        else:
            try:
                sys.exit(asyncio.run(_walk(typed, as_json=as_json)))
            except asyncio.CancelledError:  # ended before there was a run to leave
                sys.exit(FINDING)
    show(said, as_json=as_json)


def _quoted(word: str) -> str:
    """An input with spaces, as the grammar wants it."""
    given = _INPUT.fullmatch(word)
    if given is None or not re.search(r"[\s\"']", given[2]):
        return word
    mark = '"' if '"' not in given[2] else "'"
    if mark in given[2]:
        raise click.UsageError(f"{given[1]}: only one kind of quotation marks can be in it.")
    return f"{given[1]}={mark}{given[2]}{mark}"


async def _walk(words: tuple[str, ...], *, as_json: bool) -> int:
    """Say it, and stay with the run until it ends, somebody must decide, or it is left; the exit code."""
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    async with open_line(Settings.read(os.environ)) as line:
        said = await line.say(" ".join(["run", *(escape(one) for one in words)]))
        if said["refused"] or "state" not in said["json"]:
            return tell(said, as_json=as_json)
        clock = SystemClock()
        walk = Walk(line, clock, said)
        only_said = any(word.lower() in _ONLY_SAID for word in words[1:2])
        if not only_said:
            await line.host()
            await _stay(walk, as_json=as_json)
        elif not as_json:
            print(run_lines.head(walk.run, clock.now()))
        if as_json:
            print(json.dumps(walk.run, indent=2, ensure_ascii=False, default=str))
        elif walk.waiting:
            print(waiting(walk.waiting))
        return 0 if only_said or walk.run["state"] == "done" else FINDING


async def _stay(walk: Walk, *, as_json: bool) -> None:
    if as_json:
        await walk.alone(lambda text: print(text, file=sys.stderr))
    elif sys.stdin.isatty() and sys.stdout.isatty():
        with Keyboard() as keyboard:
            await walk.with_a_person(keyboard, Screen(Console(highlight=False)))
    else:
        await walk.alone(lambda text: print(text, flush=True))

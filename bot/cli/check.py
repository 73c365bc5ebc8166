"""``iora check``: everything that is wrong in the files that people write, and what is unwise."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.cli.live import Seen, look, probes
from bot.clock import SystemClock
from bot.errors import ConfigError
from bot.files.config import load_config
from bot.files.detection_note import detection_notes
from bot.files.document import load
from bot.files.note import Note, findings
from bot.files.problem import Problem
from bot.files.runbook_note import asks_for_probes, runbook_findings
from bot.files.runbooks import read_books
from bot.files.schedule_note import schedule_notes
from bot.files.schema import SCHEMAS, schema_json
from bot.model.agent import AgentConfig
from bot.model.config import Config
from bot.model.runbook import Runbook

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """What was read, and what was found in it."""

    read: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]
    live: tuple[Seen, ...] | None = None
    rules: int = 0

    @property
    def fine(self) -> bool:
        """Nothing to mend, and nothing that was looked for and not found."""
        return not self.problems and all(seen.value is not None for seen in self.live or ())

    def as_json(self) -> str:
        """The report for a program."""
        problems = [_public(problem) for problem in self.problems]
        notes = [asdict(note) for note in self.notes]
        said = {"ok": self.fine, "problems": problems, "notes": notes, "rules": self.rules}
        live = {} if self.live is None else {"live": [seen.facts() for seen in self.live]}
        return json.dumps(said | live, indent=2)


def inspect(
    config: Path,
    runbooks: Path,
    agent: Path | None,
    environ: Mapping[str, str],
    *,
    live: bool = False,
) -> Report:
    """Read all files, each in spite of the others' problems; ``live``: then the targets too."""
    problems: list[Problem] = []
    loaded = _tried(lambda: load_config(config, environ, runbooks), problems)
    books, wrong = read_books(runbooks, loaded)
    problems += wrong
    if agent is not None:
        path = agent
        _tried(lambda: load(path, AgentConfig, environ), problems)
    read = (config, runbooks, *([agent] if agent else []))
    ready = tuple(book.runbook for book in books.values())
    notes = _notes(loaded, ready, live=live) if loaded is not None else ()
    seen = asyncio.run(look(loaded, SystemClock())) if live and loaded is not None else None
    rules = len(loaded.detection) if loaded is not None else 0
    return Report(tuple(map(str, read)), tuple(problems), notes, seen, rules)


def _notes(config: Config, runbooks: tuple[Runbook, ...], *, live: bool) -> tuple[Note, ...]:
    """Which probes a target offers is known of its agent only, so it is asked; ``live``."""
    offered = asyncio.run(probes(config)) if live and asks_for_probes(runbooks) else {}
    schedules = schedule_notes(config, SystemClock().now())
    return (
        *findings(config),
        *detection_notes(config),
        *schedules,
        *runbook_findings(runbooks, config, offered),
    )


def _tried(read: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return read()
    except ConfigError as error:
        problems += [problem for problem in error.problems if isinstance(problem, Problem)]
        return None


def _public(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "near": problem.near,
    }


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="IORA_CONFIG",
    default=Path("config.yaml"),
    show_default=True,
    help="The file to check (or IORA_CONFIG).",
)
@click.option(
    "--runbooks",
    type=click.Path(path_type=Path),
    envvar="IORA_RUNBOOKS",
    help="The folder of runbooks (or IORA_RUNBOOKS) [default: runbooks, beside the config].",
)
@click.option("--agent", type=click.Path(path_type=Path), help="An agent.yaml to check too.")
@click.option("--live", is_flag=True, help="Ask the targets, and show what each value reads.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--schema",
    type=click.Choice(tuple(SCHEMAS)),
    is_flag=False,
    flag_value="config",
    help="Only print the JSON Schema of a file, for editors [default: config].",
)
def check(  # one parameter an option
    config: Path,
    runbooks: Path | None,
    agent: Path | None,
    *,
    live: bool,
    as_json: bool,
    schema: str | None,
) -> None:
    """Check the config and the runbooks: exit code 1 if something is wrong in them.

    With --live also if a value that the config names can't be read at this moment. Notes tell what is
    allowed but will disappoint somebody; they don't change the exit code.
    """
    if schema is not None:
        click.echo(schema_json(schema))
        return
    folder = runbooks or config.parent / "runbooks"
    report = inspect(config, folder, agent, os.environ, live=live)
    if as_json:
        click.echo(report.as_json())
    else:
        for line in (*report.problems, *report.notes, *(report.live or ())):
            click.echo(str(line))
        click.echo(_summary(report))
    raise SystemExit(0 if report.fine else 1)


def _summary(report: Report) -> str:
    if report.problems:
        count = len(report.problems)
        return f"{count} problem{'s' if count > 1 else ''} to mend"
    unread = sum(seen.value is None for seen in report.live or ())
    if unread:
        return f"{unread} of {len(report.live or ())} values can't be read"
    rules = {0: "", 1: "; 1 rule of detection"}.get(
        report.rules, f"; {report.rules} rules of detection"
    )
    return f"Fine: {', '.join(report.read)}{rules}"

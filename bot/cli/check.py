"""``iora check``: everything that is wrong in the files that people write, and what is unwise."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.errors import ConfigError
from bot.files.config import load_config
from bot.files.document import load
from bot.files.note import Note, findings
from bot.files.problem import Problem
from bot.files.runbooks import load_runbooks
from bot.model.agent import AgentConfig

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """What was read, and what was found in it."""

    read: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]

    def as_json(self) -> str:
        """The report for a program."""
        problems = [_public(problem) for problem in self.problems]
        notes = [asdict(note) for note in self.notes]
        return json.dumps({"ok": not problems, "problems": problems, "notes": notes}, indent=2)


def inspect(config: Path, runbooks: Path, agent: Path | None, environ: Mapping[str, str]) -> Report:
    """Read all files, each in spite of the others' problems."""
    problems: list[Problem] = []
    loaded = _tried(lambda: load_config(config, environ), problems)
    _tried(lambda: load_runbooks(runbooks), problems)
    if agent is not None:
        path = agent
        _tried(lambda: load(path, AgentConfig, environ), problems)
    read = (config, runbooks, *([agent] if agent else []))
    notes = findings(loaded) if loaded is not None else ()
    return Report(tuple(map(str, read)), tuple(problems), notes)


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
    help="The folder of runbooks [default: runbooks, beside the config].",
)
@click.option("--agent", type=click.Path(path_type=Path), help="An agent.yaml to check too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(config: Path, runbooks: Path | None, agent: Path | None, *, as_json: bool) -> None:
    """Check the config and the runbooks: exit code 1 if something is wrong in them.

    Notes tell what is allowed but will disappoint somebody; they don't change the exit code.
    """
    report = inspect(config, runbooks or config.parent / "runbooks", agent, os.environ)
    if as_json:
        click.echo(report.as_json())
    else:
        for line in (*report.problems, *report.notes):
            click.echo(str(line))
        click.echo(_summary(report))
    raise SystemExit(1 if report.problems else 0)


def _summary(report: Report) -> str:
    if report.problems:
        count = len(report.problems)
        return f"{count} problem{'s' if count > 1 else ''} to mend"
    return f"Fine: {', '.join(report.read)}"

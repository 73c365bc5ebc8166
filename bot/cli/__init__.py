"""The command line. Each command's module is imported when it is used."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from bot import __version__
from bot.model.words import WORDS

_PROGRAMS = {
    "serve": ("bot.cli.serve", "run the bot, connected to Slack"),
    "agent": ("bot.cli.agent", "run the agent on a watched host"),
    "local": ("bot.cli.local", "try the bot on this machine: no account, no token"),
    "init": ("bot.cli.init", "write a config by answering questions"),
    "check": ("bot.cli.check", "check the config, the runbooks and agent.yaml"),
    "escalation": ("bot.cli.escalation", "simulate: whom an incident would ping, and when"),
    "backup": ("bot.cli.backup", "copy the database while it is used"),
    "restore": ("bot.cli.backup", "put a backup in the database's place"),
    "doctor": ("bot.cli.doctor", "whether the bot is well, each line with its fix"),
    "reports": ("bot.cli.reports", "the diagnostic reports that are kept, or one of them"),
}


# Words of `/iora` that have a command of their own here.
_OWN = {"chart": "bot.cli.chart", "run": "bot.cli.run", "runbooks": "bot.cli.runbooks"}


class _Group(click.Group):
    """Knows every command's name and line, and imports only the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_PROGRAMS, *(word.word for word in WORDS if word.word not in {*_PROGRAMS, "help"})]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _PROGRAMS:
            found: click.Command = getattr(import_module(_PROGRAMS[name][0]), name)
            return found
        if name in _OWN:
            own: click.Command = getattr(import_module(_OWN[name]), name)
            return own
        if name in self.list_commands(ctx):
            made: click.Command = import_module("bot.cli.talk").command(name)
            return made
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, without importing a single command."""
        with formatter.section("Programs and files"):
            formatter.write_dl([(name, line) for name, (_, line) in _PROGRAMS.items()])
        with formatter.section("What Slack's /iora does, from here"):
            rows = [(word.usage, word.does) for word in WORDS if word.word not in _PROGRAMS]
            formatter.write_dl([row for row in rows if not row[0].startswith("help")])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        known = self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean `iora {near[0]}`?" if near else "See `iora --help`."
            ctx.fail(f"There is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="iora")
def main() -> None:
    """The incident-response bot of the I.O.R.A. services.

    Exit code: 0 done, 1 a finding, a refusal, or a target that is not healthy, 2 wrong use.
    """

"""What the bot reads at its start, and again when it is told to."""

from __future__ import annotations

import logging

from bot.files.config import load_config
from bot.files.runbooks import read_books
from bot.model.book import Books, Broken
from bot.model.config import Config
from bot.model.settings import Settings

log = logging.getLogger(__name__)


def read_files(settings: Settings) -> tuple[Config, Books, Broken]:
    """The config and the runbooks; raises ``ConfigError`` with everything that is wrong in the config.

    A runbook with a problem is told and left out: it must not keep the bot from starting at night.
    """
    config = load_config(settings.config, settings.environ)
    books, problems = read_books(settings.runbooks, config)
    broken: dict[str, list[str]] = {}
    for problem in problems:
        broken.setdefault(problem.path, []).append(str(problem).splitlines()[0])  # no caret
    return config, books, broken


def tell(broken: Broken) -> None:
    """In the log, every problem of every runbook that is left out."""
    for problems in broken.values():
        for problem in problems:
            log.error("a runbook can't be used: %s", problem)

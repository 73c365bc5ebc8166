"""``iora serve``: the bot, connected to Slack."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import resource
import signal
from collections.abc import Callable, Mapping

import click

from bot import logs
from bot.cli.fail import plainly
from bot.errors import ConfigError, IoraError, WrongSettings
from bot.files.loading import read_files
from bot.model.settings import Settings
from bot.text import redact
from bot.wiring import Bot

log = logging.getLogger(__name__)
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|_DSN$")
_SHORTEST = 6  # shorter ones are words that a log may well hold
_OPEN_FILES = 65_536
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@click.command()
def serve() -> None:
    """Run the bot, connected to Slack. Settings come from the environment: see the README."""
    with plainly():
        settings = Settings.read(os.environ)
        settings.check_for_serving()
        logs.start(_level(), _redacting(os.environ))
        allow_open_files()
        asyncio.run(_run(Bot(settings, *read_files(settings))))


def allow_open_files() -> None:
    """As many sockets as the system lets this process have: a thousand targets that hang take more than
    the 1,024 that are usual, and Slack must still be reached.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if resource.RLIM_INFINITY != soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(bot: Bot) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(_reload(bot))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    await bot.start()
    print(f"iora serve: http://{bot.settings.host}:{bot.port}", flush=True)
    await ended.wait()
    log.info("stopping")
    await bot.stop()


async def _reload(bot: Bot) -> None:
    try:
        await bot.reload()
        log.info("the config was read again")
    except ConfigError as error:
        log.error("the config has problems, the old one stays: %s", error)
    except IoraError as error:
        log.error("the config was read again, but what follows from it can't be stored: %s", error)


def _redacting(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Masks what looks like a secret, and the environment's own secrets, whatever they look like."""
    own = [value.strip() for name, value in environ.items() if _SECRET.search(name)]
    long_enough = sorted({value for value in own if len(value) >= _SHORTEST}, key=len, reverse=True)

    def redacted(text: str) -> str:
        for value in long_enough:
            text = text.replace(value, "[redacted]")
        return redact(text)

    return redacted


def _level() -> str:
    level = (os.environ.get("LOG_LEVEL", "") or "INFO").upper()
    if level not in _LEVELS:
        raise WrongSettings(f"LOG_LEVEL: expected one of {', '.join(_LEVELS)}, got {level!r}")
    return level

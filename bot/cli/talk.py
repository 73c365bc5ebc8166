"""What Slack's `/iora` does, from a terminal: handed to the running bot, or done here without one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import aiohttp
import click

from bot.cli.fail import FINDING, WRONG_USE, plainly
from bot.errors import StoreError
from bot.model.actor import Actor
from bot.model.settings import Settings
from bot.model.words import BY_WORD
from bot.store.lock import Held
from bot.text import escape
from bot.web.control import login_of, path_beside, short_address

Said = Mapping[str, Any]
_LIMIT_S = 60
# Another command may hold the database for a moment, or the bot may be just starting.
ATTEMPTS, PAUSE_S = 50, 0.1


class _Talk(click.Command):
    """Hands ``--`` on: to the grammar of `/iora` it means something, and click would eat it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            args = [*args[:at], "--", *args[at:]]
        return super().parse_args(ctx, args)


def command(word: str) -> click.Command:
    """The click command of one of the words."""
    known = BY_WORD[word]

    @click.command(
        word,
        cls=_Talk,
        help=f"{known.does.capitalize()}.\n\nWritten: iora {known.usage}",
        context_settings={"ignore_unknown_options": True},
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def talk(words: tuple[str, ...], as_json: bool) -> None:
        with plainly():
            said = asyncio.run(say(word, words))
        show(said, as_json=as_json)

    return talk


async def say(word: str, words: tuple[str, ...]) -> Said:
    """Ask the running bot; where none runs, take the database and do it here."""
    settings = Settings.read(os.environ)
    text = " ".join([word, *(escape(one) for one in words)])
    for attempt in range(ATTEMPTS):
        said = await ask(settings, text)
        if said is not None:
            return said
        try:
            return await _do_here(settings, text)
        except Held as error:
            if attempt == ATTEMPTS - 1:
                raise StoreError(f"{error.held}, which does not answer: see its log") from None
            await asyncio.sleep(PAUSE_S)
    raise AssertionError("the last attempt returns or raises")


def show(said: Said, *, as_json: bool) -> None:
    """Print the answer and end with its exit code."""
    code = tell(said, as_json=as_json)
    if code:
        sys.exit(code)


def tell(said: Said, *, as_json: bool) -> int:
    """Print the answer; its exit code."""
    if as_json:
        print(json.dumps(said["json"], indent=2, ensure_ascii=False, default=str))
    else:
        print(said["text"], file=sys.stderr if said["refused"] else sys.stdout)
        if said["waiting"] and not said["refused"]:
            print(waiting(said["waiting"]))
    if said["wrong_use"]:
        return WRONG_USE
    return FINDING if said["refused"] or said["finding"] else 0


def waiting(count: int) -> str:
    """How many messages are not in Slack yet, and what sends them."""
    if count == 1:
        return "1 message waits for the bot: it sends it when it runs."
    return f"{count} messages wait for the bot: it sends them when it runs."


async def reachable(settings: Settings) -> bool:
    """Whether a bot listens on the socket beside the database."""
    socket = path_beside(settings.database.absolute())
    if not socket.exists():
        return False
    with short_address(socket) as address:
        try:
            _, writer = await asyncio.open_unix_connection(address)
        except OSError:
            return False
    writer.close()
    await writer.wait_closed()
    return True


async def ask(settings: Settings, text: str) -> Said | None:
    """The running bot's answer; None where none runs."""
    socket = path_beside(settings.database.absolute())
    if not socket.exists():
        return None
    with short_address(socket) as address:
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(address),
                    timeout=aiohttp.ClientTimeout(total=_LIMIT_S),
                ) as session,
                session.post("http://bot/command", data=text.encode()) as response,
            ):
                if response.status != 200:
                    said_so = f"HTTP {response.status}"
                    raise StoreError(f"the running bot answered {said_so}: see its log")
                said: Said = await response.json()
                return said
        except (aiohttp.ClientConnectorError, FileNotFoundError):
            return None
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or f"not within {_LIMIT_S} s"
            raise StoreError(f"the running bot gave no answer ({why}): see its log") from None


async def _do_here(settings: Settings, text: str) -> Said:
    from bot.files.loading import read_files
    from bot.wiring import Bot

    bot = Bot(settings, *read_files(settings))
    await bot.start(serving=False)
    try:
        return await bot.answer(Actor.login(login_of(os.getuid())), text)
    finally:
        await bot.stop()

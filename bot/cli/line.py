"""The line to whoever holds the database: the running bot, or this process where none runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.cli.talk import ATTEMPTS, PAUSE_S, Said, ask, reachable
from bot.errors import StoreError
from bot.model.actor import Actor
from bot.model.settings import Settings
from bot.store.lock import Held
from bot.web.control import login_of

if TYPE_CHECKING:
    from bot.wiring import Bot

RESTART_S = 60  # so long a bot that was there is waited for


class There:
    """The running bot, over its socket."""

    here = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def say(self, text: str) -> Said:
        """Its answer. Raises ``StoreError`` where it gives none."""
        said = await ask(self._settings, text)
        if said is None:
            raise StoreError("the bot has stopped: nothing was done")
        return said

    async def look(self, text: str, tell: Callable[[str], None]) -> Said:
        """The answer to a question, also of a bot that is being restarted; ``tell`` hears of it."""
        told = False
        try:
            async with asyncio.timeout(RESTART_S):
                while True:
                    try:
                        return await self.say(text)
                    except StoreError:
                        if not told:
                            tell(f"The bot does not answer: waiting {RESTART_S} s for it.")
                        told = True
                        await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise StoreError(f"the bot has not answered for {RESTART_S} s: see its log") from None

    async def host(self) -> None:
        """Nothing to do: the bot does it."""


class Here:
    """This process, in the bot's place. Runs go on only while it lives."""

    here = True

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._me = Actor.login(login_of(os.getuid()))

    async def say(self, text: str) -> Said:
        """The answer."""
        return await self._bot.answer(self._me, text)

    async def look(self, text: str, tell: Callable[[str], None]) -> Said:
        """The answer to a question."""
        return await self.say(text)

    async def host(self) -> None:
        """Let runs go on here, and other terminals speak to them."""
        await self._bot.host_runs()


Line = There | Here


@asynccontextmanager
async def open_line(settings: Settings) -> AsyncIterator[Line]:
    """The running bot if there is one; else the database is taken, and given back at the end."""
    bot = await _bot(settings)
    if bot is None:
        yield There(settings)
        return
    try:
        await bot.take_runs()
        yield Here(bot)
    finally:
        await bot.stop()


async def _bot(settings: Settings) -> Bot | None:
    """None where one runs already. Another command may hold the database for a moment."""
    from bot.files.loading import read_files
    from bot.wiring import Bot

    for _ in range(ATTEMPTS):
        if await reachable(settings):
            return None
        bot = Bot(settings, *read_files(settings))
        try:
            await bot.start(serving=False, program="iora run")
        except Held as error:
            held = error.held
            await asyncio.sleep(PAUSE_S)
        else:
            return bot
    raise StoreError(f"{held}, which does not answer: see its log")

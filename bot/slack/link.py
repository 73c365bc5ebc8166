"""The link to Slack: who the bot is there, and the socket that its requests arrive by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.send.client import CALL_ERRORS, error_code
from bot.send.identity import Identity, identify

log = logging.getLogger(__name__)

_ERRORS = (*CALL_ERRORS, SlackClientError, OSError)


@dataclass(frozen=True)
class Patience:
    """How long the link waits, in seconds.

    ``connect``: for who the bot is and a socket; a refused address is given up then. ``look``: between
    two looks at the socket. ``ping``: between two pings; without an answer to the last few, the socket
    counts as gone. ``pong``: without any answer for so long it is gone, whatever the library thinks, which
    goes by the wall clock. ``first`` and ``longest``: before another try, doubled each time.
    """

    connect: float = 10
    look: float = 1
    ping: float = 5
    pong: float = 60
    first: float = 1
    longest: float = 30


class _Pulse:
    """Since when the pongs of a socket say nothing new, by the clock that nobody sets."""

    def __init__(self) -> None:
        self._seen: tuple[int, float | None] = (0, None)
        self._since = 0.0

    def silent_s(self, session: int, pong: float | None) -> float:
        """For how long nothing came; a new session begins anew."""
        now = asyncio.get_running_loop().time()
        if (session, pong) != self._seen:
            self._seen, self._since = (session, pong), now
        return now - self._since


class Link:
    """Keeps trying: a bot that can't reach Slack still watches, and sends when it can."""

    def __init__(
        self,
        client: AsyncWebClient,
        socket_client: AsyncWebClient | None,
        on_identity: Callable[[Identity], Awaitable[None]],
        *,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._socket_client = socket_client
        self._on_identity = on_identity
        self._patience = patience or Patience()
        self._handler: AsyncSocketModeHandler | None = None
        self._trouble = "not connected yet"
        self._failing = False
        self._gone_before = False
        self._pulse = _Pulse()
        self.identity: Identity | None = None
        self.sockets = 0
        """How many clients were made: each after the first one is a connection made anew."""

    def problem(self) -> str | None:
        """What is wrong between here and Slack, or None."""
        if self.identity is None:
            return self._trouble
        if self._socket_client is None or self._connected():
            return None
        return self._trouble

    async def run(self, app: AsyncApp) -> None:
        """Learn who the bot is, connect, and connect anew when the socket is gone."""
        wait = self._patience.first
        while True:
            try:
                async with asyncio.timeout(self._patience.connect):
                    await self._identify()
                    await self._connect(app)
                wait = self._patience.first
                await asyncio.sleep(self._patience.look)
                continue
            except _ERRORS as error:
                self._trouble = self._described(error)
                log.warning("no link to Slack: %s", self._trouble)
            except Exception as error:
                self._trouble = self._described(error)
                log.exception("no link to Slack; it is tried again")
            await self._disconnect()
            await asyncio.sleep(wait)
            wait = min(self._patience.longest, wait * 2)

    async def close(self) -> None:
        """End the socket; what is on its way gets its ack first, because the listeners were drained."""
        await self._disconnect()

    async def _identify(self) -> None:
        if self.identity is None:
            self.identity = await identify(self._client)
            await self._on_identity(self.identity)
            log.info("this is %s in %s", self.identity.user, self.identity.team)

    async def _connect(self, app: AsyncApp) -> None:
        if self._socket_client is None:
            return
        silent = self._silent_s() > self._patience.pong
        self._failing = silent or await self._unanswered()
        gone_before, self._gone_before = self._gone_before or silent, not self._connected()
        if self._connected():
            return
        if self._handler is not None:
            why = f"no pong for {self._patience.pong:g} s" if silent else "the socket is gone"
            self._trouble = f"{why}; connecting anew"
            if not gone_before:
                return  # the library makes a new one by itself, as when Slack asks for it
            log.warning("no link to Slack: %s", self._trouble)
        # The library keeps trying a refused address for ever; a new client asks for a new one.
        await self._disconnect()
        token = self._socket_client.token or ""
        self._handler = AsyncSocketModeHandler(
            app, token, web_client=self._socket_client, ping_interval=self._patience.ping
        )
        self._handler.client.proxy = self._socket_client.proxy
        self.sockets += 1
        await self._handler.client.connect()
        self._failing = self._gone_before = False
        log.info("connected to Slack by Socket Mode")

    def _connected(self) -> bool:
        client = self._handler.client if self._handler else None
        session = client.current_session if client else None
        return session is not None and not session.closed and not self._failing

    async def _unanswered(self) -> bool:
        """Whether the socket is half-open: it is there, and nobody answers its pings."""
        return self._handler is not None and await self._handler.client.is_ping_pong_failing()

    def _silent_s(self) -> float:
        """For how long the socket has not answered a ping, in seconds."""
        if self._handler is None or self._handler.client.current_session is None:
            return 0.0
        client = self._handler.client
        return self._pulse.silent_s(id(client.current_session), client.last_ping_pong_time)

    async def _disconnect(self) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                await handler.client.close()
            except Exception:  # whatever is wrong with it, a new one is made
                log.warning("the old socket did not close", exc_info=True)

    def _described(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"no connection within {self._patience.connect:g} s"
        if isinstance(error, SlackApiError):
            return f"Slack says {error_code(error) or 'nothing that can be read'}"
        return f"{type(error).__name__}: {error}"[:200]

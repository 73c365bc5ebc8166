"""The link to Slack: who the bot is there, and the socket that its requests arrive by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.send.client import CALL_ERRORS
from bot.send.identity import Identity, identify

log = logging.getLogger(__name__)

CONNECT_S = 20
LOOK_S = 5
LONGEST_WAIT_S = 60
_ERRORS = (*CALL_ERRORS, SlackClientError, OSError)


class Link:
    """Keeps trying: a bot that can't reach Slack still watches, and sends when it can."""

    def __init__(
        self,
        client: AsyncWebClient,
        socket_client: AsyncWebClient | None,
        on_identity: Callable[[Identity], Awaitable[None]],
    ) -> None:
        self._client = client
        self._socket_client = socket_client
        self._on_identity = on_identity
        self._handler: AsyncSocketModeHandler | None = None
        self._trouble: str | None = "not connected yet"
        self.identity: Identity | None = None

    def problem(self) -> str | None:
        """What is wrong between here and Slack, or None."""
        if self.identity is None:
            return self._trouble
        if self._socket_client is None:
            return None
        return None if self._connected() else self._trouble

    async def run(self, app: AsyncApp) -> None:
        """Learn who the bot is, connect, and connect anew when the socket is gone for good."""
        wait = 1.0
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await self._identify()
                    await self._connect(app)
                wait = 1.0
                await asyncio.sleep(LOOK_S)
            except _ERRORS as error:
                self._trouble = _described(error)
                log.warning("no link to Slack: %s", self._trouble)
                await self._disconnect()
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT_S, wait * 2)

    async def close(self) -> None:
        """End the socket; what is on its way gets its ack first, because the listeners were drained."""
        await self._disconnect()

    async def _identify(self) -> None:
        if self.identity is None:
            self.identity = await identify(self._client)
            await self._on_identity(self.identity)
            log.info("this is %s in %s", self.identity.user, self.identity.team)

    async def _connect(self, app: AsyncApp) -> None:
        if self._socket_client is None or self._connected():
            return
        # The library keeps trying a refused address for ever; a new client asks for a new one.
        await self._disconnect()
        token = self._socket_client.token or ""
        self._handler = AsyncSocketModeHandler(app, token, web_client=self._socket_client)
        self._handler.client.proxy = self._socket_client.proxy
        await self._handler.client.connect()
        log.info("connected to Slack by Socket Mode")

    def _connected(self) -> bool:
        client = self._handler.client if self._handler else None
        session = client.current_session if client else None
        return session is not None and not session.closed

    async def _disconnect(self) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                await handler.client.close()
            except (*_ERRORS, aiohttp.ClientError) as error:
                log.debug("the old socket: %s", error)


def _described(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no connection within {CONNECT_S} s"
    if isinstance(error, SlackApiError):
        return f"Slack says {error.response.get('error', 'nothing')}"
    return f"{type(error).__name__}: {error}"[:200]

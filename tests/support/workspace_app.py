"""A real Bolt app that is connected to a running workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.server import Server


def web_client(server: Server, token: str | None = None) -> AsyncWebClient:
    """A client of the Web API, with the bot's token; it repeats nothing by itself."""
    return AsyncWebClient(
        token=server.bot_token if token is None else token,
        base_url=server.api_url,
        retry_handlers=[],
    )


def bolt_app(server: Server) -> AsyncApp:
    return AsyncApp(
        client=web_client(server),
        signing_secret=server.signing_secret,
        process_before_response=True,
    )


@asynccontextmanager
async def connected(server: Server, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app, connected by Socket Mode for as long as the block runs."""
    handler = AsyncSocketModeHandler(
        app, server.app_token, web_client=web_client(server, server.app_token), ping_interval=1
    )
    before = server.sockets.connected
    await handler.connect_async()
    try:
        async with asyncio.timeout(60):
            await server.sockets.wait_connected(before + 1)
        yield handler
    finally:
        await handler.close_async()

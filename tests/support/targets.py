"""Services to look at that behave as a test says, and configs that name them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Reply = Callable[[], Awaitable[web.StreamResponse]]


class Service:
    """A health URL that counts its requests and answers what it is told, when it is told."""

    def __init__(self) -> None:
        self.requests = 0
        self.url = ""
        self.status = 200
        self.body = b'{"status": "ok"}'
        self.headers: dict[str, str] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.arrived = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        self.arrived.set()
        await self.open.wait()
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Service]:
        app = web.Application()
        app.router.add_get("/health", self._answer)
        app.router.add_get("/v1/metrics", self._answer)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/health"
        try:
            yield self
        finally:
            self.open.set()
            await runner.cleanup()


def target(url: str, **more: Any) -> Mapping[str, Any]:
    """A target of a config: polled once an hour, so that a test decides when."""
    return {"poll": "1h", "health": {"url": url, "status": "status", "timeout": "20s"}, **more}


def health_facts(said: Mapping[str, Any]) -> dict[str, Any]:
    """What ``--json`` printed, by target."""
    return {one["target"]: one for one in json.loads(json.dumps(said))["targets"]}

"""Who may call the Web API and the socket: programs on this machine, no page in a browser.

The tokens are the same on every machine, and a foreign web page can reach loopback through the visitor's
browser. A browser gives itself away: by the ``Origin`` of the page, or by a ``Host`` that is no loopback name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def for_programs(handler: Handler) -> Handler:
    """The handler, which refuses (403) what a browser sends on behalf of a page."""

    async def check(request: web.Request) -> web.StreamResponse:
        if "Origin" in request.headers or _host(request) not in LOOPBACK:
            return web.Response(status=403, text="only programs on this machine may call this")
        return await handler(request)

    return check


def _host(request: web.Request) -> str | None:
    try:
        return URL(f"http://{request.headers.get('Host', '')}").host
    except ValueError:
        return None

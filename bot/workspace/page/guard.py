"""Who may ask: a browser on this machine, from this page.

The workspace listens on loopback, which a foreign web page can still reach through the visitor's browser:
by a name that resolves to 127.0.0.1 (DNS rebinding), or by a form that it posts here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' http: https: data:; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def hostname(host: str) -> str:
    """The name in a Host header, without the port; empty where it can't be read."""
    try:
        return (URL(f"http://{host}").host or "").lower()
    except ValueError:
        return ""


def refusal(request: web.Request) -> str | None:
    """Why a request is not answered, or None."""
    if hostname(request.headers.get("Host", "")) not in LOOPBACK:
        return "This page answers only to 127.0.0.1 and localhost."
    if request.method in ("GET", "HEAD"):
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = f"{request.scheme}://{request.headers['Host']}"
    if site not in (None, "same-origin") or origin not in (None, own) or site is origin is None:
        return "Only the page itself may do this."
    if request.content_type != "application/json":
        return "A JSON body was expected."
    return None


def guarded(handler: Handler) -> Handler:
    """The handler, behind the checks; its answers carry the headers that keep foreign code out."""

    async def check(request: web.Request) -> web.StreamResponse:
        why = refusal(request)
        if why:
            return web.json_response({"ok": False, "why": why}, status=403, headers=HEADERS)
        response = await handler(request)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return check

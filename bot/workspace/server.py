"""The server: the Web API, the socket, response URLs, uploads, and the page."""

from __future__ import annotations

import importlib
import importlib.util
import ipaddress
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import BodyPartReader, web

from bot.workspace.act import Acts
from bot.workspace.api.methods import all_scopes
from bot.workspace.api.web import WebApi
from bot.workspace.app import EVENTS, App
from bot.workspace.clock import Clock, SystemClock
from bot.workspace.delivery import ACK_SECONDS
from bot.workspace.doorway import for_programs
from bot.workspace.events import RETRY_SECONDS, Events
from bot.workspace.faults import Faults
from bot.workspace.limits import Limits
from bot.workspace.refusal import Refusal
from bot.workspace.responses import Responses
from bot.workspace.signed import SignedHttp
from bot.workspace.site import Called, Rejection, Site
from bot.workspace.socket import Sockets
from bot.workspace.state import Workspace
from bot.workspace.tickets import Tickets
from bot.workspace.uploads import Uploads


class NotLoopback(ValueError):
    """The workspace has no passwords: it serves this machine only."""


class Server:
    """A running workspace, and what tests do to it."""

    def __init__(
        self,
        clock: Clock,
        scopes: Iterable[str] | None,
        events_url: str | None,
        ack_seconds: float,
        retry_seconds: Iterable[float],
        events: Iterable[str] = EVENTS,
    ) -> None:
        self.workspace = Workspace(clock)
        self.app = App(
            scopes=all_scopes() if scopes is None else set(scopes), events=frozenset(events)
        )
        self.site = Site(
            workspace=self.workspace,
            app=self.app,
            tickets=Tickets(clock),
            uploads=Uploads(self.workspace, clock),
            limits=Limits(clock),
            faults=Faults(),
            clock=clock,
        )
        self.sockets = Sockets(self.site, ack_seconds)
        self.signed = SignedHttp(self.site, events_url, ack_seconds) if events_url else None
        delivery = self.signed or self.sockets
        self.events = Events(self.site, delivery, tuple(retry_seconds))
        self.workspace.listeners.append(self.events.heard)
        self.acts = Acts(self.site, delivery, self.events)
        self.responses = Responses(self.site)

    @property
    def url(self) -> str:
        return self.site.base_url

    @property
    def api_url(self) -> str:
        """What ``SLACK_API_URL`` is set to."""
        return f"{self.site.base_url}/api/"

    @property
    def faults(self) -> Faults:
        return self.site.faults

    @property
    def limits(self) -> Limits:
        return self.site.limits

    @property
    def calls(self) -> list[Called]:
        """Every call of the Web API, in the order of their answers."""
        return self.site.calls

    @property
    def rejections(self) -> list[Rejection]:
        """Every payload that Slack would not have taken."""
        return self.site.rejections

    @property
    def bot_token(self) -> str:
        return self.app.bot_token

    @property
    def app_token(self) -> str:
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.app.signing_secret

    def without(self, *methods: str) -> None:
        """Offer these methods no more: ``unknown_method``."""
        self.site.without.update(methods)

    def revoke(self, *scopes: str) -> None:
        """Take scopes away: ``missing_scope``."""
        self.app.scopes.difference_update(scopes)

    def forget_metadata(self) -> None:
        """Take metadata, but never give it back."""
        self.site.keeps_metadata = False

    def application(self, sample_control: str | None = None) -> web.Application:
        """All routes."""
        application = web.Application(client_max_size=64 * 1024 * 1024)
        router = application.router
        router.add_route("*", "/api/{method}", for_programs(WebApi(self.site).handle))
        router.add_get("/link/", for_programs(self.sockets.accept))
        router.add_post("/respond/{ticket}", for_programs(self._respond))
        router.add_post("/upload/{ticket}", for_programs(self._upload))
        router.add_get("/files/{id}", for_programs(self._download))
        if importlib.util.find_spec("bot.workspace.page") is not None:
            page = importlib.import_module("bot.workspace.page")
            page.routes(application, self.workspace, self.acts, sample_control)
        return application

    async def _respond(self, request: web.Request) -> web.Response:
        """A response URL: 404 once it is over, 400 for a message that is not valid."""
        try:
            payload = json.loads(await request.text())
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        try:
            self.responses.respond(request.match_info["ticket"], payload)
        except Refusal as refusal:
            gone = refusal.code.endswith("_url")
            return web.json_response(refusal.answer(), status=404 if gone else 400)
        return web.json_response({"ok": True})

    async def _upload(self, request: web.Request) -> web.Response:
        """The middle step of an upload: the bytes, raw or as the first part of a form."""
        content = b""
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                content = bytes(await part.read()) if isinstance(part, BodyPartReader) else b""
                break
        else:
            content = await request.read()
        if not self.site.uploads.receive(request.match_info["ticket"], content):
            return web.Response(status=400, text="unknown upload, or another length than announced")
        return web.Response(text=f"OK - {len(content)}")

    async def _download(self, request: web.Request) -> web.Response:
        """``url_private`` of a file: for the app's token only."""
        file = self.workspace.files.get(request.match_info["id"])
        if request.headers.get("Authorization") != f"Bearer {self.bot_token}":
            return web.Response(status=403)
        if file is None:
            return web.Response(status=404)
        return web.Response(body=file.content, content_type=file.mimetype)

    async def close(self) -> None:
        self.faults.clear()
        await self.events.close()
        await self.sockets.close()
        if self.signed is not None:
            await self.signed.close()


@asynccontextmanager
async def serve(
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    clock: Clock | None = None,
    scopes: Iterable[str] | None = None,
    events_url: str | None = None,
    sample_control: str | None = None,
    ack_seconds: float = ACK_SECONDS,
    retry_seconds: Iterable[float] = RETRY_SECONDS,
    events: Iterable[str] = EVENTS,
) -> AsyncIterator[Server]:
    """A workspace that listens; port 0 takes a free one. ``scopes``: all that mean anything.

    ``events``: what the app subscribes to.
    """
    _check_loopback(host)
    server = Server(clock or SystemClock(), scopes, events_url, ack_seconds, retry_seconds, events)
    runner = web.AppRunner(
        server.application(sample_control),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=0.2,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        server.site.base_url = f"http://{shown}:{bound}"
        yield server
    finally:
        await server.close()
        await runner.cleanup()


def _check_loopback(host: str) -> None:
    if host == "localhost":
        return
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise NotLoopback(f"{host} is not an address of this machine: use 127.0.0.1") from None
    if not address.is_loopback:
        raise NotLoopback(
            f"{host} could be reached from other machines, and the workspace has no passwords: "
            "use 127.0.0.1"
        )

"""Socket Mode: up to ten connections of the app, each event to one of them."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid

from aiohttp import WSMsgType, web

from bot.workspace.delivery import (
    ACK_SECONDS,
    NOT_CONNECTED,
    TIMED_OUT,
    Ack,
    EnvelopeKind,
    Retry,
)
from bot.workspace.records import Json
from bot.workspace.site import Site

log = logging.getLogger(__name__)

CONNECTIONS = 10
REFRESH_SECONDS = 3600


class Sockets:
    """The app's connections, and the envelopes that wait for their acknowledgement."""

    def __init__(self, site: Site, ack_seconds: float = ACK_SECONDS) -> None:
        self._site = site
        self._ack_seconds = ack_seconds
        self._sockets: list[web.WebSocketResponse] = []
        self._transports: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}
        self._limits: dict[str, tuple[web.WebSocketResponse, asyncio.Timeout]] = {}
        self._frozen: set[web.WebSocketResponse] = set()
        self._turn = 0
        self._changed = asyncio.Event()

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self._sockets)

    async def wait_connected(self, count: int = 1) -> None:
        """Return when that many connections are there (for tests)."""
        while len(self._sockets) != count:
            self._changed.clear()
            await self._changed.wait()

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """The handshake: 503 on demand, 403 for a ticket that is unknown or used."""
        if self._site.faults.take_handshake():
            return web.Response(status=503, text="refused on demand")
        if not self._site.tickets.use_socket(request.query.get("ticket", "")):
            return web.Response(status=403, text="invalid ticket")
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self._sockets) >= CONNECTIONS:
            await self._disconnect(socket, "too_many_websockets")
            await socket.close()
            return socket
        if request.transport is not None:
            self._transports[socket] = request.transport
        await self._serve(socket)
        return socket

    async def _serve(self, socket: web.WebSocketResponse) -> None:
        self._sockets.append(socket)
        try:
            await socket.send_json(self._hello())
            self._changed.set()
            async for message in socket:
                if socket in self._frozen:
                    continue
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
        except ConnectionError as error:
            log.info("a socket broke: %s", error)
        finally:
            self._forget(socket)
            self._transports.pop(socket, None)
            self._frozen.discard(socket)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)
        self._changed.set()
        self._hurry(socket)

    def _hurry(self, gone: web.WebSocketResponse) -> None:
        """More patience than Slack has is for a slow app, and not for one that is gone."""
        latest = asyncio.get_running_loop().time() + ACK_SECONDS
        for socket, limit in self._limits.values():
            if socket is gone and not limit.expired():
                limit.reschedule(min(latest, limit.when() or latest))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            "connection_info": {"app_id": self._site.app.id},
            "debug_info": {
                "host": "local",
                "build_number": 1,
                "approximate_connection_time": REFRESH_SECONDS,
            },
        }

    def _acknowledged(self, text: str) -> None:
        try:
            body = json.loads(text)
        except ValueError:
            log.warning("a socket sent something that is not JSON: %.200s", text)
            return
        envelope = body.get("envelope_id") if isinstance(body, dict) else None
        waiting = self._waiting.get(envelope) if isinstance(envelope, str) else None
        if waiting is not None and not waiting.done():
            payload = body.get("payload")
            waiting.set_result({"text": payload} if isinstance(payload, str) else payload or None)

    async def deliver(self, kind: EnvelopeKind, payload: Json, retry: Retry | None = None) -> Ack:
        """Send an envelope to the next connection in turn."""
        if not self._sockets:
            return Ack(ok=False, why=NOT_CONNECTED, reason="connection_failed")
        envelope_id = str(uuid.uuid4())
        envelope = self._envelope(envelope_id, kind, payload, retry)
        self._turn += 1
        socket = self._sockets[self._turn % len(self._sockets)]
        waiting = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._ack_seconds) as limit:
                self._limits[envelope_id] = socket, limit
                if socket not in self._frozen:
                    await socket.send_json(envelope)
                answer = await waiting
        except TimeoutError:
            return Ack(ok=False, why=TIMED_OUT, reason="timeout")
        except ConnectionError:
            return Ack(ok=False, why=NOT_CONNECTED, reason="connection_failed")
        finally:
            del self._waiting[envelope_id]
            self._limits.pop(envelope_id, None)
        return Ack(ok=True, payload=answer)

    def _envelope(
        self, envelope_id: str, kind: EnvelopeKind, payload: Json, retry: Retry | None
    ) -> Json:
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind == "slash_commands"
            or payload.get("type") == "view_submission",
        }
        if kind == "events_api":
            envelope["retry_attempt"] = retry.attempt if retry else 0
            envelope["retry_reason"] = retry.reason if retry else ""
        return envelope

    async def refresh(self) -> None:
        """Announce a refresh on every connection (``warning``), then ask for it, and close them."""
        for socket in list(self._sockets):
            await self._disconnect(socket, "warning")
            await self._disconnect(socket, "refresh_requested")
            self._forget(socket)
            await socket.close()

    async def warn(self) -> None:
        """Only the warning that a refresh is near; the connections stay."""
        for socket in list(self._sockets):
            await self._disconnect(socket, "warning")

    def freeze(self) -> None:
        """Make every connection half-open: it stays, but nothing gets through, no pong either."""
        self._frozen.update(self._sockets)

    def drop(self) -> None:
        """Cut every connection, without a goodbye."""
        for socket in list(self._sockets):
            self._forget(socket)
            if socket in self._transports:
                self._transports[socket].abort()

    async def close(self) -> None:
        """Say goodbye to every connection, when the server stops."""
        for socket in list(self._sockets):
            self._forget(socket)
            await socket.close()

    async def _disconnect(self, socket: web.WebSocketResponse, reason: str) -> None:
        message = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}}
        try:
            await socket.send_json(message)
        except ConnectionError as error:
            log.info("a socket was gone already: %s", error)

"""The listener that the bot watches: health, dashboard, lenient text metrics, and the operations."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from uuid import uuid4

from aiohttp import web

from bot.sample import dashboard
from bot.sample.backend import MAX_INSTANCES, Backend, BackendFailedError
from bot.sample.clock import Clock, stamp
from bot.sample.journal import Journal

VERSION = "1.0.0"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(Exception):
    """A request body that can't be taken; the text says what was expected."""


async def body(request: web.Request) -> dict[str, object]:
    """The JSON object of the request; raises ``RefusedError``."""
    try:
        value = await request.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RefusedError("expected a JSON object as the body")
    return value


class Service:
    """The routes of the sample, and the counters behind its text metrics."""

    def __init__(self, backend: Backend, journal: Journal, clock: Clock) -> None:
        self._backend = backend
        self._journal = journal
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._began = clock.monotonic()
        self._requests = 0
        self._errors = 0

    def app(self) -> web.Application:
        """A fresh application: a listener that was closed can't be opened again with the old one."""
        app = web.Application(middlewares=[self._logged])
        app.add_routes(
            [
                web.get("/api/health", self._health),
                web.get("/api/metrics", self._metrics),
                web.get("/api/scorecard", self._scorecard),
                web.get("/api/alerts", self._alerts),
                web.get("/metrics", self._text_metrics),
                web.get("/api/ops/circuit-breaker", self._breaker),
                web.post("/api/ops/circuit-breaker", self._set_breaker),
                web.get("/api/ops/scale", self._scale),
                web.post("/api/ops/scale", self._set_scale),
                web.get("/api/ops/degraded-mode", self._degraded),
                web.post("/api/ops/degraded-mode", self._set_degraded),
            ]
        )
        return app

    @web.middleware
    async def _logged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = self._clock.monotonic()
        try:
            response = await handler(request)
        except BackendFailedError as error:
            response = web.json_response({"status": "failing", "error": str(error)}, status=500)
        except RefusedError as error:
            response = web.json_response({"error": str(error)}, status=400)
        except web.HTTPException as error:
            response = web.json_response({"error": error.reason}, status=error.status)
        self._requests += 1
        self._errors += response.status >= 500
        duration_ms = (self._clock.monotonic() - began) * 1000
        self._journal.request(
            uuid4().hex, request.method, request.path, response.status, duration_ms
        )
        return response

    def _uptime_s(self) -> float:
        return round(self._clock.monotonic() - self._began, 3)

    async def _health(self, _request: web.Request) -> web.Response:
        answer = await self._backend.call()
        return web.json_response(
            {
                "status": self._backend.status(),
                "version": VERSION,
                "uptime_sec": self._uptime_s(),
                "answer": answer,
                "circuit_breaker": self._breaker_word(),
                "instances": self._backend.instances,
                "degraded_mode": self._backend.degraded,
                "timestamp": stamp(self._clock.now_ns()),
            }
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        await self._backend.call()
        return web.json_response(dashboard.metrics(self._clock.now_ns()))

    async def _scorecard(self, _request: web.Request) -> web.Response:
        await self._backend.call()
        return web.json_response(dashboard.scorecard(self._clock.now_ns()))

    async def _alerts(self, _request: web.Request) -> web.Response:
        return web.json_response(dashboard.alerts(self._clock.now_ns()))

    async def _text_metrics(self, _request: web.Request) -> web.Response:
        """As the MCP server: no valid Prometheus text; the time is always 0 and the rate is a count."""
        await self._backend.call()
        values: dict[str, object] = {
            "iora_version": VERSION,
            "iora_up": "true",
            "iora_started_at": stamp(self._began_ns),
            "uptime_seconds": self._uptime_s(),
            "requests_total": self._requests,
            "avg_response_time_ms": 0,
            "error_rate": self._errors,
            "instances": self._backend.instances,
        }
        return web.Response(text="".join(f"{name} {value}\n" for name, value in values.items()))

    def _breaker_word(self) -> str:
        return "open" if self._backend.breaker_open else "closed"

    async def _breaker(self, _request: web.Request) -> web.Response:
        return web.json_response({"state": self._breaker_word()})

    async def _set_breaker(self, request: web.Request) -> web.Response:
        state = (await body(request)).get("state")
        if state not in ("open", "closed"):
            raise RefusedError(f'expected {{"state": "open"}} or "closed", got {json.dumps(state)}')
        self._backend.breaker_open = state == "open"
        return await self._breaker(request)

    async def _scale(self, _request: web.Request) -> web.Response:
        return web.json_response({"instances": self._backend.instances})

    async def _set_scale(self, request: web.Request) -> web.Response:
        instances = (await body(request)).get("instances")
        whole = isinstance(instances, int) and not isinstance(instances, bool)
        if not (isinstance(instances, int) and whole and 1 <= instances <= MAX_INSTANCES):
            raise RefusedError(
                f'expected {{"instances": 1 to {MAX_INSTANCES}}}, got {json.dumps(instances)}'
            )
        self._backend.instances = instances
        return await self._scale(request)

    async def _degraded(self, _request: web.Request) -> web.Response:
        return web.json_response({"enabled": self._backend.degraded})

    async def _set_degraded(self, request: web.Request) -> web.Response:
        enabled = (await body(request)).get("enabled")
        if not isinstance(enabled, bool):
            raise RefusedError(f'expected {{"enabled": true or false}}, got {json.dumps(enabled)}')
        self._backend.degraded = enabled
        return await self._degraded(request)

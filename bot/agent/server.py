"""The agent's HTTP: who may ask, and what is answered."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot import __version__
from bot.agent.search import NotFound
from bot.agent.watch import Watch
from bot.clock import Clock
from bot.model.agent import ProcessRule

log = logging.getLogger("bot.agent")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(status: int, kind: str, error: str, fix: str) -> web.Response:
    """Every refusal has the same body: a kind for programs, and for people what is wrong and what to do."""
    return web.json_response({"kind": kind, "error": error, "next": fix}, status=status)


class Server:
    """The routes; ``token`` None lets everyone ask (on loopback only, which the program sees to)."""

    def __init__(self, watch: Watch, rule: ProcessRule, token: str | None, clock: Clock) -> None:
        self._watch = watch
        self._rule = rule
        self._token = token
        self._clock = clock

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._logged, self._allowed])
        app.add_routes([web.get("/v1/health", self._health), web.get("/v1/metrics", self._metrics)])
        return app

    @web.middleware
    async def _logged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = self._clock.monotonic()
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = problem(
                error.status, "no_such_path", error.reason, "GET /v1/health or /v1/metrics"
            )
        facts = {
            "method": request.method,
            "path": request.path,
            "status": response.status,
            "duration_ms": round((self._clock.monotonic() - began) * 1000, 3),
        }
        log.info("request", extra={"facts": facts})
        return response

    @web.middleware
    async def _allowed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing, not even which paths there are, is told without the token."""
        if self._token is not None and not carries(request, self._token):
            response = problem(
                401,
                "unauthorized",
                "the agent's token is missing or wrong",
                "send it as Authorization: Bearer TOKEN",
            )
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return await handler(request)

    async def _health(self, _request: web.Request) -> web.Response:
        """200 as long as the agent lives, whether or not there is a process to watch."""
        found = self._watch.found
        missing = found if isinstance(found, NotFound) else None
        return web.json_response(
            {
                "status": "ok",
                "version": __version__,
                "process": self._rule.model_dump(exclude_none=True),
                "target": None if isinstance(found, NotFound) else found.json(),
                "error": missing.error if missing else None,
                "next": missing.next if missing else None,
            }
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        answer = await self._watch.metrics()
        if isinstance(answer, NotFound):
            return problem(404, "process_not_found", answer.error, answer.next)
        return web.json_response(answer.json())


def carries(request: web.Request, token: str) -> bool:
    """Whether the request has the bearer token; how long this takes doesn't tell how much was right."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(
        given.strip().encode("utf-8", "surrogateescape"), token.encode("utf-8", "surrogateescape")
    )
    return right and scheme.lower() == "bearer"

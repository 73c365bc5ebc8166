"""The agent's HTTP: who may ask, and what is answered."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from bot import __version__
from bot.agent.answer import problem
from bot.agent.diagnostics import Diagnostics
from bot.agent.exposition import CONTENT_TYPE, Exposition
from bot.agent.probes import ProbeRefused, Probes
from bot.agent.relay import Relay
from bot.agent.search import NotFound
from bot.agent.watch import Watch
from bot.clock import Clock
from bot.model.agent import Address, ProcessRule

log = logging.getLogger("bot.agent")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_REFUSALS = {
    "no_such_probe": 404,
    "approval_needed": 403,
    "process_not_found": 404,
    "probe_running": 409,
    "probe_not_runnable": 502,
}


@dataclass(frozen=True)
class Services:
    """What the routes answer from."""

    watch: Watch
    diagnostics: Diagnostics
    probes: Probes
    relay: Relay
    exposition: Exposition


class Server:
    """The routes; ``token`` None lets everyone ask (on loopback only, which the program sees to)."""

    def __init__(
        self, services: Services, rule: ProcessRule, token: str | None, clock: Clock
    ) -> None:
        self._services = services
        self._rule = rule
        self._token = token
        self._clock = clock

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._logged, self._allowed], client_max_size=4_096)
        app.add_routes(
            [
                web.get("/v1/health", self._health),
                web.get("/v1/metrics", self._metrics),
                web.get("/v1/diagnostics", self._diagnostics),
                web.get("/v1/relay/{name}", self._relayed),
                web.get("/v1/probes", self._offered),
                web.post("/v1/probes/{name}", self._probe),
                web.get("/v1/artifacts/{run}/{name}", self._artifact),
                web.get("/metrics", self._exposed),
            ]
        )
        for name in self._services.diagnostics.names:
            if name != "probes":
                app.router.add_get(f"/v1/{name}", self._part)
        return app

    @web.middleware
    async def _logged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = self._clock.monotonic()
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = problem(error.status, "no_such_path", error.reason, self._paths())
        seconds = self._clock.monotonic() - began
        facts = {
            "method": request.method,
            "path": request.path[:200],
            "status": response.status,
            "duration_ms": round(seconds * 1000, 3),
        }
        log.info("request", extra={"facts": facts})
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "none"
        self._services.exposition.request(route, response.status, seconds)
        return response

    def _paths(self) -> str:
        parts = ", ".join(f"/v1/{name}" for name in self._services.diagnostics.names)
        return f"GET /v1/health, /v1/metrics, /v1/diagnostics, {parts}"

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
        if self._token is None and not local(request):
            fix = "ask it by its address, such as 127.0.0.1, or give it a token"
            return problem(403, "forbidden", "without a token, no web page may ask the agent", fix)
        return await handler(request)

    async def _health(self, _request: web.Request) -> web.Response:
        """200 as long as the agent lives, whether or not there is a process to watch: as it is now."""
        found = await self._services.watch.present()
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
        answer = await self._services.watch.metrics()
        if isinstance(answer, NotFound):
            return problem(404, "process_not_found", answer.error, answer.next)
        return web.json_response(answer.json())

    async def _diagnostics(self, _request: web.Request) -> web.Response:
        body, outcomes = await self._services.diagnostics.all()
        self._services.exposition.parts(outcomes)
        return web.json_response(body)

    async def _part(self, request: web.Request) -> web.Response:
        """200 also where the part failed: the agent answered, and says why."""
        body, outcome = await self._services.diagnostics.one(request.path.rpartition("/")[2])
        self._services.exposition.parts([outcome])
        return web.json_response(body)

    async def _relayed(self, request: web.Request) -> web.Response:
        return await self._services.relay.fetch(request.match_info["name"])

    async def _offered(self, _request: web.Request) -> web.Response:
        return web.json_response(self._services.probes.describe())

    async def _probe(self, request: web.Request) -> web.Response:
        """Nothing of the request has any effect but the probe's name, and that it is approved."""
        probes, name = self._services.probes, request.match_info["name"]
        agreed = approved(await request.read())
        found = await self._services.watch.present()
        pid = None if isinstance(found, NotFound) else found.process.pid
        try:
            run = await probes.run(name, pid, approved=agreed)
        except ProbeRefused as error:
            running = probes.running.json() if probes.running else None
            facts = {"running": running} if error.kind == "probe_running" else {}
            return problem(_REFUSALS[error.kind], error.kind, str(error), error.fix, **facts)
        self._services.exposition.probe(name, "stopped" if run.ended.stopped else "ended")
        log.info("probe run", extra={"facts": {"probe": name, "took_ms": run.took_ms}})
        return web.json_response(run.json())

    async def _artifact(self, request: web.Request) -> web.StreamResponse:
        run, name = request.match_info["run"], request.match_info["name"]
        path = self._services.probes.file(run, name)
        if path is None:
            fix = "run the probe again: the files of its last runs only are kept"
            return problem(404, "no_such_artifact", "there is no such file (any more)", fix)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return web.FileResponse(path, headers=headers)

    async def _exposed(self, _request: web.Request) -> web.Response:
        text = self._services.exposition.text(await self._services.watch.metrics())
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})


def local(request: web.Request) -> bool:
    """Whether it is from a program here, not from a page that a browser here shows.

    A page's POST has an ``Origin``; a page whose name was led to this machine has that name as ``Host``.
    """
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return False
    return "Origin" not in request.headers and Address(host, 0).loopback


def approved(body: bytes) -> bool:
    """Whether the body is ``{"approved": true}``; any other says nothing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("approved") is True


def carries(request: web.Request, token: str) -> bool:
    """Whether the request has the bearer token; how long this takes doesn't tell how much was right."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(
        given.strip().encode("utf-8", "surrogateescape"), token.encode("utf-8", "surrogateescape")
    )
    return right and scheme.lower() == "bearer"

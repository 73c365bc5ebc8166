"""``POST /intake/...``: alerts of Alertmanager, of any tool that sends JSON, deploys, and the reports of jobs.

200 means stored. Alertmanager sends again after a 5xx only (its webhook gives up at 4xx, also at 429), so
what it is to send later is 503 for it, and 429 for everybody else; both say when (``Retry-After``).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aiohttp import web

from bot.clock import Clock
from bot.errors import StoreError
from bot.model.alert import HEARTBEATS, Told
from bot.model.intake import AlertmanagerSource, AlertSource, DeploySource, Job, Limits
from bot.rules.alert import not_taken, told
from bot.rules.foreign import Unreadable
from bot.rules.foreign_deploy import deployed
from bot.services import foreign_deploys, jobs
from bot.services.intake import Flooded, Intake
from bot.services.live import Live
from bot.store.database import Database
from bot.web.body import raw
from bot.web.credential import given, suits
from bot.web.rate import Rate

log = logging.getLogger(__name__)
Read = TypeVar("Read")

BODY_WITHIN_S = 30
ASIDE_FROM = 32 * 1024
"""Bytes of a body from which it is read on a thread of its own, so that nobody waits for it."""
UNDER_WAY = 64_000_000
"""Bytes of all bodies that are held at once."""


@dataclass(frozen=True)
class Sender:
    """Whoever the token is of."""

    name: str
    settings: AlertSource | DeploySource | Job

    @property
    def later(self) -> int:
        """The status that makes it send again."""
        return 503 if isinstance(self.settings, AlertmanagerSource) else 429


class IntakeDoor:
    """The HTTP side of the intake."""

    def __init__(self, database: Database, live: Live, intake: Intake, clock: Clock) -> None:
        self._database = database
        self._live = live
        self._intake = intake
        self._clock = clock
        self._rate = Rate(clock)
        self._held = 0
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="intake")

    def routes(self) -> list[web.RouteDef]:
        """For the HTTP server."""
        return [
            web.post("/intake/alertmanager", self._alertmanager),
            web.post("/intake/alerts/{source}", self._alerts),
            web.post("/intake/heartbeat/{name}", self._heartbeat),
        ]

    def close(self) -> None:
        """Nothing is read any more."""
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def _alertmanager(self, request: web.Request) -> web.Response:
        """Of several sources of this kind the token tells which."""
        sources = self._live.config.intake.sources
        ours = {name: one for name, one in sources.items() if isinstance(one, AlertmanagerSource)}
        if not ours:
            fix = "add a source with `kind: alertmanager` below intake.sources"
            return _refusal(404, "no source of the kind alertmanager", "config", fix)
        sent = given(request.headers)
        suiting = [name for name, one in ours.items() if suits(one.token, sent)]
        if not suiting:
            return _unauthorized(request, "of a source of the kind alertmanager")
        name = suiting[0]
        return await self._take(request, Sender(name, ours[name]))

    async def _alerts(self, request: web.Request) -> web.Response:
        name = request.match_info["source"]
        source = self._live.config.intake.sources.get(name)
        if source is None:
            return _refusal(404, "no source of this name", "path", "see intake.sources")
        if not suits(source.token, given(request.headers)):
            return _unauthorized(request, f"of the source {name}")
        return await self._take(request, Sender(name, source))

    async def _heartbeat(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        job = self._live.config.intake.heartbeats.get(name)
        if job is None:
            return _refusal(404, "no heartbeat of this name", "path", "see intake.heartbeats")
        if not suits(job.token, given(request.headers)):
            return _unauthorized(request, f"of the heartbeat {name}")
        return await self._take(request, Sender(f"{HEARTBEATS}:{name}", job))

    async def _take(self, request: web.Request, sender: Sender) -> web.Response:
        """Too often: 429 or 503. Too large: 413. Not readable: 400. Not stored: 503. Stored: 200."""
        limits: Limits = sender.settings
        wait = self._rate.wait_s(sender.name, limits.rate)
        if wait:
            what = f"more than {limits.rate} requests a second"
            return _refusal(sender.later, what, sender.name, "send it again later", wait)
        size = min(request.content_length or limits.size, limits.size)
        if self._held + size > UNDER_WAY:
            return _refusal(sender.later, "too much at once", sender.name, "send it again", 1)
        self._held += size
        try:
            return await self._body(request, sender)
        except TimeoutError:
            what = f"no whole body within {BODY_WITHIN_S} s"
            return _refusal(408, what, "body", "send it again")
        except (web.RequestPayloadError, ConnectionError):  # packed badly, or broken off
            return _refusal(400, "the body did not come whole", "body", "send it again")
        except Flooded:
            what = "more than can be stored now"
            return _refusal(sender.later, what, sender.name, "send it again", 1)
        except StoreError as error:
            log.error("what %s sent could not be stored: %s", sender.name, error)
            return _refusal(503, "it could not be stored", sender.name, "send it again", 5)
        finally:
            self._held -= size

    async def _body(self, request: web.Request, sender: Sender) -> web.Response:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = await raw(request, sender.settings.size)
        if isinstance(sender.settings, Job):  # that it came is the report, whatever it says
            name = sender.name.removeprefix(f"{HEARTBEATS}:")
            await self._database.write(jobs.report, self._live.config, name)
            return web.json_response({"status": "stored"})
        if body is None:
            what = f"the body is larger than {sender.settings.size:,} bytes"
            log.error("what %s sent is too large: it was not read", sender.name)
            if isinstance(sender.settings, AlertSource):
                lost = not_taken(sender.name, sender.settings, self._clock.now())
                await self._intake.take([lost])
            fix = "send fewer alerts at once, or raise `size` of the source in the config"
            return _refusal(413, what, "body", fix)
        try:
            if isinstance(sender.settings, DeploySource):
                return await self._deploys(sender.name, sender.settings, body)
            read = await self._aside(body, partial(_read, self._live, sender, self._clock.now()))
        except Unreadable as error:
            log.warning("what %s sent can't be read: %s", sender.name, error)
            fix = "correct the tool's message, or `map` of the source in the config"
            return _refusal(400, str(error), "body", fix)
        await self._intake.take(read.alerts)
        return _stored(read, sender)

    async def _deploys(self, name: str, source: DeploySource, body: bytes) -> web.Response:
        found = await self._aside(body, lambda body: deployed(source, _parsed(body)))
        await self._database.write(foreign_deploys.record, self._live.config, name, found)
        return web.json_response({"status": "stored", "deploys": len(found)})

    async def _aside(self, body: bytes, read: Callable[[bytes], Read]) -> Read:
        if len(body) < ASIDE_FROM:
            return read(body)
        return await asyncio.get_running_loop().run_in_executor(self._reader, read, body)


def _read(live: Live, sender: Sender, now: int, body: bytes) -> Told:
    settings = sender.settings
    assert isinstance(settings, AlertSource)
    return told(sender.name, settings, _parsed(body), live.config.targets, now)


def _parsed(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        place = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"expected JSON in UTF-8, it can't be read{place}") from None
    return found


def _stored(read: Told, sender: Sender) -> web.Response:
    firing = sum(alert.firing for alert in read.alerts)
    said: dict[str, object] = {
        "status": "stored",
        "firing": firing,
        "resolved": len(read.alerts) - firing,
    }
    if read.ignored:
        said["ignored"] = read.ignored
    if read.unreadable:
        log.warning("%d alerts of %s can't be read", len(read.unreadable), sender.name)
        said |= {"unreadable": len(read.unreadable), "error": read.unreadable[0]}
    return web.json_response(said)


def _unauthorized(request: web.Request, whose: str) -> web.Response:
    log.warning("a request to %s was refused: wrong token", request.path)
    fix = (
        f"send `Authorization: Bearer TOKEN` with the token {whose}, or it as the password of Basic"
    )
    answer = _refusal(401, "no token, or a wrong one", "header Authorization", fix)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="intake", Basic realm="intake"'
    return answer


def _refusal(
    status: int, what: str, where: str, fix: str, retry_after_s: int | None = None
) -> web.Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    said = {"error": what, "where": where, "next": fix}
    return web.json_response(said, status=status, headers=headers)

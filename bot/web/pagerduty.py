"""``POST /intake/pagerduty/{way}``: PagerDuty's v3 webhooks. Somebody acknowledged there: it counts here.

Signed, once, and in time: ``X-PagerDuty-Signature`` over the raw bytes, each event by its id, and not after an
hour, as PagerDuty's own retries end after twenty minutes ("Verifying Signatures", "Behavior").
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.errors import StoreError
from bot.model.actor import Actor
from bot.model.config import Config
from bot.model.way import PagerDutyWay, incident_in
from bot.services.live import Live
from bot.web.body import raw

log = logging.getLogger(__name__)

BODY_LIMIT = 256 * 1024  # what is larger PagerDuty drops itself
MAX_AGE_MS = 3_600_000
_KEPT = 10_000


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody took an incident over in PagerDuty. ``at``: when, in milliseconds since the epoch."""

    incident_id: int
    actor: Actor
    at: int


@dataclass(frozen=True)
class Ignored:
    """An event that is none of the bot's business, and why."""

    reason: str


Heard = Callable[[Acknowledgement], Awaitable[object]]
"""Returned means committed. Raises ``StoreError`` where it could not be."""


class PagerDutyIntake:
    """``house``: the team's id, once it is known."""

    def __init__(
        self,
        live: Live,
        house: Callable[[], str | None],
        heard: Heard,
        clock: Clock,
    ) -> None:
        self._live = live
        self._house = house
        self._heard = heard
        self._clock = clock
        self._seen: OrderedDict[str, None] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """For the HTTP server."""
        return [web.post("/intake/pagerduty/{way}", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        """No such way, or no secret of it: 404. Too large: 413. Not signed: 401. Not readable: 400.

        Not stored, or not known yet whose bot this is: 503, and PagerDuty sends it again. 200: done, done
        before, or ignored.
        """
        name = request.match_info["way"]
        secret = _secret(self._live.config, name)
        if secret is None:
            return web.Response(status=404, text="no PagerDuty way with a webhook_secret")
        body = await raw(request, BODY_LIMIT)
        if body is None:
            return web.Response(status=413, text="the body is larger than 256 KiB")
        if not _signed(secret, request.headers.get("X-PagerDuty-Signature", ""), body):
            log.warning("a webhook to the way %s was refused: wrong signature", name)
            return web.Response(status=401, text="wrong signature")
        event = _event(body)
        if event is None:
            return web.Response(status=400, text="the body is no event of a v3 webhook")
        return await self._answer(name, event)

    async def _answer(self, name: str, event: Mapping[str, Any]) -> web.Response:
        house = self._house()
        if house is None:
            return web.Response(status=503, text="the bot doesn't know its team yet: send it again")
        found = self._read(house, event)
        if isinstance(found, Ignored):
            log.info("an event of the way %s is ignored: %s", name, found.reason)
            return web.json_response({"status": "ignored", "reason": found.reason})
        try:
            await self._heard(found)
        except StoreError as error:
            log.error("an acknowledgement in PagerDuty could not be stored: %s", error)
            return web.Response(status=503, text="not stored: send it again")
        self._remember(str(event.get("id")))
        return web.json_response({"status": "acknowledged", "incident": f"INC-{found.incident_id}"})

    def _read(self, house: str, event: Mapping[str, Any]) -> Acknowledgement | Ignored:
        if event.get("event_type") != "incident.acknowledged":
            return Ignored("only incident.acknowledged counts")
        agent = _mapping(event.get("agent"))
        if agent.get("type") != "user_reference":
            # Our own acknowledgement comes back so, by the integration.
            return Ignored("it was not done by a person")
        if str(event.get("id")) in self._seen:
            return Ignored("it was heard before")
        at = _milliseconds(event.get("occurred_at"))
        if at is None or self._clock.now() - at > MAX_AGE_MS:
            return Ignored("it is more than an hour old")
        key = str(_mapping(event.get("data")).get("incident_key"))
        number = incident_in(key, house)
        if number is None:
            return Ignored("it is about no incident of this bot")
        return Acknowledgement(number, _actor(self._live.config, house, agent), at)

    def _remember(self, event_id: str) -> None:
        self._seen[event_id] = None
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)


def _secret(config: Config, name: str) -> str | None:
    way = config.ways.get(name)
    if not isinstance(way, PagerDutyWay) or way.webhook_secret is None:
        return None
    return way.webhook_secret.get_secret_value()


def _signed(secret: str, given: str, body: bytes) -> bool:
    """Whether one of the signatures is ours: while a secret is changed, PagerDuty sends several."""
    wanted = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return any(
        hmac.compare_digest(wanted.encode(), one.strip().encode("utf-8", "replace"))
        for one in given.split(",")
    )


def _event(body: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    event = found.get("event") if isinstance(found, dict) else None
    return event if isinstance(event, dict) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _milliseconds(text: object) -> int | None:
    """An ISO time as milliseconds since the epoch; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is None:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None


def _actor(config: Config, house: str, agent: Mapping[str, Any]) -> Actor:
    """The person of the config whose PagerDuty user it is; anybody else by the name there."""
    user = agent.get("id")
    for person, contact in config.people.items():
        if contact.pagerduty is not None and contact.pagerduty == user:
            return Actor.slack(house, person)
    return Actor.pagerduty(str(agent.get("summary") or user or ""))

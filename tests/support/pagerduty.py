"""PagerDuty on loopback: the Events API v2, as strict as its documentation, and its signed webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

KEY = "0123456789abcdef0123456789abcdef"
_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")
_LIMITS = {"dedup_key": 255, "summary": 1_024}
_SIZE = 512 * 1024
_TOP = {
    *("routing_key", "event_action", "dedup_key", "payload"),
    *("images", "links", "client", "client_url"),
}
_PAYLOAD = {
    *("summary", "source", "severity", "timestamp"),
    *("component", "group", "class", "custom_details"),
}


@dataclass
class PagerDutyServer:
    """Alerts by their deduplication key; ``calls`` is how often somebody's phone rang.

    ``answers`` are what the next events are answered instead: a status with headers.
    """

    alerts: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    calls: int = 0
    url: str = ""

    async def _enqueue(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.answers:
            status, headers = self.answers.pop(0)
            return web.json_response({"status": "error"}, status=status, headers=headers)
        event = json.loads(body) if request.content_type == "application/json" else {}
        errors = list(_wrong(event, len(body)))
        if errors:
            refused = {
                "status": "invalid event",
                "message": "Event object is invalid",
                "errors": errors,
            }
            return web.json_response(refused, status=400)
        self.events.append(event)
        self._apply(event["event_action"], event["dedup_key"])
        taken = {
            "status": "success",
            "message": "Event processed",
            "dedup_key": event["dedup_key"],
        }
        return web.json_response(taken, status=202)

    def _apply(self, action: str, key: str) -> None:
        known = self.alerts.get(key, "resolved")
        if action == "trigger" and known == "resolved":
            self.alerts[key] = "triggered"
            self.calls += 1
        elif action != "trigger" and known != "resolved":
            self.alerts[key] = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[PagerDutyServer]:
        app = web.Application(client_max_size=2 * _SIZE)
        app.router.add_post("/v2/enqueue", self._enqueue)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v2/enqueue"
        try:
            yield self
        finally:
            await runner.cleanup()


def _wrong(event: dict[str, Any], size: int) -> Iterator[str]:
    """What PagerDuty's documentation doesn't allow."""
    if size > _SIZE:
        yield "the payload is larger than 512 KB"
    if event.get("routing_key") != KEY:
        yield "Invalid routing key"
    if event.get("event_action") not in _ACTIONS:
        yield "'event_action' is not one of trigger, acknowledge, resolve"
    if not isinstance(event.get("dedup_key"), str):
        yield "'dedup_key' is missing or blank"
    elif len(event["dedup_key"]) > _LIMITS["dedup_key"]:
        yield "'dedup_key' is too long"
    yield from (f"'{name}' is not known" for name in event.keys() - _TOP)
    if event.get("event_action") == "trigger":
        yield from _wrong_payload(event.get("payload") or {})
        yield from _wrong_links(event)


def _wrong_payload(payload: dict[str, Any]) -> Iterator[str]:
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            yield f"'payload.{name}' is missing or blank"
    if len(payload.get("summary", "")) > _LIMITS["summary"]:
        yield "'payload.summary' is too long"
    if payload.get("severity") not in _SEVERITIES:
        yield "'payload.severity' is invalid (must be one of critical, warning, error or info)"
    if "timestamp" in payload and datetime.fromisoformat(payload["timestamp"]).tzinfo is None:
        yield "'payload.timestamp' has no zone"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is no object"
    yield from (f"'payload.{name}' is not known" for name in payload.keys() - _PAYLOAD)


def _wrong_links(event: dict[str, Any]) -> Iterator[str]:
    for link in event.get("links", ()):
        if not re.match(r"https?://", link.get("href", "")) or link.keys() - {"href", "text"}:
            yield "'links' holds what is no link"


BOB_THERE = {
    "html_url": "https://acme.pagerduty.com/users/PLH1HKV",
    "id": "PLH1HKV",
    "self": "https://api.pagerduty.com/users/PLH1HKV",
    "summary": "Bob Builder",
    "type": "user_reference",
}


def webhook(
    key: str, at: str, *, kind: str = "incident.acknowledged", agent: Any = BOB_THERE, **more: Any
) -> bytes:
    """The body of a v3 webhook, shaped as PagerDuty documents it."""
    data = {
        "id": "PGR0VU2",
        "type": "incident",
        "self": "https://api.pagerduty.com/incidents/PGR0VU2",
        "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
        "number": 2,
        "status": kind.rpartition(".")[2],
        "incident_key": key,
        "created_at": at,
        "title": "[SEV2] INC-1 API slow: ä",
        "urgency": "high",
        "resolve_reason": None,
    }
    event = {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": at,
        "agent": agent,
        "client": {"name": "PagerDuty"},
        "data": data,
    }
    return json.dumps({"event": event | more}, ensure_ascii=False).encode()


def signed(body: bytes, *secrets: str) -> dict[str, str]:
    """The header with one signature a secret, as while a secret is changed."""
    signatures = (hmac.new(one.encode(), body, hashlib.sha256).hexdigest() for one in secrets)
    return {
        "X-PagerDuty-Signature": ",".join(f"v1={one}" for one in signatures),
        "Content-Type": "application/json",
    }

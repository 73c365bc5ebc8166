"""Signed HTTP: commands and interactions as forms, events as JSON, to the app's one URL."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlencode

import aiohttp

from bot.workspace.delivery import (
    ACK_SECONDS,
    NOT_CONNECTED,
    TIMED_OUT,
    Ack,
    EnvelopeKind,
    Retry,
)
from bot.workspace.interactions import VERIFICATION_TOKEN
from bot.workspace.records import Json
from bot.workspace.site import Site

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's ``v0`` signature of a request's raw body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class SignedHttp:
    """Posts to the events URL of the app."""

    def __init__(self, site: Site, url: str, ack_seconds: float = ACK_SECONDS) -> None:
        self._site = site
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=ack_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, kind: EnvelopeKind, payload: Json, retry: Retry | None = None) -> Ack:
        """One request; only events are ever repeated, by their sender."""
        if kind == "slash_commands":
            return await self._post(urlencode(payload).encode(), _FORM, {})
        if kind == "interactive":
            return await self._post(urlencode({"payload": json.dumps(payload)}).encode(), _FORM, {})
        headers = {}
        if retry is not None:
            headers["X-Slack-Retry-Num"] = str(retry.attempt)
            headers["X-Slack-Retry-Reason"] = retry.reason
        return await self._post(json.dumps(payload).encode(), _JSON, headers)

    async def verify_url(self) -> bool:
        """Slack's question when the URL is set: does it answer the challenge?"""
        body = {
            "token": VERIFICATION_TOKEN,
            "challenge": "local-challenge",
            "type": "url_verification",
        }
        ack = await self._post(json.dumps(body).encode(), _JSON, {})
        answer = ack.payload or {}
        return ack.ok and "local-challenge" in (answer.get("challenge"), answer.get("text"))

    async def _post(self, body: bytes, content_type: str, headers: dict[str, str]) -> Ack:
        timestamp = str(int(self._site.clock.now()))
        signed = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (local workspace)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._site.app.signing_secret, timestamp, body),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self._url, data=body, headers=signed | headers, timeout=self._timeout
            ) as response:
                return _ack(response.status, await response.text())
        except TimeoutError:
            return Ack(ok=False, why=TIMED_OUT, reason="http_timeout")
        except aiohttp.ClientError:
            return Ack(ok=False, why=NOT_CONNECTED, reason="connection_failed")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _ack(status: int, text: str) -> Ack:
    """A 2xx is an acknowledgement; its body is JSON, plain text, or nothing."""
    if not 200 <= status < 300:
        return Ack(ok=False, why=f"http_error ({status})", reason="http_error")
    if not text.strip():
        return Ack(ok=True)
    try:
        body = json.loads(text)
    except ValueError:
        return Ack(ok=True, payload={"text": text})
    return Ack(ok=True, payload=body if isinstance(body, dict) else {"text": text})

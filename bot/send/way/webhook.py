"""Signed JSON to a URL of the team's own.

``X-Iora-Signature: v1=HEX`` is the HMAC-SHA256 of ``TIMESTAMP.BODY``: the header ``X-Iora-Timestamp``, a dot,
the raw bytes. A receiver refuses another signature, and a timestamp that is minutes away. ``Idempotency-Key``
stays the same when the same is sent again, so that the receiver can drop it.
"""

from __future__ import annotations

import hashlib
import hmac

from pydantic import JsonValue

from bot.clock import Clock, at
from bot.http import Answer, Client
from bot.model.message import Outcome, Sent
from bot.model.way import Event, Page, WebhookWay
from bot.send.way.post import Post, compact, refusal, send, words_of
from bot.text import redacted

_PAUSE_MS = 5_000


class Webhook:
    """One receiver."""

    idempotent = False  # whether the receiver drops a repeat is its own affair

    def __init__(self, name: str, settings: WebhookWay, client: Client, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._client = client
        self._clock = clock

    async def tell(self, event: Event, page: Page) -> Outcome:
        secret = self._settings.secret.get_secret_value()
        body = compact(redacted(_told(event, page)))
        timestamp = str(self._clock.now() // 1_000)
        key = f"{page.key}:{event}"
        headers = {
            "X-Iora-Timestamp": timestamp,
            "X-Iora-Signature": f"v1={signature(secret, timestamp, body)}",
            "Idempotency-Key": key,
        }
        post = Post(self._settings.url, body, headers, self._settings.timeout)
        answer = await send(self._client, post)
        if not isinstance(answer, Answer):
            return answer
        if 200 <= answer.status <= 299:
            return Sent(self.name, key)
        return refusal(answer, words_of(answer, secret), pause_ms=_PAUSE_MS)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """In hex, of the timestamp (seconds since the epoch), a dot and the body."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _told(event: Event, page: Page) -> dict[str, JsonValue]:
    return {
        "version": 1,
        "event": event,
        "key": page.key,
        "thread": page.thread,
        "incident": page.incident,
        "severity": page.severity,
        "title": page.title,
        "text": page.text,
        "reason": page.reason,
        "person": page.person,
        "targets": list(page.targets),
        "readings": dict(page.readings),
        "link": page.link,
        "at": at(page.at).isoformat(timespec="milliseconds"),
        "drill": page.drill,
        "repeated": page.repeated,
    }

"""Checks that a request is Slack's, on the raw bytes, before anything parses them."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping

from bot.clock import SystemClock

MAX_AGE_S = 300
BODY_LIMIT = 1024 * 1024
_KEPT = 50_000


class Signature:
    """One signing secret. A signature is remembered only once its request succeeded.

    Otherwise Slack's own retry of a request that failed here would be refused as a replay.
    """

    def __init__(self, secret: str, clock: SystemClock) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._seen: OrderedDict[str, int] = OrderedDict()

    def problem(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Why the request is not accepted, or None."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        given = headers.get("X-Slack-Signature", "")
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            return "no timestamp"
        if not self._recent(int(timestamp)):
            return "too old"
        wanted = self._sign(timestamp, body)
        if not given.isascii() or not hmac.compare_digest(wanted, given):
            return "wrong signature"
        return "a replay" if given in self._seen else None

    def succeeded(self, headers: Mapping[str, str]) -> None:
        """The request was answered with success: the same signature again is a replay."""
        now = self._clock.now()
        self._seen[headers.get("X-Slack-Signature", "")] = now
        while self._seen:
            oldest = next(iter(self._seen.values()))
            if len(self._seen) <= _KEPT and now - oldest <= MAX_AGE_S * 2_000:
                break
            self._seen.popitem(last=False)

    def _recent(self, timestamp: int) -> bool:
        """By the bot's own clock, or by the wall clock: it may have been put right since the start."""
        now = self._clock.now()
        nearest = min(abs(at / 1000 - timestamp) for at in (now, now + self._clock.drift_ms()))
        return nearest <= MAX_AGE_S

    def _sign(self, timestamp: str, body: bytes) -> str:
        base = b"v0:" + timestamp.encode() + b":" + body
        return "v0=" + hmac.new(self._secret, base, hashlib.sha256).hexdigest()

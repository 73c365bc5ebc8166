"""How often a method may be called: tiers a minute, and one message a second a channel."""

from __future__ import annotations

import math
from collections import deque

from bot.workspace.clock import Clock
from bot.workspace.refusal import Refusal

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute of Slack's tiers."""

TIER_BURST = 5
"""So many more within a minute are let through: Slack tolerates a small burst."""

POST_BURST = 5
POSTS_A_SECOND = 1.0


class RateLimited(Refusal):
    """HTTP 429; ``retry_after`` in whole seconds, at least one."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__("ratelimited")


class Limits:
    """Counts calls. ``enabled`` False lets everything through, for tests that are not about limits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}
        self._posts: dict[str, tuple[float, float]] = {}
        self.enabled = True

    def call(self, method: str, tier: int | None) -> None:
        """Count a call of a method in its tier (None: a tier of its own, unlimited here)."""
        if tier is None or not self.enabled:
            return
        now = self._clock.now()
        calls = self._calls.setdefault(method, deque())
        while calls and now - calls[0] >= 60:
            calls.popleft()
        if len(calls) >= TIERS[tier] + TIER_BURST:
            raise RateLimited(60 - (now - calls[0]))
        calls.append(now)

    def post(self, channel: str) -> None:
        """Count a message in a channel: a burst of five, then one a second."""
        if not self.enabled:
            return
        now = self._clock.now()
        allowance, at = self._posts.get(channel, (float(POST_BURST), now))
        allowance = min(float(POST_BURST), allowance + (now - at) * POSTS_A_SECOND)
        if allowance < 1:
            self._posts[channel] = (allowance, now)
            raise RateLimited((1 - allowance) / POSTS_A_SECOND)
        self._posts[channel] = (allowance - 1, now)

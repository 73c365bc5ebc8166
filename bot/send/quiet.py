"""Who is in do-not-disturb, where Slack wakes nobody."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.send.client import CALL_ERRORS, error_code

log = logging.getLogger(__name__)

LIMIT_S = 2.0  # a page does not wait longer for the answer
KEPT_MS, KEPT = 60_000, 5_000
_NOT_OFFERED = {"missing_scope", "unknown_method", "not_allowed_token_type"}
_ASK_AGAIN_MS = 600_000


class Quiet:
    """``dnd.info``, once a minute a person; ten minutes after an app without the scope was refused."""

    def __init__(self, client: AsyncWebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._not_before = 0

    async def __call__(self, person: str) -> bool:
        """Whether the person is in do-not-disturb now; False where Slack does not say."""
        now = self._clock.now()
        known = self._known.get(person)
        if known is not None and now - known[1] < KEPT_MS:
            return _on(known[0], now / 1000)  # its hours may have begun since
        if now < self._not_before:
            return False
        try:
            async with asyncio.timeout(LIMIT_S):
                answer = await self._client.dnd_info(user=person)
        except CALL_ERRORS as error:
            log.info("dnd.info of %s: %s", person, error)
            if isinstance(error, SlackApiError) and error_code(error) in _NOT_OFFERED:
                self._not_before = now + _ASK_AGAIN_MS
            return False
        self._known[person] = answer.data, now
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return _on(answer.data, now / 1000)


def _on(answer: object, now: float) -> bool:
    """Snoozed, or within the hours that the person has set; times are seconds since the epoch."""
    if not isinstance(answer, dict):
        return False
    if answer.get("snooze_enabled") and _seconds(answer.get("snooze_endtime")) > now:
        return True
    begins, ends = (
        _seconds(answer.get("next_dnd_start_ts")),
        _seconds(answer.get("next_dnd_end_ts")),
    )
    return bool(answer.get("dnd_enabled")) and begins <= now < ends


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0

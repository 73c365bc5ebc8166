"""One POST of JSON to another way, and what its answer means where nothing more is agreed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from bot.http import Answer, Client, RequestFailed
from bot.model.message import Failed, Limited, Refused, Unsure
from bot.send.said import said

_SAID = 300
_LONGEST_PAUSE_MS = 300_000
_NOT_NOW = frozenset({408, 425})  # the server says itself that it did nothing


@dataclass(frozen=True)
class Post:
    """``headers`` may hold secrets. ``timeout`` in milliseconds, for all of it."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    timeout: int


def compact(value: Mapping[str, JsonValue]) -> bytes:
    """JSON as it is sent: what a signature is made of."""
    return json.dumps(value, separators=(",", ":")).encode()


async def send(client: Client, post: Post) -> Answer | Failed | Unsure:
    """POST it once, without redirects; whatever status comes back is an answer."""
    headers = {"Content-Type": "application/json", **post.headers}
    try:
        return await client.call(
            "POST", post.url, post.body, headers=headers, timeout_ms=post.timeout
        )
    except RequestFailed as error:
        return Unsure(str(error)) if error.sent else Failed(str(error))


def refusal(answer: Answer, words: str, *, pause_ms: int) -> Limited | Refused | Unsure | Failed:
    """What an answer that is no success means: ``pause_ms`` is how long a 429 asks to wait by default."""
    reason = f"HTTP {answer.status}" + (f": {words}" if words else "")
    if answer.status == 429:
        return Limited(_pause(answer.retry_after, pause_ms))
    if answer.status in _NOT_NOW:
        return Failed(reason)
    if 300 <= answer.status <= 499:
        return Refused(reason)
    return Unsure(reason)


def words_of(answer: Answer, *secrets: str) -> str:
    """What it said, for people."""
    return said(answer.body, secrets, _SAID)


def _pause(retry_after: str | None, default_ms: int) -> int:
    """``Retry-After`` where it is a number of seconds; five minutes at the most, whatever it says."""
    if not retry_after or not retry_after.isascii() or not retry_after.isdecimal():
        return default_ms
    return min(max(int(retry_after[:9]) * 1_000, 1_000), _LONGEST_PAUSE_MS)

"""Asks a target's health URL."""

from __future__ import annotations

import json

import jmespath

from bot.collect.formats import NO_RESULT, said
from bot.http import Client, Refused, RequestFailed, TimedOut, TooLarge, Unreachable, credentials
from bot.model.reading import Check, Reach
from bot.model.target import Target
from bot.text import without_controls


async def check(client: Client, target: Target, now: int) -> Check:
    """One request; whatever happens is a ``Check``, at the time ``now``.

    It is not tried again when it fails: how often it does is what is measured. (aiohttp alone sends it
    once more when the connection breaks before an answer, for a kept one may have gone stale.)
    """
    source, headers = target.health, credentials.of_target(target.auth)
    try:
        answer = await client.get(source.url, headers=headers, timeout_ms=source.timeout)
    except RequestFailed as error:
        return Check(at=now, reach=_reach(error), elapsed_ms=error.elapsed_ms, problem=str(error))
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data, word, problem = None, None, "the answer is not JSON" if source.status else None
    else:
        word, problem = _word(source.status, data)
    return Check(
        at=now,
        reach=Reach.ANSWERED,
        elapsed_ms=answer.elapsed_ms,
        http_status=answer.status,
        has_body=bool(answer.body.strip()),
        word=word,
        problem=problem,
        says=said(data),
        denies=isinstance(data, dict) and data.get("ok") is False,
        retry_after=answer.retry_after,
    )


def _reach(error: RequestFailed) -> Reach:
    match error:
        case Refused():
            return Reach.REFUSED
        case TimedOut():
            return Reach.TIMED_OUT
        case Unreachable():
            return Reach.UNREACHABLE
        case TooLarge():
            return Reach.TOO_LARGE
    return Reach.BROKEN


def _word(path: str | None, data: object) -> tuple[str | None, str | None]:
    """The status word, or None with the reason."""
    if path is None:
        return None, None
    try:
        found = jmespath.search(path, data)
    except NO_RESULT as error:
        return None, f"`{path}` can't be read: {error}"
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None, None
    return without_controls(str(found)), None

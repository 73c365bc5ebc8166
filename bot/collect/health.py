"""Asks a target's health URL."""

from __future__ import annotations

import json
import time

import jmespath

from bot.collect import prometheus
from bot.collect.formats import said
from bot.http import Answer, Client, RequestFailed, credentials, reach
from bot.model.reading import Check, Reach
from bot.model.target import HealthSource, Target, Value
from bot.rules.foreign import NO_RESULT
from bot.rules.measured import measured
from bot.text import without_controls


async def check(client: Client, target: Target, now: int) -> Check:
    """One request; whatever happens is a ``Check``, at the time ``now``.

    It is not tried again when it fails: how often it does is what is measured. (aiohttp alone sends it
    once more when the connection breaks before an answer, for a kept one may have gone stale.)
    """
    if target.health.promql is not None:
        return await _told(client, target.health, now)
    source, headers = target.health, credentials.of_target(target.auth)
    try:
        answer = await client.get(source.url, headers=headers, timeout_ms=source.timeout)
    except RequestFailed as error:
        return Check(at=now, reach=reach(error), elapsed_ms=error.elapsed_ms, problem=str(error))
    return said_in(answer, source, now)


def said_in(answer: Answer, source: HealthSource, now: int) -> Check:
    """What an answer of the health URL says, whichever way it came."""
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


async def _told(client: Client, source: HealthSource, now: int) -> Check:
    """What a Prometheus says of the target: the target itself is not asked."""
    asked = time.perf_counter()
    found = await prometheus.ask(client, source.asked, source.auth, source.timeout)
    reading = measured("up", Value(path="up", range=(0, 1)), found, now, source.label)
    return Check(
        at=now,
        reach=Reach.TOLD,
        elapsed_ms=(time.perf_counter() - asked) * 1000,
        up=reading.value,
        problem=reading.reason,
    )


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

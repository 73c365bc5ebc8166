"""Asks a target's health URL."""

from __future__ import annotations

import json

import jmespath
from jmespath.exceptions import JMESPathError

from bot.http import Answer, Client, Refused, RequestFailed, TimedOut, TooLarge, Unreachable
from bot.model.reading import Check, Reach
from bot.model.target import HealthSource
from bot.text import without_controls


async def check(client: Client, source: HealthSource, now: int) -> Check:
    """One request; whatever happens is a ``Check``, at the time ``now``."""
    try:
        answer = await client.get(source.url, timeout_ms=source.timeout)
    except RequestFailed as error:
        return Check(at=now, reach=_reach(error), elapsed_ms=error.elapsed_ms, problem=str(error))
    word, problem = _word(source, answer)
    return Check(
        at=now,
        reach=Reach.ANSWERED,
        elapsed_ms=answer.elapsed_ms,
        http_status=answer.status,
        has_body=bool(answer.body.strip()),
        word=word,
        problem=problem,
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


def _word(source: HealthSource, answer: Answer) -> tuple[str | None, str | None]:
    """The status word, or None with the reason."""
    if source.status is None:
        return None, None
    try:
        found = jmespath.search(source.status, json.loads(answer.body))
    except (ValueError, RecursionError):
        return None, "the answer is not JSON"
    except JMESPathError as error:
        return None, f"`{source.status}` can't be read: {error}"
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None, None
    return without_controls(str(found)), None

"""Asks a source of metrics: one request, and every value that the config names in it."""

from __future__ import annotations

import json

from bot.collect import prometheus
from bot.collect.formats import PAGES, Unreadable, said
from bot.http import Answer, Client, RequestFailed, credentials
from bot.model.reading import Reading
from bot.model.target import MetricSource, Target
from bot.rules.measured import Found, measured
from bot.rules.verdict import asked_wait

TRIES = 3


async def measure(
    client: Client, target: Target, source: MetricSource, now: int
) -> tuple[Reading, ...]:
    """A reading for each of its values, in order: known, or unknown with the reason."""
    if source.format == "promql":
        return await prometheus.measure(client, source, now)
    if source.url is not None:
        url, headers = source.url, credentials.of_target(target.auth)
    else:
        assert target.agent is not None, "checked when the config is read"
        url = target.agent.endpoint(f"relay/{source.relay}")
        headers = credentials.of_agent(target.agent)
    try:
        answer = await client.get(url, headers=headers, timeout_ms=source.timeout, tries=TRIES)
    except RequestFailed as error:
        return _nothing(source, now, str(error))
    problem = _relay_problem(answer) if source.relay else None
    problem = problem or _problem(answer)
    if problem is not None:
        return _nothing(source, now, problem)
    try:
        page = PAGES[source.format](answer.body.decode("utf-8", "replace"))
    except Unreadable as error:
        return _nothing(source, now, str(error))
    return tuple(
        measured(metric, value, page.find(value), now, source.label)
        for metric, value in source.values.items()
    )


def _nothing(source: MetricSource, now: int, reason: str) -> tuple[Reading, ...]:
    found = Found(reason=reason)
    return tuple(
        measured(metric, value, found, now, source.label) for metric, value in source.values.items()
    )


def _problem(answer: Answer) -> str | None:
    """Why an answer with this status holds no metrics; None for one that should."""
    status = answer.status
    match status:
        case 401 | 403:
            return f"access refused (HTTP {status}): check `auth`"
        case 404 | 405 | 410:
            return f"not there (HTTP {status}): check the URL"
        case 429:
            return f"busy with us (HTTP 429{asked_wait(answer.retry_after)})"
    if status < 300:
        return None
    if status < 400:
        return f"it redirects (HTTP {status}): put the final URL into the config"
    words = said(_json(answer.body))
    return f"HTTP {status}" + (f", {words}" if words else "")


def _relay_problem(answer: Answer) -> str | None:
    """What the agent itself says, as {"kind": ..., "error": ..., "next": ...}."""
    if answer.status == 401:
        return "the agent refused the token: check `agent.token`"
    data = _json(answer.body) if answer.status >= 400 else None
    if isinstance(data, dict) and {"kind", "error", "next"} <= data.keys():
        return f"the agent says: {str(data['error'])[:300]}"
    return None


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None

"""Asks a Prometheus: one request an expression, and the one sample that it should come to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from bot.http import Answer, Client, RequestFailed, credentials
from bot.model import promql
from bot.model.auth import Auth
from bot.model.reading import Reading
from bot.model.target import MetricSource, Value
from bot.rules.measured import Found, measured, shown
from bot.rules.verdict import asked_wait

TRIES = 3
AT_ONCE = 20
"""So many queries a Prometheus runs at once, unless told otherwise (``--query.max-concurrency``)."""
_WORDS = 200
_INFO = "PromQL info:"
"""How a Prometheus 2 begins a warning that only guesses at a mistake; later ones give it apart."""


async def measure(client: Client, source: MetricSource, now: int) -> tuple[Reading, ...]:
    """A reading for each of its values, in order: known, or unknown with the reason."""
    found = await asyncio.gather(*(_value(client, source, one) for one in source.values.values()))
    return tuple(
        measured(metric, value, one, now, source.label)
        for (metric, value), one in zip(source.values.items(), found, strict=True)
    )


async def ask(client: Client, url: str, auth: Auth | None, timeout_ms: int) -> Found:
    """The sample at this question's URL, as text, with the time that it was taken for in seconds.

    Anything but one number is nothing, with the reason.
    """
    try:
        headers = credentials.of_target(auth)
        answer = await client.get_in_turn(
            url, headers=headers, timeout_ms=timeout_ms, tries=TRIES, at_once=AT_ONCE
        )
    except RequestFailed as error:
        return Found(reason=str(error))
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data = None
    return _read(answer, data if isinstance(data, dict) else {})


async def _value(client: Client, source: MetricSource, value: Value) -> Found:
    """An instant query's sample has the time of the query: where it counts, its own is asked for."""
    assert source.url is not None, "checked when the config is read"
    asked = [value.path] if value.at is None else [value.path, value.at]
    urls = (promql.question(source.url, one) for one in asked)
    found, *times = await asyncio.gather(
        *(ask(client, url, source.auth, source.timeout) for url in urls)
    )
    for time in times:
        if found.reason is None and time.reason is not None:
            return Found(reason=f"its time at `{shown(value.at)}`: {time.reason}")
        found = replace(found, stamp=time.raw)
    return found


def _read(answer: Answer, data: dict[str, object]) -> Found:
    problem = _problem(answer, data)
    if problem is not None:
        return Found(reason=problem)
    match data.get("data"):
        case {"resultType": "scalar", "result": [stamp, raw]}:
            return Found(raw, stamp)
        case {"resultType": "vector", "result": [{"value": [stamp, raw]}]}:
            return Found(raw, stamp)
        case {"resultType": "vector", "result": []}:
            return Found(reason="no series")
        case {"resultType": "vector", "result": [*many]} if len(many) > 1:
            return Found(reason=f"{len(many)} series: narrow the query, or take their max or sum")
        case {"resultType": "matrix" | "string" as kind}:
            what = "a range of samples" if kind == "matrix" else "a text"
            return Found(reason=f"the query gives {what}, not one number")
    return Found(reason="the answer is not that of a Prometheus query")


def _problem(answer: Answer, data: dict[str, object]) -> str | None:
    """What the server says is wrong; a result with a warning may lack what it warns of."""
    said = _words(data.get("error"))
    match answer.status:
        case 401 | 403:
            return f"access refused (HTTP {answer.status}): check `auth` of this source"
        case 429:
            return f"busy with us (HTTP 429{asked_wait(answer.retry_after)})"
        case 400 | 422 if said:
            return f"it refuses the query: {said}"
        case 404 | 405 | 410:
            return f"no Prometheus there (HTTP {answer.status}): check the URL"
        case status if 300 <= status < 400:
            return f"it redirects (HTTP {status}): put the final URL into the config"
        case status if not 200 <= status < 300:
            return f"HTTP {status}" + (f", {said}" if said else "")
    if data.get("status") == "error":
        return f"it says {said or 'that it failed'}"
    warnings = data.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        if not str(warning).startswith(_INFO):
            return f"it warns: {_words(str(warning))}"
    return None


def _words(text: object) -> str:
    """What a server says, in one line that isn't too long."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    return line if len(line) <= _WORDS else f"{line[: _WORDS - 1]}…"

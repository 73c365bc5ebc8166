"""Asks the agent on a target's host for CPU, memory and the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from bot.http import Client, RequestFailed, credentials
from bot.model.reading import Reading
from bot.model.target import AgentSource
from bot.model.units import METRIC_UNITS
from bot.rules.verdict import missing
from bot.text import without_controls

SOURCE = "agent"
_REASON = 300  # characters of what an agent says
_LATEST = 253_402_300_800_000  # milliseconds: the year 10000, which no calendar shows
TRIES = 3


async def measure(
    client: Client, source: AgentSource, wanted: Sequence[str], now: int
) -> tuple[Reading, ...]:
    """The agent's readings. Each wanted metric is there: as a value, or unknown with the reason."""
    url, headers = source.endpoint("metrics"), credentials.of_agent(source)
    try:
        answer = await client.get(url, headers=headers, timeout_ms=source.timeout, tries=TRIES)
    except RequestFailed as error:
        return _none(wanted, now, f"the agent gave no answer: {error}")
    match answer.status:
        case 401:
            return _none(wanted, now, "the agent refused the token: check `agent.token`")
        case status if status != 200:
            return _none(wanted, now, _problem(answer.body, status))
    try:
        rows = json.loads(answer.body)["readings"]
        found = tuple(_reading(row) for row in rows if row["metric"] in METRIC_UNITS)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return _none(wanted, now, f"{url} does not answer as an agent does: check `agent.url`")
    known = {reading.metric for reading in found}
    absent = [metric for metric in wanted if metric not in known]
    return found + _none(absent, now, "the agent does not measure it")


def _reading(row: Mapping[str, Any]) -> Reading:
    """Raises what a wrong type or value raises, on a row that is not the agent's."""
    metric, value, at = str(row["metric"]), row["value"], int(row["at"])
    if not 0 <= at < _LATEST:
        raise ValueError("no time in milliseconds")
    reason = without_controls(str(row["reason"]))[:_REASON] if row.get("reason") else None
    number = None if value is None else float(value)
    if number is not None and not math.isfinite(number):
        number, reason = None, "not a number"
    return Reading(
        metric=metric,
        value=number,
        unit=METRIC_UNITS[metric],
        reason=None if number is not None else reason or "the agent gave no reason",
        at=at,
        source=SOURCE,
    )


def _none(wanted: Sequence[str], now: int, reason: str) -> tuple[Reading, ...]:
    return tuple(missing(metric, now, SOURCE, reason) for metric in wanted)


def _problem(body: bytes, status: int) -> str:
    """The agent says what it lacks as {"error": ..., "next": ...}."""
    try:
        said = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = f"HTTP {status}"
    return f"the agent says: {without_controls(str(said))[:_REASON]}"

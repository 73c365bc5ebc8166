"""Asks a target's agent for its diagnostics, part by part, so that a slow one holds up none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.http import Client, RequestFailed
from bot.model.report import Part
from bot.model.target import AgentSource

PARTS = ("snapshot", "threads", "heap", "leak", "logs", "database")
_OPTIONAL = {"database"}
"""Not every agent has one: where it is not configured, nothing is missing."""

Progress = Callable[[int, int], Awaitable[None]]


async def diagnose(
    client: Client, source: AgentSource | None, within_ms: int, progress: Progress
) -> Mapping[str, Part]:
    """Every part that the agent offers; one that can't be read, or not in time, has its error.

    Each has the agent's own time limit, and none more than ``within_ms``.

    ``progress`` is told how many of how many parts have come.
    """
    if source is None:
        return {"agent": Part(name="agent", data=None, error="no agent in the config")}
    within_ms = min(within_ms, source.timeout)
    asking = {
        asyncio.create_task(_part(client, source, name, within_ms), name=f"diagnose {name}")
        for name in PARTS
    }
    found: dict[str, Part] = {}
    total = len(PARTS)
    await progress(0, total)
    try:
        for one in asyncio.as_completed(asking):
            part = await one
            if part is None:
                total -= 1
            else:
                found[part.name] = part
            await progress(len(found), total)
    finally:
        for task in asking:
            task.cancel()
    return _in_order(found)


def _in_order(found: Mapping[str, Part]) -> dict[str, Part]:
    """One line instead of six where the agent is away as a whole."""
    errors = {part.error for part in found.values()}
    if len(found) > 1 and len(errors) == 1 and None not in errors:
        return {"agent": Part(name="agent", data=None, error=errors.pop())}
    return {name: found[name] for name in PARTS if name in found}


async def _part(client: Client, source: AgentSource, name: str, within_ms: int) -> Part | None:
    """None where the agent does not have this part."""
    headers = {}
    if source.token is not None and source.token.get_secret_value():
        headers["Authorization"] = f"Bearer {source.token.get_secret_value()}"
    url = f"{source.url.rstrip('/')}/v1/{name}"
    try:
        answer = await client.get(url, headers=headers, timeout_ms=within_ms)
    except RequestFailed as error:
        return Part(name=name, data=None, error=f"the agent gave no answer: {error}")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if answer.status == 401:
        problem = "the agent refused the token: check `agent.token`"
        return Part(name=name, data=None, error=problem)
    if not isinstance(said, dict):
        wrong = f"HTTP {answer.status}, no answer of an agent: check `agent.url`"
        return Part(name=name, data=None, error=wrong)
    return _told(name, answer.status, said)


def _told(name: str, status: int, said: Mapping[str, Any]) -> Part | None:
    """What an agent's JSON says: a part, a part that failed, or that there is none of this name."""
    if "data" in said:
        error = str(said.get("error") or "no reason given")[:300]
        if name in _OPTIONAL and error.startswith("not configured"):
            return None
        data = _checked(name, said["data"])
        if said.get("ok") and data is None:
            error = "the agent's answer has another shape: is it of another version?"
        return Part(
            name=name,
            data=data,
            error=None if said.get("ok") and data is not None else error,
            took_ms=said.get("took_ms"),
        )
    if said.get("kind") == "no_such_path":
        if name in _OPTIONAL:
            return None
        return Part(name=name, data=None, error="the agent has no diagnostics: update it")
    problem = str(said.get("error") or f"HTTP {status}")[:300]
    return Part(name=name, data=None, error=f"the agent says: {problem}")


def _checked(name: str, data: object) -> object:
    """The data, if it is of the shape that findings read; None otherwise."""
    if name == "logs":
        whole = isinstance(data, list) and all(isinstance(one, dict) for one in data)
        return data if whole else None
    return data if isinstance(data, dict) else None

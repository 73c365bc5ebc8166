"""Asks the agent on a target's host what it sees of it, where the bot itself got no answer."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlsplit

from bot.collect import health
from bot.http import Answer, Client, RequestFailed, credentials
from bot.model.reading import Check, Reach
from bot.model.target import AgentSource, HealthSource, Target
from bot.model.vantage import Sight, Vantage
from bot.text import clean

_ODD = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
_PORTS = {"http": 80, "https": 443}
_REASON = 200  # characters of what an agent says


async def look(client: Client, target: Target, now: int) -> Vantage | None:
    """One request to the agent: the service's answer that it relays, else whether the process lives.

    None where there is no agent to ask, or where it is a Prometheus that did not answer.
    """
    agent, relay = target.agent, target.health.relay
    if agent is None or target.health.promql is not None:
        return None
    url = agent.endpoint(f"relay/{relay}" if relay is not None else "health")
    headers = credentials.of_agent(agent)
    try:
        answer = await client.get(url, headers=headers, timeout_ms=agent.timeout)
    except RequestFailed as error:
        return Vantage(sight=Sight.MUTE, elapsed_ms=error.elapsed_ms, problem=str(error))
    if answer.status == 401 and answer.relay is None:
        return _unsure(answer, "it refused the token, check `agent.token`")
    if relay is None:
        return _process(answer, target.health)
    return _relayed(answer, agent, target.health, now)


def _relayed(answer: Answer, agent: AgentSource, source: HealthSource, now: int) -> Vantage:
    """The service's own answer carries the relay's name; the agent's refusal says how far it got."""
    if answer.relay is not None:
        check = health.said_in(answer, source, now)
        return Vantage(sight=Sight.ASKED, elapsed_ms=answer.elapsed_ms, check=check)
    try:
        said = json.loads(answer.body)
        problem, got = clean(str(said["error"]), _REASON), said.get("reach", Reach.ANSWERED)
        reach = Reach(got)
    except _ODD:
        fix = f"check `agent.url` ({agent.url})"
        return _unsure(answer, f"HTTP {answer.status}, no answer of an agent, {fix}")
    if reach is Reach.ANSWERED:  # it refuses, or what it got is no answer that it passes on
        return _unsure(answer, problem)
    check = Check(at=now, reach=reach, elapsed_ms=answer.elapsed_ms, problem=problem)
    return Vantage(sight=Sight.ASKED, elapsed_ms=answer.elapsed_ms, check=check)


def _process(answer: Answer, source: HealthSource) -> Vantage:
    """From ``/v1/health``: whether the watched process lives, and listens where the bot asks."""
    try:
        said = json.loads(answer.body)
        rule, found = said["process"], said["target"]
        if found is None:
            problem = f"the process is not found on its host: {clean(str(said['error']), _REASON)}"
            return Vantage(sight=Sight.GONE, elapsed_ms=answer.elapsed_ms, problem=problem)
        listens = rule.get("port") == _port(source.url) and found["note"] is None
        name = f"process {int(found['pid'])} ({clean(str(found['name']), 60)})"
    except _ODD:
        return _unsure(answer, "it does not answer as an agent does, check `agent.url`")
    seen = Vantage(
        sight=Sight.RUNS, elapsed_ms=answer.elapsed_ms, problem=f"{name} runs on its host"
    )
    if not listens:
        return seen
    problem = f"{name} listens on port {rule['port']} of its host"
    return replace(seen, sight=Sight.LISTENS, problem=problem)


def _unsure(answer: Answer, problem: str) -> Vantage:
    return Vantage(sight=Sight.UNSURE, elapsed_ms=answer.elapsed_ms, problem=problem)


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port or _PORTS.get(parts.scheme.lower())

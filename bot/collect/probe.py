"""Has the agent on a target's host run a probe that its own config names, and takes what it left."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from bot.http import Answer, Client, Refused, RequestFailed, TimedOut, TooLarge, credentials
from bot.model.probe import (
    Artifact,
    Offers,
    ProbeFailed,
    ProbeOffer,
    ProbeOutcome,
    ProbeRun,
    Trouble,
)
from bot.model.target import AgentSource
from bot.text import clean, redact, without_controls

MIB = 1024 * 1024
ARTIFACT_LIMIT = 8 * MIB
MARGIN_MS = 15_000
"""More than the probe's own time: the agent lets it end in peace, and reads what it left."""
_RUN_LIMIT = 16 * MIB  # two streams of 1 MB, at worst six characters a byte, and small files
_RUN = re.compile(r"[0-9a-f]{1,64}")
_FILE = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,99}")
_KINDS: Mapping[str, Trouble] = {
    "no_such_probe": "not_offered",
    "approval_needed": "needs_approval",
    "probe_running": "busy",
    "process_not_found": "no_process",
    "probe_not_runnable": "not_runnable",
    "no_such_artifact": "gone",
}
_ODD = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


async def offered(client: Client, source: AgentSource) -> Offers:
    """The probes by name; an agent that offers none is an empty mapping."""
    url, headers = source.endpoint("probes"), credentials.of_agent(source)
    try:
        answer = await client.get(url, headers=headers, timeout_ms=source.timeout, tries=3)
    except RequestFailed as error:
        return _no_answer(error)
    if answer.status != 200:
        return _refusal(answer)
    try:
        offers = [_offer(row) for row in json.loads(answer.body)["probes"]]
    except _ODD:
        return _no_agent(url)
    return {offer.name: offer for offer in offers}


async def run(
    client: Client, source: AgentSource, name: str, *, approved: bool = False
) -> ProbeOutcome:
    """Run it once and wait for its end: for its own time limit, and a margin.

    ``approved``: a person said yes to this run, where the probe asks for that.
    """
    offers = await offered(client, source)
    if isinstance(offers, ProbeFailed):
        return offers
    if (offer := offers.get(name)) is None:
        known = ", ".join(offers) or "none"
        return ProbeFailed("not_offered", f"the agent offers no probe {name}, but: {known}")
    url = source.endpoint(f"probes/{name}")
    headers = {"Content-Type": "application/json", **credentials.of_agent(source)}
    body = json.dumps({"approved": approved}).encode()
    limit_ms = offer.timeout + max(MARGIN_MS, source.timeout)
    try:
        answer = await client.call(
            "POST", url, body, headers=headers, timeout_ms=limit_ms, limit=_RUN_LIMIT
        )
    except RequestFailed as error:
        return _no_answer(error)
    if answer.status != 200:
        return _refusal(answer)
    try:
        return await asyncio.to_thread(_ran, answer.body)  # megabytes, and nobody should wait
    except _ODD:
        return _no_agent(url)


async def artifact(
    client: Client, source: AgentSource, one: Artifact, *, limit: int = ARTIFACT_LIMIT
) -> bytes | ProbeFailed:
    """The file's content, exactly as the agent listed it; at most ``limit`` bytes of it are taken."""
    if one.size > limit:
        size = f"{one.size / MIB:.1f} MiB, more than {limit / MIB:g} MiB"
        return ProbeFailed("too_large", f"{one.name} is {size}: fetch it from the agent's machine")
    content = one.content
    if content is None:
        taken = await _download(client, source, one, limit)
        if isinstance(taken, ProbeFailed):
            return taken
        content = taken
    if hashlib.sha256(content).hexdigest() != one.sha256:
        return ProbeFailed("gone", f"{one.name} is not the file any more that the probe left")
    return content


async def _download(
    client: Client, source: AgentSource, one: Artifact, limit: int
) -> bytes | ProbeFailed:
    url = source.endpoint(f"artifacts/{one.run}/{one.name}")
    headers = credentials.of_agent(source)
    limit_ms = max(MARGIN_MS, source.timeout)
    try:
        answer = await client.get(url, headers=headers, timeout_ms=limit_ms, tries=3, limit=limit)
    except RequestFailed as error:
        return _no_answer(error)
    return answer.body if answer.status == 200 else _refusal(answer)


def _offer(row: Mapping[str, Any]) -> ProbeOffer:
    """Raises what a wrong type or value raises, on a row that is not the agent's."""
    return ProbeOffer(
        name=clean(str(row["name"]), 63),
        description=clean(str(row.get("description", "")), 300),
        argv=tuple(clean(str(word), 200) for word in row["argv"]),
        timeout=min(max(int(row["timeout_ms"]), 0), 600_000),
        needs_approval=bool(row.get("approval", False)),
    )


def _ran(body: bytes) -> ProbeRun:
    """Raises what a wrong type or value raises, on an answer that is not the agent's."""
    said = json.loads(body)
    run_id = str(said["run"])
    return ProbeRun(
        probe=clean(str(said["probe"]), 63),
        at=int(said["at"]),
        took_ms=float(said["took_ms"]),
        exit_code=_whole(said["exit_code"]),
        signal=_whole(said["signal"]),
        stopped=clean(str(said["stopped"]), 300) if said["stopped"] else None,
        stdout=redact(without_controls(str(said["stdout"]))),
        stderr=redact(without_controls(str(said["stderr"]))),
        stdout_dropped=int(said["stdout_dropped_bytes"]),
        stderr_dropped=int(said["stderr_dropped_bytes"]),
        artifacts=tuple(_artifact(run_id, row) for row in said["artifacts"]),
        left_out={
            clean(str(name), 100): clean(str(why), 300) for name, why in said["left_out"].items()
        },
    )


def _artifact(run_id: str, row: Mapping[str, Any]) -> Artifact:
    """The URL that the agent names is not used: only its parts, and only of the shape they have."""
    name, encoded = str(row["name"]), row["base64"]
    if not _RUN.fullmatch(run_id) or not _FILE.fullmatch(name) or name in {".", ".."}:
        raise ValueError("no artifact of an agent")
    return Artifact(
        run=run_id,
        name=name,
        size=int(row["bytes"]),
        sha256=str(row["sha256"]),
        content=None if encoded is None else base64.b64decode(encoded, validate=True),
    )


def _whole(value: object) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError("expected a whole number or null")
    return value


def _no_answer(error: RequestFailed) -> ProbeFailed:
    kind: Trouble = "unreachable"
    match error:
        case TimedOut():
            kind = "timeout"
        case TooLarge():
            kind = "too_large"
        case Refused():
            return ProbeFailed(kind, f"the agent does not run there: {error}")
    return ProbeFailed(kind, f"the agent gave no answer: {error}")


def _refusal(answer: Answer) -> ProbeFailed:
    """The agent says what it lacks as {"kind": ..., "error": ..., "next": ...}."""
    if answer.status == 401:
        return ProbeFailed("unauthorized", "the agent refused the token: check `agent.token`")
    try:
        said = json.loads(answer.body)
        kind, error, fix = str(said["kind"]), str(said["error"]), str(said.get("next") or "")
    except _ODD:
        return ProbeFailed(
            "no_agent", f"HTTP {answer.status}, no answer of an agent: check `agent.url`"
        )
    reason = f"the agent says: {clean(error, 300)}" + (f"; {clean(fix, 300)}" if fix else "")
    return ProbeFailed(_KINDS.get(kind, "no_agent"), reason)


def _no_agent(url: str) -> ProbeFailed:
    return ProbeFailed(
        "no_agent", f"{url} does not answer as an agent does: check `agent.url`, or update it"
    )

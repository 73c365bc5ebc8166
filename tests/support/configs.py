"""Small valid configs: two targets, three people, two policies."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.config import Config
from bot.model.policy import Policy

ALICE, BOB, MALLORY = "U01ALICE", "U02BOB", "U03MALLORY"
"""Commander and responder; responder; a full member without a role."""
TEAM = "T01TEAM"

_CRITICAL: dict[str, Any] = {
    "levels": [
        {"after": "0s", "notify": ["channel", f"user:{ALICE}"]},
        {"after": "5m", "notify": ["group:engineering"]},
        {"after": "15m", "notify": [f"user:{BOB}"]},
    ],
    "repeat": {"every": "15m", "times": 3},
}
_BASE: dict[str, Any] = {
    "version": 1,
    "slack": {"team": TEAM, "channel": "incidents"},
    "targets": {
        "iora": {
            "health": {"url": "http://127.0.0.1:8080/api/health", "status": "status"},
            "agent": {"url": "http://127.0.0.1:9108"},
        },
        "worker": {"health": {"url": "http://127.0.0.1:7070/healthz", "status": "status"}},
    },
    "escalation": {
        "default": "critical",
        "by_severity": {"sev3": "announce", "sev4": "announce"},
        "last_resort": [f"user:{ALICE}"],
        "policies": {
            "announce": {"levels": [{"after": "0s", "notify": ["channel"]}]},
            "critical": _CRITICAL,
        },
    },
    "groups": {"engineering": [ALICE, BOB]},
    "roles": {"responder": [ALICE, BOB], "commander": [ALICE]},
}


def levels(*pairs: tuple[str, Sequence[str]]) -> list[dict[str, Any]]:
    """``levels(("0s", ["channel"]), ("5m", ["user:U02BOB"]))`` as the file would write them."""
    return [{"after": after, "notify": list(notify)} for after, notify in pairs]


def policy(*pairs: tuple[str, Sequence[str]], every: str = "15m", times: int = 3) -> dict[str, Any]:
    """A policy as the file would write it."""
    return {"levels": levels(*pairs), "repeat": {"every": every, "times": times}}


def parsed_policy(*pairs: tuple[str, Sequence[str]], every: str = "15m", times: int = 3) -> Policy:
    """The same as a record."""
    return Policy.model_validate_json(json.dumps(policy(*pairs, every=every, times=times)))


def config(
    *,
    critical: Mapping[str, Any] | None = None,
    escalation: Mapping[str, Any] | None = None,
    **top: Any,
) -> Config:
    """The base with keys replaced: of the whole file, of ``escalation``, and the policy ``critical``."""
    data = copy.deepcopy(_BASE)
    if critical is not None:
        data["escalation"]["policies"]["critical"] = critical
    data["escalation"] |= escalation or {}
    data |= top
    return Config.model_validate_json(json.dumps(data))

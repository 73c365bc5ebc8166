"""Alerts as tools send them, and a config with somewhere to send them to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ALERTMANAGER, BUILDS, NIGHTLY = "an-alertmanager-token", "a-builds-token", "a-nightly-token"
INTAKE: dict[str, Any] = {
    "sources": {
        "prometheus": {"kind": "alertmanager", "token": ALERTMANAGER},
        "builds": {
            "kind": "json",
            "token": BUILDS,
            "open": "suggest",
            "map": {
                "title": "message",
                "fingerprint": "id",
                "status": "state",
                "target": "service",
                "severity": "level",
            },
        },
    },
    "heartbeats": {
        "nightly-backup": {"every": "24h", "grace": "1h", "token": NIGHTLY, "target": "iora"}
    },
}


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def firing(name: str = "HighErrorRate", number: int = 1, **changes: Any) -> dict[str, Any]:
    """One alert of Alertmanager's message."""
    labels = {"alertname": name, "service": "iora", "severity": "warning", "instance": f"i{number}"}
    return {
        "status": "firing",
        "labels": labels | changes.pop("labels", {}),
        "annotations": {"summary": f"{name} on i{number}"},
        "startsAt": "2025-06-15T15:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": f"{name}-{number}",
    } | changes


def resolved(name: str = "HighErrorRate", number: int = 1, **changes: Any) -> dict[str, Any]:
    ended = {"status": "resolved", "endsAt": "2025-06-15T15:05:00Z"}
    return firing(name, number, **(ended | changes))


def message(
    alerts: Sequence[Mapping[str, Any]], by: Mapping[str, str] | None = None, **changes: Any
) -> dict[str, Any]:
    """Alertmanager's message, version 4."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "iora",
        "groupLabels": by if by is not None else {"alertname": "HighErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
    } | changes

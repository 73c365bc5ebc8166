"""A storm of alerts from a process of its own: so many a second, whatever becomes of those before."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

NAMES = 200
_PATIENCE_S = 60
_AGAIN_S = 0.5


@dataclass(frozen=True)
class Storm:
    """``batch`` alerts a request, as Alertmanager groups them; ``path`` with one alert each is any JSON."""

    url: str
    token: str
    seconds: float
    a_second: int
    batch: int


@dataclass
class Sent:
    """``took``: seconds from a request to its 200, those that were sent again included."""

    alerts: int = 0
    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    late_s: float = 0.0


def send(storm: Storm) -> Sent:
    """Send it, and wait until all of it was taken; a refusal that says so is sent again."""
    return asyncio.run(_send(storm))


async def _send(storm: Storm) -> Sent:
    sent = Sent()
    requests = max(1, round(storm.seconds * storm.a_second / storm.batch))
    each = storm.batch / storm.a_second
    headers = {"Authorization": f"Bearer {storm.token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        began = time.monotonic()
        tasks = []
        for number in range(requests):
            wait = began + number * each - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            sent.late_s = max(sent.late_s, -wait)
            body = _body(storm, number)
            tasks.append(asyncio.create_task(_post(session, storm, body, sent)))
        await asyncio.wait_for(asyncio.gather(*tasks), _PATIENCE_S + storm.seconds)
    sent.alerts = requests * storm.batch
    return sent


async def _post(session: aiohttp.ClientSession, storm: Storm, body: bytes, sent: Sent) -> None:
    began = time.monotonic()
    while True:
        async with session.post(storm.url, data=body) as answer:
            await answer.read()
        sent.statuses[answer.status] += 1
        if answer.status == 200:
            sent.took.append(time.monotonic() - began)
            return
        if answer.status not in {429, 503}:
            raise RuntimeError(f"HTTP {answer.status}")
        await asyncio.sleep(_AGAIN_S)


def _body(storm: Storm, number: int) -> bytes:
    first = number * storm.batch
    if storm.url.endswith("/intake/alertmanager"):
        alerts = [_alert(one) for one in range(first, first + storm.batch)]
        labels = {"alertname": alerts[0]["labels"]["alertname"]}
        return json.dumps({"version": "4", "groupLabels": labels, "alerts": alerts}).encode()
    return json.dumps(
        {"id": first, "message": f"Alert{first % NAMES}", "level": "warning"}
    ).encode()


def _alert(number: int) -> dict[str, Any]:
    name = f"Alert{number % NAMES}"
    return {
        "status": "firing",
        "labels": {
            "alertname": name,
            "service": "iora",
            "severity": "warning" if number % 10 else "critical",
            "instance": f"10.0.{number // 250 % 250}.{number % 250}:9100",
        },
        "annotations": {"summary": f"{name} on instance {number}", "description": "x" * 200},
        "startsAt": "2025-06-15T15:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": f"{number:016x}",
    }

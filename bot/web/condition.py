"""``/healthz``, ``/readyz`` and ``/metrics``: how the bot itself is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    generate_latest,
)

from bot.clock import Clock
from bot.errors import StoreError
from bot.model.incident import Severity
from bot.model.upkeep import Upkeep
from bot.store import holds, incidents, outbox, timers
from bot.store.database import Database, Tx

STALE_BEAT_MS = 15_000
_READ_LIMIT_S = 2


class Beating(Protocol):
    """A loop."""

    name: str
    beat: int


class Condition:
    """``link`` says what is wrong between here and Slack, or None."""

    def __init__(
        self,
        database: Database,
        loops: Sequence[Beating],
        link: Callable[[], str | None],
        upkeep: Callable[[], Upkeep],
        clock: Clock,
    ) -> None:
        self._upkeep = upkeep
        self._database = database
        self._loops = loops
        self._link = link
        self._clock = clock
        self.stopping = False
        self._registry = CollectorRegistry()
        self._open = Gauge(
            "iora_incidents_open",
            "Incidents that are not resolved",
            ["severity"],
            registry=self._registry,
        )
        self._gauges = {
            name: Gauge(f"iora_{name}", text, registry=self._registry)
            for name, text in _GAUGES.items()
        }
        self._counters = {
            name: Counter(f"iora_{name}", text, registry=self._registry)
            for name, text in _COUNTERS.items()
        }
        self._pages = Counter(
            "iora_pages", "Pages that arrived, by way", ["way"], registry=self._registry
        )
        self._counted: dict[str, int] = {}

    def routes(self) -> list[web.RouteDef]:
        """For the HTTP server."""
        return [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
        ]

    async def problems(self) -> list[str]:
        """Why the bot is not ready; empty when it is."""
        found = ["the bot is stopping"] if self.stopping else []
        try:
            async with asyncio.timeout(_READ_LIMIT_S):
                await self._database.read(timers.next_due)
        except TimeoutError:
            found.append(f"database: no answer within {_READ_LIMIT_S} s")
        except StoreError as error:
            found.append(f"database: {error}")
        link = self._link()
        if link is not None:
            found.append(f"Slack: {link}")
        now = self._clock.now()
        found += [
            f"the {loop.name} loop has not come round for {(now - loop.beat) // 1000} s"
            for loop in self._loops
            if now - loop.beat > STALE_BEAT_MS
        ]
        return found

    async def _alive(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, request: web.Request) -> web.Response:
        problems = await self.problems()
        body = {"status": "not ready" if problems else "ready", "problems": problems}
        return web.json_response(body, status=503 if problems else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        try:
            seen = await self._database.read(_counts)
        except StoreError as error:
            return web.Response(status=503, text=f"{error}\n")
        for severity in Severity:
            self._open.labels(severity=severity).set(seen[severity])
        late = self._clock.now() - seen["next_timer"] if seen["next_timer"] else 0
        self._gauges["outbox_waiting"].set(seen["waiting"])
        self._gauges["findings"].set(seen["findings"])
        self._gauges["timer_late_seconds"].set(max(0, late) / 1000)
        self._gauges["slack_link_up"].set(self._link() is None)
        self._gauges["disk_reserve_spent"].set(self._database.reserve.spent)
        self._tell_upkeep(self._upkeep())
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _tell_upkeep(self, known: Upkeep) -> None:
        """The counts of others, as counters of ours."""
        self._gauges["late_timers"].set(known.late[0])
        self._gauges["late_messages"].set(known.late[1])
        made_at = known.backup_at
        age = float("nan") if made_at is None else max(0, self._clock.now() - made_at) / 1000
        self._gauges["backup_age_seconds"].set(age)
        self._gauges["database_writable"].set(self._database.trouble is None)
        counts = {
            "database_functions": self._database.counters.functions,
            "unrecorded_pages": known.unrecorded,
            "slack_reconnects": max(0, known.sockets - 1),
            "alarms": known.alarms,
            "clock_jumps": known.clock_jumps,
            "backups": known.backups_made,
            "backups_failed": known.backups_failed,
            "heartbeats": known.heartbeats,
        }
        for name, count in counts.items():
            self._counters[name].inc(self._grown(name, count))
        for way, count in known.paged.items():
            self._pages.labels(way=way).inc(self._grown(f"way {way}", count))

    def _grown(self, name: str, count: int) -> int:
        before, self._counted[name] = self._counted.get(name, 0), count
        return count - before


_COUNTERS = {
    "database_functions": "Functions of the store that ran",
    "unrecorded_pages": "Pages that went out from memory while nothing could be stored",
    "slack_reconnects": "Sockets that were made anew by a client of its own",
    "alarms": "Times in which the bot paged about itself",
    "clock_jumps": "How often the wall clock was set by more than 30 s",
    "backups": "Backups that were made and checked",
    "backups_failed": "Backups that failed",
    "heartbeats": "Signs of life that were answered",
}
_GAUGES = {
    "late_timers": "Timers that are over a minute late",
    "late_messages": "Messages that are over a minute late",
    "backup_age_seconds": "How old the newest backup is; not a number while there is none",
    "database_writable": "1 while changes can be stored",
    "findings": "What detection rules find now, target by target",
    "outbox_waiting": "Messages that are not in Slack yet",
    "timer_late_seconds": "How late the oldest due timer is",
    "slack_link_up": "1 while Slack and the bot can talk",
    "disk_reserve_spent": "1 after the disk was full",
}


def _counts(tx: Tx) -> dict[str, int]:
    seen = {str(severity): count for severity, count in incidents.live_by_severity(tx).items()}
    return seen | {
        "waiting": outbox.waiting(tx),
        "findings": len(holds.standing(tx)),
        "next_timer": timers.next_due(tx) or 0,
    }

"""The intake's HTTP side alone, on a free loopback port."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.services.intake import Intake
from bot.services.live import Live
from bot.store import alerts
from bot.store.database import Database
from bot.web.intake import IntakeDoor
from tests.support.alerts import INTAKE
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.store import open_database


@dataclass
class Door:
    url: str
    database: Database
    clock: ManualClock

    async def post(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=io.BytesIO(sent), headers=headers) as answer,
        ):
            return answer.status, await answer.json(), answer.headers

    async def stored(self, source: str, fingerprint: str) -> bool:
        found = await self.database.read(alerts.place_of, source, fingerprint)
        return found is not None


@asynccontextmanager
async def opened(folder: Path, **changes: Any) -> AsyncIterator[Door]:
    told = copy.deepcopy(INTAKE)
    for name, settings in changes.items():
        told["sources"].setdefault(name, {}).update(settings)
    clock = ManualClock()
    async with open_database(folder / "iora.db", clock) as database:
        live = Live(config(intake=told))
        door = IntakeDoor(database, live, Intake(database, live), clock)
        app = web.Application()
        app.add_routes(door.routes())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Door(f"http://127.0.0.1:{runner.addresses[0][1]}", database, clock)
        finally:
            await runner.cleanup()
            door.close()

"""The polls of many targets are committed in groups: a thousand of them cost some dozens of commits."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.http import Client
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store.database import Database
from tests.support.clock import ManualClock
from tests.support.house import config_for
from tests.support.targets import Service, target

COUNT = 1_000


async def test_a_thousand_polls_share_their_commits(tmp_path: Path) -> None:
    clock = ManualClock()
    async with Service().listening() as service:
        service.open.clear()
        names = [f"service-{number}" for number in range(COUNT)]
        patient = target(
            service.url, health={"url": service.url, "status": "status", "timeout": "1m"}
        )
        config = config_for(service, targets=dict.fromkeys(names, patient))
        database = Database(tmp_path / "iora.db", clock)
        async with Client(config.allows) as client:
            monitoring = Monitoring(database, client, Live(config), clock)
            asked = asyncio.create_task(monitoring.refresh(names, 100_000))
            async with asyncio.timeout(60):
                while service.requests < COUNT:
                    await asyncio.sleep(0.01)
            before = database.counters.groups
            service.open.set()  # all of them answer now
            healths = await asked
            groups = database.counters.groups - before
            await monitoring.close()
            await database.close()
        assert all(health.status == "ok" for health in healths)
    assert groups < COUNT / 4, "each had a commit of its own"
    with closing(sqlite3.connect(tmp_path / "iora.db")) as file:
        (polls,) = file.execute(
            """SELECT count(*) FROM samples JOIN series ON series.id = series_id
            WHERE metric = 'poll_ms'"""
        ).fetchone()
    assert polls == COUNT

"""A storm of alerts: none is lost, few incidents are opened, commands are acked, Slack is not flooded."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.storming import Sent, Storm, send
from bot.model.incident import Incident
from bot.rules.alerting import MOST_INCIDENTS
from bot.services.delivery import PACE_MS
from bot.store import alerts, incidents
from bot.wiring import Bot
from tests.support.alerts import ALERTMANAGER, INTAKE
from tests.support.house import BOB, INCIDENTS, House, config_for, living, standing
from tests.support.scale import scaled, told

SECONDS, A_SECOND, BATCH = scaled(4, 60), 1_000, 20
ACK_S = scaled(30.0, 1.0)


async def ask_meanwhile(house: House, storm: asyncio.Future[Sent]) -> list[float]:
    """How long each command took to its ack: one that asks, and one that is stored."""
    took: list[float] = []
    while not storm.done():
        for words in ("incidents", f"declare sev4 by hand {len(took)}"):
            began = time.monotonic()
            outcome = await house.slash(BOB, words)
            took.append(time.monotonic() - began)
            assert outcome.ok
        await asyncio.wait((storm,), timeout=0.25)
    return took


async def test_a_storm_of_alerts_loses_none_and_floods_nobody(tmp_path: Path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, intake=INTAKE)
        async with living(house, config, pace_ms=PACE_MS) as bot:
            url = f"http://127.0.0.1:{bot.port}/intake/alertmanager"
            storm = Storm(url, ALERTMANAGER, SECONDS, A_SECOND, BATCH)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                began = time.monotonic()
                sending = asyncio.get_running_loop().run_in_executor(pool, send, storm)
                took = await ask_meanwhile(house, asyncio.ensure_future(sending))
                sent = await sending
            lasted = time.monotonic() - began
            firing = await until_all_is_seen(bot, sent.alerts)
            opened = [one for one in await live(bot) if one.declared_by == "bot"]
            lines = [len(await house.entries(one.id, "alerts")) for one in opened]
            slow = bot.database.counters.slow
        stored = count(tmp_path / "iora.db", "SELECT COUNT(*) FROM alerts")
    posts = sorted(float(one.ts) for one in house.messages(INCIDENTS))
    busiest = max(sum(at <= one < at + 10 for one in posts) for at in posts)
    took.sort()
    told(
        "alert storm",
        f"{sent.alerts} alerts in {lasted:.0f} s, {stored} stored, {firing} on cards, "
        f"{dict(sent.statuses)}, stored within {max(sent.took):.2f} s; {len(opened)} incidents, "
        f"{sum(lines)} lines; {len(took)} commands, ack median {took[len(took) // 2] * 1e3:.0f} ms, "
        f"worst {took[-1] * 1e3:.0f} ms; at most {busiest} messages in 10 s; {slow} slow functions",
    )
    assert stored == firing == sent.alerts
    assert len(opened) <= MOST_INCIDENTS + 1
    assert max(lines) <= 12
    assert took[len(took) * 9 // 10] < ACK_S
    assert busiest <= scaled(13, 11), (
        "what a loaded machine holds up for a moment comes closer together"
    )


async def until_all_is_seen(bot: Bot, wanted: int) -> int:
    firing = 0
    async with asyncio.timeout(180):
        while firing < wanted:
            await asyncio.sleep(0.1)
            seen = await bot.database.read(alerts.firing_by_source)
            firing = seen.get("prometheus", 0)
    return firing


async def live(bot: Bot) -> list[Incident]:
    return await bot.database.read(incidents.live, 1_000)


def count(path: Path, sql: str) -> int:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()

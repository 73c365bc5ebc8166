"""`/healthz`, `/readyz` and `/metrics` of a running bot."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.house import BOB, House, config_for, living, standing


async def get(house: House, path: str) -> tuple[int, str, str]:
    assert house.bot is not None
    url = f"http://127.0.0.1:{house.bot.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text(), answer.headers["Content-Type"]


async def metrics(house: House) -> dict[str, Any]:
    status, text, kind = await get(house, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_bot_that_is_well_says_so(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        status, text, _ = await get(house, "/healthz")
        assert (status, text) == (200, '{"status": "ok"}')
        status, text, _ = await get(house, "/readyz")
        assert (status, text) == (200, '{"status": "ready", "problems": []}')


async def test_not_ready_says_what_is_wrong_with_slack_while_it_is_alive(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        bot.link._trouble = "Slack says invalid_auth"
        bot.link.identity = None
        status, text, _ = await get(house, "/readyz")
        assert status == 503
        assert "Slack: Slack says invalid_auth" in text
        assert (await get(house, "/healthz"))[0] == 200
        assert (await metrics(house))[("iora_slack_link_up",)] == 0


async def test_not_ready_says_which_loop_hangs(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        hanging = asyncio.Event()

        async def hang() -> None:
            hanging.set()
            await asyncio.Event().wait()

        bot.timer_loop.work = hang
        bot.timer_loop.alarm.ring()
        await asyncio.wait_for(hanging.wait(), 30)
        house.clock.move(20_000)
        others = (bot.delivery_loop, bot.upkeep_loop)
        for loop in others:
            loop.alarm.ring()
        await house.until(
            lambda: all(house.clock.now() - loop.beat < 5_000 for loop in others), "their rounds"
        )
        status, text, _ = await get(house, "/readyz")
        assert status == 503
        assert re.search(r'"problems": \["the timer loop has not come round for \d+ s"\]', text)


def caught_up(house: House) -> bool:
    """By the auditor's last look, which the metrics tell."""
    assert house.bot is not None
    late = house.bot.keeper.auditor.late
    return not (late.timers or late.messages)


async def test_metrics_tell_how_the_bot_looks_after_itself(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        assert (await house.slash("U02BOB", "declare sev2 API slow")).ok
        await house.until(lambda: house.pings("U01ALICE"), "the ping")
        await house.until_sent()
        assert (await house.slash("U02BOB", "resolve INC-1")).ok
        house.advance(6 * 3_600_000)
        await house.until(lambda: house.bot.backups.made, "a backup")
        await house.until_sent()
        await house.until(lambda: caught_up(house), "nothing that is late")
        _, text, _ = await get(house, "/metrics")
        lines = text.splitlines()
        assert 'iora_pages_total{way="slack"} 1.0' in lines
        for name, value in {
            "late_timers": 0,
            "late_messages": 0,
            "database_writable": 1,
            "slack_reconnects_total": 0,
            "unrecorded_pages_total": 0,
            "alarms_total": 0,
            "clock_jumps_total": 0,
            "backups_total": 1,
            "backups_failed_total": 0,
            "heartbeats_total": 0,
        }.items():
            assert f"iora_{name} {value:.1f}" in lines, name
        assert any(line.startswith("iora_backup_age_seconds ") for line in lines)


async def test_not_ready_says_when_the_database_is_closed(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        await bot.database.close()
        status, text, _ = await get(house, "/readyz")
        assert status == 503
        assert "database: " in text


async def test_metrics_are_prometheus_text_with_a_prefix_and_units(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        before = await metrics(house)
        assert {name for name, *_ in before} >= {
            "iora_incidents_open",
            "iora_outbox_waiting",
            "iora_findings",
            "iora_timer_late_seconds",
            "iora_slack_link_up",
            "iora_disk_reserve_spent",
            "iora_database_functions_total",
        }
        assert all(name.startswith("iora_") for name, *_ in before)
        assert before[("iora_incidents_open", "sev2")] == 0
        assert before[("iora_slack_link_up",)] == 1
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        after = await metrics(house)
        assert after[("iora_incidents_open", "sev2")] == 1
        assert after[("iora_incidents_open", "sev1")] == 0
        functions = ("iora_database_functions_total",)
        assert after[functions] > before[functions]
        await house.slash(BOB, "resolve INC-1")
        assert (await metrics(house))[("iora_incidents_open", "sev2")] == 0


async def test_there_is_nothing_else_to_read(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        for path in ("/slack/events", "/command", "/../iora.db", "/healthz/x"):
            assert (await get(house, path))[0] == 404

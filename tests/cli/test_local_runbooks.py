"""What a visitor of `iora local` can do with runbooks: break the sample, run one, approve, see it act."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bot.cli.talk import ask
from bot.model.settings import Settings
from tests.support.local import PATIENCE_S, Local, environment, local
from tests.support.running import iora

BOB = {"as": "U02BOB", "in": "C01INCIDENTS"}


async def page(running: Local, deed: str, body: dict[str, str]) -> None:
    """What a person does on the page."""
    root = running.page.rstrip("/")
    async with (
        aiohttp.ClientSession(headers={"Origin": root}) as session,
        session.post(f"{root}/page/{deed}", json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def said(running: Local, text: str) -> dict[str, Any]:
    """The local bot's own answer, as JSON."""
    found = await ask(Settings.read({"IORA_DATABASE_URL": running.database}), text)
    assert found is not None
    return dict(found["json"])


async def until(look: Any, what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await look():
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_S:g} s: {what}") from None


async def breaker(running: Local) -> set[str]:
    """What the sample says of its circuit breaker, on whichever of its ports that is."""
    service = next(child for child in running.children if "bot.sample" in child.cmdline())
    states = set()
    async with aiohttp.ClientSession() as session:
        for one in service.net_connections(kind="tcp"):
            if one.status == psutil.CONN_LISTEN:
                url = f"http://127.0.0.1:{one.laddr.port}/api/ops/circuit-breaker"
                async with session.get(url) as answer:
                    if answer.status == 200:
                        states.add((await answer.json())["state"])
    return states


async def test_the_big_runbook_opens_the_breaker_of_a_slow_sample_after_bobs_approval(
    tmp_path: Path,
):
    async with local(tmp_path) as running:
        environ = environment(IORA_DATABASE_URL=running.database)
        await page(running, "mode", {"as": "U01ALICE", "mode": "slow"})

        async def slow() -> bool:
            readings = (await said(running, "health"))["targets"][0]["readings"]
            found = {one["metric"]: one["value"] for one in readings}
            return (found["response_time_p95_ms"] or 0) >= 500

        await until(slow, "ten slow answers")
        await page(running, "say", BOB | {"text": "/iora declare sev2 iora API slow"})
        run = ("run", "critical-performance-degradation", "--incident", "INC-1")
        asked = await iora(tmp_path, environ, *run)
        assert asked.code == 1, asked.err
        assert "» Assess impact: who is affected: is a person's to do" in asked.out
        assert await breaker(running) == {"closed"}
        noted = await iora(tmp_path, environ, "run", "RUN-1", "done", "1", "all", "users")
        assert "» Enable circuit breakers: waits for approval" in noted.out

        await page(running, "say", BOB | {"text": "/iora run RUN-1 approve"})

        async def opened() -> bool:
            return await breaker(running) == {"open"}

        await until(opened, "the breaker is open")
        steps = {one["step"]: one for one in (await said(running, "run RUN-1"))["steps"]}
        assert steps["circuit_breaker"]["approved_by"] == ["slack:T01TEAM:U02BOB"]
        listed = await iora(tmp_path, environ, "runbooks")
        assert "critical-performance-degradation on iora: running" in listed.out
        assert await running.end() == 0

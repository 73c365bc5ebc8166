"""Where a reading comes from: the order of the sources, what the answer names, and whom nobody holds up."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.http import Answer, Client
from bot.model.actor import Actor
from bot.model.config import Config
from bot.model.reading import Verdict
from bot.rules.pace import JITTER
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store.database import Database
from tests.support.configs import config
from tests.support.hostile import (
    Host,
    bomb,
    drip,
    endless_head,
    hang,
    pour,
    reset,
    response,
    saying,
    self_signed,
)
from tests.support.house import BOB, House, config_for, living, standing, text_of
from tests.support.targets import Service, health_facts, target

BOUNDS = {
    "cpu_percent": {"below": 70},
    "test_coverage_percent": {"above": 85, "informative": True},
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


@pytest.fixture
async def dashboard() -> AsyncIterator[Service]:
    async with Service().listening() as listening:
        listening.body = shown(81, 42)
        yield listening


def shown(score: float | None, cpu: float | None) -> bytes:
    written = datetime.now(UTC) - timedelta(days=2)
    coverage = {"value": 87.2, "timestamp": written.strftime("%Y-%m-%dT%H:%M:%S.%f789Z")}
    return json.dumps({"overall_score": score, "cpu": cpu, "coverage": coverage}).encode()


def with_metrics(house: House, *sources: dict[str, Any]) -> Config:
    one = target(
        f"{house.target.url}/api/health", agent={"url": house.target.url}, metrics=list(sources)
    )
    return config_for(house.target, targets={"iora": one}, baselines=BOUNDS, critical={})


async def readings(house: House) -> dict[str, Any]:
    said = await house.bot.answer(Actor.login("alice"), "health")
    return {one["metric"]: one for one in health_facts(said["json"])["iora"]["readings"]}


async def test_score_and_coverage_are_shown_with_their_age_and_source(house, dashboard):
    source = {
        "url": dashboard.url,
        "values": {
            "overall_score": "overall_score",
            "test_coverage_percent": {"path": "coverage.value", "max_age": "7d"},
        },
    }
    async with living(house, with_metrics(house, source)):
        assert (await house.slash(BOB, "health")).ok
        (answer,) = await house.until(lambda: house.whispers(BOB), "an answer")
        place = dashboard.url.removeprefix("http://")
        assert f"INFO coverage 87.2 %, over 85 ({place}, 2 d ago)" in text_of(answer)
        assert "overall score 81" in text_of(answer)
        dashboard.body = shown(None, 42)
        said, wanted = "", f"overall score unknown ({place}: nothing at `overall_score`)"
        async with asyncio.timeout(
            30
        ):  # the first answer may share a measurement that began before
            while wanted not in said:
                said = (await house.bot.answer(Actor.login("alice"), "health"))["text"]


async def test_the_first_source_that_has_a_metric_gives_it(house, dashboard):
    async with Service().listening() as other:
        other.body = shown(81, 13)
        sources = [{"url": one.url, "values": {"cpu_percent": "cpu"}} for one in (dashboard, other)]
        async with living(house, with_metrics(house, *sources)):
            first, second = (one.url.removeprefix("http://") for one in (dashboard, other))
            cpu = (await readings(house))["cpu_percent"]
            assert (cpu["value"], cpu["source"]) == (42, first)
            dashboard.body = b"{}"
            cpu = (await readings(house))["cpu_percent"]
            assert (cpu["value"], cpu["source"]) == (13, second)
            other.status = 500
            cpu = (await readings(house))["cpu_percent"]
            assert (cpu["value"], cpu["source"]) == (12, "agent"), "the agent comes after them"
            house.target.cpu = None
            cpu = (await readings(house))["cpu_percent"]
            assert (cpu["value"], cpu["reason"]) == (None, f"{first}: nothing at `cpu`")


async def test_a_metric_that_a_source_gives_is_preferred_to_the_bots_own(house, dashboard):
    source = {"url": dashboard.url, "values": {"response_time_p95_ms": "cpu"}}
    async with living(house, with_metrics(house, source)):
        p95 = (await readings(house))["response_time_p95_ms"]
        assert (p95["value"], p95["samples"]) == (42, None)


async def test_a_silent_target_is_polled_more_rarely_and_a_person_asks_anew(house, dashboard):
    answering, gone = on_and_off(house, dashboard)
    async with living(house, answering) as bot:
        await house.until(lambda: dashboard.requests == 1, "the first poll")
        await house.until(lambda: not bot.monitoring._under_way, "its end")
        assert await due_in(house) == about(30)
        bot.live.config = gone
        planned = [await poll(house) for _ in range(6)]
        assert planned == [about(wanted) for wanted in (30, 60, 120, 240, 240, 240)]
        bot.live.config = answering
        await house.bot.answer(Actor.login("alice"), "health")
        assert dashboard.requests == 2, "a person's question asks anew, at once"
        assert await due_in(house) == about(30), "it answers again, so it is polled as usual"


async def test_who_asks_again_and_again_keeps_no_poll_from_coming(house, dashboard):
    """The rules of detection are asked after polls alone: looking at a dead target must not put them off."""
    answering, gone = on_and_off(house, dashboard)
    async with living(house, answering) as bot:
        await house.until(lambda: dashboard.requests == 1, "the first poll")
        await house.until(lambda: not bot.monitoring._under_way, "its end")
        bot.live.config = gone
        await poll(house)
        planned = await due_at(house)
        for _ in range(6):
            await house.bot.answer(Actor.login("alice"), "health")
        assert await due_at(house) == planned
        dashboard.status, dashboard.headers = 429, {"Retry-After": "90"}
        bot.live.config = answering
        await house.bot.answer(Actor.login("alice"), "health")
        put_off = await due_at(house)
        assert put_off > planned
        house.clock.move(60_000)
        await house.bot.answer(Actor.login("alice"), "health")
        assert await due_at(house) == put_off, "it was put off once"


def on_and_off(house: House, dashboard: Service) -> tuple[Config, Config]:
    """A target that answers, and the same one gone."""
    answering, gone = (
        config_for(house.target, targets={"api": target(url) | {"poll": "30s"}}, baselines={})
        for url in (dashboard.url, "http://127.0.0.1:9/health")
    )
    return answering, gone


async def poll(house: House) -> int:
    """Let the next poll of a silent target come; in how many seconds the one after it is due."""
    assert house.bot is not None
    monitoring = house.bot.monitoring
    silences = monitoring._silences["api"]
    house.advance(await due_at(house) - house.clock.now())
    await house.until(lambda: monitoring._silences["api"] > silences, "the poll")
    await house.until(lambda: not monitoring._under_way, "its end")
    return await due_in(house)


async def test_a_busy_target_gets_the_time_that_it_asks_for(house, dashboard):
    dashboard.status, dashboard.headers = 429, {"Retry-After": "90"}
    one = target(dashboard.url) | {"poll": "30s"}
    written = config_for(house.target, targets={"api": one}, baselines={}, critical={})
    async with living(house, written):
        await house.bot.answer(Actor.login("alice"), "health")
        assert await due_in(house) == about(90)


def about(seconds: int) -> Any:
    """Each poll is a little earlier or later than the time that it was given; looking takes time too."""
    return pytest.approx(seconds, abs=seconds * JITTER + 12)


async def due_in(house: House) -> int:
    """Seconds until the poll, to the second that it was planned for."""

    return round((await due_at(house) - house.clock.now()) / 1000)


async def due_at(house: House) -> int:
    def planned(tx: Any) -> int:
        return tx.one("SELECT due_at FROM timers WHERE kind = 'poll'")["due_at"]

    return await house.bot.database.read(planned)


class Noting(Client):
    """The client, with a list of what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def get(self, url: str, **more: Any) -> Answer:
        self.asked.append(url)
        return await super().get(url, **more)


async def test_who_took_longest_last_time_is_asked_first(tmp_path: Path):
    async def slowly(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.write(response(b'{"status": "ok"}'))

    at_once = saying(response(b'{"status": "ok"}'))
    async with (
        Host(at_once).listening() as quick,
        Host(slowly).listening() as slow,
        Noting() as client,
    ):
        clock = SystemClock()
        database = Database(tmp_path / "iora.db", clock)
        live = Live(config(targets={"quick": target(quick.url), "slow": target(slow.url)}))
        monitoring = Monitoring(database, client, live, clock)
        for _ in range(2):
            found = await monitoring.refresh(("quick", "slow"), 20_000)
            assert [one.target for one in found] == ["quick", "slow"], "told as they were asked for"
        assert client.asked == [quick.url, slow.url, slow.url, quick.url]
        await monitoring.close()
        await database.close()


async def test_hostile_targets_hold_up_nobody_and_cost_no_memory(tmp_path: Path):
    """All at once: each within its limit and with its own words, the healthy ones at once."""
    away = response(b"", "302 Found", ("Location: http://169.254.169.254/",))
    packed = response(bomb(), headers=("Content-Encoding: gzip",))
    hostile = {
        "hangs": (hang, Verdict.DOWN, "no answer within 6 s"),
        "drips": (drip, Verdict.DOWN, "no answer within 6 s"),
        "pours": (pour, Verdict.UNKNOWN, "the answer is larger than 1 MiB"),
        "headers": (endless_head, Verdict.DOWN, "broken answer: "),
        "bomb": (saying(packed), Verdict.UNKNOWN, "the answer is larger than 1 MiB"),
        "broken": (saying(response(b"{oops")), Verdict.UNKNOWN, "the answer is not JSON"),
        "away": (saying(away), Verdict.UNKNOWN, "it redirects (HTTP 302)"),
        "resets": (reset, Verdict.DOWN, "broken answer: "),
        "untrusted": (saying(response()), Verdict.UNKNOWN, "unreachable from here: certificate"),
    }
    async with AsyncExitStack() as stack:
        written: dict[str, Any] = {}
        for name, (talk, _, _) in hostile.items():
            context = self_signed(tmp_path) if name == "untrusted" else None
            host = await stack.enter_async_context(Host(talk).listening(context))
            source = {"url": host.url, "timeout": "6s", "values": {"threads": "threads"}}
            health = {"url": host.url, "status": "status", "timeout": "6s"}
            written[name] = {"health": health, "metrics": [source]}
        for number in range(20):
            host = await stack.enter_async_context(
                Host(saying(response(b'{"status": "ok"}'))).listening()
            )
            written[f"well-{number}"] = target(host.url)
        clock = SystemClock()
        database = Database(tmp_path / "iora.db", clock)
        stack.push_async_callback(database.close)
        client = await stack.enter_async_context(Client())
        live = Live(config(targets=written, baselines={}))
        monitoring = Monitoring(database, client, live, clock)
        stack.push_async_callback(monitoring.close)
        well = [name for name in written if name.startswith("well-")]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        all_of_them = asyncio.create_task(monitoring.refresh(list(written), 60_000))
        await asyncio.sleep(0)
        for found in await monitoring.refresh(well, 20_000):
            assert found.verdict is Verdict.HEALTHY, found.reason
        assert not all_of_them.done(), "before the last of the hostile ones has given up"
        healths = {found.target: found for found in await all_of_them}
        for name, (_, verdict, reason) in hostile.items():
            found = healths[name]
            assert (found.verdict, found.reason[: len(reason)]) == (verdict, reason)
            threads = next(one for one in found.readings if one.metric == "threads")
            assert threads.value is None
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kb < 64 * 1024, "1 GiB of zeros and a body without an end"

"""What a real Prometheus scrapes is read by the bot; what it can't tell is unknown, and never green."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.model.reading import Health, Verdict
from bot.wiring import Bot
from tests.support.house import BOB, House, config_for, living, standing, text_of
from tests.support.prometheus_server import Exposition, Prometheus, prometheus

SHARDS = [f'queue{{shard="{shard}"}} {10 * shard}' for shard in range(3)]


@dataclass(frozen=True)
class Scraped:
    """A Prometheus, and the services that it scrapes: `dead` is one that ended."""

    server: Prometheus
    api: Exposition


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """One for all tests that need what was scraped, as its first scrape takes its time."""
    old = f"old 5 {round((time.time() - 60) * 1000)}"
    with ExitStack() as stack:
        api = stack.enter_context(Exposition("busy 12", "rss_bytes 2e8"))
        shards = stack.enter_context(Exposition(*SHARDS, old, "young 7"))
        dead = Exposition("queue 1")
        dead.end()
        urls = {"api": api.url, "shards": shards.url, "dead": dead.url}
        folder = tmp_path_factory.mktemp("prometheus")
        yield Scraped(stack.enter_context(prometheus(folder, urls)), api)


def promql(server: Prometheus, values: dict[str, Any]) -> dict[str, Any]:
    return {"url": server.url, "format": "promql", "timeout": "20s", "values": values}


def up(server: Prometheus, instance: str = "$target") -> dict[str, Any]:
    return {"url": server.url, "promql": f'up{{instance="{instance}"}}', "timeout": "20s"}


@asynccontextmanager
async def watching(
    folder: Path, targets: dict[str, dict[str, Any]], **changes: Any
) -> AsyncIterator[tuple[House, Bot]]:
    async with standing(folder) as house:
        written = {name: {"poll": "1h", **target} for name, target in targets.items()}
        config = config_for(house.target, targets=written, **changes)
        async with living(house, config) as bot:
            yield house, bot


async def look(bot: Bot, *names: str) -> dict[str, Health]:
    # The first poll may have begun before what the test waited for.
    found = await bot.monitoring.refresh(names, 30_000, since=round(time.time() * 1000))
    return {one.target: one for one in found}


def value(health: Health, metric: str) -> float | None:
    return next(one.value for one in health.readings if one.metric == metric)


def reason(health: Health, metric: str) -> str:
    (found,) = (one.reason for one in health.readings if one.metric == metric)
    return str(found).partition(": ")[2]


async def test_values_come_from_prometheus_and_are_held_against_the_bounds(tmp_path, scraped):
    server = scraped.server
    values = {
        "cpu_percent": 'avg(busy{instance="$target"})',
        "memory_mb": {"path": 'rss_bytes{instance="$target"}', "scale": 1e-6},
        "queue": 'scalar(rss_bytes{instance="$target"}) / 1e8',
    }
    await server.until("rss_bytes", 2e8)
    target = {"health": up(server), "metrics": [promql(server, values)]}
    async with watching(tmp_path, {"api": target}) as (house, bot):
        health = (await look(bot, "api"))["api"]
        assert health.verdict is Verdict.HEALTHY, health.reason
        found = {one.metric: (one.value, one.unit) for one in health.readings}
        assert found == {"cpu_percent": (12, "%"), "memory_mb": (200, "MB"), "queue": (2, "")}

        scraped.api.lines[1] = "rss_bytes 3e8"
        await server.until("rss_bytes", 3e8)
        health = (await look(bot, "api"))["api"]
        assert health.verdict is Verdict.DEGRADED
        assert health.reason == "memory 300 MB (must be under 256)"
        await house.slash(BOB, "health api")
        await house.until(
            lambda: any("300 MB" in text_of(one) for one in house.whispers(BOB)),
            "the health as Bob reads it",
        )


async def test_a_fleet_is_watched_by_entries_that_differ_in_their_labels_only(tmp_path, scraped):
    server = scraped.server
    await server.until("sum(queue)", 30)
    await server.until('up{instance="dead"}', 0)
    values = {"queue": 'queue{instance="$instance",shard="$shard"}'}
    targets = {
        f"shard-{shard}": {
            "labels": {"shard": str(shard), "instance": "shards" if shard < 3 else "dead"},
            "health": up(server, "$instance"),
            "metrics": [promql(server, values)],
        }
        for shard in range(4)
    }
    async with watching(tmp_path, targets) as (_, bot):
        found = await look(bot, *targets)
    for shard in range(3):
        health = found[f"shard-{shard}"]
        assert (health.verdict, value(health, "queue")) == (Verdict.HEALTHY, 10 * shard)
    down = found["shard-3"]
    assert (down.verdict, down.reason) == (Verdict.DOWN, "Prometheus says down")
    assert reason(down, "queue") == "no series"


async def test_a_sample_that_is_too_old_is_unknown_though_prometheus_still_gives_it(
    tmp_path, scraped
):
    server = scraped.server
    await server.until("young", 7)
    values = {
        name: {"path": name, "at": f"timestamp({name})", "max_age": "30s"}
        for name in ("old", "young")
    }
    target = {"health": up(server, "shards"), "metrics": [promql(server, values)]}
    bounds = {name: {"below": 100} for name in values}
    async with watching(tmp_path, {"api": target}, baselines=bounds) as (_, bot):
        health = (await look(bot, "api"))["api"]
    assert health.verdict is Verdict.UNKNOWN
    assert value(health, "young") == 7
    assert reason(health, "old").endswith(" old, at most 30 s")


async def test_what_prometheus_cannot_tell_is_unknown_with_the_reason(tmp_path):
    pair = "label_replace(vector(1), 'i', 'a', '', '') or vector(2)"
    values = {
        "missing": "nobody_exports_this",
        "several": pair,
        "no_number": "vector(0) / 0",
        "infinite": "1 / vector(0)",
        "a_range": "up[1m]",
        "wrong": "up{",
        "impossible": f"vector(1) * on() ({pair})",
    }
    with prometheus(tmp_path, {}) as server:
        health = {"url": server.url, "promql": "vector(1)"}
        target = {"health": health, "metrics": [promql(server, values)]}
        bounds = {name: {"below": 100} for name in values}
        async with watching(tmp_path, {"api": target}, baselines=bounds) as (_, bot):
            found = (await look(bot, "api"))["api"]
    assert found.verdict is Verdict.UNKNOWN
    assert [one.value for one in found.readings] == [None] * len(values)
    assert reason(found, "missing") == "no series"
    assert reason(found, "several") == "2 series: narrow the query, or take their max or sum"
    assert reason(found, "no_number") == "NaN is no number"
    assert reason(found, "infinite") == "+Inf is no number"
    assert reason(found, "a_range") == "the query gives a range of samples, not one number"
    assert "parse error: unexpected end of input" in reason(found, "wrong")
    assert "many-to-many matching not allowed" in reason(found, "impossible")


async def test_a_prometheus_that_is_down_leaves_everything_unknown(tmp_path):
    with prometheus(tmp_path, {}) as server, Exposition("x 1") as service:
        sources = [promql(server, {"cpu_percent": "vector(3)"})]
        targets = {
            "told": {"health": {"url": server.url, "promql": "vector(1)"}, "metrics": sources},
            "asked": {"health": {"url": service.url}, "metrics": sources},
        }
        bounds = {"cpu_percent": {"below": 70}}
        async with watching(tmp_path, targets, baselines=bounds, critical={}) as (_, bot):
            found = await look(bot, *targets)
            assert [found[name].verdict for name in targets] == [Verdict.HEALTHY] * 2
            assert [value(found[name], "cpu_percent") for name in targets] == [3, 3]

            server.end()
            found = await look(bot, *targets)
    place = server.url.removeprefix("http://")
    assert [found[name].verdict for name in targets] == [Verdict.UNKNOWN] * 2
    assert found["told"].reason == (f"Prometheus can't tell: {place}: nothing listens on {place}")
    for health in found.values():
        assert reason(health, "cpu_percent") == f"nothing listens on {place}"

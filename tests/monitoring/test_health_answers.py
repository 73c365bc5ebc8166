"""`/iora health` and `/iora baseline`, from a target's real answer to the words in Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.model.actor import Actor
from bot.services import commands
from tests.support.house import BOB, House, config_for, living, standing, text_of
from tests.support.ports import kept_port
from tests.support.targets import Service, health_facts, target


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service().listening() as listening:
        yield listening


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port on which nobody listens."""
    with kept_port() as port:
        yield port


async def facts(house: House, text: str = "health --json") -> dict:
    said = await house.bot.answer(Actor.login("alice"), text.removesuffix(" --json"))
    return health_facts(said["json"])


async def whispers(house: House, count: int) -> list:
    return await house.until(
        lambda: len(house.whispers(BOB)) >= count and house.whispers(BOB),
        f"{count} answers",
    )


@pytest.mark.parametrize(
    ("status", "body", "headers", "verdict", "reason"),
    [
        (200, b'{"status": "ok"}', {}, "healthy", 'status word "ok"'),
        (200, b'{"status": "UP"}', {}, "healthy", 'status word "UP"'),
        (200, b'{"status": "degraded"}', {}, "degraded", 'status word "degraded"'),
        (200, b'{"status": "failing"}', {}, "unhealthy", 'status word "failing"'),
        (200, b'{"state": "ok"}', {}, "unknown",
         "no status word at `status` in the answer: check `health.status` in the config"),
        (200, b"{oops", {}, "unknown",
         "the answer is not JSON: check `health.status` in the config"),
        (200, b"\xff\xfe", {}, "unknown",
         "the answer is not JSON: check `health.status` in the config"),
        (404, b"nothing here", {}, "unknown",
         "endpoint not there (HTTP 404): check `health.url` in the config"),
        (401, b"", {}, "unknown",
         "access refused (HTTP 401): it wants a key, check `auth` in the config"),
        (429, b"slow down", {"Retry-After": "7"}, "unknown",
         "busy with us (HTTP 429, asks to wait 7 s)"),
        (302, b"", {"Location": "http://127.0.0.1:1/"}, "unknown",
         "it redirects (HTTP 302): put the final URL into `health.url` in the config"),
        (503, b"", {}, "down", "HTTP 503 without a body"),
        (503, b'{"status": "down"}', {}, "unhealthy", 'HTTP 503, status word "down"'),
        (200, b" " * (1024 * 1024 + 1), {}, "unknown",
         "the answer is larger than 1 MiB: check `health.url` in the config"),
        (200, b'{"status": "ok\\ud800"}', {}, "healthy", 'status word "ok"'),
        (400, b'{"ok": false, "error": "no oracle"}', {}, "unhealthy",
         'HTTP 400, error "no oracle"'),
        (200, b'{"ok": false, "error": "no oracle"}', {}, "unhealthy", 'it says error "no oracle"'),
    ],
)  # fmt: skip
async def test_what_an_answer_means(house, service, status, body, headers, verdict, reason):
    service.status, service.body, service.headers = status, body, headers
    config = config_for(house.target, targets={"api": target(service.url)}, baselines={})
    async with living(house, config):
        assert (await house.slash(BOB, "health")).ok
        (answer,) = await whispers(house, 1)
        assert answer.text == f"api is {verdict.upper()}: {reason}"
        api = (await facts(house))["api"]
        assert (api["verdict"], api["reason"]) == (verdict, reason)


@pytest.mark.parametrize(
    ("url", "verdict", "reason"),
    [
        ("http://127.0.0.1:{nobody}/health", "down", "nothing listens on 127.0.0.1:"),
        ("http://no-such-host.invalid/health", "unknown",
         "unreachable from here: the name no-such-host.invalid is not known here"),
        ("https://127.0.0.1:{port}/health", "unknown", "unreachable from here: TLS failed"),
    ],
)  # fmt: skip
async def test_no_answer_says_whether_the_service_or_the_way_there_is_at_fault(
    house, service, nobody, url, verdict, reason
):
    port = service.url.split(":")[2].split("/")[0]
    written = target(url.format(port=port, nobody=nobody))
    async with living(house, config_for(house.target, targets={"api": written}, baselines={})):
        api = (await facts(house))["api"]
        assert api["verdict"] == verdict
        assert api["reason"].startswith(reason)


async def test_no_answer_in_time_is_down(house, service):
    service.open.clear()
    written = target(service.url) | {
        "health": {"url": service.url, "status": "status", "timeout": "200ms"}
    }
    async with living(house, config_for(house.target, targets={"api": written}, baselines={})):
        api = (await facts(house))["api"]
        assert (api["verdict"], api["reason"]) == ("down", "no answer within 0.2 s")


async def test_a_connection_that_breaks_off_is_down(house):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        written = target(f"http://127.0.0.1:{port}/")
        async with living(house, config_for(house.target, targets={"api": written}, baselines={})):
            api = (await facts(house))["api"]
            assert api["verdict"] == "down"
            assert api["reason"].startswith("broken answer: ")


async def test_first_words_come_within_a_second_and_the_whole_follows(house, service):
    assert commands.FIRST_WORDS_MS < 1_000
    service.open.clear()
    slow = target(service.url, health={"url": service.url, "status": "status", "timeout": "1m"})
    targets = {"slow": slow, "iora": target(f"{house.target.url}/api/health")}
    config = config_for(house.target, targets=targets, baselines={})
    async with living(house, config, first_words_ms=3_000):  # iora answers by then on any machine
        assert (await house.slash(BOB, "health")).ok, "the ack does not wait for any target"
        (first,) = await whispers(house, 1)
        assert "slow is UNKNOWN: no answer yet after " in first.text
        assert "iora is HEALTHY" in first.text
        assert "still reading, the rest follows here" in text_of(first)
        assert "iora:health:share" not in text_of(first)
        service.open.set()
        (_, whole) = await whispers(house, 2)
        assert "slow is HEALTHY" in whole.text
        assert "iora:health:share" in text_of(whole)
        assert service.requests <= 2, "one for the poll at the start, one for both answers"


async def test_a_command_and_a_poll_share_one_request(house, service):
    service.open.clear()
    async with living(
        house, config_for(house.target, targets={"api": target(service.url)}, baselines={})
    ):
        await asyncio.wait_for(service.arrived.wait(), 20)
        said = [asyncio.create_task(facts(house)) for _ in range(5)]
        await house.until(lambda: house.bot.monitoring._under_way, "a measurement")
        assert (await house.slash(BOB, "health")).ok
        service.open.set()
        for one in await asyncio.gather(*said):
            assert one["api"]["verdict"] == "healthy"
        await whispers(house, 1)
        assert service.requests == 1


async def test_p95_and_error_rate_come_from_the_bots_own_polls(house, service):
    baselines = {"response_time_p95_ms": {"below": 5000}, "error_rate_percent": {"below": 0.1}}
    config = config_for(house.target, targets={"api": target(service.url)}, baselines=baselines)
    async with living(house, config):
        for _ in range(4):
            api = (await facts(house))["api"]
        assert api["verdict"] == "unknown"
        readings = {reading["metric"]: reading for reading in api["readings"]}
        few = readings["response_time_p95_ms"]
        assert few["value"] is None
        assert 4 <= few["samples"] <= 5
        assert few["reason"] == f"{few['samples']} timed answers in 5 min, at least 10 needed"
        for _ in range(7):
            api = (await facts(house))["api"]
        assert api["verdict"] == "healthy"
        readings = {reading["metric"]: reading for reading in api["readings"]}
        assert readings["error_rate_percent"]["value"] == 0
        assert readings["error_rate_percent"]["unit"] == "%"
        assert readings["response_time_p95_ms"]["unit"] == "ms"
        assert 0 < readings["response_time_p95_ms"]["value"] < 5000
        service.status, service.body = 500, b'{"status": "ok"}'
        await facts(house)
        service.status = 200
        api = (await facts(house))["api"]
        assert api["verdict"] == "degraded"
        assert api["reason"].startswith("error rate ")
        house.advance(5 * 60_000 + 1_000)
        assert (await facts(house))["api"]["verdict"] == "unknown", "the window has passed"


async def test_a_dead_agent_is_unknown_with_the_reason_and_never_zero(house, service, nobody):
    agent = {"url": f"http://127.0.0.1:{nobody}"}
    config = config_for(house.target, targets={"api": target(service.url, agent=agent)})
    async with living(house, config):
        for _ in range(10):
            api = (await facts(house))["api"]
        assert api["verdict"] == "unknown"
        cpu = next(r for r in api["readings"] if r["metric"] == "cpu_percent")
        assert cpu["value"] is None
        assert cpu["reason"].startswith("the agent gave no answer: nothing listens on 127.0.0.1:")
        assert (await house.slash(BOB, "health")).ok
        (answer,) = await whispers(house, 1)
        assert "UNKNOWN* CPU: the agent gave no answer" in text_of(answer)
        said = await house.bot.answer(Actor.login("alice"), "doctor")
        assert "start `iora agent` on its host" in said["text"]


async def test_whatever_of_the_agents_has_a_bound_makes_no_healthy_target_while_the_agent_is_away(
    house, service, nobody
):
    config = config_for(
        house.target,
        targets={"api": target(service.url, agent={"url": f"http://127.0.0.1:{nobody}"})},
        baselines={"threads": {"below": 100}},
        critical={},
    )
    async with living(house, config):
        api = (await facts(house))["api"]
        assert api["verdict"] == "unknown"
        assert "threads unknown: the agent gave no answer" in api["reason"]


@pytest.mark.parametrize(
    ("answer", "cpu", "reason"),
    [
        (b'{"readings": [{"metric": "cpu_percent", "value": 9, "at": Infinity}]}', None,
         "does not answer as an agent does"),
        (b'{"readings": [{"metric": "cpu_percent", "value": 9, "at": 1' + b"0" * 30 + b"}]}", None,
         "does not answer as an agent does"),
        (b'{"readings": [{"metric": "cpu_percent", "value": 1' + b"0" * 400 + b', "at": 1}]}', None,
         "does not answer as an agent does"),
        (b'{"readings": [{"metric": "cpu_percent", "value": null, "reason": "\\ud800no", "at": 1}]}',
         None, "no"),
        (b'{"readings": [{"metric": "made_up_7"}, {"metric": "cpu_percent", "value": 9, "at": 1}]}',
         9.0, None),
    ],
)  # fmt: skip
async def test_an_agent_that_answers_nonsense_spoils_neither_its_target_nor_the_store(
    house, service, answer, cpu, reason
):
    agent = Service()
    agent.body = answer
    async with agent.listening():
        written = target(service.url, agent={"url": agent.url.removesuffix("/health")})
        config = config_for(house.target, targets={"api": written})
        async with living(house, config) as bot:
            api = (await facts(house))["api"]
            assert api["status"] == "ok"
            (read,) = (one for one in api["readings"] if one["metric"] == "cpu_percent")
            assert read["value"] == cpu
            assert reason is None or read["reason"].endswith(reason) or reason in read["reason"]
            kept = await bot.database.read(lambda tx: tx.all("SELECT metric FROM series"))
            assert "made_up_7" not in {row["metric"] for row in kept}


async def test_a_database_that_takes_nothing_does_not_hide_that_a_target_is_down(house, service):
    service.status, service.body = 503, b""
    config = config_for(house.target, targets={"api": target(service.url)})
    async with living(house, config) as bot:
        await bot.database.read(lambda tx: tx.run("PRAGMA query_only=ON"))  # a read-only disk
        api = (await facts(house))["api"]
        await bot.database.read(lambda tx: tx.run("PRAGMA query_only=OFF"))
        assert (api["verdict"], api["reason"]) == ("down", "HTTP 503 without a body")
        (p95,) = (one for one in api["readings"] if one["metric"] == "response_time_p95_ms")
        assert p95["value"] is None
        assert "can't be stored" in p95["reason"]


async def test_a_target_that_a_reload_takes_away_while_it_is_read_is_told_all_the_same(
    house, service
):
    service.open.clear()
    both = {"api": target(service.url), "iora": target(f"{house.target.url}/api/health")}
    config = config_for(house.target, targets=both, baselines={})
    async with living(house, config, first_words_ms=3_000) as bot:
        assert (await house.slash(BOB, "health api iora")).ok
        await asyncio.wait_for(service.arrived.wait(), 20)
        left = {"iora": both["iora"]}
        bot.live.config = config_for(house.target, targets=left, baselines={})
        first, then = await whispers(house, 2)
        assert "api is UNKNOWN: no answer yet" in first.text
        assert "iora is HEALTHY" in first.text
        assert then.text.startswith("There is no target `api`.")
        service.open.set()


async def test_beyond_three_targets_only_verdicts_and_failures_are_said(house, service):
    service.status, service.body = 200, b'{"status": "failing"}'
    targets = {
        **{name: target(f"{house.target.url}/api/health") for name in ("a", "b", "c")},
        "d": target(service.url),
    }
    async with living(house, config_for(house.target, targets=targets)):
        assert (await house.slash(BOB, "health")).ok
        (answer,) = await whispers(house, 1)
        assert answer.text.startswith("d is UNHEALTHY"), "the worst first"
        assert "fields" not in str(answer.blocks)
        assert "*d UNHEALTHY*" in text_of(answer)
        assert (await house.slash(BOB, "health a d")).ok
        (_, two) = await whispers(house, 2)
        assert "fields" in str(two.blocks)
        assert "b is" not in two.text


async def test_the_json_of_a_target_is_what_other_programs_rely_on(house):
    house.target.cpu = 96.0
    async with living(house, config_for(house.target)):
        said = await house.bot.answer(Actor.login("alice"), "health")
        assert said["finding"]
        iora = health_facts(said["json"])["iora"]
        assert set(iora) >= {"target", "verdict", "reason", "status", "readings", "findings"}
        for reading in iora["readings"]:
            wanted = {"metric", "value", "unit", "reason", "at", "source", "samples"}
            assert set(reading) == wanted
        assert iora["status"] == "ok"
        (failed,) = [one for one in iora["findings"] if one["result"] == "fail"]
        assert failed["metric"] == "cpu_percent"
        assert failed["critical"]


async def test_baseline_shows_every_bound_and_never_calls_the_unknown_fine(house):
    async with living(house, config_for(house.target)):
        said = await house.bot.answer(Actor.login("alice"), "baseline")
        text = said["text"]
        assert "PASS CPU 12 % of all cores, under 70 (agent, " in text
        assert "PASS memory 120 MB, under 256 (agent, " in text
        assert "UNKNOWN error rate: " in text
        assert "NOT MEASURED coverage, over 85: no source in the config" in text
        await house.slash(BOB, "baseline iora")
        (answer,) = await whispers(house, 1)
        assert "no baseline is broken" not in answer.text
        assert "error rate unknown" in answer.text

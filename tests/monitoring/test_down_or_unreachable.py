"""A target that gives the bot no answer is asked once more on its own host, by a real agent.

The service listens on 127.0.0.1 only, and the bot asks for it on 127.0.0.2: as behind a firewall.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.config import Config
from bot.services.monitoring import SAID
from bot.store import samples
from tests.support.agents import TOKEN, agent, write
from tests.support.house import BOB, PATIENCE_S, House, config_for, living, standing, text_of
from tests.support.ports import kept_port
from tests.support.targets import Service, health_facts


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service().listening() as listening:
        yield listening


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port on which nobody listens."""
    with kept_port() as port:
        yield port


def port_of(service: Service) -> int:
    return int(service.url.split(":")[2].split("/")[0])


def behind_a_wall(service: Service) -> str:
    return service.url.replace("127.0.0.1", "127.0.0.2")


def config(
    house: House,
    url: str,
    agent_url: str,
    relay: str | None = "health",
    poll: str = "1h",
    **more: Any,
) -> Config:
    relayed = {"relay": relay} if relay else {}
    written = {
        "poll": poll,
        "health": {"url": url, "status": "status", "timeout": "3s", **relayed},
        "agent": {"url": agent_url, "token": TOKEN},
    }
    return config_for(house.target, targets={"api": written}, baselines={}, critical={}, **more)


async def facts(house: House) -> dict[str, Any]:
    said = await house.bot.answer(Actor.login("alice"), "health")
    return health_facts(said["json"])["api"]


@contextmanager
def relaying(folder: Path, url: str) -> Iterator[str]:
    """The URL of an agent that relays ``url`` as health."""
    more = f"relay: {{health: '{url}'}}\n"
    with agent(write(folder, "name: no-such-service", more=more)) as running:
        yield running.url


async def test_what_answers_on_its_own_host_is_unreachable_from_here_and_not_down(
    house, service, tmp_path
):
    with relaying(tmp_path, service.url) as url:
        async with living(house, config(house, behind_a_wall(service), url)):
            api = await facts(house)
            assert api["verdict"] == "unknown"
            assert api["reason"].startswith(
                "unreachable from here (refused): it answers on its host ("
            )
            assert api["reason"].endswith(" ms), look at the network between")
            here, there = api["views"]
            assert here["said"] == f"nothing listens on 127.0.0.2:{port_of(service)}"
            assert (there["place"], there["said"]) == ("its host", 'status word "ok"')
            assert (await house.slash(BOB, "health")).ok
            (answer,) = await house.until(lambda: house.whispers(BOB), "the answer")
            assert answer.text.startswith("api is UNKNOWN: unreachable from here (refused)")
            assert f"From here: nothing listens on 127.0.0.2:{port_of(service)} (" in text_of(
                answer
            )
            assert "From its host: status word " in text_of(answer)


async def test_what_nobody_answers_for_on_its_own_host_is_down(house, nobody, tmp_path):
    with relaying(tmp_path, f"http://127.0.0.1:{nobody}/health") as url:
        async with living(house, config(house, f"http://127.0.0.1:{nobody}/health", url)):
            api = await facts(house)
    assert (api["verdict"], api["reason"]) == ("down", "refused from here and on its own host")


async def test_its_own_word_there_counts_although_it_did_not_reach_the_bot(
    house, service, tmp_path
):
    service.body = b'{"status": "failing"}'
    with relaying(tmp_path, service.url) as url:
        async with living(house, config(house, behind_a_wall(service), url)):
            api = await facts(house)
    assert api["verdict"] == "unhealthy"
    assert api["reason"] == (
        'status word "failing" on its own host; unreachable from here (refused)'
    )


async def test_an_answer_from_here_costs_the_agent_nothing(house, service, tmp_path):
    async with Service().listening() as other:
        with relaying(tmp_path, other.url) as url:
            async with living(house, config(house, service.url, url)):
                api = await facts(house)
    assert (api["verdict"], other.requests) == ("healthy", 0)
    assert "views" not in api


@pytest.mark.parametrize(
    ("relay", "reason"),
    [
        ("health", "the agent can't tell: there is no relay called health"),
        (None, "the process is not found on its host: "),
    ],
)
async def test_an_agent_without_the_relay_says_what_it_can(house, nobody, tmp_path, relay, reason):
    with agent(write(tmp_path, "name: no-such-service")) as running:
        url = f"http://127.0.0.1:{nobody}/health"
        async with living(house, config(house, url, running.url, relay)):
            api = await facts(house)
    assert api["verdict"] == "down"
    assert api["reason"].startswith(f"nothing listens on 127.0.0.1:{nobody}; {reason}")


async def test_without_a_relay_a_process_that_listens_there_is_not_down(house, service, tmp_path):
    with agent(write(tmp_path, f"port: {port_of(service)}")) as running:
        async with living(house, config(house, behind_a_wall(service), running.url, None)):
            api = await facts(house)
    assert api["verdict"] == "unknown"
    assert f") listens on port {port_of(service)} of its host (agent), look at" in api["reason"]


async def test_an_agent_that_is_away_too_is_said(house, nobody):
    url = f"http://127.0.0.1:{nobody}"
    async with living(house, config(house, f"{url}/health", url)):
        api = await facts(house)
    assert api["verdict"] == "down"
    assert api["reason"] == (
        f"nothing listens on 127.0.0.1:{nobody}; the agent doesn't answer either"
    )


async def test_an_agent_that_refuses_the_token_says_nothing_of_the_target(
    house, service, tmp_path, nobody
):
    path = write(tmp_path, "name: no-such-service", more=f"relay: {{health: '{service.url}'}}\n")
    with agent(path, IORA_AGENT_TOKEN="another") as running:
        url = f"http://127.0.0.1:{nobody}/health"
        async with living(house, config(house, url, running.url)):
            api = await facts(house)
    assert api["reason"] == (
        f"nothing listens on 127.0.0.1:{nobody}; the agent can't tell: it refused the token, "
        "check `agent.token`"
    )


async def test_a_second_look_that_takes_long_holds_up_no_other_target(house, nobody):
    hung = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as mute:
        away = {
            "poll": "1h",
            "health": {"url": f"http://127.0.0.1:{nobody}/health", "relay": "health"},
            "agent": {
                "url": f"http://127.0.0.1:{mute.sockets[0].getsockname()[1]}",
                "timeout": "2s",
            },
        }
        well = {"poll": "1h", "health": {"url": f"{house.target.url}/api/health"}}
        both = {"away": away, "well": well}
        async with living(house, config_for(house.target, targets=both, baselines={})) as bot:
            found = await bot.monitoring.refresh(("away", "well"), 1_000)
            assert hung.is_set()
    assert [(one.verdict, one.late) for one in found] == [("unknown", True), ("healthy", False)]


async def test_polls_that_never_reached_it_are_no_errors_of_the_target(house, service, tmp_path):
    with relaying(tmp_path, service.url) as url:
        async with living(house, config(house, behind_a_wall(service), url)) as bot:
            (found,) = await bot.monitoring.refresh(("api",), 5_000)
            (rate,) = [one for one in found.readings if one.metric == "error_rate_percent"]
            assert (rate.value, rate.samples) == (None, 0)


async def test_nobody_is_woken_before_it_is_down_on_its_own_host_too(house, service, tmp_path):
    rule = {"name": "down", "when": "verdict == down", "for": "0s", "open": "declare"}
    with relaying(tmp_path, service.url) as url:
        watched = config(house, behind_a_wall(service), url, poll="500ms", detection=[rule])
        async with living(house, watched) as bot:
            async with asyncio.timeout(PATIENCE_S):
                while len(await bot.database.read(samples.since, "api", SAID, 0)) < 2:
                    await asyncio.sleep(0.05)
            assert not house.messages(), "unreachable from here is not down"
            service.status, service.body = 503, b""
            card = await house.until(house.card, "the card")
            assert "api" in card.text
            evidence = await house.until_entry(1, "evidence")
            (kept,) = evidence.facts["healths"]
            assert kept["verdict"] == "down"
            assert [view["place"] for view in kept["views"]] == ["here", "its host"]
            assert kept["views"][1]["said"] == "HTTP 503 without a body"


@pytest.mark.parametrize(("listens", "silent"), [(True, False), (False, True)])
async def test_what_gives_no_answer_is_known_to_be_silent_without_an_agent_too(
    house, service, nobody, *, listens: bool, silent: bool
):
    url = service.url if listens else f"http://127.0.0.1:{nobody}/health"
    targets = {"api": {"poll": "1h", "health": {"url": url}}}
    async with living(house, config_for(house.target, targets=targets)):
        (found,) = await house.bot.monitoring.refresh(("api",), 20_000)
    assert found.silent is silent

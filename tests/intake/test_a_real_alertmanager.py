"""A real Alertmanager tells the bot: once, again, a whole group, that it is over, and while it was away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.store.database import Tx
from bot.wiring import Bot
from tests.support.alertmanager_server import Alertmanager, Labels, alertmanager
from tests.support.alerts import ALERTMANAGER, INTAKE
from tests.support.house import House, config_for, living, standing, text_of
from tests.support.ports import kept_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
QUICK = {"group_wait": "0s", "group_interval": "200ms", "repeat_interval": "200ms"}


def shipped() -> dict[str, Any]:
    """The config that the README shows."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = (
        block.partition("```")[0]
        for block in readme.split("```yaml\n")[1:]
        if "webhook_configs:" in block.partition("```")[0]
    )
    found: dict[str, Any] = yaml.safe_load(snippet)
    return found


def config_to(port: int, token: Path) -> dict[str, Any]:
    """The README's, to this port, with this token, and in a hurry."""
    config = shipped()
    config["route"] |= QUICK
    (webhook,) = config["receivers"][0]["webhook_configs"]
    webhook["url"] = webhook["url"].replace(":3000", f":{port}")
    token.write_text(ALERTMANAGER)
    webhook["http_config"]["authorization"]["credentials_file"] = str(token)
    return config


@dataclass(frozen=True)
class Stage:
    """An Alertmanager and a house, with the port at which the bot is to listen."""

    manager: Alertmanager
    house: House
    port: int

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        config = config_for(self.house.target, intake=INTAKE)
        async with living(self.house, config, {"PORT": str(self.port)}) as bot:
            yield bot

    async def until_card(self, words: str) -> str:
        """Until the card of the first incident says the words, while the bot's time goes on."""
        ends = time.monotonic() + PATIENCE_S
        while words not in (said := self.card()):
            assert time.monotonic() < ends, f"no {words!r}: {said}"
            self.house.advance(1_000)
            await asyncio.sleep(0.02)
        return said

    def card(self, number: int = 1) -> str:
        found = self.house.card(number)
        return "" if found is None else text_of(found)

    async def until_sent(self, more: int) -> None:
        """Until the Alertmanager has made so many requests more."""
        wanted = self.manager.sent() + more
        ends = time.monotonic() + PATIENCE_S
        while self.manager.sent() < wanted:
            assert time.monotonic() < ends, "no request of the Alertmanager"
            await asyncio.sleep(0.05)

    async def until_failed(self, more: int) -> None:
        """Until so many requests more got no answer."""
        wanted = self.manager.failed() + more
        ends = time.monotonic() + PATIENCE_S
        while self.manager.failed() < wanted:
            assert time.monotonic() < ends, "no request of the Alertmanager that failed"
            await asyncio.sleep(0.05)


@contextmanager
def managed(folder: Path) -> Iterator[tuple[Alertmanager, int]]:
    """An Alertmanager, and the port that it sends to."""
    with kept_port() as port, alertmanager(folder, config_to(port, folder / "token")) as manager:
        yield manager, port


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    with managed(tmp_path) as (manager, port):
        async with standing(tmp_path) as house:
            yield Stage(manager, house, port)


def alert(name: str = "HighErrorRate", instance: int = 1, severity: str = "warning") -> Labels:
    return {
        "alertname": name,
        "service": "iora",
        "instance": f"i{instance}",
        "severity": severity,
    }


def heard(tx: Tx) -> list[int]:
    """How often the bot was told of each alert that it knows."""
    return [int(row["heard"]) for row in tx.all("SELECT heard FROM alerts ORDER BY id")]


def incidents(tx: Tx) -> list[str]:
    return [str(row["title"]) for row in tx.all("SELECT title FROM incidents ORDER BY id")]


async def test_an_alert_that_fires_repeats_and_is_over_is_one_incident(stage: Stage):
    async with stage.bot() as bot:
        stage.manager.fire(alert())
        card = await stage.until_card("1 alert firing")
        assert "iora: HighErrorRate" in card
        assert "SEV3" in card

        (before,) = await bot.database.read(heard)
        await stage.until_sent(3)  # the second one began after the first, so it is stored
        (after,) = await bot.database.read(heard)
        assert after >= before + 2
        stage.house.advance(3_000)
        await stage.house.until_sent()
        assert await bot.database.read(incidents) == ["iora: HighErrorRate"]
        assert "1 alert firing" in stage.card()

        stage.manager.resolve(alert())
        await stage.until_card("The alert is resolved")
        await stage.house.until_sent()
        assert await bot.database.read(incidents) == ["iora: HighErrorRate"]
        assert stage.manager.failed() == 0


async def test_alerts_of_one_group_are_one_incident_that_says_how_many(stage: Stage):
    async with stage.bot() as bot:
        stage.manager.fire(*(alert(instance=number) for number in range(1, 6)))
        await stage.until_card("5 alerts firing")
        stage.manager.fire(alert(instance=6), alert(instance=7))
        await stage.until_card("7 alerts firing")
        stage.manager.resolve(*(alert(instance=number) for number in range(1, 4)))
        await stage.until_card("4 alerts firing, 3 resolved")
        assert await bot.database.read(incidents) == ["iora: HighErrorRate"]

        stage.manager.fire(alert("DiskFull", severity="critical"))
        await stage.house.until(lambda: stage.house.advance(1_000) or stage.card(2), "another card")
        assert await bot.database.read(incidents) == ["iora: HighErrorRate", "iora: DiskFull"]
        assert "SEV2" in stage.card(2)


async def test_what_happens_while_the_bot_is_away_is_told_when_it_is_back(stage: Stage):
    stage.manager.fire(alert(instance=1), alert(instance=2))
    await stage.until_failed(1)
    async with stage.bot():
        await stage.until_card("2 alerts firing")
        await stage.house.until_sent()
    stage.manager.resolve(alert(instance=1))
    stage.manager.fire(alert(instance=3))
    await stage.until_failed(1)
    async with stage.bot() as bot:
        await stage.until_card("2 alerts firing, 1 resolved")
        assert await bot.database.read(incidents) == ["iora: HighErrorRate"]
        stage.manager.resolve(alert(instance=2), alert(instance=3))
        await stage.until_card("All 3 alerts are resolved")


async def test_a_wrong_token_is_refused_and_opens_nothing(tmp_path: Path):
    with kept_port() as port:
        config = config_to(port, tmp_path / "token")
        (tmp_path / "token").write_text("another-token")
        with alertmanager(tmp_path, config) as manager:
            async with standing(tmp_path) as house:
                stage = Stage(manager, house, port)
                async with stage.bot() as bot:
                    manager.fire(alert())
                    await stage.until_failed(1)
                    house.advance(10_000)
                    await house.until_sent()
                    assert await bot.database.read(heard) == []
                    assert await bot.database.read(incidents) == []

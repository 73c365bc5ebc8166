"""``/iora chart``: acked at once, answered in words, and the image comes to where it was asked."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bot.store import deploys, samples
from bot.store.database import Tx
from bot.store.samples import Sample
from tests.support.house import ALICE, INCIDENTS, House, config_for, living, standing, text_of

MINUTE, HOUR = 60_000, 3_600_000
PNG = b"\x89PNG\r\n"


@pytest.fixture
async def house(tmp_path):
    async with standing(tmp_path) as built:
        yield built


def config(house: House, **changes: Any) -> Any:
    targets = {
        "iora": {
            "poll": "1m",
            "health": {
                "url": f"{house.target.url}/api/health",
                "status": "status",
                "timeout": "2s",
            },
            "agent": {"url": house.target.url},
        }
    }
    return config_for(house.target, **({"targets": targets} | changes))


def measured(tx: Tx, ago: int = 6 * HOUR, every: int = MINUTE) -> None:
    """CPU of the last hours, with a peak over both bounds an hour ago, and a restart after it."""
    for at in range(tx.now - ago, tx.now, every):
        peak = 50 if tx.now - 70 * MINUTE < at < tx.now - 50 * MINUTE else 0
        value = 45 + peak + 4 * math.sin(at / HOUR)
        samples.add(tx, "iora", "cpu_percent", Sample(at, value, None))
        up = at - (tx.now - 50 * MINUTE if at > tx.now - 50 * MINUTE else tx.now - 40 * HOUR)
        samples.add(tx, "iora", "uptime_s", Sample(at, up / 1_000, None))
    deploys.add(tx, "iora", tx.now - 75 * MINUTE, "v1.2.3", "cli:ci")


def images(house: House, channel: str = INCIDENTS) -> list[Any]:
    return [
        (one, file) for one in house.messages(channel) for file in one.files if ".png" in file.name
    ]


async def answer(house: House, person: str = ALICE) -> str:
    found = await house.until(
        lambda: next((text_of(one) for one in house.whispers(person)), None), "the answer"
    )
    return str(found)


async def test_it_is_acked_without_words_answered_in_words_and_the_image_follows(house):
    async with living(house, config(house)) as bot:
        await bot.database.write(measured)
        said = await house.slash(ALICE, "chart iora cpu 6h")
        assert said.message is None
        text = await answer(house)
        for words in ("CPU of iora", "highest", "broken at", "deploy v1.2.3", "restart", "▁", "█"):
            assert words in text
        ((message, file),) = await house.until(lambda: images(house), "the image")
        assert message.thread_ts is None
        assert file.content.startswith(PNG)
        assert file.title == "CPU of iora, 6h"
        assert not house.slack.rejections
        assert not list(house.folder.rglob("*.png"))

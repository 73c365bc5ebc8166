"""``/iora chart``: acked at once, answered in words, and the image comes to where it was asked."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from bot.store import deploys, samples
from bot.store.database import Tx
from bot.store.samples import Sample
from bot.workspace import faults
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


async def test_where_the_bot_is_no_member_the_image_comes_as_a_direct_message(house):
    async with living(house, config(house)) as bot:
        await bot.database.write(measured)
        elsewhere = house.slack.workspace.add_channel("random", [ALICE])
        await house.slack.acts.slash(ALICE, elsewhere.id, "/iora", "chart iora cpu")
        ((message, _),) = await house.until(
            lambda: [
                (one, file) for one in house.pings(ALICE) for file in one.files if file.content
            ],
            "the image",
        )
        assert message.thread_ts is None
        assert not images(house, elsewhere.id)
        assert "in your direct messages" in await answer(house)


async def test_asked_by_a_mention_in_an_incidents_thread_the_image_comes_there(house):
    async with living(house, config(house)) as bot:
        await bot.database.write(measured)
        await house.slash(ALICE, "declare sev3 API slow")
        card = await house.until(house.card, "the card")
        assert "Deployed 75 min" not in text_of(card)  # over an hour before
        await house.slack.acts.say(ALICE, INCIDENTS, "<@U00IORA> chart iora cpu", thread_ts=card.ts)
        ((message, _),) = await house.until(lambda: images(house), "the image")
        assert message.thread_ts == card.ts
        assert not house.slack.rejections


async def test_an_app_that_may_not_share_files_says_so_to_who_asked(house):
    async with living(house, config(house)) as bot:
        await bot.database.write(measured)
        house.slack.faults.add("files.getUploadURLExternal", faults.api_error("missing_scope"), 9)
        await house.slash(ALICE, "chart iora cpu")
        (said,) = await house.until(lambda: house.pings(ALICE), "the notice")
        assert "The image of CPU of iora, 6h can't be shared: missing_scope" in said.text
        assert "▁" in await answer(house)


async def test_an_image_whose_arrival_is_not_known_is_there_once(house):
    def there() -> bool:
        house.advance(2_000)  # a look-up waits until its attempt must be over
        return bool(images(house))

    async with living(house, config(house)) as bot:
        await bot.database.write(measured)
        house.slack.faults.add("files.completeUploadExternal", faults.error_after)
        await house.slash(ALICE, "chart iora cpu")
        await house.until(there, "the image")
        while await bot.waiting():
            house.advance(2_000)
            await asyncio.sleep(0.01)
        assert len(images(house)) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("chart iora cpux", "Did you mean `cpu`?"),
        ("chart iora throughput", "Throughput of iora is not measured."),
        ("chart iora cpu 1s", "iora is read every 60 s. The shortest is 2m."),
        ("chart iora cpu 200d", "The longest is"),
    ],
)
async def test_what_can_not_be_shown_is_said_with_what_can(house, typed, words):
    async with living(house, config(house)) as bot:
        await bot.database.write(measured)
        await house.slash(ALICE, typed)
        assert words in await answer(house)
        assert not await bot.waiting()


async def test_a_deploy_is_noted_and_the_next_incident_says_so(house):
    async with living(house, config(house)):
        said = await house.slash(ALICE, "deploy iora v1.2.3")
        assert said.message.text.startswith("Noted: v1.2.3 on iora.")
        house.advance(12 * MINUTE)
        await house.slash(ALICE, "declare sev3 API slow")
        card = await house.until(house.card, "the card")
        words = f"Deployed 12 min before: v1.2.3 on iora by <@{ALICE}>"
        assert words in card.text
        assert words in text_of(card)
        assert not house.slack.rejections


async def test_a_guest_gets_no_chart_and_notes_no_deploy(house):
    async with living(
        house, config(house, slack={"team": "T09OTHER", "channel": "incidents"})
    ) as bot:
        await bot.database.write(measured)
        await house.slash(ALICE, "deploy iora v6.6.6")
        assert len(await bot.database.read(deploys.between, "iora", 0, house.clock.now())) == 1
        before = len(house.whispers(ALICE))
        await house.slash(ALICE, "chart iora cpu")
        await house.until(lambda: house.whispers(ALICE)[before:], "the refusal")
        assert not await bot.waiting()

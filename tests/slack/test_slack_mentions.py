"""Slash commands don't work in threads; a mention of the bot does."""

from __future__ import annotations

import asyncio

from bot.slack.mentioned import Mentioned
from tests.support.house import (
    ALICE,
    BOB,
    INCIDENTS,
    MALLORY,
    config_for,
    living,
    standing,
    text_of,
)
from tests.support.workspace_app import web_client


async def test_a_mention_in_a_cards_thread_means_that_cards_incident(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        await house.slash(BOB, "declare sev3 first")
        await house.slash(BOB, "declare sev3 second")
        card = await house.until(lambda: house.card(2), "the second card")
        await house.slack.acts.say(ALICE, INCIDENTS, "<@U00IORA> ack", thread_ts=card.ts)
        (said,) = await house.until(lambda: house.whispers(ALICE), "the answer")
        assert said.text.startswith("INC-2 is yours")
        assert said.thread_ts == card.ts
        await house.until(lambda: "ACKNOWLEDGED" in house.card(2).text, "the card says so")
        assert "OPEN" in house.card(1).text
        assert not house.slack.rejections


async def test_a_mention_is_refused_what_its_author_may_not(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        await house.slash(BOB, "declare sev3 first")
        await house.until(house.card, "the card")
        await house.slack.acts.say(MALLORY, INCIDENTS, "<@U00IORA>: resolve INC-1")
        (said,) = await house.until(lambda: house.whispers(MALLORY), "the refusal")
        assert said.text.startswith("You may not resolve INC-1.")
        assert not house.slack.rejections


async def test_a_mention_asks_for_the_health_and_learns_how_things_are_written(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        for text, answer in (
            ("<@U00IORA> health", "iora is"),
            ("<@U00IORA> helth", "Did you mean `/iora health`?"),
            ("<@U00IORA> declare", "An incident needs a title."),
            ("<@U00IORA>", "/iora: health"),
        ):
            before = len(house.whispers(ALICE))
            await house.slack.acts.say(ALICE, INCIDENTS, text)
            said = await house.until(lambda n=before: house.whispers(ALICE)[n:], f"to {text}")
            assert answer in text_of(said[0])
        assert not house.slack.rejections


async def test_a_mention_that_slack_sends_again_is_done_once(tmp_path):
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target)) as bot,
    ):
        await house.slash(BOB, "declare sev3 first")
        await house.until(house.card, "the card")
        body = {
            "team_id": "T01TEAM",
            "event_id": "Ev1",
            "event": {"user": ALICE, "channel": INCIDENTS, "text": "<@U00IORA> note a line"},
        }
        acks = []

        async def ack() -> None:
            acks.append(1)

        mentioned = Mentioned(bot.desk, web_client(house.slack))
        await asyncio.gather(mentioned(ack, body), mentioned(ack, body))
        await mentioned(ack, body)
        told = str((await house.slash(ALICE, "timeline INC-1")).message.blocks)
        assert told.count("a line") == 1
        assert len(acks) == 3


async def test_a_mention_whose_work_failed_is_answered_too(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        await house.slash(BOB, "declare sev3 first")
        await bot.database.read(lambda tx: tx.run("PRAGMA query_only=ON"))  # a read-only disk
        await house.slack.acts.say(ALICE, INCIDENTS, "<@U00IORA> note a line")
        (said,) = await house.until(lambda: house.whispers(ALICE), "the answer")
        assert said.text.startswith("The bot failed at this (request ")
        await bot.database.read(lambda tx: tx.run("PRAGMA query_only=OFF"))

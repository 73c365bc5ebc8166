"""Somebody deletes the card in Slack: the next change posts it again, and the thread goes on."""

from __future__ import annotations

from tests.support.house import BOB, config_for, living, standing, text_of
from tests.support.workspace_app import web_client


async def test_a_card_that_was_deleted_is_posted_again(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        await house.slash(BOB, "declare sev3 API slow")
        await house.until(lambda: house.card() and "Evidence" in text_of(house.card()), "evidence")
        first = house.card()
        await web_client(house.slack).chat_delete(channel=first.channel, ts=first.ts)
        await house.slash(BOB, "ack INC-1")
        again = await house.until(
            lambda: house.card() and "ACKNOWLEDGED" in house.card().text and house.card(),
            "a new card",
        )
        assert again.ts != first.ts
        await house.until(
            lambda: [m for m in house.messages() if m.thread_ts == again.ts],
            "a reply in its thread",
        )

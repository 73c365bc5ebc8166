"""A ping as two people see it, each in a browser: one acknowledges, and both copies say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import OpenPage, open_page
from tests.support.house import ALICE, BOB, House, config_for, living, standing

__all__ = ["open_page"]

BOTH_AT_ONCE = {
    "default": "critical",
    "last_resort": [f"user:{ALICE}"],
    "policies": {
        "critical": {
            "levels": [
                {"after": "0s", "notify": ["channel", f"user:{ALICE}", f"user:{BOB}"]},
                {"after": "15m", "notify": ["channel"]},
            ]
        }
    },
}


async def own_messages(page: Page, house: House, person: str) -> Locator:
    """The page of a person, at what the bot wrote to them."""
    channel = house.pings(person)[0].channel
    await page.goto(f"{house.slack.url}/?as={person}&in={channel}")
    await page.wait_for_selector("html[data-live]")
    return page.locator("main article.message", has_text="INC-1").last


@pytest.mark.browser
async def test_one_acknowledges_and_both_copies_say_who(
    tmp_path: Path, open_page: OpenPage
) -> None:
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=BOTH_AT_ONCE)
        async with living(house, config):
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await house.until(lambda: house.pings(ALICE) and house.pings(BOB), "both pings")
            pages = [await open_page(f"{house.slack.url}/?as={one}") for one in (ALICE, BOB)]
            copies = [
                await own_messages(page, house, person)
                for page, person in zip(pages, (ALICE, BOB), strict=True)
            ]
            for copy in copies:
                await expect(copy).to_contain_text("Do: acknowledge and look")
                for name in ("Acknowledge", "Hand over", "Open INC-1"):
                    await expect(copy.get_by_role("button", name=name, exact=True)).to_be_visible()
                await expect(copy.get_by_role("button", name="Resolve")).to_have_count(0)

            await copies[0].get_by_role("button", name="Acknowledge").click()
            for copy in copies:
                await expect(copy).to_contain_text("ACKNOWLEDGED: @Alice acknowledged")
                acknowledge = copy.get_by_role("button", name="Acknowledge", exact=True)
                await expect(acknowledge).to_have_count(0)
            assert (len(house.pings(ALICE)), len(house.pings(BOB))) == (1, 1), (
                "edited, not sent anew"
            )
            for page in pages:
                await page.close()  # before the server: a page that stays complains that it is gone

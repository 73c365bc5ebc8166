"""The big runbook on the page of ``iora local``: a slow and burning service, three people, one night."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.story.test_story_in_browser import ask_until, local, say
from tests.support.browser import OpenPage, open_page

__all__ = ["open_page"]

WITHIN_MS = 90_000
RUN = "/iora run critical-performance-degradation INC-1 iora steady=1s relief=90s hold=2s within=2m"


class Night:
    """The page, who sits before it, and the run's own message on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.form = page.locator("#modal")

    async def become(self, person: str) -> None:
        await self.page.click(f"#as-{person}")
        await self.page.wait_for_url(f"**as={person}**")
        await self.page.wait_for_selector("html[data-live]")
        await self.page.click("#to-C01INCIDENTS")
        await expect(self.run).to_be_visible()

    @property
    def run(self) -> Locator:
        return self.page.locator(
            "main article.message:not(.ephemeral)", has_text="RUN-1 Critical"
        ).last

    async def at(self, step: str) -> None:
        """The run has come to this step."""
        await expect(self.run).to_contain_text(step, timeout=WITHIN_MS)

    async def press(self, name: str) -> None:
        await self.run.get_by_role("button", name=name, exact=True).click()

    async def done(self, number: int, title: str, *notes: str) -> None:
        """Tick the step's list; Alice writes the notes that it asks for, and takes what wants an owner."""
        await self.at(f"WAITS FOR A PERSON | step {number} of 18")
        await expect(self.run).to_contain_text(title)
        await self.press("Done")
        await expect(self.form).to_be_visible()
        fields = self.form.locator("textarea")
        for number, note in enumerate(notes):
            await fields.nth(number).fill(note)
        await self.page.click("#modal-submit")
        await expect(self.form).to_contain_text("RUN-1")
        await self.page.click("#modal-close")


@pytest.mark.browser
async def test_three_people_bring_a_slow_and_burning_service_back(open_page: OpenPage) -> None:
    async with local() as address:
        page = await open_page(address, height=1000)
        await page.wait_for_selector("html[data-live]")
        expect.set_options(timeout=WITHIN_MS)
        night = Night(page)

        await ask_until(page, "iora is HEALTHY")
        await page.click("#mode-overloaded")
        await ask_until(page, "iora is DEGRADED")
        await say(page, "/iora declare sev2 iora API slow")
        card = page.locator("main article.message:not(.ephemeral)", has_text="SEV2 INC-1").first
        await expect(card).to_contain_text("Evidence")
        await card.get_by_role("button", name="Acknowledge").click()

        await say(page, RUN)
        await night.at("WAITS FOR A PERSON")
        await expect(night.run).to_contain_text("FAILED 1. “Assess impact: how bad is it”: P95")
        await night.done(2, "Assess impact: who is affected", "everybody who asks for a price")

        await night.at("Enable circuit breakers")
        await night.become("U03MALLORY")
        await card.locator("a.replies").click()
        await night.press("Approve")
        refused = page.locator("#thread article.message", has_text="You may not approve")
        await expect(refused).to_contain_text("Who may: @Alice, @Bob")
        await night.become("U02BOB")
        await night.press("Approve")
        await night.at("WATCHES THE EFFECT")

        await night.become("U01ALICE")
        await take_what_is_offered(night)
        await night.done(7, "Alert stakeholders: teams and users", "status page, at once")
        await night.done(11, "Identify root cause: decide", "the oracle is slow", "roll back, Bob")
        await night.done(12, "Implement fix: roll back", "release 41 runs again")
        await night.done(13, "Implement fix: mend forward", "nothing more")
        await page.click("#mode-healthy")
        await night.done(15, "Take the measures back", "all is as before")
        await night.done(17, "Resolve the incident", "status page is green")
        await night.at("DONE")

        await card.get_by_role("button", name="Resolve").click()
        await night.form.get_by_label("What ended it?").fill("rolled back")
        await page.click("#modal-submit")
        await expect(night.form).to_contain_text("It took")
        await page.click("#modal-close")
        await expect(card).to_contain_text("RESOLVED after")
        await card.get_by_role("button", name="Post-mortem").click()
        await card.locator("a.replies").click()
        thread = page.locator("#thread")
        await expect(thread).to_contain_text("Open the circuit breaker: done (HTTP 200)")
        drafted = thread.locator("figcaption", has_text="Post-mortem of INC-1, draft")
        await expect(drafted.first).to_be_visible()
        await expect(thread.locator("img.picture").first).to_be_visible()
        await page.close()  # before the server: a page that stays complains that it is gone


async def take_what_is_offered(night: Night) -> None:
    """More capacity and degraded mode are asked for while the service is not healthy: say yes."""
    while "step 7 of 18" not in (said := await night.run.inner_text()):
        if "WAITS FOR APPROVAL" in said:
            asked = night.run.get_by_role("button", name="Approve", exact=True)
            mark = await asked.get_attribute("value")
            await asked.click()
            await expect(night.run.locator(f'button[value="{mark}"]')).to_have_count(
                0
            )  # it was heard
        await night.page.wait_for_timeout(300)

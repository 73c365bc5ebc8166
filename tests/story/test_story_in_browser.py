"""The whole story on the page of ``iora local``, as a newcomer plays it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import OpenPage, open_page

__all__ = ["open_page"]

WITHIN_MS = 90_000
PING_WITHIN_MS = 90_000  # the quick policy pings Alice after 20 s


@asynccontextmanager
async def local() -> AsyncIterator[str]:
    """``iora local`` in a process of its own; the page's address. It ends on Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "local"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PORT": "0"},
    )
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("Open http://127.0.0.1:"), line
        yield line.split()[1]
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def say(page: Page, text: str) -> None:
    """Sent by the button: a list of words that opens late would take the Enter."""
    await page.fill("#say", text)
    await page.get_by_role("button", name="Send").click()


def newest(page: Page, text: str) -> Locator:
    return page.locator("main article.message", has_text=text).last


async def ask_until(page: Page, wanted: str) -> str:
    """Ask for the health, one answer after the other, until it begins like that."""
    answers = page.locator("main article.message", has_text="iora is")
    async with asyncio.timeout(WITHIN_MS / 1000):
        while True:
            before = await answers.count()
            await say(page, "/iora health")
            await expect(answers.nth(before)).to_be_visible()  # a slow target: first words too
            said = await answers.last.inner_text()
            if wanted in said:
                return said


@pytest.mark.browser
async def test_a_newcomer_plays_the_whole_story(open_page: OpenPage) -> None:
    async with local() as address:
        page = await open_page(address)
        await page.wait_for_selector("html[data-live]")
        expect.set_options(timeout=WITHIN_MS)

        await ask_until(page, "iora is HEALTHY")  # once ten polls were made
        await page.click("#mode-slow")
        worse = await ask_until(page, "iora is DEGRADED")
        assert "must be under 500" in worse

        await newest(page, "iora is DEGRADED").get_by_role("button", name="Declare").click()
        form = page.locator("#modal")
        await form.get_by_label("What is wrong?").fill("API slow since the deploy")
        await page.click("#modal-submit")
        await expect(form).to_contain_text("INC-1 declared")
        await page.click("#modal-close")
        card = newest(page, "SEV2 INC-1 API slow since the deploy")
        await expect(card).to_contain_text("OPEN since")
        await expect(card).to_contain_text("Evidence")

        ping_mark = page.locator("#side a.place.unread", has_text="I.O.R.A.")
        await expect(ping_mark).to_be_visible(timeout=PING_WITHIN_MS)
        await ping_mark.click()
        ping = newest(page, "INC-1")
        await expect(ping).to_contain_text("Do: acknowledge and look")
        await ping.get_by_role("button", name="Acknowledge").click()
        await expect(newest(page, "INC-1")).to_contain_text("ACKNOWLEDGED")

        await page.click("#to-C01INCIDENTS")
        await expect(card).to_contain_text("ACKNOWLEDGED")
        await card.get_by_role("button", name="Resolve").click()
        await expect(form).to_contain_text("It is not over by the last readings")
        await expect(form).to_contain_text("must be under 500")
        await form.get_by_label("Why is it over all the same?").fill("is it?")
        await page.click("#modal-close")
        await page.click("#mode-healthy")
        await ask_until(page, "iora is HEALTHY")
        await card.get_by_role("button", name="Resolve").click()
        await form.get_by_label("What ended it?").fill("rolled the deploy back")
        await page.click("#modal-submit")
        await expect(form).to_contain_text("It took")
        await page.click("#modal-close")
        await expect(card).to_contain_text("RESOLVED after")
        await expect(card).to_contain_text("to acknowledge")
        await page.close()  # before the server: a page that stays complains that it is gone

"""A real browser for tests: Debian's Chromium, driven by playwright.

Import the fixture where it is used (a test module, or a `conftest.py` beside it):
`from tests.support.browser import open_page`, with `__all__ = ["open_page"]` in a `conftest.py`.
A page that logs an error fails its test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from playwright.async_api import Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_IT = "no Chromium on the PATH: install it (Debian: apt install chromium)"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 10_000


class OpenPage(Protocol):
    """Opens an address in a fresh profile, in a window of that size."""

    async def __call__(
        self, url: str, *, width: int = 1280, height: int = 800, touch: bool = False
    ) -> Page: ...


def chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where browsers are required."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    if os.environ.get("IORA_BROWSER_TESTS") == "required":
        pytest.fail(HOW_TO_GET_IT)
    pytest.skip(HOW_TO_GET_IT)


@pytest.fixture
async def open_page() -> AsyncIterator[OpenPage]:
    """Opens pages, as many as a test wants; closes them all."""
    complaints: list[str] = []
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)

        async def opened(
            url: str, *, width: int = 1280, height: int = 800, touch: bool = False
        ) -> Page:
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                has_touch=touch,
                is_mobile=touch,
                timezone_id="Europe/Berlin",
                reduced_motion="reduce",
            )
            context.set_default_timeout(PATIENCE_MS)
            page = await context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda said: complaints.append(said.text) if said.type == "error" else None,
            )
            await page.goto(url)
            return page

        yield opened
        await browser.close()
    assert complaints == []

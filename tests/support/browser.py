"""A real browser for tests: Debian's Chromium, driven by playwright.

Import the fixture where it is used (a test module, or a `conftest.py` beside it):
`from tests.support.browser import open_page`, with `__all__ = ["open_page"]` in a `conftest.py`.
A page that logs an error fails its test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.async_api import Page, async_playwright

from tests.support.programs import until

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_IT = "no Chromium on the PATH: install it (Debian: apt install chromium)"
ARGUMENTS = [
    "--headless",
    "--remote-debugging-port=0",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
]
PATIENCE_MS = 30_000


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


@pytest.fixture(scope="session")
def browser() -> Iterator[str]:
    """One browser for all tests of a process: where it takes orders. Each test gets profiles of its own."""
    with tempfile.TemporaryDirectory(prefix="iora-browser-", ignore_cleanup_errors=True) as folder:
        said = Path(folder, "said")
        arguments = [*ARGUMENTS, f"--user-data-dir={folder}", "about:blank"]
        with said.open("wb") as errors:
            process = subprocess.Popen([chromium(), *arguments], stdout=errors, stderr=errors)
        try:
            listening = re.compile(r"DevTools listening on (ws://\S+)")
            yield until(lambda: listening.search(said.read_text()), "a browser").group(1)
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
async def open_page(browser: str) -> AsyncIterator[OpenPage]:
    """Opens pages, as many as a test wants; closes them all."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        connected = await playwright.chromium.connect_over_cdp(browser)

        async def opened(
            url: str, *, width: int = 1280, height: int = 800, touch: bool = False
        ) -> Page:
            context = await connected.new_context(
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
        await connected.close()
    assert complaints == [], complaints

"""The page of a draft in a real browser: nothing is refused, nothing runs over the edge of a phone."""

from __future__ import annotations

import pytest

from bot.render.postmortem import figures, html, sheet
from bot.rules.postmortem import account
from tests.support.browser import open_page
from tests.support.configs import config
from tests.support.postmortem import eventful

__all__ = ["open_page"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
async def test_it_opens_from_the_disk_without_a_complaint_and_fits(open_page, tmp_path, width):
    told = account(eventful(), config())
    path = tmp_path / "INC-7.html"
    path.write_text(html(sheet(told, figures(told))))
    page = await open_page(path.as_uri(), width=width)
    assert await page.get_by_role("heading", level=2).count() == 10
    assert await page.get_by_role("img").count() == 2
    assert await page.get_by_text("1 further level was told").is_visible()
    over = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert over <= 0
    (box,) = {
        box["width"] for svg in await page.locator("svg").all() if (box := await svg.bounding_box())
    }
    assert 300 < box <= width

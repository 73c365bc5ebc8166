"""``iora diagnose`` and ``iora reports`` as a person types them."""

from __future__ import annotations

import pytest

from tests.support.house import standing
from tests.support.reports import example
from tests.support.running import iora, serving, settings


@pytest.fixture
async def house(tmp_path):
    async with standing(tmp_path) as built:
        built.target.parts = example()
        built.target.parts["snapshot"]["resources"]["cpu_percent"] = 96.0
        yield built


@pytest.mark.parametrize("running", [True, False], ids=["with the bot", "without the bot"])
async def test_a_report_is_made_listed_opened_and_written_as_a_page(house, tmp_path, running):
    folder = tmp_path / "bot"
    environ = settings(house, folder)

    async def talk() -> None:
        made = await iora(folder, environ, "diagnose", "iora", "it", "is", "slow", "--json")
        report = made.json()
        assert made.code == 1, "it is not healthy"
        assert report["id"].startswith("diag_")
        assert report["issue_description"] == "it is slow"
        assert report["findings"][0]["kind"] == "cpu"
        assert report["asked_by"].startswith("cli:")
        listed = await iora(folder, environ, "reports")
        assert report["id"] in listed.out
        opened = await iora(folder, environ, "reports", report["id"], "--json")
        assert opened.json() == report
        words = await iora(folder, environ, "reports", report["id"])
        assert "High CPU usage detected - profile for bottlenecks" in words.out
        page = tmp_path / "report.html"
        written = await iora(folder, environ, "reports", report["id"], "--html", str(page))
        assert written.code == 0
        assert report["id"] in page.read_text()

    if running:
        async with serving(house, folder, environ):
            await talk()
    else:
        await talk()


async def test_what_can_not_be_done_is_said(house, tmp_path):
    folder = tmp_path / "bot"
    environ = settings(house, folder)
    unknown = await iora(folder, environ, "reports", "diag_1_a1b2c3d4e5f6")
    assert unknown.code == 1
    assert "There is no report `diag_1_a1b2c3d4e5f6`" in unknown.err
    wrong = await iora(folder, environ, "reports", "--html", "x.html")
    assert wrong.code == 2
    missing = await iora(folder, environ, "diagnose", "ioar")
    assert missing.code == 2
    assert "Did you mean `iora`?" in missing.err

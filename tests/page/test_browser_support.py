"""Where no browser is installed, its tests are skipped aloud, or fail where they are required."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import HOW_TO_GET_IT, chromium


def test_without_a_browser_the_test_is_skipped_and_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("IORA_BROWSER_TESTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        chromium()


def test_without_a_browser_the_test_fails_where_browsers_are_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IORA_BROWSER_TESTS", "required")
    with pytest.raises(pytest.fail.Exception) as failed:
        chromium()
    assert str(failed.value) == HOW_TO_GET_IT


def test_a_browser_on_the_path_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "chromium-browser"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium() == str(program)

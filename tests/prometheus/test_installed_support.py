"""Without the server, its tests are skipped aloud; where services are required, they fail."""

from __future__ import annotations

import shutil

import pytest

from tests.support.installed import installed

HOW_TO_GET_IT = "no prometheus here: install it (Debian: apt install prometheus)"


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.delenv("IORA_SERVICE_TESTS", raising=False)
    return monkeypatch


def test_a_missing_server_skips_and_says_how_to_get_it(missing: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception) as skipped:
        installed("prometheus", "prometheus")
    assert str(skipped.value) == HOW_TO_GET_IT


def test_where_services_are_required_a_missing_one_fails(missing: pytest.MonkeyPatch) -> None:
    missing.setenv("IORA_SERVICE_TESTS", "required")
    with pytest.raises(pytest.fail.Exception) as failed:
        installed("prometheus", "prometheus")
    assert str(failed.value) == HOW_TO_GET_IT

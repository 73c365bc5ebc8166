"""Where no PostgreSQL is installed, its tests are skipped aloud, or fail where they are required."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import postgres_server
from tests.support.postgres_server import HOW_TO_GET_IT, programs


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres_server, "DEBIAN", tmp_path / "none")


def test_without_a_server_the_test_is_skipped_and_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("IORA_SERVICE_TESTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install postgresql"):
        programs()


def test_without_a_server_the_test_fails_where_services_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IORA_SERVICE_TESTS", "required")
    with pytest.raises(pytest.fail.Exception) as failed:
        programs()
    assert str(failed.value) == HOW_TO_GET_IT


def test_the_newest_of_debians_servers_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in ("9", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin/postgres").touch(0o755)
    monkeypatch.setattr(postgres_server, "DEBIAN", tmp_path)
    assert programs() == tmp_path / "15/bin"

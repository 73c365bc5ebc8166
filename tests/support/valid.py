"""Holds every message that a test makes to what Slack would take.

Import the fixture in a ``conftest.py``, with ``__all__ = ["everything_is_valid"]``: it is autouse there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.workspace.records import Json
from bot.workspace.site import Site


@pytest.fixture(autouse=True)
def everything_is_valid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever workspaces a test starts: none of them may have rejected a payload at its end."""
    rejected: list[str] = []
    keep = Site.reject

    def reject(site: Site, where: str, payload: Json, reason: str) -> None:
        rejected.append(f"{where}: {reason}: {payload}")
        keep(site, where, payload, reason)

    monkeypatch.setattr(Site, "reject", reject)
    yield
    assert rejected == []

"""Whatever deploys tells of it by HTTP, as `iora deploy` does by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.store import deploys
from tests.support.alerts import bearer
from tests.support.intake_door import Door, opened

TOKEN = "a-deploy-token"
SOURCE: dict[str, Any] = {
    "kind": "deploys",
    "token": TOKEN,
    "map": {"title": "version", "target": "service", "status": "result", "at": "finished"},
    "done": ["succeeded"],
}
SENT: dict[str, Any] = {
    "version": "v1.2.3",
    "service": "iora",
    "result": "Succeeded",
    "finished": "2025-06-15T15:00:00Z",
}


async def kept(door: Door) -> list[tuple[str, str, int]]:
    found = await door.database.read(deploys.between, "iora", 0, door.clock.now())
    return [(one.title, one.source, one.at) for one in found]


async def test_a_deploy_is_kept_once_however_often_it_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path, ci=SOURCE) as door:
        for _ in range(2):
            status, said, _ = await door.post("/intake/alerts/ci", SENT, bearer(TOKEN))
            assert (status, said) == (200, {"status": "stored", "deploys": 1})
        assert await kept(door) == [("v1.2.3", "ci", 1_749_999_600_000)]


async def test_one_that_was_not_done_does_not_count(tmp_path: Path) -> None:
    async with opened(tmp_path, ci=SOURCE) as door:
        status, said, _ = await door.post(
            "/intake/alerts/ci", SENT | {"result": "failed"}, bearer(TOKEN)
        )
        assert (status, said["deploys"]) == (200, 0)
        assert await kept(door) == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (SENT | {"version": None}, "expected a title at `version` of each deploy"),
        (SENT | {"service": "ioar"}, "There is no target `ioar`. Did you mean `iora`?"),
    ],
)
async def test_what_can_not_be_kept_says_why(
    tmp_path: Path, sent: dict[str, Any], expected: str
) -> None:
    async with opened(tmp_path, ci=SOURCE) as door:
        status, said, _ = await door.post("/intake/alerts/ci", sent, bearer(TOKEN))
        assert (status, said["error"]) == (400, expected)


async def test_of_a_list_all_are_kept_or_none(tmp_path: Path) -> None:
    async with opened(tmp_path, ci=SOURCE) as door:
        sent = [SENT, SENT | {"service": "ioar"}]
        status, _, _ = await door.post("/intake/alerts/ci", sent, bearer(TOKEN))
        assert (status, await kept(door)) == (400, [])


async def test_more_than_can_be_stored_at_once_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path, ci=SOURCE) as door:
        sent = [SENT | {"version": f"v{number}"} for number in range(101)]
        status, said, _ = await door.post("/intake/alerts/ci", sent, bearer(TOKEN))
        assert (status, said["error"]) == (400, "expected 100 deploys at most, there are 101")

"""The HTTP side of the intake: who may, how much, and that 200 means stored."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.errors import StoreError
from bot.store import jobs
from tests.support.alerts import ALERTMANAGER, BUILDS, NIGHTLY, bearer, firing, message
from tests.support.intake_door import Door, opened

PROMETHEUS = "/intake/alertmanager"
BUILD = {"message": "build failed", "id": 42, "state": "failed"}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(tmp_path) as found:
        yield found


async def test_200_means_stored(door: Door) -> None:
    status, said, _ = await door.post(PROMETHEUS, message([firing()]), bearer(ALERTMANAGER))
    assert (status, said) == (200, {"status": "stored", "firing": 1, "resolved": 0})
    assert await door.stored("prometheus", "HighErrorRate-1")
    status, _, _ = await door.post("/intake/alerts/builds", BUILD, bearer(BUILDS))
    assert status == 200
    assert await door.stored("builds", "42")


async def test_the_password_of_basic_is_the_token_too(door: Door) -> None:
    pair = base64.b64encode(f"iora:{ALERTMANAGER}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    status, _, _ = await door.post(PROMETHEUS, message([firing()]), headers)
    assert status == 200


REFUSED: dict[str, tuple[str, Mapping[str, str]]] = {
    "no header": (PROMETHEUS, {}),
    "another token": (PROMETHEUS, bearer("another")),
    "another source's": (PROMETHEUS, bearer(BUILDS)),
    "an empty one": (PROMETHEUS, {"Authorization": "Bearer "}),
    "a broken Basic": (PROMETHEUS, {"Authorization": "Basic !!"}),
    "in the URL": (f"{PROMETHEUS}?token={ALERTMANAGER}", {}),
    "of json": ("/intake/alerts/builds", bearer(ALERTMANAGER)),
    "of a job": ("/intake/heartbeat/nightly-backup", bearer(BUILDS)),
}


@pytest.mark.parametrize(("path", "headers"), REFUSED.values(), ids=REFUSED.keys())
async def test_without_the_source_s_own_token_nothing_is_taken(
    door: Door, path: str, headers: Mapping[str, str]
) -> None:
    status, said, answer = await door.post(path, message([firing()]), headers)
    assert (status, said["error"]) == (401, "no token, or a wrong one")
    assert "Bearer" in answer["WWW-Authenticate"]
    assert not await door.stored("prometheus", "HighErrorRate-1")
    assert ALERTMANAGER not in json.dumps(said)


@pytest.mark.parametrize("path", ["/intake/alerts/bulids", "/intake/heartbeat/weekly"])
async def test_who_is_not_in_the_config_is_not_there(door: Door, path: str) -> None:
    status, said, _ = await door.post(path, BUILD, bearer(BUILDS))
    assert status == 404
    assert set(said) == {"error", "where", "next"}


async def test_of_several_alertmanagers_the_token_tells_which(tmp_path: Path) -> None:
    other = {"kind": "alertmanager", "token": "the-other-one"}
    async with opened(tmp_path, staging=other) as door:
        status, _, _ = await door.post(PROMETHEUS, message([firing()]), bearer("the-other-one"))
        assert status == 200
        assert await door.stored("staging", "HighErrorRate-1")
        assert not await door.stored("prometheus", "HighErrorRate-1")


WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "expected JSON in UTF-8, it can't be read at byte 1"),
    "no UTF-8": (b'"\xff"', "expected JSON in UTF-8, it can't be read"),
    "too deep": (b"[" * 100_000, "expected JSON in UTF-8, it can't be read"),
    "no message of Alertmanager's": ({"a": 1}, "expected Alertmanager's webhook message"),
    "alerts without a name": (message([{}]), "expected a title at `labels.alertname`"),
}


@pytest.mark.parametrize(("body", "expected"), WRONG.values(), ids=WRONG.keys())
async def test_what_can_not_be_read_says_what_was_expected(
    door: Door, body: Any, expected: str
) -> None:
    status, said, _ = await door.post(PROMETHEUS, body, bearer(ALERTMANAGER))
    assert status == 400
    assert str(said["error"]).startswith(expected)


async def test_what_is_too_large_is_refused_unread_however_it_comes(tmp_path: Path) -> None:
    async with opened(tmp_path, prometheus={"size": "1KB"}) as door:
        body = json.dumps(message([firing(number=number) for number in range(100)])).encode()
        status, said, _ = await door.post(PROMETHEUS, body, bearer(ALERTMANAGER))
        assert (status, said["error"]) == (413, "the body is larger than 1,000 bytes")
        assert await door.stored("prometheus", "iora:too-large"), (
            "people are told that some are lost"
        )
        packed = {**bearer(ALERTMANAGER), "Content-Encoding": "gzip"}
        status, _, _ = await door.post(PROMETHEUS, gzip.compress(body), packed)
        assert status == 413


async def test_a_packed_body_is_read(door: Door) -> None:
    packed = {**bearer(ALERTMANAGER), "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(message([firing()])).encode())
    assert (await door.post(PROMETHEUS, body, packed))[0] == 200


async def test_what_is_packed_badly_says_so(door: Door) -> None:
    packed = {**bearer(ALERTMANAGER), "Content-Encoding": "gzip"}
    status, said, _ = await door.post(PROMETHEUS, b"not packed at all", packed)
    assert (status, said["error"]) == (400, "the body did not come whole")


async def test_a_large_body_is_stored_whole(door: Door) -> None:
    body = message([firing(number=number) for number in range(3_000)])
    status, said, _ = await door.post(PROMETHEUS, body, bearer(ALERTMANAGER))
    assert (status, said["firing"]) == (200, 3_000)
    assert await door.stored("prometheus", "HighErrorRate-2999")


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [(PROMETHEUS, ALERTMANAGER, 503), ("/intake/alerts/builds", BUILDS, 429)],
)
async def test_who_comes_too_often_is_told_when_to_come_again(
    tmp_path: Path, path: str, token: str, status: int
) -> None:
    """Alertmanager sends again after a 5xx only, so that is what it gets."""
    limits = {"rate": 2}
    async with opened(tmp_path, prometheus=limits, builds=limits) as door:
        body = message([firing()]) | BUILD
        said = [await door.post(path, body, bearer(token)) for _ in range(5)]
        assert [one[0] for one in said] == [200] * 4 + [status]
        assert said[-1][2]["Retry-After"] == "1"
        door.clock.advance(500)
        assert (await door.post(path, body, bearer(token)))[0] == 200


async def test_what_can_not_be_stored_is_to_be_sent_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(door.database, "write", full)
        for path, token, body in (
            (PROMETHEUS, ALERTMANAGER, message([firing()])),
            ("/intake/alerts/builds", BUILDS, BUILD),
            ("/intake/heartbeat/nightly-backup", NIGHTLY, {}),
        ):
            status, said, headers = await door.post(path, body, bearer(token))
            assert (status, said["error"]) == (503, "it could not be stored")
            assert int(headers["Retry-After"]) > 0
    status, _, _ = await door.post(PROMETHEUS, message([firing()]), bearer(ALERTMANAGER))
    assert status == 200


async def test_a_job_reports_with_an_empty_body(door: Door) -> None:
    status, said, _ = await door.post("/intake/heartbeat/nightly-backup", b"", bearer(NIGHTLY))
    assert (status, said) == (200, {"status": "stored"})
    known = await door.database.read(jobs.get, "nightly-backup")
    assert known is not None
    assert known.heard_at == door.clock.now()


async def test_a_job_that_sends_its_whole_log_has_reported(door: Door) -> None:
    path, log = "/intake/heartbeat/nightly-backup", b"copied one more file\n" * 100_000
    status, said, _ = await door.post(path, log, bearer(NIGHTLY))
    assert (status, said) == (200, {"status": "stored"})
    known = await door.database.read(jobs.get, "nightly-backup")
    assert known is not None
    assert known.heard_at == door.clock.now()


async def test_a_get_is_no_report(door: Door) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{door.url}/intake/heartbeat/nightly-backup") as answer,
    ):
        assert answer.status == 405


async def test_many_at_once_are_all_stored_in_few_commits(door: Door) -> None:
    before = door.database.counters.functions
    bodies = [message([firing(number=number)]) for number in range(200)]
    answers = await asyncio.gather(
        *(door.post(PROMETHEUS, body, bearer(ALERTMANAGER)) for body in bodies)
    )
    assert {one[0] for one in answers} == {200}
    for number in range(200):
        assert await door.stored("prometheus", f"HighErrorRate-{number}")
    assert door.database.counters.functions - before - 200 < 150

"""`POST /intake/pagerduty/{way}`: who acknowledges in PagerDuty has acknowledged here, once and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.errors import StoreError
from bot.model.actor import Actor, outsider_of
from bot.model.config import SlackSettings
from bot.model.incident import Entry
from bot.render.entry import who
from bot.rules.access import mention
from bot.rules.names import named
from bot.store import incidents
from tests.support.house import ALICE, BOB, House, config_for, living, standing, text_of
from tests.support.pagerduty import BOB_THERE, KEY, signed, webhook

SECRET = "secret of the hook"
WAYS = {
    "pagerduty": {"kind": "pagerduty", "routing_key": KEY, "webhook_secret": SECRET},
    "deaf": {"kind": "pagerduty", "routing_key": KEY},
    "bridge": {"kind": "webhook", "url": "https://example.com/", "secret": SECRET},
}
INC_1 = "iora:T01TEAM:INC-1"


class Door:
    """Posts to a running bot as PagerDuty does, or as somebody else might."""

    def __init__(self, house: House, session: aiohttp.ClientSession) -> None:
        self.house = house
        self._session = session

    def body(self, key: str = INC_1, *, ago_ms: int = 0, **more: Any) -> bytes:
        at = datetime.fromtimestamp((self.house.clock.now() - ago_ms) / 1_000, UTC)
        return webhook(key, at.isoformat().replace("+00:00", "Z"), **more)

    async def post(
        self, body: bytes, *, way: str = "pagerduty", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        assert self.house.bot is not None
        url = f"http://127.0.0.1:{self.house.bot.port}/intake/pagerduty/{way}"
        headers = signed(body, SECRET) if headers is None else headers
        async with self._session.post(url, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def acknowledgements(self) -> list[Entry]:
        return await self.house.entries(1, "acknowledged")


@asynccontextmanager
async def door(folder: Path, people: dict[str, Any] | None = None) -> AsyncIterator[Door]:
    """A bot whose INC-1 is open and waits for somebody."""
    async with standing(folder) as house, aiohttp.ClientSession() as session:
        config = config_for(house.target, ways=WAYS, people=people or {})
        async with living(house, config):
            assert (await house.slash(ALICE, "declare sev2 API slow")).ok
            await house.until(lambda: house.pings(ALICE), "the ping")
            yield Door(house, session)


async def test_an_acknowledgement_there_counts_here_and_updates_every_copy(tmp_path):
    async with door(tmp_path, {BOB: {"pagerduty": BOB_THERE["id"]}}) as pagerduty:
        status, text = await pagerduty.post(pagerduty.body())
        assert (status, text) == (200, '{"status": "acknowledged", "incident": "INC-1"}')
        (entry,) = await pagerduty.acknowledgements()
        assert entry.actor == f"slack:T01TEAM:{BOB}"
        house = pagerduty.house
        await house.until(lambda: "ACKNOWLEDGED" in text_of(house.card()), "the card")
        await house.until(
            lambda: f"<@{BOB}> acknowledged" in text_of(house.pings(ALICE)[0]), "the ping's copy"
        )


async def test_it_is_committed_before_it_is_answered(tmp_path):
    async with door(tmp_path) as pagerduty:
        await pagerduty.post(pagerduty.body())
        assert len(await pagerduty.acknowledgements()) == 1


async def test_nobody_is_pinged_after_it(tmp_path):
    async with door(tmp_path) as pagerduty:
        await pagerduty.post(pagerduty.body())
        pagerduty.house.advance(20 * 60_000)
        await pagerduty.house.slash(ALICE, "note INC-1 still quiet")
        assert await pagerduty.house.entries(1, "note")
        assert len(await pagerduty.house.entries(1, "escalation")) == 1
        assert pagerduty.house.pings(BOB) == []


async def test_somebody_whom_the_config_does_not_know_is_named_as_in_pagerduty(tmp_path):
    async with door(tmp_path) as pagerduty:
        agent = {**BOB_THERE, "summary": "Bob\n<!channel> Builder"}
        await pagerduty.post(pagerduty.body(agent=agent))
        (entry,) = await pagerduty.acknowledgements()
        assert entry.actor == "pagerduty:Bob !channel Builder"
        house = pagerduty.house
        await house.until(
            lambda: (
                "Bob !channel Builder (PagerDuty) acknowledged" in text_of(house.pings(ALICE)[0])
            ),
            "the ping's copy",
        )
        assert "Bob !channel Builder (PagerDuty)" in str(await house.slash(BOB, "ack INC-1"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bob Builder", "Bob Builder (PagerDuty)"),
        (" Bob\r\n  Builder\x00\u202e", "Bob Builder (PagerDuty)"),
        ("<@U01ALICE> & co", "@U01ALICE co (PagerDuty)"),
        ("slack:T01TEAM:U01ALICE", "slack:T01TEAM:U01ALICE (PagerDuty)"),
        ("x" * 500, f"{'x' * 60} (PagerDuty)"),
        ("", "somebody (PagerDuty)"),
    ],
)
def test_a_name_of_pagerduty_is_never_somebody_elses_and_never_markup(name: str, shown: str):
    actor = Actor.pagerduty(name)
    assert actor.person is None
    assert outsider_of(actor.text) == named(actor.text) == mention(actor.holder) == shown
    assert who(actor.text) == shown


async def test_the_same_event_again_changes_nothing(tmp_path):
    async with door(tmp_path) as pagerduty:
        body = pagerduty.body()
        answers = await asyncio.gather(*(pagerduty.post(body) for _ in range(5)))
        assert {status for status, _ in answers} == {200}
        assert (await pagerduty.post(body))[1] == (
            '{"status": "ignored", "reason": "it was heard before"}'
        )
        assert len(await pagerduty.acknowledgements()) == 1
        assert await pagerduty.house.entries(1, "refused") == []


async def test_a_copy_of_an_old_event_does_not_answer_a_reopened_incident(tmp_path):
    async with door(tmp_path) as pagerduty:
        house = pagerduty.house
        old, never_heard = pagerduty.body(), pagerduty.body(id="another")
        await pagerduty.post(old)
        await house.slash(ALICE, "resolve INC-1")
        house.advance(10 * 60_000)
        await house.slash(ALICE, "reopen INC-1")
        for body in (old, never_heard):
            assert (await pagerduty.post(body))[0] == 200
        assert len(await pagerduty.acknowledgements()) == 1
        assert (await house.bot.database.read(incidents.get, 1)).status == "open"
        await pagerduty.post(pagerduty.body(id="a new one"))
        assert (await house.bot.database.read(incidents.get, 1)).status == "acknowledged"


async def test_who_is_told_as_an_acknowledger_did_nothing_may_answer_there_too(tmp_path):
    async with door(tmp_path, {BOB: {"pagerduty": BOB_THERE["id"]}}) as pagerduty:
        house = pagerduty.house
        first = pagerduty.body(id="of the first acknowledgement, come late")
        assert (await house.slash(ALICE, "ack INC-1")).ok
        await house.until_entry(1, "acknowledged")
        house.advance(30 * 60_000)
        await house.until_entry(1, "asked")
        assert (await pagerduty.post(pagerduty.body(id="before anybody was told")))[0] == 200
        house.advance(5 * 60_000)
        await house.until(lambda: house.pings(BOB), "the next level")
        await pagerduty.post(first)
        assert await house.entries(1, "on_it") == []
        assert (await pagerduty.post(pagerduty.body(id="now")))[0] == 200
        (entry,) = await house.entries(1, "on_it")
        assert entry.actor == f"slack:T01TEAM:{BOB}"
        await house.until(
            lambda: f"<@{BOB}> is on it" in text_of(house.pings(BOB)[0]), "the ping's copy"
        )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"kind": "incident.resolved"}, "only incident.acknowledged counts"),
        ({"kind": "service.updated"}, "only incident.acknowledged counts"),
        ({"agent": {**BOB_THERE, "type": "inbound_integration_reference"}}, "not done by a person"),
        ({"agent": None}, "not done by a person"),
        ({"ago_ms": 3_700_000}, "more than an hour old"),
        ({"occurred_at": "yesterday"}, "more than an hour old"),
        ({"occurred_at": None}, "more than an hour old"),
        ({"key": "iora:T02OTHER:INC-1"}, "no incident of this bot"),
        ({"key": "baf7cf21b1da41b4b0221008339ff357"}, "no incident of this bot"),
        ({"data": None}, "no incident of this bot"),
    ],
)
async def test_what_is_none_of_its_business_is_taken_and_ignored(tmp_path, more, reason):
    async with door(tmp_path) as pagerduty:
        status, text = await pagerduty.post(pagerduty.body(**more))
        assert status == 200
        assert '"ignored"' in text
        assert reason in text
        assert await pagerduty.acknowledgements() == []


async def test_an_incident_that_is_not_there_is_no_error(tmp_path):
    async with door(tmp_path) as pagerduty:
        assert (await pagerduty.post(pagerduty.body("iora:T01TEAM:INC-99")))[0] == 200
        assert await pagerduty.acknowledgements() == []


async def test_only_what_is_signed_is_read(tmp_path):
    async with door(tmp_path) as pagerduty:
        body = pagerduty.body()
        good = signed(body, SECRET)["X-PagerDuty-Signature"]
        for given in ("", "v1=", "v1=00", good[3:], f"v2={good[3:]}", good.upper(), "v1=ä", ",,,"):
            headers = {"X-PagerDuty-Signature": given}
            assert (await pagerduty.post(body, headers=headers))[0] == 401, given
        assert (await pagerduty.post(body, headers={}))[0] == 401
        assert (await pagerduty.post(body + b" ", headers=signed(body, SECRET)))[0] == 401
        assert (await pagerduty.post(body, headers=signed(body, "another")))[0] == 401
        assert (await pagerduty.post(b"not JSON", headers={}))[0] == 401, "before it is read"
        assert await pagerduty.acknowledgements() == []


async def test_while_a_secret_is_changed_one_of_two_signatures_is_enough(tmp_path):
    async with door(tmp_path) as pagerduty:
        body = pagerduty.body()
        assert (await pagerduty.post(body, headers=signed(body, "the old one", SECRET)))[0] == 200
        assert len(await pagerduty.acknowledgements()) == 1


@pytest.mark.parametrize("way", ["deaf", "bridge", "nobody", "slack"])
async def test_a_way_without_a_secret_hears_nothing(tmp_path, way):
    async with door(tmp_path) as pagerduty:
        for secret in (SECRET, KEY, ""):
            body = pagerduty.body()
            assert (await pagerduty.post(body, way=way, headers=signed(body, secret)))[0] == 404
        assert await pagerduty.acknowledgements() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"event": 1}', b"[" * 100_000, b"\xff\xfe", b"null"]
)
async def test_what_can_not_be_read_is_refused(tmp_path, body):
    async with door(tmp_path) as pagerduty:
        assert (await pagerduty.post(body))[0] == 400


async def test_more_than_pagerduty_ever_sends_is_not_read(tmp_path):
    async with door(tmp_path) as pagerduty:
        assert (await pagerduty.post(b" " * (256 * 1024 + 1), headers={}))[0] == 413
        assert (await pagerduty.post(b" " * (256 * 1024), headers={}))[0] == 401


async def test_what_could_not_be_stored_is_asked_for_again(tmp_path, monkeypatch):
    async with door(tmp_path) as pagerduty:
        database = pagerduty.house.bot.database

        async def full(*arguments: Any) -> None:
            raise StoreError("the disk is full")

        body = pagerduty.body()
        with monkeypatch.context() as patch:
            patch.setattr(database, "write", full)
            assert (await pagerduty.post(body))[0] == 503
        assert (await pagerduty.post(body))[0] == 200
        assert len(await pagerduty.acknowledgements()) == 1


async def test_before_the_bot_knows_its_team_it_is_asked_for_again(tmp_path):
    async with door(tmp_path) as pagerduty:
        bot, body = pagerduty.house.bot, pagerduty.body()
        config, identity = bot.live.config, bot.link.identity
        bot.live.config = config.model_copy(update={"slack": SlackSettings()})
        bot.link.identity = None
        assert (await pagerduty.post(body))[0] == 503
        bot.link.identity = identity
        assert (await pagerduty.post(body))[0] == 200
        assert len(await pagerduty.acknowledgements()) == 1

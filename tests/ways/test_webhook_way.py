"""The way of a webhook: signed JSON, which a receiver can check and of which it can drop a repeat."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.http import Client
from bot.model.message import Failed, Limited, Outcome, Refused, Sent, Unsure
from bot.send.way import Way
from tests.support.clock import NOON
from tests.support.configs import config
from tests.support.hostile import Host, Talk, hang, reset, response, saying, self_signed
from tests.support.pages import LINK, page, way_of

SECRET = "s3cret-of-the-hook"


@dataclass
class Receiver:
    """Takes what is signed and fresh, once a key; ``answers`` come first, before or after the taking."""

    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    answers: list[tuple[int, bool]] = field(default_factory=list)
    url: str = ""

    async def _take(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), request.headers
        signed = headers["X-Iora-Timestamp"].encode() + b"." + body
        wanted = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        if headers["X-Iora-Signature"] != wanted:
            self.refused.append("signature")
            return web.Response(status=401, text="wrong signature")
        if abs(int(headers["X-Iora-Timestamp"]) - NOON // 1_000) > 300:
            return web.Response(status=401, text="too old")
        status, after = self.answers.pop(0) if self.answers else (202, True)
        if after:
            self.taken.setdefault(headers["Idempotency-Key"], json.loads(body))
        return web.Response(status=status, text=f"the secret is {SECRET}")

    @asynccontextmanager
    async def listening(self, secret: str = SECRET) -> AsyncIterator[tuple[Receiver, Way]]:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            async with Client() as client:
                yield self, hook(client, self.url, secret=secret)
        finally:
            await runner.cleanup()


def hook(client: Client, url: str, *, secret: str = SECRET, timeout: str = "10s") -> Way:
    return way_of(client, "bridge", kind="webhook", url=url, secret=secret, timeout=timeout)


async def test_a_receiver_gets_all_that_it_needs_to_call_somebody():
    async with Receiver().listening() as (receiver, way):
        assert await way.tell("page", page()) == Sent("bridge", "ping:7:12:U02BOB:page")
    assert receiver.taken == {
        "ping:7:12:U02BOB:page": {
            "version": 1,
            "event": "page",
            "key": "ping:7:12:U02BOB",
            "thread": "iora:T01TEAM:INC-7",
            "incident": "INC-7",
            "severity": "sev2",
            "title": "API slow",
            "text": "SEV2 INC-7 API slow\n\nOpen for 5 min, nobody has acknowledged.",
            "reason": "open for 5 min, nobody has acknowledged",
            "person": "U02BOB",
            "targets": ["iora"],
            "readings": {"iora CPU": "96 %"},
            "link": LINK,
            "at": "2025-06-15T15:06:40.000+00:00",
            "drill": False,
            "repeated": False,
        }
    }


async def test_an_acknowledgement_and_a_resolve_are_told_as_such():
    async with Receiver().listening() as (receiver, way):
        await way.tell("acknowledged", page(text="Bob acknowledged."))
        await way.tell("resolved", page(text="Bob resolved it."))
    assert [one["event"] for one in receiver.taken.values()] == ["acknowledged", "resolved"]
    assert len({*receiver.taken}) == 2


async def test_what_is_sent_again_carries_the_same_key_so_that_it_can_be_dropped():
    async with Receiver().listening() as (receiver, way):
        receiver.answers = [(500, True)]
        assert isinstance(await way.tell("page", page()), Unsure), "it may have been taken"
        assert isinstance(await way.tell("page", page(repeated=True)), Sent)
        assert len(receiver.taken) == 1
        assert not way.idempotent, "whether it drops a repeat is the receiver's affair"


async def test_another_secret_is_refused_by_the_receiver_and_no_secret_is_in_what_is_said():
    async with Receiver().listening(secret="another") as (receiver, way):
        assert await way.tell("page", page()) == Refused("HTTP 401: wrong signature")
        assert (receiver.refused, receiver.taken) == (["signature"], {})
    async with Receiver().listening() as (receiver, way):
        receiver.answers = [(400, False)]
        assert await way.tell("page", page()) == Refused("HTTP 400: the secret is ***")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_success_is_sent(status: int):
    async with Receiver().listening() as (receiver, way):
        receiver.answers = [(status, True)]
        assert isinstance(await way.tell("page", page()), Sent)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("429 Too Many Requests", Limited(5_000)),
        ("425 Too Early", Failed("HTTP 425: {}")),
        ("404 Not Found", Refused("HTTP 404: {}")),
        ("410 Gone", Refused("HTTP 410: {}")),
        ("307 Temporary Redirect", Refused("HTTP 307: {}")),
        ("500 Oops", Unsure("HTTP 500: {}")),
        ("504 Gateway Timeout", Unsure("HTTP 504: {}")),
    ],
)
async def test_other_answers_say_whether_it_is_tried_again(status: str, outcome: Outcome):
    answer = response(status=status, headers=("Location: /elsewhere",))
    async with Host(saying(answer)).listening() as host, Client() as client:
        assert await hook(client, host.url).tell("page", page()) == outcome
        assert len(host.requests) == 1


@pytest.mark.parametrize("talk", [hang, reset])
async def test_without_an_answer_nobody_knows(talk: Talk):
    async with Host(talk).listening() as host, Client() as client:
        outcome = await hook(client, host.url, timeout="1s").tell("page", page())
        assert isinstance(outcome, Unsure)
        assert len(host.requests) == 1


async def test_a_certificate_that_nobody_trusts_gets_nothing(tmp_path):
    async with (
        Host(saying(response())).listening(self_signed(tmp_path)) as host,
        Client() as client,
    ):
        outcome = await hook(client, host.url).tell("page", page())
        assert isinstance(outcome, Failed)
        assert outcome.reason.startswith("certificate not accepted")
        assert host.requests == []


async def test_only_a_way_of_the_config_is_gone():
    async with Receiver().listening() as (receiver, _):
        written = {"kind": "webhook", "url": receiver.url, "secret": SECRET}
        async with Client(config(ways={"bridge": written}).allows) as client:
            assert isinstance(await hook(client, receiver.url).tell("page", page()), Sent)
        async with Client(config().allows) as client:
            gone = await hook(client, receiver.url).tell("page", page())
    assert gone == Failed("the config names no such URL (any more)")

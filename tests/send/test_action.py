"""An action is called once, and what became of it is done, failed for certain, or unclear: never a guess."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.http import Client
from bot.model.action import ActionOutcome, Done, Failed, Request, Unclear
from bot.model.target import Target
from bot.send import action
from tests.support.configs import config
from tests.support.hostile import (
    Host,
    Talk,
    drip,
    hang,
    pour,
    reset,
    response,
    saying,
    self_signed,
)

KEY = "k3y-of-the-team"
MIB = 1024 * 1024


def target(url: str, *, auth: dict[str, Any] | None = None, **written: Any) -> Target:
    """A target with one action, ``scale_out``."""
    said = {"health": {"url": url}, "actions": {"scale_out": {"url": url, **written}}}
    if auth is not None:
        said["auth"] = auth
    return Target.model_validate_json(json.dumps(said))


async def called(one: Target) -> ActionOutcome:
    async with Client() as client:
        return await action.call(client, one, "scale_out")


async def answered(answer: bytes, **written: Any) -> ActionOutcome:
    async with Host(saying(answer)).listening() as host:
        outcome = await called(target(host.url, **written))
        assert len(host.requests) == 1
        return outcome


def requested(one: Target) -> Request:
    request = action.request_of(one, "scale_out")
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("status", "expect", "outcome"),
    [
        ("200 OK", None, Done(200, "ok")),
        ("202 Accepted", None, Done(202, "ok")),
        ("202 Accepted", [200], Unclear("HTTP 202: ok")),
        ("404 Not Found", [200, 404], Done(404, "ok")),
        ("302 Found", None, Unclear("HTTP 302: ok")),
        ("400 Bad Request", None, Failed("HTTP 400: ok")),
        ("401 Unauthorized", None, Failed("HTTP 401: ok")),
        ("409 Conflict", None, Failed("HTTP 409: ok")),
        ("429 Too Many Requests", None, Failed("HTTP 429: ok")),
        ("500 Internal Server Error", None, Unclear("HTTP 500: ok")),
        ("503 Service Unavailable", None, Unclear("HTTP 503: ok")),
    ],
)
async def test_the_status_says_whether_it_is_done(status, expect, outcome):
    answer = response(b"ok", status, ("Location: /elsewhere", "Retry-After: 0"))
    assert await answered(answer, expect=expect) == outcome


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (hang, "no answer within 1 s"),
        (drip, "no answer within 1 s"),
        (reset, "broken answer: "),
        (pour, "the answer is larger than 1 MiB"),
        (saying(response(b" " * (MIB + 1))), "the answer is larger than 1 MiB"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "broken answer: "),
        (saying(response(b"ok", length=99)), "no answer within 1 s"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_whatever_happens_after_it_was_sent_is_unclear_and_it_is_not_sent_again(
    talk: Talk, reason: str, method: str
):
    async with Host(talk).listening() as host:
        limit = "1s" if reason.startswith("no answer") else "20s"
        outcome = await called(target(host.url, method=method, timeout=limit))
        assert isinstance(outcome, Unclear)
        assert outcome.reason.startswith(reason)
        assert len(host.requests) == 1


async def test_what_never_got_a_connection_has_failed(tmp_path: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert await called(target(f"http://127.0.0.1:{port}/")) == Failed(
            f"nothing listens on 127.0.0.1:{port}"
        )
    assert await called(target("http://no-such.invalid/")) == Failed(
        "the name no-such.invalid is not known here"
    )
    async with Host(saying(response())).listening(self_signed(tmp_path)) as host:
        outcome = await called(target(host.url))
        assert isinstance(outcome, Failed)
        assert outcome.reason.startswith("certificate not accepted: ")
        assert host.requests == []


async def test_a_host_that_takes_no_connection_within_the_time_has_done_nothing():
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        assert await called(target(url, timeout="300ms")) == Failed("no answer within 0.3 s")


async def test_nothing_is_called_that_the_config_does_not_name():
    async with Host(saying(response())).listening() as host:
        one = target(host.url)
        assert isinstance(await action.call(Client(), one, "scale_in"), Failed)
        assert action.request_of(one, "scale_in") is None
        async with Client(config().allows) as client:
            outcome = await action.call(client, one, "scale_out")
        assert outcome == Failed("the config names no such URL (any more)")
        named = config(targets={"iora": json.loads(one.model_dump_json(by_alias=True))})
        async with Client(named.allows) as client:
            assert await action.call(client, one, "scale_out") == Done(200, "{}")
        assert len(host.requests) == 1


async def test_a_cloud_metadata_address_is_not_called_under_any_name(monkeypatch):
    def looked_up(*arguments: object, **options: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    outcome = await called(target("http://ops.example/"))
    assert isinstance(outcome, Failed)
    assert "is not asked" in outcome.reason


@dataclass
class Received:
    """A server that keeps what it was asked."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.path_qs, headers, await request.read()))
        return web.json_response({"echo": headers})

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Received]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


REQUESTS = {
    "a body": {"json": {"instances": 3, "why": "zu langsam: ä"}},
    "a list": {"method": "PUT", "json": [1, 2.5, None, True]},
    "false": {"method": "PATCH", "json": False},
    "no body": {"method": "DELETE"},
    "headers": {
        "json": {},
        "headers": {"X-Ops": KEY, "content-type": "application/merge-patch+json"},
    },
    "a bearer": {"json": {"a": 1}, "auth": {"bearer": KEY}},
    "a signature": {"json": {"a": 1}, "auth": {"hmac_sha256": {"secret": KEY}}},
    "a signature of nothing": {"auth": {"hmac_sha256": {"header": "x-sig", "secret": KEY}}},
}
# What any HTTP client adds to say how the request is framed and who it is.
FRAME = {"host", "accept", "user-agent", "accept-encoding", "content-length", "connection"}


@pytest.mark.parametrize("written", REQUESTS.values(), ids=REQUESTS.keys())
async def test_the_preview_is_what_the_server_receives(written: dict[str, Any]):
    async with Received().listening() as server:
        one = target(f"{server.url}/ops?key=s3cret", **written)
        shown = requested(one)
        assert server.requests == [], "a preview calls nothing"
        assert isinstance(await called(one), Done)
        ((method, path, headers, body),) = server.requests
    assert shown.method == method
    assert shown.url == server.url + path
    assert (shown.body or b"") == body
    sent = {name: value for name, value in headers.items() if name not in FRAME}
    assert {name.lower(): value.get_secret_value() for name, value in shown.headers.items()} == sent
    assert (None if shown.body is None else json.loads(body)) == shown.shown_json


async def test_the_signature_is_of_the_body_that_is_sent():
    async with Received().listening() as server:
        body = {"b": "ä", "a": [1]}
        auth = {"hmac_sha256": {"header": "x-sig", "secret": KEY}}
        await called(target(server.url, json=body, auth=auth))
        await called(target(server.url, auth=auth))
        (_, _, first, sent), (_, _, second, _) = server.requests
    assert sent == '{"b":"ä","a":[1]}'.encode()
    assert first["x-sig"] == hmac.new(KEY.encode(), sent, hashlib.sha256).hexdigest()
    assert second["x-sig"] == hmac.new(KEY.encode(), b"{}", hashlib.sha256).hexdigest()


async def test_no_secret_is_in_what_people_see_of_it():
    async with Received().listening() as server:
        one = target(
            f"{server.url}/ops?key=s3cret&x=",
            json={"password": "hunter2", "instances": 3},
            headers={"X-Ops": KEY},
            auth={"bearer": "b3arer-of-ours"},
        )
        request, outcome = requested(one), await called(one)
        assert server.requests[0][2]["x-ops"] == KEY
    assert request.shown_url == f"{server.url}/ops?key=***&x=***"
    assert request.shown_json == {"password": "[redacted]", "instances": 3}
    assert request.shown_headers == {
        "Content-Type": "application/json",
        "X-Ops": "***",
        "Authorization": "***",
    }
    for text in (repr(request), repr(one), repr(outcome)):
        for secret in (KEY, "hunter2", "b3arer-of-ours"):
            assert secret not in text.replace(repr(one), "")
    assert isinstance(outcome, Done)
    assert '"x-ops": "***"' in outcome.said


async def test_what_it_said_is_short_and_harmless():
    body = b"password=hunter2 \x1b[2J\x00" + b"x" * 2_000 + b"\xff"
    outcome = await answered(response(body))
    assert isinstance(outcome, Done)
    assert outcome.said.startswith("password=[redacted] [2Jxxx")
    assert len(outcome.said) == 500


async def test_it_is_called_again_only_when_somebody_calls_it_again():
    async with Host(saying(response(b"", "500 Oops"))).listening() as host, Client() as client:
        one = target(host.url)
        outcomes = await asyncio.gather(*(action.call(client, one, "scale_out") for _ in range(3)))
        assert outcomes == [Unclear("HTTP 500")] * 3
        assert len(host.requests) == host.connections == 3


@pytest.mark.parametrize(
    ("name", "title", "shown"),
    [
        ("circuit_breaker_open", "", "Circuit breaker open"),
        ("scale-out", "", "Scale out"),
        ("scale_out", "Add an instance", "Add an instance"),
    ],
)
def test_people_read_its_title_or_its_name_as_words(name: str, title: str, shown: str):
    written = {
        "health": {"url": "http://h/"},
        "actions": {name: {"url": "http://h/", "title": title}},
    }
    one = Target.model_validate_json(json.dumps(written))
    request = action.request_of(one, name)
    assert request is not None
    assert request.title == one.action_title(name) == shown

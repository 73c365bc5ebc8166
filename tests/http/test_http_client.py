"""The guarded client: what it asks, what it never does, and how it says that a request failed."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from bot.http import (
    BrokenAnswer,
    Client,
    Forbidden,
    Refused,
    RequestFailed,
    Reset,
    TimedOut,
    TooLarge,
    Unreachable,
)
from bot.http.door import Resolver
from tests.support.hostile import (
    Host,
    Talk,
    bomb,
    drip,
    endless_head,
    gzipped,
    hang,
    pour,
    reset,
    response,
    saying,
    self_signed,
)
from tests.support.ports import kept_port

LIMIT_MS = 400
PATIENCE_S = 15.0
MIB = 1024 * 1024


async def get(url: str, tries: int = 1, timeout_ms: int = 20_000) -> bytes:
    async with Client() as client:
        return (await client.get(url, timeout_ms=timeout_ms, tries=tries)).body


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (response(b"plain"), b"plain"),
        (gzipped(b"small"), b"small"),
        (gzipped(b"old", "x-gzip"), b"old"),
        (response(zlib.compress(b"d"), headers=("Content-Encoding: deflate",)), b"d"),
        (response(b"", headers=("Content-Encoding: gzip",)), b""),
        (
            response(
                gzip.compress(b"two ") + gzip.compress(b"members"),
                headers=("Content-Encoding: gzip",),
            ),
            b"two members",
        ),
        (gzipped(b" " * MIB), b" " * MIB),
        (response(b"busy", "429 Too Many Requests"), b"busy"),
    ],
)
async def test_a_body_is_read_as_it_was_meant(answer, expected):
    async with Host(saying(answer)).listening() as host:
        assert await get(host.url) == expected


@pytest.mark.parametrize(
    ("talk", "kind", "reason"),
    [
        (hang, TimedOut, "no answer within 0.4 s"),
        (drip, TimedOut, "no answer within 0.4 s"),
        (pour, TooLarge, "the answer is larger than 1 MiB"),
        (endless_head, BrokenAnswer, "broken answer: "),
        (reset, Reset, "broken answer: "),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), BrokenAnswer, "broken answer: "),
        (saying(response(b" " * (MIB + 1))), TooLarge, "the answer is larger than 1 MiB"),
        (saying(gzipped(b" " * (MIB + 1))), TooLarge, "the answer is larger than 1 MiB"),
        (
            saying(response(b"no gzip", headers=("Content-Encoding: gzip",))),
            BrokenAnswer,
            "broken answer: Error -3 while decompressing data",
        ),
        (
            saying(response(gzip.compress(b"half")[:-6], headers=("Content-Encoding: gzip",))),
            Reset,
            "broken answer: its compressed body ends too early",
        ),
        (
            saying(response(b"?", headers=("Content-Encoding: br",))),
            BrokenAnswer,
            "broken answer: an encoding that was not asked for: br",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_what_is_hostile_ends_within_the_limit_as_a_typed_error(
    talk: Talk, kind: type[RequestFailed], reason: str
):
    async with Host(talk).listening() as host:
        began = time.monotonic()
        with pytest.raises(kind) as failed:
            await get(host.url, timeout_ms=LIMIT_MS if kind is TimedOut else 10_000)
        assert time.monotonic() - began < PATIENCE_S
        assert str(failed.value).startswith(reason)
        assert failed.value.elapsed_ms < PATIENCE_S * 1000


@pytest.mark.parametrize("kind", ["a bomb", "no end", "members without content"])
async def test_memory_stays_flat_whatever_the_body_is(kind: str):
    packed = ("Content-Encoding: gzip",)
    talk = {
        "a bomb": lambda: saying(response(bomb(), headers=packed)),
        "no end": lambda: pour,
        "members without content": lambda: saying(
            response(gzip.compress(b"") * 60_000, headers=packed)
        ),
    }[kind]()
    async with Host(talk).listening() as host, Client() as client:
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge, match="larger than 1 MiB"):
                await client.get(host.url, timeout_ms=10_000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 6 * MIB, "the body that is held, its chunk, and what the server has written"


async def test_a_redirect_is_an_answer_and_nobody_follows_it():
    away = response(b"", "302 Found", ("Location: http://169.254.169.254/latest/meta-data/",))
    async with Host(saying(away)).listening() as host, Client() as client:
        answer = await client.get(host.url, timeout_ms=20_000)
        assert answer.status == 302
        assert len(host.requests) == 1


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fd20:ce::254]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
async def test_metadata_and_link_local_networks_are_never_asked(host: str):
    with pytest.raises(Forbidden, match=r"is not asked: it is a"):
        await get(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376"]
)
async def test_no_other_spelling_of_an_address_gets_there(host: str):
    with pytest.raises(Unreachable):
        await get(f"http://{host}/")


async def test_a_name_that_leads_there_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    def looked_up(*arguments: object, **options: object) -> list[tuple]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(Forbidden, match=r"169\.254\.169\.254 is not asked"):
        await get("http://rebinding.example/")


async def test_the_address_of_the_connection_itself_is_what_counts(monkeypatch: pytest.MonkeyPatch):
    """Whatever a look-up said before."""

    async def resolved(*arguments: object, **options: object) -> list[dict]:
        address = {"hostname": "x", "host": "169.254.169.254", "port": 80}
        return [address | {"family": socket.AF_INET, "proto": 6, "flags": 0}]

    monkeypatch.setattr(Resolver, "resolve", resolved)
    with pytest.raises(Forbidden, match=r"169\.254\.169\.254 is not asked"):
        await get("http://rebinding.example/")


async def test_what_the_config_does_not_name_is_not_asked():
    async with Host(saying(response())).listening() as host:
        async with Client({host.url}.__contains__) as client:
            assert (await client.get(host.url, timeout_ms=20_000)).status == 200
            with pytest.raises(Forbidden, match="the config names no such URL"):
                await client.get(f"{host.url}other", timeout_ms=20_000)
        assert len(host.requests) == 1


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path):
    async with Host(saying(response())).listening(self_signed(tmp_path)) as host:
        with pytest.raises(Unreachable, match=r"certificate not accepted: .*self-signed"):
            await get(host.url)
        assert host.requests == []


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    async with Host(saying(response(b"direct"))).listening() as host:
        assert await get(host.url) == b"direct"


async def test_one_pool_keeps_its_connections_and_no_cookies():
    answer = response(b"", headers=("Set-Cookie: session=1",))
    async with Host(saying(answer)).listening() as host, Client() as client:
        for _ in range(3):
            await client.get(host.url, timeout_ms=20_000)
        assert all(b"cookie" not in head.lower() for head in host.requests)
        assert host.connections == 1


async def test_a_reset_and_a_bad_gateway_are_tried_again():
    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        match len(host.requests):
            case 1 | 2:  # aiohttp sends a GET once more by itself
                await reset(head, writer)
            case 3:
                writer.write(response(b"", "502 Bad Gateway"))
            case _:
                writer.write(response(b"at last"))

    async with Host(talk).listening() as host:
        assert await get(host.url, tries=3) == b"at last"
        assert len(host.requests) == 4


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "404 Not Found", "429 Slow Down", "500 Oops"]
)
async def test_what_would_not_get_better_is_asked_once(status: str):
    async with Host(saying(response(b"", status))).listening() as host:
        await get(host.url, tries=3)
        assert len(host.requests) == 1


async def test_tries_end_with_the_last_answer_and_within_the_limit():
    async with Host(saying(response(b"down", "503 Down"))).listening() as host:
        assert await get(host.url, tries=3) == b"down"
        assert len(host.requests) == 3
    patient = response(b"later", "503 Down", ("Retry-After: 30",))
    async with Host(saying(patient)).listening() as host:
        began = time.monotonic()
        assert await get(host.url, tries=3) == b"later", "it asks to wait for longer than there is"
        assert time.monotonic() - began < 30, "it was not waited for"
        assert len(host.requests) == 1


async def test_a_try_that_is_too_late_does_not_hide_what_the_one_before_said():
    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        if len(host.requests) > 1:
            await hang(head, writer)
        writer.write(response(b"the reason", "502 Bad Gateway"))

    async with Host(talk).listening() as host:
        assert await get(host.url, tries=3, timeout_ms=3_000) == b"the reason"
        assert len(host.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_call_is_sent_once_whatever_happens(method: str):
    """The library would send a PUT and a DELETE once more."""
    async with Host(reset).listening() as host, Client() as client:
        with pytest.raises(Reset) as failed:
            await client.call(method, host.url, b"{}", timeout_ms=20_000)
        assert len(host.requests) == 1
        assert host.requests[0].startswith(method.encode())
        assert failed.value.sent


async def test_a_call_has_a_connection_of_its_own():
    """One that was kept may have ended unnoticed: then nobody would know what was done."""
    async with Host(saying(response())).listening() as host, Client() as client:
        await client.get(host.url, timeout_ms=20_000)
        for _ in range(2):
            await client.call("POST", host.url, None, timeout_ms=20_000)
        assert host.connections == 3


async def test_how_much_of_an_answer_is_read_can_be_said():
    async with Host(saying(response(b" " * (MIB + 1)))).listening() as host, Client() as client:
        assert len((await client.get(host.url, timeout_ms=20_000, limit=2 * MIB)).body) == MIB + 1
        with pytest.raises(TooLarge, match=r"larger than 0\.5 MiB"):
            await client.call("POST", host.url, b"", timeout_ms=20_000, limit=MIB // 2)


async def test_a_call_that_never_got_a_connection_sent_nothing(tmp_path: Path):
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):  # the queue is full: further ones wait for an answer to their first word
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        async with Client() as client:
            with pytest.raises(TimedOut) as failed:
                await client.call("POST", url, b"{}", timeout_ms=LIMIT_MS)
            assert not failed.value.sent
    context = self_signed(tmp_path)
    async with Host(saying(response())).listening(context) as host, Client() as client:
        with pytest.raises(Unreachable) as failed:
            await client.call("POST", host.url, b"{}", timeout_ms=20_000)
        assert not failed.value.sent


async def test_nobody_listening_is_told_apart_from_no_way_there():
    with kept_port() as port, pytest.raises(Refused, match=f"nothing listens on 127.0.0.1:{port}"):
        await get(f"http://127.0.0.1:{port}/")
    with pytest.raises(Unreachable, match=r"the name no-such\.invalid is not known here"):
        await get("http://no-such.invalid/")


async def test_a_server_that_much_is_asked_of_gets_so_many_requests_at_once():
    under_way, most = 0, 0

    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):  # whoever else is let through arrives meanwhile
            await asyncio.sleep(0)
        under_way -= 1
        writer.write(response(b"answer"))

    async with Host(talk).listening() as host, Client() as client:
        answers = await asyncio.gather(
            *(client.get_in_turn(host.url, timeout_ms=20_000, at_once=3) for _ in range(12))
        )
    assert [one.body for one in answers] == [b"answer"] * 12
    assert most == 3


async def test_waiting_for_a_turn_is_part_of_the_time_limit_and_another_server_has_turns_of_its_own():
    async with (
        Host(hang).listening() as host,
        Host(saying(response())).listening() as other,
        Client() as client,
    ):
        first, second = await asyncio.gather(
            client.get_in_turn(host.url, timeout_ms=2 * LIMIT_MS, at_once=1),
            client.get_in_turn(host.url, timeout_ms=LIMIT_MS, at_once=1),
            return_exceptions=True,
        )
        assert isinstance(first, TimedOut)
        assert str(first) == "no answer within 0.8 s"
        assert isinstance(second, TimedOut)
        assert str(second) == "no turn within 0.4 s: too much is asked of it"
        await client.get_in_turn(other.url, timeout_ms=20_000, at_once=1)
        assert len(host.requests) == 1

"""The client itself."""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import SystemRandom
from types import SimpleNamespace
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from bot.http.body import BODY_LIMIT, ENCODINGS, Body
from bot.http.door import Resolver, opened
from bot.http.failure import Forbidden, RequestFailed, Reset, TimedOut, TooLarge, failure

RELAY = "X-Iora-Relay"
"""The header by which an agent tells a service's own answer, whatever its status, from its refusals."""
_AGAIN = frozenset({502, 503, 504})
_PAUSE_S = 0.1  # before the first retry; each further one waits twice as long
_CHUNK = 65_536
_RANDOM = SystemRandom()


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. ``elapsed_ms`` counts until the body's end.

    ``relay``: it is a service's own answer, which an agent passed on under this name.
    """

    status: int
    body: bytes
    elapsed_ms: float
    retry_after: str | None = None
    relay: str | None = None


@dataclass(frozen=True)
class _Request:
    """What is asked. ``limit``: bytes of an answer that are read."""

    method: str
    url: str
    headers: Mapping[str, str] | None
    body: bytes | None = None
    limit: int = BODY_LIMIT


@dataclass
class _Way:
    """Of one call: whether there was a connection, so that something may have been sent."""

    open: bool = False


class Client:
    """One connection pool for every target; what changes something has connections of its own.

    ``allowed`` says whether a URL is one of the config's; None: whoever asks has the URL from a person
    at this machine's terminal.
    """

    def __init__(self, allowed: Callable[[str], bool] | None = None) -> None:
        self._allowed = allowed
        self._asking: aiohttp.ClientSession | None = None
        self._calling: aiohttp.ClientSession | None = None
        self._resolver: Resolver | None = None
        self._gates: dict[str, asyncio.Semaphore] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the pool's connections."""
        for session in (self._asking, self._calling):
            if session is not None:
                await session.close()
        if self._resolver is not None:
            await self._resolver.close()
        self._asking = self._calling = self._resolver = None

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_ms: int,
        tries: int = 1,
        limit: int = BODY_LIMIT,
    ) -> Answer:
        """GET the URL. Any status is an answer; raises a ``RequestFailed`` otherwise.

        With ``tries``, a connection that broke off and a 502, 503 or 504 are tried again after a
        short random pause, as long as the time limit, which is for all tries together, leaves room.
        ``limit`` is how many bytes of a body are read at most.
        """
        request = _Request("GET", url, headers, limit=limit)
        return await self._get(request, time.perf_counter() + timeout_ms / 1000, timeout_ms, tries)

    async def get_in_turn(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_ms: int,
        tries: int = 1,
        at_once: int,
    ) -> Answer:
        """As ``get``, for a server that much is asked of: ``at_once`` requests to it are under way.

        The others wait for their turn, and that is part of their time limit.
        """
        started = time.perf_counter()
        gate = self._gates.setdefault(urlsplit(url).netloc, asyncio.Semaphore(at_once))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await gate.acquire()
        except TimeoutError:
            reason = f"no turn within {timeout_ms / 1000:g} s: too much is asked of it"
            raise TimedOut(reason, (time.perf_counter() - started) * 1000) from None
        try:
            request = _Request("GET", url, headers)
            return await self._get(request, started + timeout_ms / 1000, timeout_ms, tries)
        finally:
            gate.release()

    async def call(
        self,
        method: str,
        url: str,
        body: bytes | None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_ms: int,
        limit: int = BODY_LIMIT,
    ) -> Answer:
        """POST, PUT, PATCH or DELETE, once: nobody knows what a request did that got no answer.

        Over a new connection: one that was kept may have ended unnoticed, and then nobody knows
        either. Any status is an answer; raises a ``RequestFailed`` otherwise, which says whether
        anything was ``sent``.
        """
        way = _Way()
        try:
            request = _Request(method, url, headers, body, limit)
            return await self._once(request, timeout_ms / 1000, timeout_ms, way)
        except RequestFailed as error:
            error.sent = way.open
            raise

    async def _get(self, request: _Request, ends: float, limit_ms: int, tries: int) -> Answer:
        answer: Answer | None = None
        for number in range(1, tries + 1):
            left = ends - time.perf_counter()
            pause = _PAUSE_S * 2 ** (number - 1) * _RANDOM.uniform(0.5, 1.5)
            last = number == tries
            try:
                answer = await self._once(request, left, limit_ms)
            except Reset:
                if last or time.perf_counter() + pause >= ends:
                    raise
            except TimedOut:
                if answer is None:
                    raise
                return answer  # it says more than that the rest of the time was not enough
            else:
                pause = max(pause, _seconds(answer.retry_after))
                if last or answer.status not in _AGAIN or time.perf_counter() + pause >= ends:
                    return answer
            await asyncio.sleep(pause)
        raise AssertionError("at least one try")

    async def _once(
        self, request: _Request, left_s: float, limit_ms: int, way: _Way | None = None
    ) -> Answer:
        started = time.perf_counter()

        def elapsed() -> float:
            return (time.perf_counter() - started) * 1000

        if self._allowed is not None and not self._allowed(request.url):
            raise Forbidden("the config names no such URL (any more)", 0)
        try:
            async with asyncio.timeout(left_s):
                return await self._exchange(request, elapsed, way)
        except TimeoutError:
            raise TimedOut(f"no answer within {limit_ms / 1000:g} s", elapsed()) from None
        except _BrokeOff as error:
            raise failure(error.error, elapsed()) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, zlib.error, ValueError) as error:
            raise failure(error, elapsed()) from None

    async def _exchange(
        self, request: _Request, elapsed: Callable[[], float], way: _Way | None
    ) -> Answer:
        session = self._pool() if way is None else self._single()
        exchange = session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            trace_request_ctx=way,
        )
        async with exchange as response:
            received = Body(response.headers.get("Content-Encoding", ""), request.limit)
            async for chunk in response.content.iter_chunked(_CHUNK):
                received.add(chunk)
                if received.too_large:
                    size = f"{request.limit / 1024 / 1024:g} MiB"
                    raise TooLarge(f"the answer is larger than {size}", elapsed())
            if not received.whole:
                raise Reset("broken answer: its compressed body ends too early", elapsed())
            retry_after = response.headers.get("Retry-After")
            relay = response.headers.get(RELAY)
            return Answer(response.status, received.taken(), elapsed(), retry_after, relay)

    def _pool(self) -> aiohttp.ClientSession:
        if self._asking is None:
            self._asking = self._session()
        return self._asking

    def _single(self) -> aiohttp.ClientSession:
        if self._calling is None:
            self._calling = self._session(once=True)
        return self._calling

    def _session(self, *, once: bool = False) -> aiohttp.ClientSession:
        if self._resolver is None:
            self._resolver = Resolver()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # also a host's: what hangs there must not hold up the others behind it
                ttl_dns_cache=30,
                resolver=self._resolver,
                socket_factory=opened,
                force_close=once,
            ),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "iora-bot", "Accept-Encoding": ENCODINGS},
            skip_auto_headers=("Content-Type",),
            auto_decompress=False,
            trust_env=False,
            middlewares=(_never_again,) if once else (),
            trace_configs=[_watching()] if once else None,
        )


class _BrokeOff(Exception):
    """What aiohttp would answer by sending a PUT or a DELETE once more, as another error."""

    def __init__(self, error: aiohttp.ClientError) -> None:
        super().__init__(str(error))
        self.error = error


async def _never_again(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokeOff(error) from None


def _watching() -> aiohttp.TraceConfig:
    async def connected(
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _facts: aiohttp.TraceConnectionCreateEndParams,
    ) -> None:
        context.trace_request_ctx.open = True

    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(connected)
    return config


def _seconds(retry_after: str | None) -> float:
    """``Retry-After`` where it is a number of seconds."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0

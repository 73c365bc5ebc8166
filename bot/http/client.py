"""The client itself."""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import SystemRandom
from typing import Self

import aiohttp

from bot.http.body import ENCODINGS, Body
from bot.http.door import Resolver, opened
from bot.http.failure import Forbidden, Reset, TimedOut, TooLarge, failure

_AGAIN = frozenset({502, 503, 504})
_PAUSE_S = 0.1  # before the first retry; each further one waits twice as long
_CHUNK = 65_536
_RANDOM = SystemRandom()


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. ``elapsed_ms`` counts until the body's end."""

    status: int
    body: bytes
    elapsed_ms: float
    retry_after: str | None = None


class Client:
    """One connection pool for every target.

    ``allowed`` says whether a URL is one of the config's; None: whoever asks has the URL from a person
    at this machine's terminal.
    """

    def __init__(self, allowed: Callable[[str], bool] | None = None) -> None:
        self._allowed = allowed
        self._session: aiohttp.ClientSession | None = None
        self._resolver: Resolver | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the pool's connections."""
        if self._session is not None and self._resolver is not None:
            await self._session.close()
            await self._resolver.close()
            self._session = None

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_ms: int,
        tries: int = 1,
    ) -> Answer:
        """GET the URL. Any status is an answer; raises a ``RequestFailed`` otherwise.

        With ``tries``, a connection that broke off and a 502, 503 or 504 are tried again after a
        short random pause, as long as the time limit, which is for all tries together, leaves room.
        """
        ends = time.perf_counter() + timeout_ms / 1000
        answer: Answer | None = None
        for number in range(1, tries + 1):
            left = ends - time.perf_counter()
            pause = _PAUSE_S * 2 ** (number - 1) * _RANDOM.uniform(0.5, 1.5)
            last = number == tries
            try:
                answer = await self._once("GET", url, headers, None, left, timeout_ms)
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

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, timeout_ms: int
    ) -> Answer:
        """POST a JSON body, once: nobody knows what a request did that got no answer."""
        typed = {"Content-Type": "application/json", **(headers or {})}
        return await self._once("POST", url, typed, body, timeout_ms / 1000, timeout_ms)

    async def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        left_s: float,
        limit_ms: int,
    ) -> Answer:
        started = time.perf_counter()

        def elapsed() -> float:
            return (time.perf_counter() - started) * 1000

        if self._allowed is not None and not self._allowed(url):
            raise Forbidden("the config names no such URL (any more)", 0)
        try:
            async with asyncio.timeout(left_s):
                return await self._exchange(method, url, headers, body, elapsed)
        except TimeoutError:
            raise TimedOut(f"no answer within {limit_ms / 1000:g} s", elapsed()) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, zlib.error, ValueError) as error:
            raise failure(error, elapsed()) from None

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        elapsed: Callable[[], float],
    ) -> Answer:
        request = self._pool().request(
            method, url, headers=headers, data=body, allow_redirects=False
        )
        async with request as response:
            received = Body(response.headers.get("Content-Encoding", ""))
            async for chunk in response.content.iter_chunked(_CHUNK):
                received.add(chunk)
                if received.too_large:
                    raise TooLarge("the answer is larger than 1 MiB", elapsed())
            if not received.whole:
                raise Reset("broken answer: its compressed body ends too early", elapsed())
            retry_after = response.headers.get("Retry-After")
            return Answer(response.status, received.taken(), elapsed(), retry_after)

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._resolver = Resolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # also a host's: what hangs there must not hold up the others behind it
                    ttl_dns_cache=30,
                    resolver=self._resolver,
                    socket_factory=opened,
                ),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "iora-bot", "Accept-Encoding": ENCODINGS},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _seconds(retry_after: str | None) -> float:
    """``Retry-After`` where it is a number of seconds."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0

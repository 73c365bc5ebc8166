"""The one guarded client for everything that goes to targets: only what the config names.

No redirects, no proxy from the environment, TLS verified, one total time limit, and at most 1 MiB of
a body after decompression. How a request failed is a type, because a person must know the difference
between a service that is down and a URL that is wrong.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import aiohttp

from bot.errors import TargetError

BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. ``elapsed_ms`` counts until the body's end."""

    status: int
    body: bytes
    elapsed_ms: float
    retry_after: str | None = None


class RequestFailed(TargetError):
    """The request got no whole answer. ``elapsed_ms`` is how long that took."""

    def __init__(self, reason: str, elapsed_ms: float) -> None:
        super().__init__(reason)
        self.elapsed_ms = elapsed_ms


class Refused(RequestFailed):
    """Nothing listens there: the host said so."""


class TimedOut(RequestFailed):
    """Connected or not, no whole answer within the time limit."""


class Unreachable(RequestFailed):
    """No way from here to the host: name, route or certificate."""


class BrokenAnswer(RequestFailed):
    """It answered, but not with HTTP, or not to the end."""


class TooLarge(RequestFailed):
    """It answers, with more than is read."""


class Client:
    """One connection pool for every target."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the pool's connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeout_ms: int
    ) -> Answer:
        """GET the URL. Any status is an answer; raises a ``RequestFailed`` otherwise."""
        started = time.perf_counter()

        def elapsed() -> float:
            return (time.perf_counter() - started) * 1000

        limit = f"no answer within {timeout_ms / 1000:g} s"
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return await self._get(url, headers, elapsed)
        except TimeoutError:
            raise TimedOut(limit, elapsed()) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise Unreachable(
                f"certificate not accepted: {error.certificate_error}", elapsed()
            ) from None
        except aiohttp.ClientConnectorDNSError as error:
            raise Unreachable(f"the name {error.host} is not known here", elapsed()) from None
        except aiohttp.ClientConnectorError as error:
            raise _connect_error(error, elapsed()) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise BrokenAnswer(f"broken answer: {_first_line(error)}", elapsed()) from None

    async def _get(
        self, url: str, headers: Mapping[str, str] | None, elapsed: Callable[[], float]
    ) -> Answer:
        async with self._pool().get(url, headers=headers, allow_redirects=False) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise TooLarge("the answer is larger than 1 MiB", elapsed())
            return Answer(
                response.status, bytes(body), elapsed(), response.headers.get("Retry-After")
            )

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=8, ttl_dns_cache=30),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "iora-bot"},
                trust_env=False,
            )
        return self._session


def _connect_error(error: aiohttp.ClientConnectorError, elapsed_ms: float) -> RequestFailed:
    if error.os_error.errno == errno.ECONNREFUSED:
        return Refused(f"nothing listens on {error.host}:{error.port}", elapsed_ms)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return Unreachable("TLS failed: is it https?", elapsed_ms)
    what = error.os_error.strerror or str(error.os_error)
    return Unreachable(f"no way to {error.host}:{error.port} from here ({what})", elapsed_ms)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]

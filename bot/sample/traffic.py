"""The load that the service always has: a few real requests a second over HTTP, to its own listener."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import cycle

from aiohttp import ClientError, ClientSession, ClientTimeout

PATHS = ("/api/health", "/api/metrics", "/api/health", "/metrics", "/api/scorecard")
INTERVAL_SECONDS = 0.2
MAX_IN_FLIGHT = 20


async def run(base_url: str) -> None:
    """Send requests until cancelled; failures are the service's own log's matter."""
    flights: set[asyncio.Task[None]] = set()
    async with ClientSession(base_url, timeout=ClientTimeout(total=5)) as session:
        try:
            for path in cycle(PATHS):
                if len(flights) < MAX_IN_FLIGHT:
                    flight = asyncio.create_task(_request(session, path))
                    flights.add(flight)
                    flight.add_done_callback(flights.discard)
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            for flight in flights:
                flight.cancel()
            await asyncio.gather(*flights, return_exceptions=True)


async def _request(session: ClientSession, path: str) -> None:
    with contextlib.suppress(ClientError, TimeoutError):
        async with session.get(path) as response:
            await response.read()

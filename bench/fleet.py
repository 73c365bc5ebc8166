"""A process that is many services: each path answers after a time of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from aiohttp import web

from bench.listening import listening

SLOWEST_S = 0.05
"""The last one's; the first one answers at once, and the others lie evenly between."""


@contextmanager
def fleet(count: int) -> Iterator[str]:
    """Its URL; service N of ``count`` answers at /N."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(count, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.send("end")
        process.join()


def _main(count: int, pipe: Connection) -> None:
    asyncio.run(_serve(count, pipe))


async def _serve(count: int, pipe: Connection) -> None:
    async def answer(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        await asyncio.sleep(SLOWEST_S * number / (count - 1))
        return web.Response(body=b'{"status": "ok"}', content_type="application/json")

    routes = web.Application()
    routes.router.add_get("/{number}", answer)
    async with listening(routes) as port:
        pipe.send(port)
        await asyncio.to_thread(pipe.recv)

"""Server-Sent Events: that something on a person's screen changed. What it is, the script asks for."""

from __future__ import annotations

import asyncio
import json
from weakref import WeakSet

from aiohttp import web

from bot.workspace.page.guard import HEADERS
from bot.workspace.records import Change
from bot.workspace.state import Workspace

HEARTBEAT_SECONDS = 15.0


class Live:
    """The open streams of all tabs."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._streams: WeakSet[asyncio.Task[None]] = WeakSet()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Tell one tab of changes until it goes away, or the program stops."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue = self.workspace.subscribe()
        task = asyncio.create_task(tell(response, queue, request.query.get("as", "")))
        self._streams.add(task)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            self.workspace.unsubscribe(queue)
        return response

    async def stop(self, _app: web.Application) -> None:
        """End all streams, so that the server need not wait for the tabs."""
        for task in list(self._streams):
            task.cancel()


async def tell(response: web.StreamResponse, queue: asyncio.Queue[Change], person: str) -> None:
    """Write changes that the person can see; several at once become one event."""
    try:
        await response.write(b"retry: 1000\nevent: hello\ndata: {}\n\n")
        while True:
            changes = await batch(queue)
            seen = [change for change in changes or () if change.person in (None, person)]
            if changes is None:
                await response.write(b": still here\n\n")
            elif seen:
                data = json.dumps({"kinds": sorted({change.kind for change in seen})})
                await response.write(f"event: change\ndata: {data}\n\n".encode())
    except ConnectionError:
        return


async def batch(queue: asyncio.Queue[Change]) -> list[Change] | None:
    """What waits in the queue, at least one change; None when nothing came for a while."""
    try:
        changes = [await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)]
    except TimeoutError:
        return None
    while not queue.empty():
        changes.append(queue.get_nowait())
    return changes

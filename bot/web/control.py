"""The command line's way to a running bot: a Unix socket beside the database.

The kernel says which login is at the other end; nobody can claim to be another.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from bot.model.actor import Actor

BODY_LIMIT = 64 * 1024
Handler = Callable[[Actor, str], Awaitable[dict[str, object]]]


def path_beside(database: Path) -> Path:
    """Where the socket of a database is."""
    return database.with_name(database.name + ".sock")


class Control:
    """Serves ``POST /command`` with the words of a command as its body."""

    def __init__(self, database: Path, handler: Handler) -> None:
        self._path = path_beside(database)
        self._handler = handler
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, for this user only. The database's lock is held, so an old socket is nobody's."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post("/command", self._command)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_address(self._path) as address:
            listener.bind(address)
        self._path.chmod(0o600)
        listener.listen(16)
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Close, and take the socket away."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._path.unlink(missing_ok=True)

    async def _command(self, request: web.Request) -> web.Response:
        text = await request.text()
        return web.json_response(await self._handler(_login(request), text))


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """A path that fits into a socket's 107 bytes, however deep the folder is (Linux)."""
    if len(os.fsencode(path)) < 100 or not Path("/proc/self/fd").is_dir():
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def login_of(uid: int) -> str:
    """The login of a user id; its number where it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _login(request: web.Request) -> Actor:
    assert request.transport is not None
    peer: socket.socket = request.transport.get_extra_info("socket")
    found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", found)
    return Actor.login(login_of(uid))

"""A TCP listener that can be closed and opened again on the same port while the process lives."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

GRACE_SECONDS = 0.1  # what requests in flight get when the listener closes


class Listener:
    """``port`` 0 takes a free one, which is kept for every later opening."""

    def __init__(self, app: Callable[[], web.Application], host: str, port: int) -> None:
        self._app = app
        self._runner: web.AppRunner | None = None
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def open(self) -> None:
        """Raises OSError when the port can't be had."""
        if self._runner is not None:
            return
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=GRACE_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def close(self) -> None:
        """Refuse connections from now on, and end those that are there."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

"""The loopback listener by which the visitor's panel breaks and mends the service."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.sample.backend import Backend, Mode
from bot.sample.burner import Burner
from bot.sample.leak import Leak
from bot.sample.listener import Listener
from bot.sample.service import RefusedError, body


class Control:
    """Owns the mode; every change of it goes through ``switch``."""

    def __init__(self, backend: Backend, burner: Burner, leak: Leak, service: Listener) -> None:
        self._backend = backend
        self._burner = burner
        self._leak = leak
        self._service = service
        self._switching = asyncio.Lock()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/", self._show), web.post("/mode", self._set_mode)])
        return app

    async def switch(self, mode: Mode) -> None:
        """Make ``mode`` true before returning; raises OSError when the service's port was taken meanwhile.

        Healthy also frees what leaked and takes all mitigations back.
        """
        async with self._switching:
            if mode is Mode.DOWN:
                await self._service.close()
            else:
                await self._service.open()
            self._backend.mode = mode
            if mode is Mode.HEALTHY:
                self._backend.restore()
            burns = mode in {Mode.BURNING, Mode.OVERLOADED}
            (self._burner.start if burns else self._burner.stop)()
            (self._leak.start if mode is Mode.LEAKING else self._leak.stop)()

    def _state(self) -> dict[str, object]:
        return {"mode": self._backend.mode, "modes": list(Mode)}

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state())

    async def _set_mode(self, request: web.Request) -> web.Response:
        try:
            wanted = (await body(request)).get("mode")
            if not isinstance(wanted, str) or wanted not in list(Mode):
                raise RefusedError(f"unknown mode {wanted!r}: use one of {', '.join(Mode)}")
            await self.switch(Mode(wanted))
        except RefusedError as error:
            return web.json_response({"error": str(error), "modes": list(Mode)}, status=400)
        except OSError as error:
            return web.json_response({"error": f"the service can't listen: {error}"}, status=409)
        return web.json_response(self._state())

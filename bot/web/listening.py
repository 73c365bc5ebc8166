"""The one HTTP server of the bot, and what is wrong where it can't have its port."""

from __future__ import annotations

import errno
import os

from aiohttp import web

from bot.errors import WrongSettings

_ENDS_WITHIN_S = 2


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Whoever calls cleans the runner up; and the port, which is a free one where 0 was asked for.

    Raises ``WrongSettings``.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_ENDS_WITHIN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise _refused(host, port, error) from None
    return runner, int(runner.addresses[0][1])


def _refused(host: str, port: int, error: OSError) -> WrongSettings:
    # asyncio puts more words into strerror; a name that is not known has a code that is no errno.
    code = error.errno or 0
    why = (os.strerror(code) if code in errno.errorcode else str(error.strerror)).lower()
    said = f"can't listen on {host}:{port} ({why})"
    if code in {errno.EADDRINUSE, errno.EACCES}:
        return WrongSettings(f"PORT: {said}; set another, such as PORT=3001")
    return WrongSettings(f"HOST: {said}; set an address of this machine, such as HOST=127.0.0.1")

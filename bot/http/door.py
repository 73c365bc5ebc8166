"""Which addresses the client's connections go to: looked up, and checked once more when they are made."""

from __future__ import annotations

import asyncio
import errno
import socket
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.model.network import refusal

_RESOLVING = 32  # names that are looked up at once; one that hangs holds up none of the others


class ForbiddenAddress(OSError):
    """Where the bot does not ask."""


class Resolver(AbstractResolver):
    """Looks names up on threads of its own, and refuses a name that leads to a forbidden address."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises ``OSError``."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _looked_up, host, port, family
        )
        return [
            ResolveResult(
                hostname=host,
                host=_permitted(address),
                port=port,
                family=family,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for family, proto, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _looked_up(
    host: str, port: int, family: socket.AddressFamily
) -> list[tuple[socket.AddressFamily, int, str]]:
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
    )
    return [(kind, proto, str(address[0])) for kind, _, proto, _, address in found]


def opened(info: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for the very address that is connected to next, whichever way it was come by."""
    family, kind, proto, _, address = info
    _permitted(str(address[0]))
    return socket.socket(family=family, type=kind, proto=proto)


def _permitted(address: str) -> str:
    reason = refusal(address)
    if reason is not None:
        raise ForbiddenAddress(errno.EACCES, f"{address} is not asked: {reason}")
    return address

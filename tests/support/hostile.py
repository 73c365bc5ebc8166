"""Servers that answer with bytes of a test's choice, and certificates that nobody trusts."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""What a server does with a request's head and its connection."""


class Host:
    """A server of raw connections; ``requests`` are the heads that arrived, over how many connections."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head)
                await self._talk(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, context: ssl.SSLContext | None = None) -> AsyncIterator[Host]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{port}/"
        try:
            yield self
        finally:
            server.close()


def response(
    body: bytes = b"{}", status: str = "200 OK", headers: tuple[str, ...] = (), length: int = -1
) -> bytes:
    """A whole HTTP/1.1 answer; ``length`` says another length than the body has."""
    size = len(body) if length < 0 else length
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {size}", "", ""]
    return "\r\n".join(lines).encode() + body


def saying(*answers: bytes) -> Talk:
    """One answer after the other; the last one again and again."""
    left = list(answers)

    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return talk


async def hang(head: bytes, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing, for as long as the connection lives."""
    await asyncio.Event().wait()


async def reset(head: bytes, writer: asyncio.StreamWriter) -> None:
    """Break the connection off, with a reset."""
    writer.transport.abort()
    raise ConnectionResetError


async def pour(head: bytes, writer: asyncio.StreamWriter) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        writer.write(b"[1," * 20_000)
        await writer.drain()


async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, so that no silence is ever long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless_head(head: bytes, writer: asyncio.StreamWriter) -> None:
    """Headers without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 1_000)
        await writer.drain()


def bomb(megabytes: int = 1024) -> bytes:
    """Zeros, compressed: 1 GiB is about 1 MB of gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(1024 * 1024)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def gzipped(body: bytes, encoding: str = "gzip") -> bytes:
    """An answer with a compressed body."""
    return response(gzip.compress(body, mtime=0), headers=(f"Content-Encoding: {encoding}",))


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that its own key signed."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context

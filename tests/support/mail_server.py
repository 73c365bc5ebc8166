"""An SMTP server on loopback: strict about what it is sent, and faulty wherever a test wants it to be."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

HANG, RESET, CLOSE = "hang", "reset", "close"
_PATH = re.compile(r"(?:FROM|TO):<([^<>\s]+@[^<>\s]+)>(?: .*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Mail:
    """A message that the server took over: an envelope and its content."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    secure: bool
    user: str | None


class MailServer:
    """``faults`` by stage: a reply instead of the usual one, or HANG, RESET or CLOSE.

    Stages: connect, ehlo, starttls, auth, mail, rcpt, data, body, quit. Faults of ``body`` with a ``+`` before
    them come after the message was kept. ``login``: mail is taken after it only.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
        login: tuple[str, str] | None = None,
        faults: Mapping[str, str] | None = None,
    ) -> None:
        self._context = context
        self._at_once = tls_at_once
        self.login = login
        self.faults = dict(faults or {})
        self.mails: list[Mail] = []
        self.commands: list[str] = []
        self.connections = 0
        self.port = 0

    @property
    def offers_tls(self) -> bool:
        return self._context is not None and not self._at_once

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[MailServer]:
        at_once = self._context if self._at_once else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=at_once)
        self.port = server.sockets[0].getsockname()[1]
        self._ended = asyncio.Event()
        self._talks: set[asyncio.Task[None]] = set()
        try:
            yield self
        finally:
            self._ended.set()
            server.close()
            await asyncio.gather(*self._talks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.connections += 1
        try:
            await _Talk(self, reader, writer, secure=self._at_once).run()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, _Over):
            pass
        finally:
            writer.close()

    async def start_tls(self, writer: asyncio.StreamWriter) -> None:
        assert self._context is not None
        await writer.start_tls(self._context)

    async def over(self) -> None:
        """When the test ends."""
        await self._ended.wait()


class _Over(Exception):
    """The talk ended by a fault."""


class _Talk:
    """One connection."""

    def __init__(
        self,
        server: MailServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        secure: bool,
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._secure = secure
        self._user: str | None = None
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        await self._reply("connect", "220 mail.test ready")
        while True:
            line = await self._reader.readuntil(b"\r\n")
            command = line.decode("ascii").rstrip("\r\n")
            self._server.commands.append(command)
            verb, _, rest = command.partition(" ")
            talk = getattr(self, f"_{verb.lower()}", None)
            if talk is None:
                await self._say(f"502 {verb} is not known")
            else:
                await talk(rest)

    async def _ehlo(self, name: str) -> None:
        if not name or " " in name:
            await self._say("501 EHLO wants a name")
            return
        offers = ["mail.test", "SIZE 1000000", "8BITMIME"]
        if self._server.offers_tls and not self._secure:
            offers.append("STARTTLS")
        if self._server.login is not None and (self._secure or not self._server.offers_tls):
            offers.append("AUTH PLAIN")
        lines = [f"250-{one}" for one in offers[:-1]] + [f"250 {offers[-1]}"]
        await self._reply("ehlo", "\r\n".join(lines))

    async def _helo(self, name: str) -> None:
        await self._reply("ehlo", "250 mail.test")

    async def _starttls(self, rest: str) -> None:
        if await self._reply("starttls", "220 go ahead"):
            await self._server.start_tls(self._writer)
            self._secure = True

    async def _auth(self, rest: str) -> None:
        kind, _, given = rest.partition(" ")
        _, user, password = base64.b64decode(given).decode().split("\0")
        if kind != "PLAIN" or (user, password) != self._server.login:
            await self._reply("auth", "535 5.7.8 authentication failed")
        elif await self._reply("auth", "235 2.7.0 welcome"):
            self._user = user

    async def _mail(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._server.login is not None and self._user is None:
            await self._say("530 5.7.0 authentication required")
        elif found is None:
            await self._say("501 5.1.7 not an address")
        elif await self._reply("mail", "250 2.1.0 ok"):
            self._sender = found[1]

    async def _rcpt(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._sender is None:
            await self._say("503 5.5.1 MAIL first")
        elif found is None:
            await self._say("501 5.1.3 not an address")
        elif await self._reply("rcpt", "250 2.1.5 ok"):
            self._recipients.append(found[1])

    async def _data(self, rest: str) -> None:
        if not self._recipients:
            await self._say("503 5.5.1 RCPT first")
        elif await self._reply("data", "354 end with a dot"):
            content = await self._content()
            if b"\n" in content.replace(b"\r\n", b"") or b"\r" in content.replace(b"\r\n", b""):
                await self._say("550 5.6.11 bare line ends")
                return
            await self._take(content)

    async def _content(self) -> bytes:
        raw = await self._reader.readuntil(b"\r\n.\r\n")
        return re.sub(rb"(?m)^\.\.", b".", raw[: -len(b".\r\n")])

    async def _take(self, content: bytes) -> None:
        fault = self._server.faults.get("body", "")
        if fault and not fault.startswith("+"):
            await self._reply("body", "")
            return
        assert self._sender is not None
        mail = Mail(self._sender, tuple(self._recipients), content, self._secure, self._user)
        self._server.mails.append(mail)
        await self._reply("body", "250 2.0.0 taken")

    async def _quit(self, rest: str) -> None:
        await self._reply("quit", "221 bye")
        raise _Over

    async def _reply(self, stage: str, usual: str) -> bool:
        """Say the usual, or do what the fault is; whether it was the usual."""
        fault = self._server.faults.get(stage, usual).removeprefix("+")
        if fault == HANG:
            await self._server.over()
            raise _Over
        if fault == RESET:
            self._writer.transport.abort()
            raise _Over
        if fault == CLOSE:
            raise _Over
        await self._say(fault)
        return fault == usual

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()

"""Starts the agent: its file, its address, its token; and ends it on SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.agent import journal
from bot.agent.diagnostics import Diagnostics, parts_of
from bot.agent.exposition import Exposition
from bot.agent.logs import Logs
from bot.agent.memory import Monitor
from bot.agent.part import Part
from bot.agent.postgres import Database
from bot.agent.probes import Probes
from bot.agent.relay import Relay
from bot.agent.server import Server, Services
from bot.agent.watch import Watch
from bot.clock import Clock, SystemClock
from bot.errors import ConfigError, IoraError
from bot.files.document import load
from bot.http import Client
from bot.model.agent import Address, AgentConfig, Tls, parse_address

GRACE_SECONDS = 0.3  # what requests in flight get at the end

log = logging.getLogger("bot.agent")


class StartRefusedError(IoraError):
    """The agent must not or can't start like this."""


@dataclass(frozen=True)
class Settings:
    """What the file and the environment say together."""

    address: Address
    token: str | None
    config: AgentConfig
    folder: Path
    environ: Mapping[str, str]
    tls: ssl.SSLContext | None = None


def settings(config: AgentConfig, folder: Path, environ: Mapping[str, str]) -> Settings:
    """``PORT`` and ``HOST`` go before ``listen`` where a platform sets ``PORT``.

    Relative paths start at ``folder``.
    Raises ``StartRefusedError`` for an address that others can reach while there is no token, and for
    certificate files that can't be used.
    """
    address = parse_address(config.listen)
    if port := environ.get("PORT"):
        if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
            raise StartRefusedError(f"PORT={port}: expected a port number from 0 to 65535")
        address = Address(environ.get("HOST") or "127.0.0.1", int(port))
    own = config.token.get_secret_value() if config.token else ""
    token = (own or environ.get("IORA_AGENT_TOKEN", "")).strip() or None
    if token is None and not address.loopback:
        raise StartRefusedError(
            f"the agent listens beyond this machine on {address} only with a token: "
            "set IORA_AGENT_TOKEN, or listen on 127.0.0.1"
        )
    tls = None if config.tls is None else tls_of(config.tls, folder)
    return Settings(address, token, config, folder, environ, tls)


def tls_of(files: Tls, folder: Path) -> ssl.SSLContext:
    """What HTTPS is served with; raises ``StartRefusedError``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(folder / files.certificate, folder / files.key)
    except OSError as error:  # ssl.SSLError is one
        raise StartRefusedError(
            f"tls: {files.certificate} and {files.key} can't be used: {error.strerror or error}: "
            "expected a certificate and its key as PEM files that the agent's user may read"
        ) from error
    return context


async def serve(wanted: Settings, clock: Clock) -> None:
    """Run until a signal asks to end; raises ``StartRefusedError`` when the address can't be had."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = wanted.config
    watch = Watch(config.process, wanted.folder, clock)
    monitor = Monitor(watch, config.leak, clock)
    logs = Logs(config.logs, wanted.folder, clock)
    probes = Probes(config.probes, config.process, clock, wanted.environ)
    parts = parts_of(watch, monitor, logs, probes, clock)
    if config.postgres is not None:
        parts.append(Part("database", Database(config.postgres.dsn, clock).data))
    async with contextlib.AsyncExitStack() as stack:
        urls = config.relay
        client = await stack.enter_async_context(Client(lambda url: url in urls.values()))
        stack.callback(probes.close)
        services = Services(
            watch, Diagnostics(watch, parts, clock), probes, Relay(urls, client), Exposition()
        )
        server = Server(services, config.process, wanted.token, clock)
        runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=GRACE_SECONDS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(
                runner, wanted.address.host, wanted.address.port, ssl_context=wanted.tls
            ).start()
        except OSError as error:
            raise StartRefusedError(
                f"can't listen on {wanted.address}: {error.strerror or error}: "
                "choose another listen in agent.yaml, or another PORT"
            ) from error
        loops = [
            asyncio.create_task(watch.run(), name="watch"),
            asyncio.create_task(monitor.run(), name="memory"),
        ]
        bound = Address(wanted.address.host, int(runner.addresses[0][1]))
        scheme = "http" if wanted.tls is None else "https"
        print(f"agent ready: {scheme}://{bound}", flush=True)
        log.info("listening", extra={"facts": {"address": str(bound)}})
        await stop.wait()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        log.info("ending")


def run(config_path: Path, environ: Mapping[str, str]) -> int:
    """Run the agent until SIGTERM or Ctrl-C; the exit code is 0 then, 2 when it could not start.

    Why it could not start is on standard error, with the fix.
    """
    try:
        config = load(config_path, AgentConfig, environ)
        wanted = settings(config, config_path.resolve().parent, environ)
        journal.start(environ.get("LOG_LEVEL", "INFO"))
        asyncio.run(serve(wanted, SystemClock()))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except StartRefusedError as error:
        print(f"iora agent: {error}", file=sys.stderr)
        return 2
    return 0

"""Starts the agent: its file, its address, its token; and ends it on SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.agent import journal
from bot.agent.server import Server
from bot.agent.watch import Watch
from bot.clock import Clock, SystemClock
from bot.errors import ConfigError, IoraError
from bot.files.document import load
from bot.model.agent import Address, AgentConfig, ProcessRule, parse_address

GRACE_SECONDS = 0.3  # what requests in flight get at the end

log = logging.getLogger("bot.agent")


class StartRefusedError(IoraError):
    """The agent must not or can't start like this."""


@dataclass(frozen=True)
class Settings:
    """What the file and the environment say together."""

    address: Address
    token: str | None
    process: ProcessRule
    folder: Path


def settings(config: AgentConfig, folder: Path, environ: Mapping[str, str]) -> Settings:
    """``PORT`` and ``HOST`` go before ``listen`` where a platform sets ``PORT``.

    Raises ``StartRefusedError`` for an address that others can reach while there is no token.
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
    return Settings(address, token, config.process, folder)


async def serve(wanted: Settings, clock: Clock) -> None:
    """Run until a signal asks to end; raises ``StartRefusedError`` when the address can't be had."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watch = Watch(wanted.process, wanted.folder, clock)
    server = Server(watch, wanted.process, wanted.token, clock)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, wanted.address.host, wanted.address.port).start()
        except OSError as error:
            raise StartRefusedError(
                f"can't listen on {wanted.address}: {error.strerror or error}: "
                "choose another listen in agent.yaml, or another PORT"
            ) from error
        looking = asyncio.create_task(watch.run(), name="watch")
        bound = Address(wanted.address.host, int(runner.addresses[0][1]))
        print(f"agent ready: http://{bound}", flush=True)
        log.info("listening", extra={"facts": {"address": str(bound)}})
        await stop.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
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

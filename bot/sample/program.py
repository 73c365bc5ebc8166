"""Starts the sample's listeners, its load and its files, and ends them on SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.sample import traffic
from bot.sample.backend import Backend
from bot.sample.burner import Burner
from bot.sample.clock import Clock
from bot.sample.control import Control
from bot.sample.journal import Journal
from bot.sample.leak import Leak
from bot.sample.listener import Listener
from bot.sample.service import Service


@dataclass(frozen=True)
class Options:
    """The command line; port 0 takes a free one, which the ready line tells."""

    host: str
    port: int
    control_port: int
    log: Path
    pid_file: Path


def options(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a usage line on wrong use."""
    parser = argparse.ArgumentParser(prog="python -m bot.sample", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="of the service, 0: a free one")
    parser.add_argument(
        "--control-port", type=int, required=True, help="on loopback, 0: a free one"
    )
    parser.add_argument("--log", type=Path, required=True, help="JSON lines, appended")
    parser.add_argument("--pid-file", type=Path, required=True)
    found = parser.parse_args(arguments)
    return Options(found.host, found.port, found.control_port, found.log, found.pid_file)


@contextlib.contextmanager
def pid_file(path: Path) -> Iterator[None]:
    """The file names this process as long as it runs; readers never see half of it."""
    own = f"{os.getpid()}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(own)
    fresh.replace(path)
    try:
        yield
    finally:
        if path.is_file() and path.read_text() == own:
            path.unlink()


async def serve(wanted: Options, clock: Clock) -> None:
    """Run until a signal asks to end; raises OSError when a port or a file can't be had."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    journal = Journal(wanted.log, clock)
    backend = Backend()
    burner, leak = Burner(backend.work, clock), Leak(backend.work)
    service = Listener(Service(backend, journal, clock).app, wanted.host, wanted.port)
    control = Listener(
        Control(backend, burner, leak, service).app, "127.0.0.1", wanted.control_port
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(journal.close)
        stack.callback(leak.stop)
        stack.callback(burner.stop)
        for listener in (service, control):
            stack.push_async_callback(listener.close)
            await listener.open()
        stack.enter_context(pid_file(wanted.pid_file))
        load = asyncio.create_task(traffic.run(service.url), name="traffic")
        print(f"sample ready: service {service.url} control {control.url}", flush=True)
        await stop.wait()
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 after a signal, 1 with one line when it can't start."""
    wanted = options(arguments)
    try:
        asyncio.run(serve(wanted, Clock()))
    except OSError as error:
        print(f"sample can't start: {error}: choose another port or path", file=sys.stderr)
        return 1
    return 0

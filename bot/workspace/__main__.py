"""``python -m bot.workspace``: run the local workspace until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from bot.workspace.app import EVENTS
from bot.workspace.server import NotLoopback, serve


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after Ctrl-C or SIGTERM, 1 when it can't listen."""
    parser = argparse.ArgumentParser(prog="python -m bot.workspace", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine only")
    parser.add_argument(
        "--sample-control", metavar="URL", help="where the sample service is broken"
    )
    parser.add_argument("--events-url", metavar="URL", help="signed HTTP instead of Socket Mode")
    parser.add_argument(
        "--event", action="append", metavar="NAME", help="what the app subscribes to; default: all"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="workspace: %(message)s")
    try:
        asyncio.run(_run(options))
    except (NotLoopback, OSError) as error:
        sys.stderr.write(f"The workspace can't listen: {error}\n")
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(
        options.port,
        options.host,
        events_url=options.events_url,
        sample_control=options.sample_control,
        events=options.event or EVENTS,
    ) as server:
        sys.stdout.write(f"The local workspace listens on {server.url} (this is not Slack)\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    raise SystemExit(main())

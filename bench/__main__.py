"""``python -m bench``: measure everything, and print the table."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from bench import asking, changing, drawing, groups, machine, table, timers

MEASUREMENTS = (
    asking.measure,
    changing.measure,
    groups.measure,
    timers.measure,
    drawing.measure,
)


async def run() -> list[table.Line]:
    """Every measurement, each in the one temporary folder."""
    lines: list[table.Line] = []
    with tempfile.TemporaryDirectory(prefix="iora-bench-") as folder:
        print(machine.described(Path(folder)), flush=True)
        for measure in MEASUREMENTS:
            async for line in measure(Path(folder)):
                print(f"  measured: {line.what}", file=sys.stderr, flush=True)
                lines.append(line)
    return lines


def main() -> None:
    """Print what it was measured on, the table, and how long it took."""
    logging.basicConfig(level=logging.ERROR)  # Bolt warns of how each app is made
    began = time.monotonic()
    print(table.text(asyncio.run(run())))
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

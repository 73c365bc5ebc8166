"""``python -m bench [NAME ...]``: measure everything, or what is named, and print the table."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench import (
    asking,
    changing,
    charts,
    drawing,
    groups,
    health,
    machine,
    regressions,
    snapshot,
    statistics,
    storm,
    sweep,
    table,
    timers,
)

MEASUREMENTS = {
    "asking": asking.measure,
    "changing": changing.measure,
    "groups": groups.measure,
    "timers": timers.measure,
    "health": health.measure,
    "sweep": sweep.measure,
    "statistics": statistics.measure,
    "regressions": regressions.measure,
    "drawing": drawing.measure,
    "charts": charts.measure,
    "snapshot": snapshot.measure,
    "storm": storm.measure,
}


async def run(names: Iterable[str]) -> list[table.Line]:
    """The measurements one after the other, in one temporary folder."""
    lines: list[table.Line] = []
    with tempfile.TemporaryDirectory(prefix="iora-bench-") as folder:
        print(machine.described(Path(folder)), flush=True)
        for name in names:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            lines += [line async for line in MEASUREMENTS[name](Path(folder))]
    return lines


def main() -> None:
    """Print what it was measured on, the table, and how long it took."""
    names = sys.argv[1:] or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        sys.exit(f"there is no measurement {unknown[0]}: there are {', '.join(MEASUREMENTS)}")
    logging.basicConfig(level=logging.ERROR)  # Bolt warns of how each app is made
    began = time.monotonic()
    print(table.text(asyncio.run(run(names))))
    print(f"{time.monotonic() - began:.0f} s, load {machine.load():.1f} at the end")


if __name__ == "__main__":
    main()

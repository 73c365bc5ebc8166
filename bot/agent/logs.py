"""What the watched service's logs say: counts, times, and the lines that matter."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.agent.flight import Flight
from bot.agent.journald import unit_lines
from bot.agent.line import ERROR, WARNING, Line
from bot.agent.part import PartFailed
from bot.agent.tail import container_lines, file_lines
from bot.clock import Clock
from bot.model.agent import LogSource
from bot.text import clean

LIMIT_S = 2.5
RECENT = 50
MESSAGE_LIMIT = 500
_TIMEOUT = re.compile(r"time(?:d[ _-]?)?[ _-]?out", re.IGNORECASE)
_SLOW = re.compile(r"\bslow(?:ly|ness)?\b", re.IGNORECASE)
_NUMBERS = ("errors", "warnings", "timeouts", "slow", "p95_ms", "error_rate_percent", "requests")


class Logs:
    """Each source is read within its own time, and fails with its own error."""

    def __init__(self, sources: Sequence[LogSource], folder: Path, clock: Clock) -> None:
        self._sources = sources
        self._folder = folder
        self._clock = clock
        self._flights: list[Flight[Report]] = [Flight("agent-log", LIMIT_S) for _ in sources]

    async def read(self) -> list[dict[str, object]]:
        """One report a source, in the order of the file; none where agent.yaml names none."""
        pairs = zip(self._sources, self._flights, strict=True)
        return list(await asyncio.gather(*(self._one(*pair) for pair in pairs)))

    async def _one(self, source: LogSource, flight: Flight[Report]) -> dict[str, object]:
        now = self._clock.now()
        try:
            if source.journald is not None:
                async with asyncio.timeout(LIMIT_S):
                    lines = await unit_lines(source.journald, now - source.window)
                report = await flight.result(lambda: report_of(lines, source, now))
            else:
                report = await flight.result(lambda: self._of_file(source, now))
        except PartFailed as error:
            return failed(source, str(error))
        except TimeoutError:
            return failed(source, f"reading it took over {LIMIT_S:g} s")
        return report.json()

    def _of_file(self, source: LogSource, now: int) -> Report:
        if source.container is not None:
            return report_of(container_lines(self._folder / source.container), source, now)
        assert source.file is not None
        return report_of(file_lines(self._folder / source.file), source, now)


@dataclass(frozen=True)
class Report:
    """What one source says. Counts are of the lines within the window; times in ms since the epoch."""

    source: str
    lines: Sequence[Line]
    last: Sequence[Line]
    slow_ms: int

    def json(self) -> dict[str, object]:
        times = [line.at for line in self.lines if line.at is not None]
        requests = [line for line in self.lines if line.failed is not None]
        durations = [line.duration_ms for line in requests if line.duration_ms is not None]
        unknown = {}
        if not requests:
            unknown["error_rate_percent"] = "no line tells of a request"
        if not durations:
            unknown["p95_ms"] = "no line tells a duration"
        failures = sum(line.failed is True for line in requests)
        return {
            "source": self.source,
            "from": min(times, default=None),
            "to": max(times, default=None),
            "lines": len(self.lines),
            "errors": sum(line.level == ERROR for line in self.lines),
            "warnings": sum(line.level == WARNING for line in self.lines),
            "timeouts": sum(_TIMEOUT.search(line.message) is not None for line in self.lines),
            "slow": sum(self._is_slow(line) for line in self.lines),
            "p95_ms": p95(durations),
            "error_rate_percent": round(100 * failures / len(requests), 3) if requests else None,
            "requests": len(requests),
            "recent": [recent(line) for line in self.shown()],
            "error": None,
            "unknown": unknown,
        }

    def shown(self) -> list[Line]:
        """The last errors and warnings of the window, then the last lines, as far as there is room."""
        bad = [line for line in self.lines if line.level in (ERROR, WARNING)][-RECENT:]
        told = {id(line) for line in bad}
        rest = [line for line in self.last if id(line) not in told]
        return bad + rest[len(rest) - min(len(rest), RECENT - len(bad)) :]

    def _is_slow(self, line: Line) -> bool:
        if line.duration_ms is not None and line.duration_ms > self.slow_ms:
            return True
        return _SLOW.search(line.message) is not None


def report_of(lines: Sequence[Line], source: LogSource, now: int) -> Report:
    """A line without a time, such as of a stack trace, has that of the line before it."""
    at: int | None = None
    within: list[Line] = []
    for line in lines:
        at = at if line.at is None else line.at
        if at is None or at >= now - source.window:
            within.append(line)
    return Report(source.label, within, lines[-RECENT:], source.slow)


def p95(values: Sequence[float]) -> float | None:
    """By nearest rank."""
    if not values:
        return None
    return round(sorted(values)[math.ceil(0.95 * len(values)) - 1], 1)


def recent(line: Line) -> dict[str, object]:
    """A line as it may leave the machine: without secrets and controls, and not too long."""
    return {"at": line.at, "level": line.level, "message": clean(line.message, MESSAGE_LIMIT)}


def failed(source: LogSource, error: str) -> dict[str, object]:
    """A source that can't be read is unknown, never without errors."""
    return {
        "source": source.label,
        "from": None,
        "to": None,
        "lines": 0,
        **dict.fromkeys(_NUMBERS),
        "recent": [],
        "error": error,
        "unknown": {},
    }

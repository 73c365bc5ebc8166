"""The whole state of the watched process and its machine at one moment."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from bot.agent import descriptors, host
from bot.agent.flight import Flight
from bot.agent.reading import MEGABYTE, Fields, attempt
from bot.agent.search import NotFound
from bot.agent.watch import Metrics, Target, Watch
from bot.clock import Clock
from bot.text import clean, redact

LIMIT_S = 2.0
LATE = f"reading it took over {LIMIT_S:g} s"
OF_PROCESS = ("process", "resources", "connections", "files", "children")
MAX_CHILDREN = 50
MAX_ARGUMENTS = 100
_ARGUMENT_LIMIT = 500

T = TypeVar("T")
Section = tuple[object, Mapping[str, str]]
"""What was read, and the reasons of what in it is unknown."""


@dataclass(frozen=True)
class Child:
    """A descendant of the watched process; ``cpu_percent`` of one core."""

    pid: int
    name: str
    rss_mb: float
    cpu_percent: float

    def json(self) -> dict[str, object]:
        return {
            "pid": self.pid,
            "name": self.name,
            "rss_mb": self.rss_mb,
            "cpu_percent": self.cpu_percent,
        }


class Snapshot:
    """Each section is read aside from the loop and within its own time: one that hangs leaves the rest."""

    def __init__(self, watch: Watch, clock: Clock) -> None:
        self._watch = watch
        self._clock = clock
        self._flights: dict[str, Flight[Section]] = {}

    async def read(self) -> dict[str, object]:
        """Always an answer: without a process to watch, that of the machine alone."""
        metrics = await self._watch.metrics()
        now = self._clock.now()
        work: dict[str, Callable[[], Section]] = {
            "system": lambda: _with_fields(lambda fields: host.system(now, fields)),
            "disks": lambda: (host.disks(), {}),
        }
        about: object = None
        if isinstance(metrics, Metrics):
            work |= sections(metrics)
            about = metrics.target.process
        found = await asyncio.gather(*(self._section(name, work[name], about) for name in work))
        data: dict[str, object] = dict.fromkeys(OF_PROCESS)
        data |= {name: value for name, (value, _) in zip(work, found, strict=True)}
        unknown = {field: why for _, reasons in found for field, why in reasons.items()}
        if isinstance(metrics, NotFound):
            unknown |= dict.fromkeys(OF_PROCESS, metrics.error)
        disks = data.pop("disks")
        if isinstance(system := data["system"], dict):
            data["system"] = system | {"disks": disks}
        return data | {"unknown": unknown}

    async def _section(self, name: str, work: Callable[[], Section], about: object) -> Section:
        flight = self._flights.setdefault(name, Flight(f"agent-{name}", LIMIT_S))
        try:
            return await flight.result(lambda: _guarded(name, work), about)
        except TimeoutError:
            return None, {name: LATE}


def sections(metrics: Metrics) -> dict[str, Callable[[], Section]]:
    """What is told of the process, each to be read by itself."""
    process = metrics.target.process
    return {
        "process": lambda: _with_fields(lambda fields: process_facts(metrics.target, fields)),
        "resources": lambda: resources(metrics),
        "connections": lambda: (descriptors.connections(process), {}),
        "files": lambda: _with_fields(lambda fields: descriptors.files(process, fields)),
        "children": lambda: ([child.json() for child in children(process)[:MAX_CHILDREN]], {}),
    }


def _guarded(name: str, work: Callable[[], Section]) -> Section:
    found, reason = attempt(work)
    return found if found is not None else (None, {name: reason or "not readable"})


def _with_fields(read: Callable[[Fields], object]) -> Section:
    fields = Fields()
    return read(fields), fields.unknown


def process_facts(target: Target, fields: Fields) -> dict[str, object]:
    """Who it is; its arguments without what looks like a secret."""
    process = target.process
    with process.oneshot():
        command = fields.read("process.command", process.cmdline)
        return {
            "pid": process.pid,
            "name": clean(target.name, _ARGUMENT_LIMIT),
            "command": None if command is None else redacted(command),
            "user": fields.read("process.user", process.username),
            "started_at": target.started_at,
            "status": fields.read("process.status", process.status),
            "cwd": fields.read("process.cwd", lambda: clean(process.cwd(), _ARGUMENT_LIMIT)),
            "nice": fields.read("process.nice", process.nice),
        }


def redacted(command: Sequence[str]) -> list[str]:
    """Also where the secret is an argument of its own: ``--token VALUE`` counts as ``token=VALUE``."""
    shown: list[str] = []
    option = ""
    for argument in command[:MAX_ARGUMENTS]:
        pair = f"{option}={argument}"
        hidden = bool(option) and redact(pair) != f"{option}={redact(argument)}"
        shown.append("[redacted]" if hidden else clean(argument, _ARGUMENT_LIMIT))
        option = argument.lstrip("-").replace("-", "_") if argument.startswith("-") else ""
    return shown


def resources(metrics: Metrics) -> Section:
    """What it uses. CPU, RSS and USS are those of ``/v1/metrics`` at this moment."""
    process = metrics.target.process
    known = {reading.metric: reading for reading in metrics.readings}
    fields = Fields()

    def reading(metric: str, name: str) -> float | None:
        if (reason := known[metric].reason) is not None:
            fields.unknown[f"resources.{name}"] = reason
        return known[metric].value

    with process.oneshot():
        io = fields.read("resources.read_bytes", lambda: _bytes(process), "resources.write_bytes")
        switches = fields.read(
            "resources.voluntary_switches",
            lambda: _switches(process),
            "resources.involuntary_switches",
        )
    threads = reading("threads", "threads")
    data: dict[str, object] = {
        "cpu_percent": reading("cpu_percent", "cpu_percent"),
        "cpu_core_percent": reading("cpu_core_percent", "cpu_core_percent"),
        "rss_mb": reading("memory_mb", "rss_mb"),
        "uss_mb": reading("uss_mb", "uss_mb"),
        "swap_mb": fields.read("resources.swap_mb", lambda: swap_mb(process)),
        "read_bytes": io and io[0],
        "write_bytes": io and io[1],
        "voluntary_switches": switches and switches[0],
        "involuntary_switches": switches and switches[1],
        "threads": None if threads is None else int(threads),
    }
    return data, fields.unknown


# Functions of their own, as psutil leaves out what a system lacks, and the name must be met in ``read``.
def _bytes(process: psutil.Process) -> tuple[int, int]:
    """Read and written, disks only."""
    io = process.io_counters()
    return io.read_bytes, io.write_bytes


def _switches(process: psutil.Process) -> tuple[int, int]:
    """Voluntary (it waits) and involuntary (others want the core)."""
    switches = process.num_ctx_switches()
    return switches.voluntary, switches.involuntary


def swap_mb(process: psutil.Process) -> float:
    """Of its memory, what is swapped out. Raises ``NotImplementedError`` where /proc is missing."""
    if sys.platform == "linux":
        with Path(f"/proc/{process.pid}/status").open(errors="replace") as status:
            for line in status:
                if line.startswith("VmSwap:"):
                    return round(int(line.split()[1]) * 1024 / MEGABYTE, 3)
    raise NotImplementedError("only Linux tells it")


def children(process: psutil.Process) -> list[Child]:
    """All descendants, the largest first. Takes ``PAUSE_S``, as per cent need two samples."""
    found = process.children(recursive=True)
    for child in found:
        attempt(child.cpu_percent)
    if found:
        time.sleep(host.PAUSE_S)
    looked = [attempt(partial(_child, child))[0] for child in found]
    return sorted(
        (child for child in looked if child is not None),
        key=lambda child: child.rss_mb,
        reverse=True,
    )


def _child(process: psutil.Process) -> Child:
    with process.oneshot():
        if process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.ZombieProcess(process.pid)  # it uses nothing any more
        return Child(
            process.pid,
            clean(process.name(), _ARGUMENT_LIMIT),
            round(process.memory_info().rss / MEGABYTE, 3),
            process.cpu_percent(),
        )

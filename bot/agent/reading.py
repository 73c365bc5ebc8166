"""What the agent reads from a process: each number by itself, so that one refusal leaves the others."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from bot.model.units import METRIC_UNITS

MEGABYTE = 1_000_000
CHEAP = ("memory_mb", "threads", "open_files", "open_files_limit", "uptime_s")
PERMISSION_DENIED = "permission denied"
ENDED = "the process has ended"

T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """A metric's value, or None with the reason why it is unknown; ``at`` in ms since the epoch."""

    metric: str
    value: float | None
    reason: str | None
    at: int

    def json(self) -> dict[str, object]:
        return {
            "metric": self.metric,
            "value": self.value,
            "unit": METRIC_UNITS.get(self.metric, ""),
            "reason": self.reason,
            "at": self.at,
        }


class Unknown(Exception):
    """Why a number can't be had."""


def why(error: Exception) -> str | None:
    """The reason for a person; None where the error is the agent's own fault."""
    match error:
        case psutil.AccessDenied() | PermissionError():
            return PERMISSION_DENIED
        case psutil.NoSuchProcess() | ProcessLookupError():
            return ENDED
        case Unknown():
            return str(error)
        case FileNotFoundError(filename=str(name)) if _of_an_ended_process(name):
            return ENDED
        case NotImplementedError() | OSError():
            return f"not readable on this system: {error}"
    return None


def _of_an_ended_process(name: str) -> bool:
    parts = Path(name).parts
    return parts[:2] == ("/", "proc") and len(parts) > 3 and not Path(*parts[:3]).exists()


def attempt(read: Callable[[], T]) -> tuple[T | None, str | None]:
    """What ``read`` returns, or None with the reason why it can't be had."""
    try:
        return read(), None
    except AttributeError:  # psutil leaves out what a system lacks: name it within ``read``
        return None, "not readable on this system"
    except (psutil.Error, Unknown, NotImplementedError, OSError) as error:
        return None, why(error)


def measured(metric: str, read: Callable[[], float], at: int) -> Measured:
    """Read one number; never a made-up one."""
    value, reason = attempt(read)
    return Measured(metric, value, reason, at)


class Fields:
    """Values that are read one by one; ``unknown`` has the reason of each that can't be had."""

    def __init__(self) -> None:
        self.unknown: dict[str, str] = {}

    def read(self, name: str, read: Callable[[], T], *more: str) -> T | None:
        """The value, or None; ``more`` are the other fields that are made of it."""
        value, reason = attempt(read)
        if reason is not None:
            self.unknown |= dict.fromkeys((name, *more), reason)
        return value


def memory_mb(process: psutil.Process) -> float:
    """Resident memory."""
    return round(process.memory_info().rss / MEGABYTE, 3)


def uss_mb(process: psutil.Process) -> float:
    """Memory that would be free if the process ended: Linux adds it up page by page, so it is dear."""
    return round(process.memory_full_info().uss / MEGABYTE, 3)


def open_files(process: psutil.Process) -> int:
    """All descriptors: files, sockets, pipes. Raises ``AttributeError`` where psutil lacks it."""
    return process.num_fds()


def open_files_limit(process: psutil.Process) -> float:
    """The soft limit of file descriptors."""
    if sys.platform != "linux":
        raise NotImplementedError("only Linux tells another process's limits")
    soft, _hard = process.rlimit(psutil.RLIMIT_NOFILE)
    if soft == psutil.RLIM_INFINITY:
        raise Unknown("unlimited")
    return soft


def read_cheap(process: psutil.Process, at: int) -> tuple[Measured, ...]:
    """What costs microseconds. Open files are all descriptors: files, sockets, pipes."""
    reads = (
        lambda: memory_mb(process),
        process.num_threads,
        lambda: open_files(process),
        lambda: open_files_limit(process),
        lambda: max(0.0, round(at / 1000 - process.create_time(), 1)),
    )
    return tuple(measured(metric, read, at) for metric, read in zip(CHEAP, reads, strict=True))


@dataclass(frozen=True)
class CpuSample:
    """CPU seconds that the process used so far (user and system, children not included)."""

    at: int
    monotonic: float
    used_s: float


class CpuWindow:
    """CPU use over some ``WINDOW_S``: short enough to be now, long enough to be steady."""

    WINDOW_S = 5.0
    STALE_S = 5.0
    SPACING_S = 0.9  # CPU times count in hundredths of a second: closer samples give noise

    def __init__(self) -> None:
        self._samples: deque[CpuSample] = deque()
        self.refusal: str | None = None

    def add(self, sample: CpuSample) -> None:
        """Keep the sample, unless it comes too close after the last one."""
        if self._samples and sample.monotonic - self._samples[-1].monotonic < self.SPACING_S:
            return
        self._samples.append(sample)
        while len(self._samples) > 2 and self._age(1) >= self.WINDOW_S:
            self._samples.popleft()

    def _age(self, index: int) -> float:
        return self._samples[-1].monotonic - self._samples[index].monotonic

    def readings(self, cores: float, monotonic: float, now: int) -> tuple[Measured, Measured]:
        """``cpu_percent`` of ``cores``, 0 to 100, and ``cpu_core_percent`` of one core."""
        at = self._samples[-1].at if self._samples else now

        def of_one() -> float:
            if self.refusal is not None:
                raise Unknown(self.refusal)
            if len(self._samples) < 2:
                raise Unknown("needs two samples, a second apart")
            if monotonic - self._samples[-1].monotonic > self.STALE_S:
                raise Unknown("the last sample is too old: the process can't be read")
            used = self._samples[-1].used_s - self._samples[0].used_s
            return used / self._age(0) * 100

        return (
            measured("cpu_percent", lambda: round(min(100.0, of_one() / cores), 1), at),
            measured("cpu_core_percent", lambda: round(of_one(), 1), at),
        )

"""Every thread of the watched process: what it is called, does, and waits for. Blocking."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.agent import syscalls
from bot.agent.host import PAUSE_S
from bot.agent.reading import PERMISSION_DENIED
from bot.clock import Clock
from bot.text import clean

MOST = 500  # threads that are told, those that use the most CPU first; all are counted
_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "disk wait",
    "T": "stopped",
    "t": "traced",
    "Z": "zombie",
    "X": "dead",
    "I": "idle",
}


@dataclass(frozen=True)
class Thread:
    """``cpu_s``: seconds of CPU (user and system) since it began."""

    tid: int
    name: str | None
    state: str | None
    cpu_s: float


def threads(process: psutil.Process, clock: Clock) -> dict[str, object]:
    """Takes ``PAUSE_S``, as per cent (of one core) need two samples."""
    before, began = {one.tid: one.cpu_s for one in look(process)}, clock.monotonic()
    time.sleep(PAUSE_S)
    found, seconds = look(process), clock.monotonic() - began

    def percent(one: Thread) -> float:
        """A thread that began meanwhile used all its CPU since."""
        return round(max(0.0, one.cpu_s - before.get(one.tid, 0.0)) / seconds * 100, 1)

    found.sort(key=lambda one: (percent(one), one.cpu_s), reverse=True)
    waits = Waits(process.pid)
    rows = [
        {
            "tid": one.tid,
            "name": one.name,
            "state": one.state,
            "cpu_s": round(one.cpu_s, 2),
            "cpu_percent": percent(one),
            **waits.of(one.tid),
        }
        for one in found[:MOST]
    ]
    states = Counter(one.state or "unknown" for one in found)
    unknown = dict(waits.unknown)
    if len(found) > MOST:
        unknown["threads"] = f"of {len(found)} threads, the {MOST} that use the most CPU are told"
    return {
        "total": len(found),
        "threads": rows,
        "by_state": dict(states.most_common()),
        "unknown": unknown,
    }


def look(process: psutil.Process) -> list[Thread]:
    """All threads now; where there is no /proc, their names and states are None."""
    if sys.platform != "linux":
        return [
            Thread(one.id, None, None, one.user_time + one.system_time) for one in _all(process)
        ]
    found: list[Thread] = []
    ticks = os.sysconf("SC_CLK_TCK")
    for folder in Path(f"/proc/{process.pid}/task").iterdir():
        try:
            text = (folder / "stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        # A name may hold spaces and parentheses: it ends at the last one.
        name = text[text.index("(") + 1 : text.rindex(")")]
        fields = text[text.rindex(")") + 2 :].split()
        used_s = (int(fields[11]) + int(fields[12])) / ticks
        state = _STATES.get(fields[0], fields[0])
        found.append(Thread(int(folder.name), clean(name, 64), state, used_s))
    if not found:
        raise psutil.NoSuchProcess(process.pid)
    return found


def _all(process: psutil.Process) -> list[psutil._ntuples.pthread]:
    return process.threads()


class Waits:
    """Where threads wait: what may not be read is unknown once, for all of them."""

    def __init__(self, pid: int, root: Path = Path("/proc")) -> None:
        self._folder = root / f"{pid}/task"
        self.unknown: dict[str, str] = {}
        if sys.platform != "linux" and root == Path("/proc"):
            self.unknown = dict.fromkeys(("wait_channel", "system_call"), "only Linux tells it")

    def of(self, tid: int) -> Mapping[str, str | None]:
        """``wait_channel``: the kernel's function that it sleeps in; None while it runs.

        The kernel answers a stranger with a wait channel of 0, as for a thread that runs: only the
        system call's file says that this may not be known.
        """
        call = self._read(tid, "syscall", "system_call")
        channel = self._read(tid, "wchan", "wait_channel")
        if "system_call" in self.unknown and channel in (None, "", "0"):
            self.unknown.setdefault("wait_channel", self.unknown["system_call"])
            channel = None
        return {
            "wait_channel": None if channel in (None, "", "0") else channel,
            "system_call": None if not call else syscalls.named(call),
        }

    def _read(self, tid: int, file: str, field: str) -> str | None:
        if self.unknown.get(field) is not None:
            return None
        try:
            return (self._folder / str(tid) / file).read_text().strip()
        except PermissionError:
            self.unknown[field] = PERMISSION_DENIED
        except (FileNotFoundError, ProcessLookupError):
            if not (self._folder / str(tid)).exists():
                return None  # it ended meanwhile
            self.unknown[field] = "this kernel does not tell it"
        return None

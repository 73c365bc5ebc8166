"""What the agent's snapshot costs on a machine with 300 processes, and how long it holds up the event loop."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import psutil

from bench.table import Line, microseconds
from bot.agent.snapshot import Snapshot
from bot.agent.watch import Watch
from bot.clock import SystemClock
from bot.model.agent import ProcessRule

PROCESSES = 300
ROUNDS = 12
CPU_AIM_MS = 50.0
LAG_AIM_MS = 20.0
"""A health answer is due within a second; a thread may keep the interpreter for 5 ms at a time."""


async def measure(folder: Path) -> AsyncIterator[Line]:
    """CPU of the whole program a snapshot; beside it one pass over all processes, as ``ps`` does it."""
    with _crowd() as watched:
        (folder / "pid").write_text(str(watched))
        clock = SystemClock()
        watch = Watch(ProcessRule(pid_file="pid"), folder, clock)
        snapshot = Snapshot(watch, clock)
        await snapshot.read()
        costs, lags, passes, idle = [], [], [], []
        for _ in range(ROUNDS):
            began = time.process_time()
            await snapshot.read()
            costs.append((time.process_time() - began) * 1000)
            watching = asyncio.create_task(_longest_gap_ms())
            await snapshot.read()
            watching.cancel()
            lags.append(await watching)
            passes.append(_one_pass_ms())
            idle.append(await _idle_ms())
    yield Line(
        what=f"CPU of a snapshot, {PROCESSES} processes",
        ours=microseconds(median(costs)),
        beside=f"one pass over all of them {microseconds(median(passes))}",
        result=median(costs),
        low=min(costs),
        high=max(costs),
        unit="ms",
        aim=CPU_AIM_MS,
    )
    yield Line(
        what="the loop held up by a snapshot",
        ours=microseconds(median(lags)),
        beside=f"while nothing happens {microseconds(median(idle))}",
        result=median(lags),
        low=min(lags),
        high=max(lags),
        unit="ms",
        aim=LAG_AIM_MS,
    )


@contextmanager
def _crowd() -> Iterator[int]:
    """As many processes as the machine lacks; the pid of one that has a child."""
    with ExitStack() as stack:
        for _ in range(max(0, PROCESSES - len(psutil.pids()))):
            process = subprocess.Popen(["sleep", "600"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        family = subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True)
        stack.callback(family.wait)
        stack.callback(family.kill)
        stack.callback(_end_children, family.pid)
        yield family.pid


def _end_children(pid: int) -> None:
    for child in psutil.Process(pid).children():
        child.kill()


def _one_pass_ms() -> float:
    began = time.process_time()
    for process in psutil.process_iter(["pid", "name", "memory_info", "cpu_times"]):
        assert process.pid >= 0
    return (time.process_time() - began) * 1000


async def _longest_gap_ms() -> float:
    """Until cancelled: the longest that a sleep of 1 ms took over its time."""
    longest = 0.0
    try:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began - 0.001)
    except asyncio.CancelledError:
        return longest * 1000


async def _idle_ms() -> float:
    watching = asyncio.create_task(_longest_gap_ms())
    await asyncio.sleep(0.5)
    watching.cancel()
    return await watching

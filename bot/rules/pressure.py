"""What a process and its machine run out of: CPU, memory, threads, descriptors, disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.model.report import Cause, Collected, Snapshot
from bot.rules.cause import Baselines, cause, exploded, first, known, said, stable, then

CPU_PERCENT, MEMORY_MB = 80.0, 512.0
# A thread that fills one core is a bottleneck on a machine of any number of cores.
CORE_PERCENT = 80.0
# Pools of services have tens of threads: more than this is no pool any more, nor is four times as many
# as when all was well.
THREADS, THREADS_FACTOR, THREADS_STEP = 200, 4.0, 50
# Above it the next burst of connections is refused; four times as many as when all was well is a leak,
# however high the limit.
DESCRIPTORS_USE, FILES_FACTOR, FILES_STEP = 0.8, 4.0, 100
# A slope that reaches the threshold within an hour is worth waking someone; a day's is not.
LEAK_HORIZON_MS = 3_600_000
# Less than this is no leak but the breathing of caches: a megabyte, or 0.5 %, a minute.
LEAK_MB_PER_MIN, LEAK_SHARE_PER_MIN = 1.0, 0.005
DISK_PERCENT = 90.0
HOST_CPU_PERCENT = 90.0


def cpu(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The guide's bound on the process; or the machine is busy with it; or one thread fills a core."""
    value = first(
        it.data("snapshot"), "resources", "cpu_percent", or_else=it.reading("cpu_percent")
    )
    threads = it.data("threads").get("threads") or []
    hot = [
        f"thread {one['name']} ({one['tid']}) uses {said(one['cpu_percent'], '%')} of one core"
        for one in sorted(threads, key=lambda one: -(one.get("cpu_percent") or 0))[:3]
        if (one.get("cpu_percent") or 0) >= 5
    ]
    if value is not None and value > CPU_PERCENT:
        yield cause(
            "cpu",
            f"CPU {said(value, '%')} of all cores",
            value,
            "%",
            CPU_PERCENT,
            "High CPU usage detected - profile for bottlenecks",
            hot,
            stable=stable(before, "cpu_percent", value),
        )
        return
    busy = first(it.data("snapshot"), "system", "cpu_percent", or_else=None)
    if value is not None and busy is not None and busy > CPU_PERCENT and value >= busy / 2:
        yield cause(
            "cpu",
            f"CPU {said(busy, '%')} of the machine, most of it this process ({said(value, '%')})",
            busy,
            "%",
            CPU_PERCENT,
            "High CPU usage detected - profile for bottlenecks",
            hot,
        )
        return
    core = max((one.get("cpu_percent") or 0.0 for one in threads), default=0.0)
    if core > CORE_PERCENT:
        yield cause(
            "cpu",
            f"one thread fills a core: CPU {said(core, '%')} of one core",
            core,
            "%",
            CORE_PERCENT,
            "High CPU usage detected - profile for bottlenecks",
            hot,
        )


def memory(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The guide's bound, and a leak beneath it or on the way to it."""
    leak, snapshot = it.data("leak"), it.data("snapshot")
    value = first(snapshot, "resources", "rss_mb", or_else=it.reading("memory_mb"))
    largest = [
        f"{one['name']}: {said(one['size_mb'], 'MB')}" for one in (leak.get("consumers") or [])[:5]
    ]
    yield from _leak(it, leak, value, largest)
    if value is not None and value > MEMORY_MB:
        yield cause(
            "memory",
            f"memory {said(value, 'MB')}",
            value,
            "MB",
            MEMORY_MB,
            "High memory usage detected - check for leaks",
            largest,
            stable=stable(before, "memory_mb", value),
        )


def _leak(
    it: Collected, leak: Mapping[str, Any], value: float | None, largest: list[str]
) -> Iterator[Cause]:
    """It grows, and is over the threshold or will be within the hour."""
    slope, threshold = leak.get("slope_mb_per_min"), leak.get("threshold_mb")
    if value is None or slope is None or threshold is None:
        return
    bound = max(LEAK_MB_PER_MIN, value * LEAK_SHARE_PER_MIN)
    if slope < bound:
        return
    minutes = max(0.0, (threshold - value) / slope)
    if minutes * 60_000 > LEAK_HORIZON_MS:
        return
    reaches = "is over" if leak.get("over") else f"in {said(round(minutes, 1), 'min')} reaches"
    yield cause(
        "leak",
        f"memory grows by {said(slope, 'MB')} a minute and {reaches} {said(threshold, 'MB')}",
        slope,
        "MB/min",
        bound,
        "Check for memory leaks",
        largest,
    )


def threads(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """So many that it is no pool any more."""
    dump = it.data("threads")
    resources = it.data("snapshot").get("resources") or {}
    value = dump.get("total") or resources.get("threads") or it.reading("threads")
    if value is None or not exploded(
        value, before, "threads", THREADS, THREADS_FACTOR, THREADS_STEP
    ):
        return
    states = dump.get("by_state") or {}
    waits: dict[str, int] = {}
    for one in dump.get("threads") or []:
        where = one.get("wait_channel") or one.get("system_call")
        if where:
            waits[where] = waits.get(where, 0) + 1
    common = sorted(waits.items(), key=lambda pair: -pair[1])[:3]
    yield cause(
        "threads",
        f"{value:,.0f} threads",
        value,
        "",
        then(before, "threads", THREADS_FACTOR) or THREADS,
        "Bound the thread pool, and look for threads that are started and never end",
        [f"{count} {state}" for state, count in states.items()]
        + [f"{count} wait in {where}" for where, count in common],
    )


def descriptors(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """Near the limit, or many times as many as when all was well."""
    files = it.data("snapshot").get("files") or {}
    value = known(files.get("open"), it.reading("open_files"))
    limit = known(files.get("limit"), it.reading("open_files_limit"))
    if value is None:
        return
    crowded = bool(limit) and limit is not None and value / limit > DESCRIPTORS_USE
    if not crowded and not exploded(value, before, "open_files", None, FILES_FACTOR, FILES_STEP):
        return
    of = f" of {limit:,.0f} ({value / limit:.0%})" if limit else ""
    kinds = sorted((files.get("by_kind") or {}).items(), key=lambda pair: -pair[1])[:3]
    paths = [f"{one['path']}: {one['count']}" for one in (files.get("paths") or [])[:3]]
    yield cause(
        "descriptors",
        f"{value:,.0f} open files and sockets{of}",
        value,
        "",
        limit * DESCRIPTORS_USE if limit and crowded else then(before, "open_files", FILES_FACTOR),
        "Close files and sockets that are opened and forgotten; raise the limit only after that",
        [f"{count} {kind}" for kind, count in kinds] + paths,
    )


def host(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """What the process suffers from others: a full disk, a machine that someone else keeps busy."""
    snapshot = it.data("snapshot")
    system = snapshot.get("system") or {}
    for disk in system.get("disks") or []:
        used = disk.get("used_percent")
        if used is not None and used > DISK_PERCENT:
            yield cause(
                "disk",
                f"disk {disk['mount']} is {used:.0f} % full",
                used,
                "%",
                DISK_PERCENT,
                f"Free space on {disk['mount']}",
            )
    busy, own = system.get("cpu_percent"), (snapshot.get("resources") or {}).get("cpu_percent")
    if busy is not None and own is not None and busy > HOST_CPU_PERCENT and own < busy / 2:
        yield cause(
            "neighbour",
            f"the machine's CPU is {said(busy, '%')} busy, only {said(own, '%')} of it with this process",
            busy,
            "%",
            HOST_CPU_PERCENT,
            "Look for the other process that uses the machine's CPU",
        )

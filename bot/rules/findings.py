"""From what was collected to findings, the one that explains most first.

The bounds and the recommendations are the guide's ("Automated Diagnostic Collection", "Memory Leak
Detection", "Connection pool optimization", "Performance Regression Detection"); where the guide has
none, the bound is said here with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.model.report import Cause, Collected, Snapshot
from bot.model.target import Bound
from bot.model.units import format_value
from bot.rules.rank import ranked

CPU_PERCENT, MEMORY_MB, ERRORS, TIMEOUTS = 80.0, 512.0, 10, 5
POOL_BUSY, POOL_QUIET, POOL_SPARE = 0.8, 0.3, 5
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

Baselines = Mapping[str, Bound]
Rule = Callable[[Collected, Snapshot | None, Baselines], Iterator[Cause]]


def findings(
    collected: Collected, before: Snapshot | None, baselines: Baselines
) -> tuple[Cause, ...]:
    """Every rule's findings, ranked. ``before``: when the target was last healthy, if it ever was."""
    found = [cause for rule in _RULES for cause in rule(collected, before, baselines)]
    return ranked(found)


def recommendations(found: Sequence[Cause]) -> list[str]:
    """What to do, each once, in the order of the findings."""
    return list(dict.fromkeys(cause.recommendation for cause in found))


def _down(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    if it.health["verdict"] == "down":
        yield _cause(
            "down",
            f"it does not answer: {it.health['reason']}",
            recommendation="Check that the process runs, listens, and is not stopped or out of memory",
        )


def _cpu(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    value = _first(
        it.data("snapshot"), "resources", "cpu_percent", or_else=it.reading("cpu_percent")
    )
    threads = it.data("threads").get("threads") or []
    hot = [
        f"thread {one['name']} ({one['tid']}) uses {_said(one['cpu_percent'], '%')} of one core"
        for one in sorted(threads, key=lambda one: -(one.get("cpu_percent") or 0))[:3]
        if (one.get("cpu_percent") or 0) >= 5
    ]
    if value is not None and value > CPU_PERCENT:
        yield _cause(
            "cpu",
            f"CPU {_said(value, '%')} of all cores",
            value,
            "%",
            CPU_PERCENT,
            "High CPU usage detected - profile for bottlenecks",
            hot,
            stable=_stable(before, "cpu_percent", value),
        )
        return
    busy = _first(it.data("snapshot"), "system", "cpu_percent", or_else=None)
    if value is not None and busy is not None and busy > CPU_PERCENT and value >= busy / 2:
        yield _cause(
            "cpu",
            f"CPU {_said(busy, '%')} of the machine, most of it this process ({_said(value, '%')})",
            busy,
            "%",
            CPU_PERCENT,
            "High CPU usage detected - profile for bottlenecks",
            hot,
        )
        return
    core = max((one.get("cpu_percent") or 0.0 for one in threads), default=0.0)
    if core > CORE_PERCENT:
        yield _cause(
            "cpu",
            f"one thread fills a core: CPU {_said(core, '%')} of one core",
            core,
            "%",
            CORE_PERCENT,
            "High CPU usage detected - profile for bottlenecks",
            hot,
        )


def _memory(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    leak, snapshot = it.data("leak"), it.data("snapshot")
    value = _first(snapshot, "resources", "rss_mb", or_else=it.reading("memory_mb"))
    largest = [
        f"{one['name']}: {_said(one['size_mb'], 'MB')}" for one in (leak.get("consumers") or [])[:5]
    ]
    yield from _leak(it, leak, value, largest)
    if value is not None and value > MEMORY_MB:
        yield _cause(
            "memory",
            f"memory {_said(value, 'MB')}",
            value,
            "MB",
            MEMORY_MB,
            "High memory usage detected - check for leaks",
            largest,
            stable=_stable(before, "memory_mb", value),
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
    reaches = "is over" if leak.get("over") else f"in {_said(round(minutes, 1), 'min')} reaches"
    yield _cause(
        "leak",
        f"memory grows by {_said(slope, 'MB')} a minute and {reaches} {_said(threshold, 'MB')}",
        slope,
        "MB/min",
        bound,
        "Check for memory leaks",
        largest,
    )


def _threads(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    dump = it.data("threads")
    resources = it.data("snapshot").get("resources") or {}
    value = dump.get("total") or resources.get("threads") or it.reading("threads")
    if value is None or not _exploded(
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
    yield _cause(
        "threads",
        f"{value:,.0f} threads",
        value,
        "",
        _then(before, "threads", THREADS_FACTOR) or THREADS,
        "Bound the thread pool, and look for threads that are started and never end",
        [f"{count} {state}" for state, count in states.items()]
        + [f"{count} wait in {where}" for where, count in common],
    )


def _descriptors(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    files = it.data("snapshot").get("files") or {}
    value = _known(files.get("open"), it.reading("open_files"))
    limit = _known(files.get("limit"), it.reading("open_files_limit"))
    if value is None:
        return
    crowded = bool(limit) and limit is not None and value / limit > DESCRIPTORS_USE
    if not crowded and not _exploded(value, before, "open_files", None, FILES_FACTOR, FILES_STEP):
        return
    of = f" of {limit:,.0f} ({value / limit:.0%})" if limit else ""
    kinds = sorted((files.get("by_kind") or {}).items(), key=lambda pair: -pair[1])[:3]
    paths = [f"{one['path']}: {one['count']}" for one in (files.get("paths") or [])[:3]]
    yield _cause(
        "descriptors",
        f"{value:,.0f} open files and sockets{of}",
        value,
        "",
        limit * DESCRIPTORS_USE if limit and crowded else _then(before, "open_files", FILES_FACTOR),
        "Close files and sockets that are opened and forgotten; raise the limit only after that",
        [f"{count} {kind}" for kind, count in kinds] + paths,
    )


def _logs(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    logs = it.data("logs") or []
    errors = sum(one.get("errors") or 0 for one in logs)
    timeouts = sum(one.get("timeouts") or 0 for one in logs)
    if errors > ERRORS:
        yield _cause(
            "errors",
            f"{errors:,} errors in the logs",
            errors,
            "",
            ERRORS,
            f"High error count in logs: {errors} errors",
            _quoted(logs, "error"),
        )
    if timeouts > TIMEOUTS:
        yield _cause(
            "timeouts",
            f"{timeouts:,} timeouts in the logs",
            timeouts,
            "",
            TIMEOUTS,
            f"Multiple timeouts detected: {timeouts} occurrences",
        )


def _slow(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """The bot's own polls say so, or the requests in the log."""
    metric = "response_time_p95_ms"
    bound = baselines.get(metric)
    if bound is None or bound.below is None:
        return
    logged = [one["p95_ms"] for one in it.data("logs") or [] if one.get("p95_ms") is not None]
    values = [(it.reading(metric), "bot"), *((value, "logs") for value in logged)]
    known = [(value, source) for value, source in values if value is not None]
    if not known:
        return
    value, source = max(known)
    if not bound.holds(value):
        yield _cause(
            "slow",
            f"P95 {_said(value, 'ms')} ({source})",
            value,
            "ms",
            bound.limit,
            "Profile API endpoints for bottlenecks",
            ["Check database query performance", "Review caching strategy"],
            stable=_stable(before, metric, value),
        )


def _error_rate(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    metric = "error_rate_percent"
    bound = baselines.get(metric)
    if bound is None or bound.below is None:
        return
    logged = [one.get(metric) for one in it.data("logs") or []]
    known = [value for value in (it.reading(metric), *logged) if value is not None]
    if known and not bound.holds(max(known)):
        value = max(known)
        yield _cause(
            "error_rate",
            f"error rate {_said(value, '%')}",
            value,
            "%",
            bound.limit,
            "Review recent code changes",
            stable=_stable(before, metric, value),
        )


def _pool(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    connections = it.data("database").get("connections") or {}
    use, idle, size = connections.get("use"), connections.get("idle"), connections.get("size")
    if use is None or size is None:
        return
    percent = use * 100
    seen = f"{size - (idle or 0)} of {size} database connections in use ({percent:.0f} %)"
    if use > POOL_BUSY:
        advice = f"High connection utilization ({percent:.0f}%), consider increasing pool size"
        yield _cause("pool", seen, percent, "%", POOL_BUSY * 100, advice)
    elif use < POOL_QUIET and idle is not None and idle > POOL_SPARE:
        advice = f"Low connection utilization ({percent:.0f}%), consider reducing pool size"
        yield _cause("idle_pool", seen, percent, "%", POOL_QUIET * 100, advice)


def _locks(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    connections = it.data("database").get("connections") or {}
    waiting, longest = connections.get("waiting_clients"), connections.get("longest_wait_ms")
    if waiting:
        since = f", the longest for {_said(longest, 'ms')}" if longest is not None else ""
        yield _cause(
            "locks",
            f"{waiting} database clients wait for a lock{since}",
            waiting,
            "",
            None,
            "End or shorten the transaction that blocks the others",
        )


def _host(it: Collected, before: Snapshot | None, baselines: Baselines) -> Iterator[Cause]:
    """What the process suffers from others: a full disk, a machine that someone else keeps busy."""
    snapshot = it.data("snapshot")
    system = snapshot.get("system") or {}
    for disk in system.get("disks") or []:
        used = disk.get("used_percent")
        if used is not None and used > DISK_PERCENT:
            yield _cause(
                "disk",
                f"disk {disk['mount']} is {used:.0f} % full",
                used,
                "%",
                DISK_PERCENT,
                f"Free space on {disk['mount']}",
            )
    busy, own = system.get("cpu_percent"), (snapshot.get("resources") or {}).get("cpu_percent")
    if busy is not None and own is not None and busy > HOST_CPU_PERCENT and own < busy / 2:
        yield _cause(
            "neighbour",
            f"the machine's CPU is {_said(busy, '%')} busy, only {_said(own, '%')} of it with this process",
            busy,
            "%",
            HOST_CPU_PERCENT,
            "Look for the other process that uses the machine's CPU",
        )


def _cause(
    kind: str,
    text: str,
    value: float | None = None,
    unit: str = "",
    bound: float | None = None,
    recommendation: str = "",
    evidence: Sequence[str] = (),
    *,
    stable: bool = False,
) -> Cause:
    found = Cause(
        kind=kind,
        text=text,
        value=value,
        unit=unit,
        bound=bound,
        recommendation=recommendation,
        evidence=tuple(evidence),
        stable=stable,
    )
    return replace(found, text=f"{text}, {_bounded(found)}") if bound is not None else found


def _bounded(cause: Cause) -> str:
    side = "under" if cause.kind == "idle_pool" else "over"
    return f"{side} {_said(cause.bound or 0, cause.unit if cause.unit != '%' else '')}"


def _exploded(
    value: float,
    before: Snapshot | None,
    metric: str,
    absolute: float | None,
    factor: float,
    step: float,
) -> bool:
    """Many times as many as then; where nothing is known of then, more than the absolute bound.

    One that always had many is not exploding.
    """
    then = before.values.get(metric) if before else None
    if then is not None:
        grown = value >= then * factor and value >= then + step
        return grown or (absolute is not None and value > absolute and value > then * 2)
    return absolute is not None and value > absolute


def _then(before: Snapshot | None, metric: str, factor: float) -> float | None:
    then = before.values.get(metric) if before else None
    return then * factor if then else None


def _stable(before: Snapshot | None, metric: str, value: float) -> bool:
    """Whether it was within a tenth of this when all was well."""
    then = before.values.get(metric) if before else None
    return then is not None and value <= then * 1.1


def _first(data: Any, *path: str, or_else: float | None) -> float | None:
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, int | float) else or_else


def _known(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _quoted(logs: Sequence[Mapping[str, Any]], level: str) -> list[str]:
    """The messages that come most often, with how often."""
    counts: dict[str, int] = {}
    for source in logs:
        for line in source.get("recent") or []:
            if line.get("level") == level:
                counts[line["message"]] = counts.get(line["message"], 0) + 1
    common = sorted(counts.items(), key=lambda pair: -pair[1])[:2]
    return [f"{count} x {message[:120]}" for message, count in common]


def _said(value: float, unit: str) -> str:
    return format_value(value, unit)


_RULES: Sequence[Rule] = (
    _down,
    _threads,
    _descriptors,
    _memory,
    _cpu,
    _locks,
    _pool,
    _host,
    _logs,
    _slow,
    _error_rate,
)

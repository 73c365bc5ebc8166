"""Puts a diagnostic report together from what was collected; the guide's names, its units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.clock import at as time_at
from bot.model.incident import Facts, Incident
from bot.model.report import Cause, Collected, Report, Snapshot, Wanted
from bot.rules import changes, findings
from bot.rules.cause import Baselines

_MB = 1_000_000
_LOG_LINES = 200
# Incidents that began within half an hour of each other are worth looking at together.
_NEAR_MS = 1_800_000
RELATED_AMONG = 200  # of a storm of open incidents, so many are looked at


def assemble(
    wanted: Wanted,
    collected: Collected,
    before: Snapshot | None,
    baselines: Baselines,
    emergency: Facts | None = None,
) -> Report:
    """The report, with its findings, its recommendations and what changed since ``before``."""
    found = findings.findings(collected, before, baselines)
    health = collected.health
    return Report(
        id=wanted.id,
        timestamp=_iso(collected.at),
        issue_description=wanted.description,
        system_info=_system_info(collected),
        performance_metrics=performance(collected),
        recent_logs=recent_logs(collected),
        thread_dump=_thread_dump(collected),
        heap_dump=_heap_dump(collected),
        recommendations=findings.recommendations(found),
        at=collected.at,
        target=collected.target,
        incident=f"INC-{wanted.incident}" if wanted.incident is not None else None,
        asked_by=wanted.by,
        verdict=str(health["verdict"]),
        reason=str(health["reason"]),
        findings=[_finding(cause) for cause in found],
        changed=changes.facts(before, _values(collected)),
        partial={part.name: part.error or "" for part in collected.parts.values() if not part.ok},
        took_ms={part.name: part.took_ms for part in collected.parts.values()},
        details={
            "health": health,
            "snapshot": collected.data("snapshot"),
            "leak": collected.data("leak"),
            "logs": [_without_lines(one) for one in collected.data("logs") or []],
            "database": collected.data("database"),
        },
        emergency=emergency,
    )


def emergency(incident: Incident, collected: Collected, live: Sequence[Incident]) -> Facts:
    """The guide's emergency diagnostics of an incident; None where a thing could not be read."""
    snapshot = collected.data("snapshot")
    return {
        "incident_id": incident.key,
        "timestamp": _iso(collected.at),
        "system_snapshot": {
            "process_info": snapshot.get("process"),
            "resource_usage": snapshot.get("resources"),
            "network_connections": snapshot.get("connections"),
            "open_files": snapshot.get("files"),
        },
        "performance_snapshot": performance(collected),
        "log_snapshot": recent_logs(collected),
        "active_incidents": [_related(one, incident) for one in related(incident, live)],
    }


def related(incident: Incident, live: Sequence[Incident]) -> list[Incident]:
    """The other open incidents of the same targets, or that began within half an hour of it."""
    return [
        one
        for one in live
        if one.id != incident.id
        and (
            set(one.targets) & set(incident.targets)
            or abs(one.started_at - incident.started_at) <= _NEAR_MS
        )
    ]


def performance(collected: Collected) -> Facts:
    """The guide's ``cpu_usage`` and ``memory_usage_mb``, and every reading by its own name."""
    resources = collected.data("snapshot").get("resources") or {}
    readings = {one["metric"]: one["value"] for one in collected.health["readings"]}
    unknown = {
        one["metric"]: one["reason"] for one in collected.health["readings"] if one["value"] is None
    }
    cpu, memory = resources.get("cpu_percent"), resources.get("rss_mb")
    return {
        "cpu_usage": cpu if cpu is not None else readings.get("cpu_percent"),
        "memory_usage_mb": memory if memory is not None else readings.get("memory_mb"),
        **readings,
        "unknown": unknown,
    }


def recent_logs(collected: Collected) -> list[Facts]:
    """The lines of every source, oldest first: errors and warnings before the rest where it is cut."""
    lines = [
        {"source": source.get("source"), **line}
        for source in collected.data("logs") or []
        for line in source.get("recent") or []
    ][:_LOG_LINES]
    return sorted(lines, key=lambda line: line.get("at") or 0)


def _system_info(collected: Collected) -> Facts:
    snapshot = collected.data("snapshot")
    return {
        "system": snapshot.get("system"),
        "process": snapshot.get("process"),
        "children": snapshot.get("children"),
        "unknown": snapshot.get("unknown") or {},
    }


def _thread_dump(collected: Collected) -> Facts:
    threads = collected.data("threads")
    return {
        "threads": threads.get("threads") or [],
        "total_threads": threads.get("total"),
        "timestamp": _iso(collected.at),
        "by_state": threads.get("by_state"),
        "unknown": threads.get("unknown") or {},
    }


def _heap_dump(collected: Collected) -> Facts:
    """Bytes, as in the guide. The number of allocations can't be known from outside: null."""
    heap = collected.data("heap")
    largest = heap.get("largest") or []
    allocated = _sum(heap.get("anonymous_mb"), heap.get("swap_mb"))
    return {
        "total_allocated": _bytes(allocated),
        "largest_allocation": _bytes(largest[0]["size_mb"]) if largest else None,
        "allocation_count": None,
        "timestamp": _iso(collected.at),
        **{name: value for name, value in heap.items() if name != "allocation_count"},
    }


def _finding(cause: Cause) -> Facts:
    return asdict(cause) | {"evidence": list(cause.evidence)}


def _related(one: Incident, incident: Incident) -> Facts:
    same = sorted(set(one.targets) & set(incident.targets))
    return {
        "incident_id": one.key,
        "title": one.title,
        "severity": str(one.severity),
        "status": str(one.status),
        "targets": list(one.targets),
        "why": f"same target: {', '.join(same)}" if same else "began within half an hour",
    }


def _values(collected: Collected) -> dict[str, float]:
    return changes.values(collected.health["readings"])


def _without_lines(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name != "recent"}


def _sum(*values: float | None) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else round(megabytes * _MB)


def _iso(milliseconds: int) -> str:
    return time_at(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")

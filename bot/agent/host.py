"""The machine that the watched process runs on: load, memory, disks. Blocking."""

from __future__ import annotations

import os
import platform

import psutil

from bot.agent.reading import MEGABYTE, Fields

PAUSE_S = 0.5
"""Between the two samples that a CPU per cent needs: times count in hundredths of a second."""
MAX_DISKS = 20


def system(now: int, fields: Fields) -> dict[str, object]:
    """Takes ``PAUSE_S``. ``cpu_percent`` is of all cores."""
    load = fields.read("system.load_1m", os.getloadavg, "system.load_5m", "system.load_15m")
    memory = fields.read(
        "system.memory_total_mb", psutil.virtual_memory, "system.memory_available_mb"
    )
    swap = fields.read("system.swap_used_mb", psutil.swap_memory)
    booted = fields.read("system.uptime_s", psutil.boot_time)
    return {
        "cores": os.cpu_count(),
        "load_1m": round(load[0], 2) if load else None,
        "load_5m": round(load[1], 2) if load else None,
        "load_15m": round(load[2], 2) if load else None,
        "cpu_percent": fields.read(
            "system.cpu_percent", lambda: psutil.cpu_percent(interval=PAUSE_S)
        ),
        "memory_total_mb": memory and round(memory.total / MEGABYTE, 1),
        "memory_available_mb": memory and round(memory.available / MEGABYTE, 1),
        "swap_used_mb": swap and round(swap.used / MEGABYTE, 1),
        "uptime_s": booted and max(0, round(now / 1000 - booted)),
        "hostname": platform.node(),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def disks() -> list[dict[str, object]]:
    """The mounted disks, the fullest first; a disk that does not answer hangs the whole look."""
    gigabyte = 1_000_000_000
    seen: dict[str, dict[str, object]] = {}
    fullest: dict[str, float] = {}
    for partition in psutil.disk_partitions(all=False):
        if partition.device in seen:  # mounted a second time elsewhere
            continue
        try:
            usage = psutil.disk_usage(partition.mountpoint)
        except OSError:
            continue
        fullest[partition.device] = usage.percent
        seen[partition.device] = {
            "mount": partition.mountpoint,
            "total_gb": round(usage.total / gigabyte, 2),
            "free_gb": round(usage.free / gigabyte, 2),
            "used_percent": usage.percent,
        }
    order = sorted(seen, key=lambda device: fullest[device], reverse=True)
    return [seen[device] for device in order[:MAX_DISKS]]

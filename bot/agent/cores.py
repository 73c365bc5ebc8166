"""How many cores the watched process may use: its affinity, and the quota of its control groups."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath


def allowed_cores(pid: int, root: Path = Path("/")) -> float:
    """At least a hundredth of a core. ``root`` is where ``proc`` and ``sys`` are."""
    return max(0.01, min(affinity(pid), quota(pid, root)))


def affinity(pid: int) -> float:
    """The cores that the scheduler may put the process on; all of them where the system doesn't tell."""
    try:
        return len(os.sched_getaffinity(pid))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def quota(pid: int, root: Path) -> float:
    """The smallest ``cpu.max`` (control groups, version 2) from the process's group up; else infinity.

    Inside a container with a namespace of its own the path starts there, and the top group holds the
    container's quota.
    """
    try:
        lines = (root / f"proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return float("inf")
    paths = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    if not paths or ".." in PurePosixPath(paths[0]).parts:
        return float("inf")
    mount = root / "sys/fs/cgroup"
    group = mount / paths[0]
    return min(_quota(folder) for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _quota(group: Path) -> float:
    """``cpu.max`` holds microseconds a period, or ``max``, and the period."""
    try:
        allowed, period = (group / "cpu.max").read_text().split()
        return float("inf") if allowed == "max" else int(allowed) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return float("inf")

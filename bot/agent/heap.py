"""The memory of the watched process: totals, and what the largest pieces are. Blocking."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.agent.reading import MEGABYTE, Fields
from bot.text import clean

TOP = 5
MAX_MAPPINGS = 50_000  # of a process with more, the rest is not looked at
_KB = 1024  # the unit of smaps
_HEADER = re.compile(rb"([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ \d+\s*(.*)")
_SHARED = ("/dev/zero", "/memfd:", "/SYSV", "/dev/shm/", "[anon_shmem")  # noqa: S108 - names
"""What the kernel calls memory that may be shared and belongs to no file on a disk."""
_TOTALS = {
    "rss_mb": "Rss",
    "pss_mb": "Pss",
    "anonymous_mb": "Anonymous",
    "swap_mb": "Swap",
}


@dataclass
class Mapping:
    """A piece of the address space; ``name`` as the kernel gives it, empty where it is anonymous."""

    address: str
    name: str
    rss_kb: int = 0
    anonymous_kb: int = 0
    swap_kb: int = 0

    @property
    def kind(self) -> str:
        """``anonymous``, ``heap``, ``stack``, ``shared`` (of no file either), or ``file``."""
        if self.name.startswith(_SHARED):
            return "shared"
        if self.name in ("[heap]", "[stack]"):
            return self.name.strip("[]")
        return "anonymous" if not self.name or self.name.startswith("[") else "file"

    @property
    def own_mb(self) -> float:
        """What of it belongs to no file, in memory or swapped out."""
        held = self.rss_kb if self.kind == "shared" else self.anonymous_kb
        return megabytes(held + self.swap_kb)


def megabytes(kilobytes: int) -> float:
    return round(kilobytes * _KB / MEGABYTE, 3)


def heap(process: psutil.Process) -> dict[str, object]:
    """Totals and the five largest pieces of anonymous memory (heap and stacks among them)."""
    fields = Fields()
    totals = totals_of(process, fields)
    found = fields.read("largest", lambda: mappings(process))
    own = (one for one in found or () if one.kind != "file" and one.own_mb > 0)
    largest = sorted(own, key=lambda one: one.own_mb, reverse=True)[:TOP]
    fields.unknown["allocation_count"] = "can't be known from outside the process"
    return {
        **totals,
        "largest": [
            {"size_mb": one.own_mb, "kind": one.kind, "address": one.address} for one in largest
        ],
        "allocation_count": None,
        "unknown": fields.unknown,
    }


def totals_of(process: psutil.Process, fields: Fields) -> dict[str, float | None]:
    """From smaps_rollup; where there is none, RSS and USS by psutil."""
    if sys.platform == "linux":
        sums = fields.read("pss_mb", lambda: rollup(process.pid), *_TOTALS, "uss_mb")
        if sums is None:
            return dict.fromkeys((*_TOTALS, "uss_mb"))
        private = sums["Private_Clean"] + sums["Private_Dirty"] + sums["Private_Hugetlb"]
        return {
            **{field: megabytes(sums[key]) for field, key in _TOTALS.items()},
            "uss_mb": megabytes(private),
        }
    memory = fields.read("rss_mb", process.memory_full_info, "uss_mb")
    fields.unknown |= dict.fromkeys(("pss_mb", "anonymous_mb", "swap_mb"), "only Linux tells it")
    known = {"rss_mb": memory and round(memory.rss / MEGABYTE, 3)}
    return dict.fromkeys(_TOTALS) | known | {"uss_mb": memory and round(memory.uss / MEGABYTE, 3)}


def rollup(pid: int) -> dict[str, int]:
    """The totals of all mappings in KB (1,024 bytes); a kind that this kernel lacks is 0."""
    sums: dict[str, int] = defaultdict(int)
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        key, _, rest = line.partition(":")
        sums[key] += int(rest.split()[0])
    if not sums:  # the kernel's answer for a process that is ending
        raise ProcessLookupError
    return sums


def mappings(process: psutil.Process) -> list[Mapping]:
    """All pieces of the address space. Dear: the kernel adds them up page by page."""
    if sys.platform != "linux":
        raise NotImplementedError("only Linux tells it")
    with Path(f"/proc/{process.pid}/smaps").open("rb") as lines:
        return list(parsed(lines))


def parsed(lines: Iterable[bytes]) -> Iterator[Mapping]:
    """The mappings of a smaps file, at most ``MAX_MAPPINGS``."""
    current: Mapping | None = None
    count = 0
    for line in lines:
        if line[:1].isupper():
            if current is not None:
                _add(current, line)
            continue
        if (match := _HEADER.match(line)) is None:
            continue
        if current is not None:
            yield current
        if (count := count + 1) > MAX_MAPPINGS:
            return
        current = Mapping(match[1].decode(), match[2].decode(errors="replace"))
    if current is not None:
        yield current


def _add(mapping: Mapping, line: bytes) -> None:
    if line.startswith(b"Rss:"):
        mapping.rss_kb = int(line.split()[1])
    elif line.startswith(b"Anonymous:"):
        mapping.anonymous_kb = int(line.split()[1])
    elif line.startswith(b"Swap:"):
        mapping.swap_kb = int(line.split()[1])


@dataclass(frozen=True)
class Consumer:
    """Something that takes memory: a mapping, a file's mappings together, or a child."""

    name: str
    size_mb: float

    def json(self) -> dict[str, object]:
        return {"name": self.name, "size_mb": self.size_mb}


def consumers(process: psutil.Process) -> list[Consumer]:
    """The five largest: anonymous mappings by themselves, those of a name together, and children."""
    named: dict[str, int] = defaultdict(int)
    found: list[Consumer] = []
    for one in mappings(process):
        if one.kind in ("file", "shared"):
            named[_label(one)] += one.rss_kb + one.swap_kb
        elif one.kind == "anonymous":
            found.append(Consumer(f"anonymous {one.address}", one.own_mb))
        else:
            found.append(Consumer(one.kind, one.own_mb))
    found += [Consumer(clean(name, 300), megabytes(size)) for name, size in named.items()]
    found += _children(process)
    return sorted(found, key=lambda one: one.size_mb, reverse=True)[:TOP]


def _label(mapping: Mapping) -> str:
    """The kernel's name for shared memory without a file would be taken for a file."""
    unnamed = mapping.name.startswith("/dev/zero")
    return "shared anonymous memory" if unnamed else mapping.name


def _children(process: psutil.Process) -> Iterator[Consumer]:
    for child in process.children(recursive=True):
        fields = Fields()
        name = fields.read("name", child.name)
        memory = fields.read("memory", child.memory_info)
        if name is not None and memory is not None:
            size_mb = round(memory.rss / MEGABYTE, 3)
            yield Consumer(f"child {clean(name, 64)} ({child.pid})", size_mb)

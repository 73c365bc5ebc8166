"""What the watched process holds open: files by kind, connections by state and peer. Blocking."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import psutil

from bot.agent.reading import Fields, open_files, open_files_limit
from bot.text import clean

MAX_LOOKED_AT = 2_000  # descriptors whose kind is looked up: each costs a call to the kernel
TOP = 20
_PATH_LIMIT = 300


def files(process: psutil.Process, fields: Fields) -> dict[str, object]:
    """``open`` counts all descriptors; kinds and paths are those of the first ``MAX_LOOKED_AT``."""
    links = fields.read("files.by_kind", lambda: _links(process))
    count = fields.read("files.open", lambda: open_files(process))
    limit = fields.read("files.limit", lambda: open_files_limit(process))
    if links is not None and count is not None and count > MAX_LOOKED_AT:
        fields.unknown["files.by_kind"] = f"of {count} descriptors, {MAX_LOOKED_AT} were looked at"
    paths = Counter(link for link in links or () if kind(link) in ("file", "device"))
    return {
        "open": count,
        "limit": None if limit is None else int(limit),
        "by_kind": None if links is None else dict(Counter(map(kind, links)).most_common()),
        "paths": [
            {"path": clean(path, _PATH_LIMIT), "count": number}
            for path, number in paths.most_common(TOP)
        ],
    }


def kind(link: str) -> str:
    """The kind of a descriptor by what its link in /proc reads."""
    for prefix, name in (("socket:", "socket"), ("pipe:", "pipe"), ("anon_inode:", "anon")):
        if link.startswith(prefix):
            return name
    return "device" if link.startswith("/dev/") else "file"


def _links(process: psutil.Process) -> list[str]:
    if sys.platform != "linux":
        return [file.path for file in process.open_files()]
    found: list[str] = []
    for descriptor in islice(Path(f"/proc/{process.pid}/fd").iterdir(), MAX_LOOKED_AT):
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(descriptor.readlink()))
    return found


def connections(process: psutil.Process) -> dict[str, object]:
    """TCP and UDP sockets over IPv4 and IPv6; the peers with the most of them first."""
    found = process.net_connections(kind="inet")
    peers = Counter(filter(None, (_address(one.raddr) for one in found)))
    listening = {_address(one.laddr) for one in found if one.status == psutil.CONN_LISTEN}
    return {
        "total": len(found),
        "by_state": dict(Counter(_state(one.status) for one in found).most_common()),
        "by_peer": [{"peer": peer, "count": number} for peer, number in peers.most_common(TOP)],
        "listening": sorted(listening)[:TOP],
    }


def _state(status: str) -> str:
    """Datagram sockets have none."""
    return "UDP" if status == psutil.CONN_NONE else status


def _address(address: Sequence[object]) -> str:
    """Empty where there is none."""
    if not address:
        return ""
    host, port = (str(part) for part in address)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

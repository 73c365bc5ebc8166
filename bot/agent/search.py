"""Finds the watched process by pid file, name or listening port. Blocking: /proc is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import getpid
from pathlib import Path, PurePath

import psutil

from bot.model.agent import ProcessRule

_INTERPRETERS = ("python", "pypy", "node", "ruby", "perl", "php", "java", "bash", "sh", "deno")
_CLOCK_MARGIN_S = 2.0  # the boot time, which start times are counted from, is in whole seconds


@dataclass(frozen=True)
class NotFound:
    """Why there is nothing to measure, and what to do about it."""

    error: str
    next: str


Search = psutil.Process | NotFound


def find(rule: ProcessRule, folder: Path) -> Search:
    """Look for the process; relative pid files start at ``folder``."""
    if rule.pid_file is not None:
        return by_pid_file(folder / rule.pid_file)
    if rule.port is not None:
        return by_port(rule.port)
    assert rule.name is not None
    return by_name(rule.name)


def alive(process: psutil.Process) -> bool:
    """Whether this very process still runs: neither ended, nor a zombie, nor its pid given to another."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def by_pid_file(path: Path) -> Search:
    """The process that wrote the file; a pid that is stale or that was given away is not it."""
    start = f"start the service, or correct process.pid_file in agent.yaml ({path})"
    try:
        written, text = path.stat().st_mtime, path.read_text(errors="replace")
    except FileNotFoundError:
        return NotFound(f"the pid file {path} is not there", start)
    except OSError as error:
        return NotFound(
            f"the pid file {path} can't be read: {error.strerror}", "let the agent's user read it"
        )
    words = text.split()
    if not words or not words[0].isascii() or not words[0].isdecimal() or int(words[0]) < 1:
        return NotFound(f"the pid file {path} holds no process id", start)
    pid = int(words[0])
    try:
        process = psutil.Process(pid)
        started = process.create_time()
    except (psutil.Error, OverflowError):
        return NotFound(f"the pid file {path} is stale: no process {pid} runs", start)
    if not alive(process):
        return NotFound(f"the pid file {path} is stale: process {pid} has ended", start)
    if started > written + _CLOCK_MARGIN_S:
        return NotFound(
            f"the pid file {path} is stale: process {pid} started after it was written, "
            "so the number was given to another program",
            start,
        )
    return process


def by_name(name: str) -> Search:
    """The process of that name, or that runs a program or script of that name; never the agent itself."""
    found = [
        process
        for process in psutil.process_iter()
        if process.pid != getpid() and name in names(process) and alive(process)
    ]
    fix = "start the service, or correct process.name in agent.yaml"
    return _only(found, f"processes are called {name}", f"no process is called {name}", fix)


def names(process: psutil.Process) -> frozenset[str]:
    """What a process may be called by: its own name, its program's, and its script's or module's."""
    try:
        own, command = process.name(), process.cmdline()
    except psutil.Error:
        return frozenset()
    if not command:
        return frozenset({own})
    program = PurePath(command[0]).name
    script = _script(command[1:]) if program.startswith(_INTERPRETERS) else None
    return frozenset(name for name in (own, program, script) if name)


def _script(arguments: Sequence[str]) -> str | None:
    """The script or module that an interpreter runs: its first argument that is no option."""
    for argument in arguments:
        if argument in ("-c", "-e"):
            return None
        if not argument.startswith("-"):
            return PurePath(argument).name
    return None


def by_port(port: int) -> Search:
    """The process that listens on the TCP port, over IPv4, IPv6 or both."""
    fix = "start the service, or correct process.port in agent.yaml"
    try:
        pids = _listening(port)
    except psutil.AccessDenied:
        return NotFound(
            f"this system does not tell who listens on port {port}",
            "use process.pid_file or process.name in agent.yaml, or run the agent as root",
        )
    known = [pid for pid in pids if pid is not None]
    if pids and not known:
        return NotFound(
            f"a process of another user listens on port {port}, and the agent may not see which",
            "run the agent as the service's user, or use process.pid_file in agent.yaml",
        )
    holders = {_first_holder(pid, port) for pid in known}
    found = [process for process in holders if process is not None]
    return _only(found, f"processes listen on port {port}", f"nothing listens on port {port}", fix)


def _listening(port: int) -> frozenset[int | None]:
    """The pids that listen on the port; None stands for one that this user may not see."""
    return frozenset(
        connection.pid
        for connection in psutil.net_connections(kind="tcp")
        if _listens(connection.status, connection.laddr, port)
    )


def _listens(status: str, local: Sequence[object], port: int) -> bool:
    """``local`` is (address, port), or empty where the socket has none."""
    return status == psutil.CONN_LISTEN and tuple(local[1:]) == (port,)


def _first_holder(pid: int, port: int) -> psutil.Process | None:
    """Workers inherit the socket: the process that opened it is the eldest that still holds it.

    An init system that hands sockets out holds them too, but is not the service.
    """
    try:
        process = psutil.Process(pid)
        if not alive(process):
            return None
        while (parent := process.parent()) is not None and parent.name() != "systemd":
            sockets = parent.net_connections(kind="tcp")
            if not any(_listens(one.status, one.laddr, port) for one in sockets):
                break
            process = parent
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        pass
    return process


def _only(found: Sequence[psutil.Process], several: str, none: str, fix: str) -> Search:
    """The one process, or the one that the others descend from (workers share a name)."""
    first = [process for process in found if not _descends(process, found)]
    if len(first) == 1:
        return first[0]
    if not first:
        return NotFound(none, fix)
    pids = ", ".join(str(pid) for pid in sorted(process.pid for process in first))
    return NotFound(
        f"{len(first)} {several}: pids {pids}", "use process.pid_file in agent.yaml to say which"
    )


def _descends(process: psutil.Process, others: Sequence[psutil.Process]) -> bool:
    try:
        return any(parent in others for parent in process.parents())
    except psutil.Error:
        return False

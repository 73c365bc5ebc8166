"""Every thread: what it does and what it waits for."""

import os
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.agent.syscalls import named
from bot.agent.threads import Waits, look, threads
from bot.clock import SystemClock
from tests.support.programs import script, until

NAMED = r"""
import ctypes, threading, time
def named():
    ctypes.CDLL(None).prctl(15, b"a) b (c", 0, 0, 0)
    time.sleep(60)
threading.Thread(target=named, daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""


def test_a_sleeping_thread_has_its_name_its_state_and_the_call_that_it_waits_in():
    with script(NAMED) as child:
        process = psutil.Process(child.pid)
        until(lambda: any(one.name == "a) b (c" for one in look(process)), "the name")

        def at_rest() -> Any:
            found = threads(process, SystemClock())
            asleep = found["by_state"] == {"sleeping": 2}
            return asleep and not any(one["cpu_percent"] for one in found["threads"]) and found

        found = until(at_rest, "two threads that sleep")
    row = next(one for one in found["threads"] if one["name"] == "a) b (c")
    assert row["state"] == "sleeping"
    assert row["system_call"] in ("clock_nanosleep", "pselect6", "select", "futex")
    assert row["wait_channel"]
    assert row["cpu_percent"] == 0.0
    assert found["total"] == 2
    assert found["by_state"] == {"sleeping": 2}
    assert found["unknown"] == {}


def test_the_thread_that_works_comes_first():
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            sum(range(10_000))

    worker = threading.Thread(target=work)
    worker.start()
    try:

        def first() -> Any:
            found = threads(psutil.Process(), SystemClock())
            return found["threads"][0]["tid"] == worker.native_id and found

        found = until(first, "the worker comes first")
    finally:
        stop.set()
        worker.join()
    assert found["threads"][0]["cpu_percent"] > 0  # others may leave it little


class Folder:
    """A thread's folder as the kernel shows it to a stranger."""

    def __init__(self, root: Path) -> None:
        self.path = root / "7/task/7"
        self.path.mkdir(parents=True)
        self.root = root


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_what_a_stranger_may_not_read_is_permission_denied_and_not_running(folder, monkeypatch):
    (folder.path / "wchan").write_text("0")
    (folder.path / "syscall").write_text("running")
    real = Path.read_text

    def refuse(path: Path, *given: str) -> str:
        if path.name == "syscall":
            raise PermissionError
        return real(path, *given)

    monkeypatch.setattr(Path, "read_text", refuse)
    waits = Waits(7, folder.root)
    assert waits.of(7) == {"wait_channel": None, "system_call": None}
    assert waits.unknown == dict.fromkeys(("system_call", "wait_channel"), "permission denied")


def test_a_thread_that_runs_waits_nowhere_and_that_is_known(folder):
    (folder.path / "wchan").write_text("0")
    (folder.path / "syscall").write_text("running\n")
    waits = Waits(7, folder.root)
    assert waits.of(7) == {"wait_channel": None, "system_call": "running"}
    assert waits.unknown == {}


def test_a_kernel_without_these_files_is_told_once(folder):
    waits = Waits(7, folder.root)
    waits.of(7)
    assert set(waits.unknown.values()) == {"this kernel does not tell it"}
    assert Waits(7, folder.root).of(8) == {"wait_channel": None, "system_call": None}


@pytest.mark.parametrize(
    ("line", "machine", "name"),
    [
        ("232 0x3 0x7f 0x20", "x86_64", "epoll_wait"),
        ("22 0x3", "aarch64", "epoll_pwait"),
        ("9999 0x0", "x86_64", "system call 9999"),
        ("3 0x0", "riscv64", "system call 3"),
        ("running", "x86_64", "running"),
        ("-1 0x7ffd 0x7f12", "x86_64", "none"),
    ],
)
def test_system_calls_have_the_names_of_their_machine(line, machine, name):
    assert named(line, machine) == name


def test_without_proc_threads_have_their_cpu_time_and_no_name(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    (found,) = (one for one in look(psutil.Process()) if one.tid == os.getpid())
    assert (found.name, found.state) == (None, None)
    assert found.cpu_s > 0
    unknown = threads(psutil.Process(), SystemClock())["unknown"]
    assert "only Linux" in unknown["wait_channel"]

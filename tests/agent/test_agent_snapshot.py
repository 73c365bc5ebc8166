"""The snapshot's sections by themselves: what hangs, what is refused, what other systems lack."""

import contextlib
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import psutil
import pytest

from bot.agent import descriptors, host, snapshot
from bot.agent.descriptors import files, kind
from bot.agent.reading import Fields
from bot.agent.snapshot import Snapshot, children, swap_mb
from bot.agent.watch import Watch
from bot.clock import SystemClock
from bot.model.agent import ProcessRule
from tests.support.programs import script

WAIT = "import time; print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def watch(tmp_path):
    (tmp_path / "pid").write_text(str(os.getpid()))
    return Watch(ProcessRule(pid_file="pid"), tmp_path, SystemClock())


async def test_a_section_that_hangs_is_unknown_and_the_others_are_there(watch, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(snapshot, "LIMIT_S", 0.7)
    monkeypatch.setattr(host, "disks", lambda: gate.wait(30))
    try:
        data = await Snapshot(watch, SystemClock()).read()
    finally:
        gate.set()
    assert data["system"]["disks"] is None
    assert "reading it took over" in data["unknown"]["disks"]
    assert data["process"]["pid"] == os.getpid()
    assert data["system"]["cores"] >= 1


async def test_a_section_that_is_refused_is_permission_denied(watch, monkeypatch):
    def refuse(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(descriptors, "connections", refuse)
    data = await Snapshot(watch, SystemClock()).read()
    assert data["connections"] is None
    assert data["unknown"]["connections"] == "permission denied"


async def test_where_there_is_no_proc_what_psutil_says_is_said(watch, monkeypatch):
    await watch.look()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(psutil.Process, "io_counters")
    data = await Snapshot(watch, SystemClock()).read()
    assert data["resources"]["rss_mb"] > 0
    assert data["system"]["memory_total_mb"] > 0
    assert data["resources"]["read_bytes"] is None
    assert data["unknown"]["resources.read_bytes"] == "not readable on this system"
    assert "only Linux" in data["unknown"]["files.limit"]
    assert "only Linux" in data["unknown"]["resources.swap_mb"]


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("socket:[1]", "socket"),
        ("pipe:[1]", "pipe"),
        ("anon_inode:[eventpoll]", "anon"),
        ("/dev/null", "device"),
        ("/var/log/a.log (deleted)", "file"),
    ],
)
def test_descriptors_have_kinds(link, name):
    assert kind(link) == name


def test_of_very_many_descriptors_all_are_counted_and_some_looked_at(monkeypatch):
    monkeypatch.setattr(descriptors, "MAX_LOOKED_AT", 5)
    fields = Fields()
    with contextlib.ExitStack() as held:
        for _ in range(8):
            held.enter_context(Path(__file__).open())
        data = files(psutil.Process(), fields)
    assert data["open"] >= 8
    assert sum(data["by_kind"].values()) == 5
    assert "5 were looked at" in fields.unknown["files.by_kind"]


def test_a_child_that_ends_meanwhile_is_left_out():
    with script(WAIT) as stays:
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"]) as goes:
            found = {one.pid for one in children(psutil.Process())}
        assert stays.pid in found
        assert goes.pid not in found


def test_swap_is_a_number_on_linux():
    assert swap_mb(psutil.Process()) >= 0


async def test_asking_again_and_again_takes_no_more_memory(watch):
    asked = Snapshot(watch, SystemClock())
    await asked.read()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(4):
        await asked.read()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 300_000

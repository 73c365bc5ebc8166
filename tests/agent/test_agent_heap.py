"""What takes the memory, from files as the kernel writes them and from real processes."""

import mmap
import os
import subprocess
import sys

import psutil
import pytest

from bot.agent import heap as heap_module
from bot.agent.heap import consumers, heap, mappings, parsed
from tests.support.programs import script

SMAPS = b"""\
55d0c0a00000-55d0c3100000 rw-p 00000000 00:00 0                          [heap]
Size:              39936 kB
Rss:               30000 kB
Anonymous:         29000 kB
Swap:               1000 kB
VmFlags: rd wr mr mw me ac
7f3a10000000-7f3a16000000 rw-p 00000000 00:00 0
Rss:               90000 kB
Anonymous:         90000 kB
Swap:                  0 kB
7f3a20000000-7f3a21000000 rw-p 00000000 00:00 0                          [anon:arena one]
Rss:                  12 kB
Anonymous:            12 kB
7f3a30000000-7f3a31000000 r-xp 00000000 fe:00 123                        /usr/lib/a library.so
Rss:                8000 kB
Anonymous:             0 kB
7f3a40000000-7f3a41000000 rw-s 00000000 00:01 42                         /dev/zero (deleted)
Rss:                4000 kB
Anonymous:             0 kB
Swap:                 96 kB
7ffd58000000-7ffd58021000 rw-p 00000000 00:00 0                          [stack]
Rss:                 100 kB
Anonymous:           100 kB
"""


def test_each_mapping_has_its_kind_and_what_it_holds_of_its_own():
    found = [(one.kind, one.own_mb, one.address) for one in parsed(SMAPS.splitlines(keepends=True))]
    assert found == [
        ("heap", 30.72, "55d0c0a00000-55d0c3100000"),
        ("anonymous", 92.16, "7f3a10000000-7f3a16000000"),
        ("anonymous", 0.012, "7f3a20000000-7f3a21000000"),
        ("file", 0.0, "7f3a30000000-7f3a31000000"),
        ("shared", 4.194, "7f3a40000000-7f3a41000000"),
        ("stack", 0.102, "7ffd58000000-7ffd58021000"),
    ]


def test_a_process_with_very_many_mappings_is_looked_at_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(heap_module, "MAX_MAPPINGS", 2)
    assert [one.kind for one in parsed(SMAPS.splitlines(keepends=True))] == ["heap", "anonymous"]


def test_a_large_piece_is_the_first_of_the_five_largest_and_the_totals_hold_it():
    piece = mmap.mmap(-1, 64_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    piece.write(b"x" * 64_000_000)
    data = heap(psutil.Process())
    assert data["largest"][0]["size_mb"] == pytest.approx(
        66, abs=6
    )  # a neighbour may be merged with it
    assert data["largest"][0]["kind"] == "anonymous"
    assert len(data["largest"]) == 5
    assert data["anonymous_mb"] > 64
    assert data["rss_mb"] >= data["pss_mb"] >= data["uss_mb"] > 64
    assert data["allocation_count"] is None
    assert "from outside" in data["unknown"]["allocation_count"]
    piece.close()


def test_a_large_child_is_among_those_who_take_the_memory():
    code = "held = bytearray(90_000_000); print('ready', flush=True); import time; time.sleep(60)"
    with script(code) as child:
        found = consumers(psutil.Process())
    assert len(found) == 5
    names = {one.name: one.size_mb for one in found}
    assert names[f"child {psutil_name()} ({child.pid})"] > 90


def psutil_name() -> str:
    return psutil.Process().name() if "pytest" not in psutil.Process().name() else "python"


def test_a_process_that_ended_is_no_process_without_memory():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        process = psutil.Process(child.pid)
        child.wait()
    data = heap(process)
    assert data["rss_mb"] is None
    assert data["largest"] == []
    assert data["unknown"]["largest"] == data["unknown"]["rss_mb"] == "the process has ended"


def test_without_proc_rss_and_uss_are_said_and_the_rest_is_unknown(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    data = heap(psutil.Process(os.getpid()))
    assert data["rss_mb"] >= data["uss_mb"] > 0
    assert (data["pss_mb"], data["anonymous_mb"], data["largest"]) == (None, None, [])
    assert "only Linux" in data["unknown"]["pss_mb"]
    assert "only Linux" in data["unknown"]["largest"]
    with pytest.raises(NotImplementedError):
        mappings(psutil.Process())

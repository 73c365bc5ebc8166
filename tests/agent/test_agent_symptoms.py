"""Each trouble, made for real by a small child process, is plain to see in what the agent says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.agents import Agent, agent, write
from tests.support.programs import script, until

BURN = """
import hashlib, threading, time
def burn():
    while True:
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 20_000)
threading.Thread(target=burn, name="burner", daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""
LEAK = """
import mmap, time
print("ready", flush=True)
held = []
for _ in range(200):
    held.append(mmap.mmap(-1, 400_000))
    held[-1].write(b"x" * 400_000)
    time.sleep(0.05)
time.sleep(60)
"""
THREADS = """
import threading, time
for _ in range(600):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""
DESCRIPTORS = """
import os, sys, time, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))
held = [open(sys.argv[1]) for _ in range(350)]
print("ready", flush=True)
time.sleep(60)
"""
REQUESTS = """
import json, sys, time
with open(sys.argv[1], "a") as log:
    for number in range(200):
        print(json.dumps({"level": "error" if {bad} else "info", "method": "GET", "path": "/api/health",
            "status": 500 if {bad} else 200, "duration_ms": {ms}, "timestamp": time.time()}), file=log)
    print("WARN: the oracle did not answer: timeout after 5 s", file=log)
print("ready", flush=True)
time.sleep(60)
"""


@contextmanager
def watching(folder: Path, code: str, more: str = "") -> Iterator[Agent]:
    log = folder / "service.log"
    log.touch()
    with script(code, str(log)) as process:
        (folder / "pid").write_text(str(process.pid))
        with agent(write(folder, "pid_file: pid", more=more)) as running:
            yield running


@pytest.fixture
def seen(tmp_path) -> Callable[..., Any]:
    return lambda code, more="": watching(tmp_path, code, more)


def test_a_burn_is_the_first_thread_and_most_of_a_core(seen):
    with seen(BURN) as running:
        until(lambda: running.value("cpu_core_percent") > 30, "the burn in the readings")
        assert running.part("snapshot")["resources"]["cpu_core_percent"] > 30
        first = until(
            lambda: next(
                (one for one in running.part("threads")["threads"][:1] if one["cpu_percent"] > 30),
                None,
            ),
            "the burning thread",
        )
        assert first["cpu_s"] > 0.1


def test_a_leak_has_a_slope_a_time_when_it_is_over_and_those_who_take_the_memory(seen):
    with seen(LEAK, "leak: {threshold_mb: 90, window: 8s}\n") as running:
        warned = until(
            lambda: (leak := running.part("leak"))["reaches_threshold_at"] and leak, "the warning"
        )
        assert not warned["over"]
        assert warned["slope_mb_per_min"] > 60
        assert warned["reaches_threshold_at"] > warned["since"]
        assert [one["size_mb"] for one in warned["consumers"]] == sorted(
            (one["size_mb"] for one in warned["consumers"]), reverse=True
        )
        assert running.part("heap")["growth_mb_per_min"] > 60


def test_memory_over_the_threshold_is_said_once_in_the_log_with_the_five_largest(seen):
    with seen(LEAK, "leak: {threshold_mb: 20, window: 8s}\n") as running:
        leak = until(lambda: (leak := running.part("leak"))["over"] and leak, "the threshold")
        assert leak["current_mb"] > 20
        assert leak["reaches_threshold_at"] is None
        assert len(leak["consumers"]) == 5
        names = [one["name"] for one in leak["consumers"]]
        assert "shared anonymous memory" in names
        until(lambda: running.part("leak")["current_mb"] > 30, "further samples")
        assert running.log.read_text().count("memory is over the threshold") == 1


def test_an_explosion_of_threads_is_counted_although_only_the_first_are_told(seen):
    with seen(THREADS) as running:

        def at_rest() -> Any:
            threads = running.part("threads")
            return threads["by_state"] == {"sleeping": 601} and threads

        threads = until(at_rest, "threads that all sleep")
        assert threads["total"] == 601
        assert len(threads["threads"]) == 500
        assert "601" in threads["unknown"]["threads"]
        assert running.part("snapshot")["resources"]["threads"] == 601


def test_a_leak_of_descriptors_is_seen_against_the_limit_and_by_what_is_held(seen, tmp_path):
    with seen(DESCRIPTORS) as running:
        files = running.part("snapshot")["files"]
        assert files["limit"] == 400
        assert 350 <= files["open"] < 400
        assert files["by_kind"]["file"] == 350
        assert files["paths"][0] == {"path": str(tmp_path / "service.log"), "count": 350}


def test_a_storm_of_errors_is_counted_and_its_lines_are_shown(seen):
    code = REQUESTS.replace("{bad}", "number % 2").replace("{ms}", "12")
    with seen(code, "logs: [{file: service.log}]\n") as running:
        (log,) = running.part("logs")
        assert (log["errors"], log["warnings"], log["timeouts"], log["slow"]) == (100, 1, 1, 0)
        assert (log["requests"], log["error_rate_percent"], log["p95_ms"]) == (200, 50.0, 12.0)
        assert len(log["recent"]) == 50
        assert log["recent"][0]["message"] == "GET /api/health 500 12 ms"
        assert log["recent"][-1]["level"] == "warn"


def test_slow_answers_show_in_the_95th_percentile_and_as_slow(seen):
    code = REQUESTS.replace("{bad}", "False").replace("{ms}", "900 if number % 10 == 0 else 20")
    with seen(code, "logs: [{file: service.log}]\n") as running:
        (log,) = running.part("logs")
        assert (log["p95_ms"], log["slow"], log["errors"]) == (900.0, 20, 0)
        assert log["error_rate_percent"] == 0.0

"""Single readings: true numbers, or unknown with the reason, never a made-up one."""

import json
import os
import sys

import psutil
import pytest

from bot.agent.reading import CpuSample, CpuWindow, measured, read_cheap, uss_mb
from tests.support.programs import child, script

HOLD = """
import threading, time
held = bytearray(80_000_000)
held[::4096] = b"x" * len(held[::4096])
files = [open("/dev/null") for _ in range(20)]
for _ in range(3):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""
AS_NOBODY = """
import json, os, psutil
from bot.agent.reading import measured, read_cheap, uss_mb
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
init = psutil.Process(1)
readings = [*read_cheap(init, 0), measured("uss_mb", lambda: uss_mb(init), 0)]
print(json.dumps([reading.json() for reading in readings]))
"""


def window(*samples: tuple[float, float]) -> CpuWindow:
    made = CpuWindow()
    for monotonic, used in samples:
        made.add(CpuSample(round(monotonic * 1000), monotonic, used))
    return made


def values(made: CpuWindow, cores: float, now: float) -> tuple[float | None, float | None]:
    of_all, of_one = made.readings(cores, now, round(now * 1000))
    return of_all.value, of_one.value


def test_cpu_is_unknown_before_there_are_two_samples():
    for made in (window(), window((10.0, 3.0))):
        for reading in made.readings(2, 10.1, 10_100):
            assert (reading.value, reading.reason) == (None, "needs two samples, a second apart")


def test_two_samples_that_are_too_close_count_as_one():
    assert values(window((10.0, 3.0), (10.4, 3.4)), 2, 10.5) == (None, None)


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        pytest.param(1, (100.0, 150.0), id="no more than all of the one core"),
        pytest.param(2, (75.0, 150.0), id="of two cores"),
        pytest.param(4, (37.5, 150.0), id="of four cores"),
        pytest.param(0.5, (100.0, 150.0), id="of half a core"),
    ],
)
def test_cpu_of_all_cores_and_of_one(cores, expected):
    assert values(window((10.0, 3.0), (12.0, 6.0)), cores, 12.1) == expected


def test_cpu_is_taken_over_about_five_seconds():
    busy_then_idle = [(float(second), min(second, 10)) for second in range(31)]
    assert values(window(*busy_then_idle[:14]), 1, 13.0) == (40.0, 40.0)
    assert values(window(*busy_then_idle), 1, 30.0) == (0.0, 0.0)


def test_cpu_is_unknown_when_the_last_sample_is_old():
    made = window((10.0, 3.0), (11.0, 4.0))
    assert values(made, 1, 15.9) == (100.0, 100.0)
    assert values(made, 1, 16.1) == (None, None)


def test_cpu_readings_carry_the_time_of_the_last_sample():
    assert {one.at for one in window((10.0, 3.0), (11.0, 4.0)).readings(1, 12.0, 12_000)} == {
        11_000
    }


def test_a_refused_cpu_time_is_said():
    made = window((10.0, 3.0), (11.0, 4.0))
    made.refusal = "permission denied"
    assert [one.reason for one in made.readings(1, 11.5, 11_500)] == ["permission denied"] * 2


def test_memory_threads_and_files_of_a_real_process():
    with script(HOLD) as process:
        watched = psutil.Process(process.pid)
        found = {reading.metric: reading for reading in read_cheap(watched, 0)}
        assert all(reading.reason is None for reading in found.values())
        assert 80 < found["memory_mb"].value < 160
        assert found["threads"].value == 4
        assert 23 <= found["open_files"].value < 40
        assert found["open_files_limit"].value == watched.rlimit(psutil.RLIMIT_NOFILE)[0]
        assert 80 < uss_mb(watched) < found["memory_mb"].value


def test_uptime_counts_from_the_start_of_the_process():
    own = psutil.Process()
    at = round((own.create_time() + 90) * 1000)
    found = {reading.metric: reading.value for reading in read_cheap(own, at)}
    assert found["uptime_s"] == 90.0


def test_what_an_unprivileged_agent_may_not_read_is_unknown_and_the_rest_is_read():
    if os.getuid() != 0 and psutil.Process(1).uids().real == os.getuid():
        pytest.skip("process 1 belongs to this user: nothing is refused here")
    with child([sys.executable, "-c", AS_NOBODY]) as process:
        out, problems = process.communicate(timeout=30)
    assert out, problems
    found = {reading["metric"]: reading for reading in json.loads(out)}
    for metric in ("open_files", "open_files_limit", "uss_mb"):
        assert (found[metric]["value"], found[metric]["reason"]) == (None, "permission denied")
    assert found["memory_mb"]["value"] > 0
    assert found["threads"]["value"] >= 1


def test_a_process_that_ends_while_it_is_read_is_said():
    with script("print('ready', flush=True)") as process:
        watched = psutil.Process(process.pid)
        process.wait(10)
        reading = measured("memory_mb", lambda: watched.memory_info().rss, 5)
    assert reading.json() == {
        "metric": "memory_mb",
        "value": None,
        "unit": "MB",
        "reason": "the process has ended",
        "at": 5,
    }

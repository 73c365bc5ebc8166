"""How many cores a process may use, from files as the kernel writes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.agent.cores import affinity, allowed_cores, quota

PID = 77


def host(root: Path, cgroup: str, **maxima: str) -> Path:
    (root / f"proc/{PID}").mkdir(parents=True)
    (root / f"proc/{PID}/cgroup").write_text(cgroup)
    mount = root / "sys/fs/cgroup"
    mount.mkdir(parents=True)
    for group, text in maxima.items():
        folder = mount / group.replace("__", "/") if group != "top" else mount
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(text)
    return root


@pytest.mark.parametrize(
    ("cgroup", "maxima", "cores"),
    [
        pytest.param("0::/a\n", {"a": "150000 100000\n"}, 1.5, id="a quota of its own group"),
        pytest.param("0::/a\n", {"a": "max 100000\n"}, float("inf"), id="max is no quota"),
        pytest.param("0::/a/b\n", {"a": "50000 100000\n", "a__b": "max 100000\n"}, 0.5, id="above"),
        pytest.param(
            "0::/a/b\n", {"a": "50000 100000\n", "a__b": "200000 100000\n"}, 0.5, id="the smallest"
        ),
        pytest.param("0::/\n", {"top": "25000 100000\n"}, 0.25, id="the top group of a container"),
        pytest.param("4:cpu:/a\n0::/\n", {}, float("inf"), id="version 1 beside it"),
        pytest.param("0::/../../x\n", {"top": "1 1\n"}, float("inf"), id="outside the namespace"),
        pytest.param("0::/a\n", {"a": "nonsense"}, float("inf"), id="unreadable"),
        pytest.param("", {}, float("inf"), id="no control groups"),
    ],
)
def test_the_quota_of_the_control_groups(tmp_path, cgroup, maxima, cores):
    assert quota(PID, host(tmp_path, cgroup, **maxima)) == cores


def test_without_proc_there_is_no_quota(tmp_path):
    assert quota(PID, tmp_path) == float("inf")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this affinity")
def test_a_process_that_is_bound_to_one_core_may_use_one():
    with subprocess.Popen(["sleep", "60"]) as process:
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        assert affinity(process.pid) == 1
        assert allowed_cores(process.pid) <= 1
        process.kill()


def test_the_smaller_of_affinity_and_quota_counts(tmp_path):
    own = os.getpid()
    (tmp_path / f"proc/{own}").mkdir(parents=True)
    (tmp_path / f"proc/{own}/cgroup").write_text("0::/\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("10000 100000\n")
    assert allowed_cores(own, tmp_path) == 0.1
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("99900000 100000\n")
    assert allowed_cores(own, tmp_path) == affinity(own)

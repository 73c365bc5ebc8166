"""Probes: what may be run, what of it comes back, and that nothing is left behind."""

import asyncio
import base64
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.agent import command
from bot.agent.probes import KEPT_RUNS, ProbeRefused, Probes, Run
from bot.clock import SystemClock
from bot.model.agent import Probe, ProcessRule
from tests.support.programs import until

PYTHON = sys.executable


@contextlib.contextmanager
def offering(environ: dict[str, str] | None = None, **probes: Probe) -> Iterator[Probes]:
    made = Probes(probes, ProcessRule(port=8080), SystemClock(), environ or dict(os.environ))
    try:
        yield made
    finally:
        made.close()


def python(code: str, *arguments: str, **more: object) -> Probe:
    return Probe(argv=(PYTHON, "-c", code, *arguments), **more)


async def ran(probe: Probe, environ: dict[str, str] | None = None, pid: int | None = 4711) -> Run:
    with offering(environ, it=probe) as probes:
        return await probes.run("it", pid)


async def test_what_a_command_prints_and_how_it_ended_comes_back():
    run = await ran(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    said = run.json()
    assert (said["stdout"], said["stderr"], said["exit_code"]) == ("out\n", "err\n", 3)
    assert (said["signal"], said["stopped"], said["artifacts"]) == (None, None, [])
    assert not run.folder.exists()


async def test_arguments_are_given_as_they_stand_and_no_shell_sees_them():
    words = ("$(id)", "; id", "*", "a b", "{pid}", "--port={port}")
    run = await ran(python("import sys; print(sys.argv[1:])", *words))
    shown = ["$(id)", "; id", "*", "a b", "4711", "--port=8080"]
    assert run.json()["stdout"] == f"{shown}\n"


async def test_it_runs_in_a_folder_of_its_own():
    run = await ran(python("import os, sys; print(os.getcwd() == sys.argv[1])", "{folder}"))
    assert run.json()["stdout"] == "True\n"


async def test_the_agents_secrets_are_not_passed_on():
    environ = {"PATH": os.environ["PATH"], "IORA_AGENT_TOKEN": "s3cret", "LANG": "C.UTF-8"}
    run = await ran(python("import os; print(sorted(os.environ))"), environ)
    assert "IORA_AGENT_TOKEN" not in run.json()["stdout"]
    assert "LANG" in run.json()["stdout"]


async def test_what_looks_like_a_secret_and_what_commands_a_terminal_is_taken_out():
    run = await ran(python("print('password=hunter2 \\x1b[2J')"))
    assert run.json()["stdout"] == "password=[redacted] [2J\n"


async def test_output_beyond_the_cap_is_dropped_and_the_command_goes_on():
    run = await ran(python("print('x' * 50_000); print('y' * 50_000)", output_kb=2))
    said = run.json()
    assert said["stdout"] == "x" * 2_000
    assert said["stdout_dropped_bytes"] == 100_002 - 2_000
    assert said["exit_code"] == 0


FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
{then}
"""


async def test_the_time_limit_ends_the_whole_family_even_if_it_does_not_want_to(monkeypatch):
    monkeypatch.setattr(command, "GRACE_S", 0.2)
    run = await ran(python(FAMILY.format(then="time.sleep(60)"), timeout="4s"))
    assert run.json()["stopped"] == "it took over 4 s"
    assert run.json()["signal"] == 9
    assert_gone(int(run.json()["stdout"]))


async def test_what_a_command_leaves_running_is_ended_with_it():
    began = time.monotonic()
    run = await ran(python(FAMILY.format(then="")))
    assert run.json()["exit_code"] == 0
    assert_gone(int(run.json()["stdout"]))
    assert time.monotonic() - began < 20


async def test_a_child_that_fled_the_family_and_holds_the_output_is_not_waited_for():
    code = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid)
"""
    run = await ran(python(code, timeout="60s"))
    fled = psutil.Process(int(run.json()["stdout"]))
    assert fled.is_running()
    fled.kill()
    assert run.took_ms < 20_000


def assert_gone(pid: int) -> None:
    """A kill is there at once, but the kernel takes its moment."""

    def gone() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    until(gone, f"the end of {pid}")


async def test_a_profiler_that_is_asked_to_end_may_still_write_its_file(monkeypatch):
    monkeypatch.setattr(command, "GRACE_S", 20.0)
    code = """
import signal, sys, time
def end(*_):
    open("perf.data", "w").write("profile")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
time.sleep(60)
"""
    run = await ran(python(code, timeout="4s", artifacts=("perf.data",)))
    assert run.json()["stopped"] == "it took over 4 s"
    assert [one.content for one in run.artifacts] == [b"profile"]


async def test_files_that_grow_too_large_end_it():
    code = """
import time
with open("big", "wb") as file:
    while True:
        file.write(bytes(500_000)); file.flush(); time.sleep(0.01)
"""
    run = await ran(python(code, artifacts=("big",), artifact_mb=1, timeout="60s"))
    assert run.json()["stopped"] == "its files grew over 2 MB"
    assert "too large" in run.json()["left_out"]["big"]


async def test_small_artifacts_are_in_the_answer_and_large_ones_are_downloaded():
    code = "open('small', 'w').write('s'); open('large', 'wb').write(bytes(200_000))"
    with offering(it=python(code, artifacts=("small", "large", "none"))) as probes:
        run = await probes.run("it", None)
        small, large = run.json()["artifacts"]
        assert base64.b64decode(small["base64"]) == b"s"
        assert (large["base64"], large["bytes"]) == (None, 200_000)
        assert large["url"] == f"/v1/artifacts/{run.id}/large"
        assert run.json()["left_out"] == {"none": "the probe did not leave it"}
        kept = probes.file(run.id, "large")
        assert kept is not None
        assert kept.stat().st_size == 200_000
        assert probes.file(run.id, "none") is None
        assert probes.file("0", "large") is None
    assert not kept.exists()


async def test_a_link_leads_nowhere_and_only_named_files_are_kept(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    code = (
        "import os, sys; os.symlink(sys.argv[1], 'link'); os.mkdir('folder'); "
        "os.mkfifo('pipe'); open('unnamed', 'w').write('x')"
    )
    run = await ran(python(code, str(secret), artifacts=("link", "folder", "pipe")))
    assert run.artifacts == ()
    assert run.left_out == dict.fromkeys(("link", "folder", "pipe"), "not a file")


async def test_the_size_is_for_all_files_together():
    code = "[open(n, 'wb').write(bytes(600_000)) for n in 'ab']"
    run = await ran(python(code, artifacts=("a", "b"), artifact_mb=1))
    assert [one.name for one in run.artifacts] == ["a"]
    assert "too large" in run.left_out["b"]


async def test_only_the_last_runs_are_kept():
    with offering(it=python("open('a', 'w').write('x')", artifacts=("a",))) as probes:
        runs = [await probes.run("it", None) for _ in range(KEPT_RUNS + 1)]
        assert probes.file(runs[0].id, "a") is None
        assert not runs[0].folder.exists()
        assert all(probes.file(run.id, "a") for run in runs[1:])


async def test_one_runs_at_a_time_and_the_other_is_told_which(tmp_path):
    gate = tmp_path / "gate"
    code = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)"
    with offering(slow=python(code, str(gate)), other=python("")) as probes:
        first = asyncio.create_task(probes.run("slow", None))
        while probes.running is None:
            await asyncio.sleep(0)
        with pytest.raises(ProbeRefused, match="the probe slow is running") as refused:
            await probes.run("other", None)
        assert refused.value.kind == "probe_running"
        assert probes.list()["running"]["probe"] == "slow"
        gate.touch()
        await first
        assert (await probes.run("other", None)).ended.exit_code == 0


async def test_a_run_that_is_cancelled_leaves_nothing_and_the_next_one_may_run(tmp_path):
    pid_file = tmp_path / "pid"
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    with offering(it=python(code, str(pid_file)), next=python("")) as probes:
        running = asyncio.create_task(probes.run("it", None))
        while not (pid_file.exists() and pid_file.read_text()):
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert_gone(int(pid_file.read_text()))
        assert (await probes.run("next", None)).ended.exit_code == 0


@pytest.mark.parametrize(
    ("name", "pid", "kind"),
    [
        ("nothing", 1, "no_such_probe"),
        ("../it", 1, "no_such_probe"),
        ("needs", None, "process_not_found"),
        ("absent", 1, "probe_not_runnable"),
    ],
)
async def test_what_can_not_be_run_is_refused_with_the_fix(name, pid, kind):
    probes = {
        "needs": Probe(argv=("echo", "{pid}")),
        "absent": Probe(argv=("no-such-program-anywhere",)),
    }
    with offering(**probes) as offered:
        with pytest.raises(ProbeRefused) as refused:
            await offered.run(name, pid)
        assert refused.value.kind == kind
        assert refused.value.fix
        assert offered.running is None


async def test_what_pauses_the_process_is_run_only_for_who_says_that_it_is_approved():
    with offering(it=python("print('paused')", approval=True)) as probes:
        assert probes.describe()["probes"][0]["approval"] is True
        with pytest.raises(ProbeRefused, match="wants an approval") as refused:
            await probes.run("it", 1)
        assert refused.value.kind == "approval_needed"
        assert (await probes.run("it", 1, approved=True)).json()["stdout"] == "paused\n"


def test_what_is_offered_is_told_with_its_commands_and_without_their_secrets():
    probe = Probe(argv=("curl", "token=abcdef"), description="look", timeout="5s")
    with offering(b=probe, a=Probe(argv=("uptime",))) as probes:
        said = probes.describe()
    assert said["offered"] == ["a", "b"]
    assert said["probes"][1]["argv"] == ["curl", "token=[redacted]"]
    assert (said["probes"][1]["timeout_ms"], said["probes"][1]["description"]) == (5000, "look")


def test_the_size_of_a_folder_follows_no_link(tmp_path):
    (tmp_path / "a").write_bytes(bytes(1000))
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "root").symlink_to(Path("/"))
    assert 1000 <= command.size_of(tmp_path) < 2000

"""Finding the watched process among real ones."""

import os
import shutil
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from bot.agent.search import NotFound, alive, by_name, by_pid_file, by_port, find, names
from bot.model.agent import ProcessRule
from tests.support.programs import child, script, until

WAIT = "import time; print('ready', flush=True); time.sleep(60)"
LISTEN = """
import socket, sys, time
family = {"4": socket.AF_INET, "6": socket.AF_INET6, "both": socket.AF_INET6}[sys.argv[1]]
host = {"4": "127.0.0.1", "6": "::1", "both": "::"}[sys.argv[1]]
server = socket.create_server((host, 0), family=family, dualstack_ipv6=sys.argv[1] == "both")
print(server.getsockname()[1], flush=True)
time.sleep(60)
"""
WORKERS = """
import os, socket, time
server = socket.create_server(("127.0.0.1", 0))
for _ in range(2):
    if os.fork() == 0:
        time.sleep(60)
print(server.getsockname()[1], flush=True)
time.sleep(60)
"""
SHARED = """
import socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print(server.getsockname()[1], flush=True)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A script of a name that nothing else on this machine has."""
    path = tmp_path / f"iora-{os.getpid()}-{time.monotonic_ns()}.py"
    path.write_text(WAIT)
    return path


def started(path: Path):
    return child([sys.executable, str(path)])


def named(process, name: str) -> psutil.Process:
    return until(lambda: name in names(psutil.Process(process.pid)) and by_name(name), name)


def test_a_pid_file_leads_to_its_process(tmp_path):
    with script(WAIT) as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        assert by_pid_file(tmp_path / "pid").pid == process.pid


def test_a_relative_pid_file_starts_at_the_folder_of_the_config(tmp_path):
    with script(WAIT) as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        assert find(ProcessRule(pid_file="pid"), tmp_path).pid == process.pid


@pytest.mark.parametrize("text", ["", "\n", "abc", "-1", "0", "12x", "\N{SUPERSCRIPT TWO}", "0x10"])
def test_a_pid_file_without_a_pid_is_said(tmp_path, text):
    (tmp_path / "pid").write_text(text)
    found = by_pid_file(tmp_path / "pid")
    assert isinstance(found, NotFound)
    assert "holds no process id" in found.error
    assert "process.pid_file" in found.next


def test_a_missing_pid_file_is_said(tmp_path):
    assert "is not there" in by_pid_file(tmp_path / "pid").error


def test_a_pid_file_that_is_a_folder_is_said(tmp_path):
    assert "can't be read" in by_pid_file(tmp_path).error


@pytest.mark.parametrize("digits", [7, 40])
def test_a_pid_file_is_stale_when_no_such_process_runs(tmp_path, digits):
    (tmp_path / "pid").write_text("9" * digits)
    assert "is stale: no process" in by_pid_file(tmp_path / "pid").error


def test_a_pid_file_is_stale_when_its_process_has_ended(tmp_path):
    with script(WAIT) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        process.kill()
        gone = until(
            lambda: (
                isinstance(by_pid_file(tmp_path / "pid"), NotFound)
                and by_pid_file(tmp_path / "pid")
            ),
            "the zombie is seen",
        )
        assert f"process {process.pid} has ended" in gone.error


def test_a_pid_file_is_stale_when_its_number_was_given_to_a_later_process(tmp_path):
    with script(WAIT) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        an_hour_ago = time.time() - 3600
        os.utime(tmp_path / "pid", (an_hour_ago, an_hour_ago))
        found = by_pid_file(tmp_path / "pid")
        assert isinstance(found, NotFound)
        assert "was given to another program" in found.error


def test_a_script_is_found_by_its_file_name(program):
    with started(program) as process:
        assert named(process, program.name).pid == process.pid


def test_a_program_is_found_by_its_own_name(tmp_path):
    name = f"s{time.monotonic_ns() % 10**12}"
    copy = shutil.copy(shutil.which("sleep"), tmp_path / name)
    with child([str(copy), "60"]) as process:
        assert named(process, name).pid == process.pid


def test_a_module_is_found_by_its_name(tmp_path):
    name = f"iora_module_{time.monotonic_ns()}"
    (tmp_path / f"{name}.py").write_text(WAIT)
    with child([sys.executable, "-m", name], cwd=tmp_path) as process:
        assert named(process, name).pid == process.pid


def test_an_editor_of_the_script_is_not_the_service(program):
    with child([shutil.which("tail"), "-f", str(program)]) as process:
        until(lambda: "tail" in names(psutil.Process(process.pid)), "tail runs")
        assert isinstance(by_name(program.name), NotFound)


def test_part_of_a_name_is_not_the_name(program):
    with started(program) as process:
        named(process, program.name)
        assert isinstance(by_name(program.name[:-1]), NotFound)


def test_two_processes_of_one_name_are_both_told(program):
    with started(program) as one, started(program) as two:
        for process in (one, two):
            until(lambda: program.name in names(psutil.Process(process.pid)), "started")  # noqa: B023
        found = by_name(program.name)
        assert isinstance(found, NotFound)
        assert f"pids {min(one.pid, two.pid)}, {max(one.pid, two.pid)}" in found.error
        assert "process.pid_file" in found.next


def test_of_a_program_and_its_workers_of_one_name_the_program_is_watched(program):
    program.write_text("import os\nos.fork()\n" + WAIT)
    with started(program) as process:
        until(lambda: psutil.Process(process.pid).children(), "the worker")
        try:
            assert by_name(program.name).pid == process.pid
        finally:
            for worker in psutil.Process(process.pid).children():
                worker.kill()


def test_the_agent_never_watches_itself():
    own = psutil.Process()
    found = by_name(own.name())
    assert isinstance(found, NotFound) or found.pid != own.pid


@pytest.mark.parametrize("family", ["4", "6", "both"])
def test_a_process_is_found_by_its_listening_port(family):
    with child([sys.executable, "-c", LISTEN, family]) as process:
        port = int(process.stdout.readline())
        assert by_port(port).pid == process.pid


def test_of_a_server_and_its_workers_on_one_socket_the_server_is_watched():
    with child([sys.executable, "-c", WORKERS]) as process:
        port = int(process.stdout.readline())
        try:
            assert by_port(port).pid == process.pid
        finally:
            for worker in psutil.Process(process.pid).children():
                worker.kill()


def test_two_servers_on_one_port_are_both_told():
    with child([sys.executable, "-c", SHARED, "0"]) as one:
        port = one.stdout.readline().strip()
        with child([sys.executable, "-c", SHARED, port]) as two:
            assert two.stdout.readline().strip() == port
            found = by_port(int(port))
            assert isinstance(found, NotFound)
            assert str(one.pid) in found.error
            assert str(two.pid) in found.error


def test_a_client_of_the_port_is_not_the_service():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert "nothing listens on port" in by_port(client.getsockname()[1]).error


def test_a_process_that_ended_is_not_alive_even_while_its_parent_has_not_noticed():
    with script(WAIT) as process:
        watched = psutil.Process(process.pid)
        assert alive(watched)
        process.kill()
        assert until(lambda: not alive(watched), "seen as ended")

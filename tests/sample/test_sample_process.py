"""The sample service as a visitor and the bot meet it: a process, two listeners, a log and a pid file."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import psutil
import pytest

from tests.support.programs import Sample, ask, sample, until


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Sample]:
    with sample(tmp_path) as started:
        yield started


def refused(url: str) -> bool:
    try:
        ask(url)
    except URLError as error:
        return isinstance(error.reason, ConnectionRefusedError)
    return False


def log_lines(started: Sample) -> list[dict[str, object]]:
    return [json.loads(line) for line in started.log.read_text().splitlines(keepends=True)[:-1]]


def test_a_healthy_service_answers_ok_at_once(running):
    answer = ask(f"{running.url}/api/health")
    assert (answer.status, answer.json()["status"]) == (200, "ok")
    assert answer.seconds < 0.5


@pytest.mark.parametrize("path", ["/api/metrics", "/api/scorecard", "/api/alerts"])
def test_the_dashboard_answers_json(running, path):
    answer = ask(running.url + path)
    assert answer.status == 200
    assert answer.json()


def test_text_metrics_mix_numbers_with_a_version_a_word_and_a_date(running):
    values = dict(line.split(" ") for line in ask(f"{running.url}/metrics").text.splitlines())
    assert values["iora_version"] == "1.0.0"
    assert values["iora_up"] == "true"
    assert values["iora_started_at"].endswith("Z")
    assert values["avg_response_time_ms"] == "0"
    assert float(values["uptime_seconds"]) >= 0


def test_an_unknown_path_is_404(running):
    assert ask(f"{running.url}/nothing").status == 404


def test_there_is_traffic_without_a_visitor_and_it_is_logged_one_object_a_line(running):
    lines = until(lambda: len(log_lines(running)) > 3 and log_lines(running), "log lines")
    assert set(lines[0]) == {
        "level",
        "reqId",
        "method",
        "path",
        "status",
        "duration_ms",
        "timestamp",
    }
    assert len({line["reqId"] for line in lines}) == len(lines)


def test_the_pid_file_names_the_process_and_goes_with_it(running):
    pid_file = until(lambda: running.pid_file.exists() and running.pid_file, "the pid file")
    assert int(pid_file.read_text()) == running.process.pid
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(5) == 0
    assert not pid_file.exists()


@pytest.mark.parametrize("mode", ["healthy", "slow", "burning", "overloaded", "leaking", "down"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_ends_at_once_and_quietly_in_every_mode(running, mode, number):
    assert running.mode(mode).status == 200
    began = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(30) == 0
    assert time.monotonic() - began < 20, "with patience for a loaded machine"
    assert running.process.stderr.read() == ""


def test_a_taken_port_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        files = ["--log", str(tmp_path / "log"), "--pid-file", str(tmp_path / "pid")]
        ended = subprocess.run(
            [sys.executable, "-m", "bot.sample", "--port", port, "--control-port", "0", *files],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert port in ended.stderr
    assert not (tmp_path / "pid").exists()


def test_the_control_says_the_mode_and_refuses_an_unknown_one_with_the_list(running):
    assert ask(running.control).json()["mode"] == "healthy"
    answer = running.mode("sleepy")
    assert answer.status == 400
    assert "burning" in answer.json()["error"]
    assert "burning" in answer.json()["modes"]
    assert ask(running.control).json()["mode"] == "healthy"


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b'{"mode": null}', b'{"mode": 3}'])
def test_a_control_body_that_is_no_mode_is_refused(running, sent):
    assert ask(f"{running.control}/mode", raw=sent).status == 400


def test_slow_answers_late_until_the_breaker_opens(running):
    running.mode("slow")
    assert 0.7 <= ask(f"{running.url}/api/health").seconds < 3
    assert ask(f"{running.url}/api/ops/circuit-breaker", {"state": "open"}).status == 200
    answer = ask(f"{running.url}/api/health")
    assert answer.seconds < 0.5
    assert (answer.json()["answer"], answer.json()["circuit_breaker"]) == ("cached", "open")


def test_failing_gives_500s_and_another_status_word(running):
    running.mode("failing")
    answers = [ask(f"{running.url}/api/health") for _ in range(60)]
    assert 5 <= sum(answer.status == 500 for answer in answers) <= 35
    assert {answer.json()["status"] for answer in answers} == {"failing"}
    assert any(line["level"] == "error" for line in log_lines(running))


def test_down_refuses_connections_while_the_process_lives_and_healthy_brings_it_back(running):
    running.mode("down")
    assert refused(f"{running.url}/api/health")
    assert running.process.poll() is None
    assert ask(running.control).json()["mode"] == "down"
    running.mode("healthy")
    assert ask(f"{running.url}/api/health").status == 200


def test_a_port_that_was_taken_while_down_is_said_and_the_mode_stays(running):
    running.mode("down")
    with socket.create_server(("127.0.0.1", running.port)):
        answer = running.mode("healthy")
        assert answer.status == 409
        assert "listen" in answer.json()["error"]
        assert ask(running.control).json()["mode"] == "down"
    assert running.mode("healthy").status == 200


def used_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def cpu_over(process: psutil.Process, seconds: float) -> tuple[float, float]:
    """CPU seconds that the process used within at least ``seconds``, and those that nobody used."""
    used, idle = used_seconds(process), psutil.cpu_times().idle
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, "the measuring window")
    return used_seconds(process) - used, psutil.cpu_times().idle - idle


def takes_all(process: psutil.Process) -> bool:
    used, idle = cpu_over(process, 1.5)
    return used / (used + idle) > 0.9


def test_burning_takes_every_core_that_others_leave_while_http_still_answers(running):
    process = psutil.Process(running.process.pid)
    running.mode("burning")
    assert until(lambda: takes_all(process), "all cores busy")
    assert ask(f"{running.url}/api/health").status == 200
    running.mode("healthy")
    assert cpu_over(process, 1.0)[0] < 0.5


def test_scaling_out_divides_what_burns(running):
    process = psutil.Process(running.process.pid)
    cores = len(process.cpu_affinity())
    running.mode("overloaded")
    assert until(lambda: takes_all(process), "all cores busy")
    ask(f"{running.url}/api/ops/scale", {"instances": 8})
    used = until(lambda: cpu_over(process, 1.5)[0], "CPU time")
    assert used < 0.4 * 1.5 * cores


def test_leaking_really_grows_and_healthy_frees_it(running):
    process = psutil.Process(running.process.pid)
    before = process.memory_info().rss
    running.mode("leaking")
    until(lambda: process.memory_info().rss > before + 40_000_000, "40 MB leaked")
    running.mode("healthy")
    assert process.memory_info().rss < before + 20_000_000


@pytest.mark.parametrize(
    ("path", "sent", "state"),
    [
        ("circuit-breaker", {"state": "open"}, {"state": "open"}),
        ("scale", {"instances": 4}, {"instances": 4}),
        ("degraded-mode", {"enabled": True}, {"enabled": True}),
    ],
)
def test_an_operation_is_kept_until_the_visitor_makes_it_healthy(running, path, sent, state):
    url = f"{running.url}/api/ops/{path}"
    before = ask(url).json()
    assert ask(url, sent).json() == state
    assert ask(url).json() == state
    running.mode("healthy")
    assert ask(url).json() == before


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("circuit-breaker", {"state": "ajar"}),
        ("circuit-breaker", {}),
        ("scale", {"instances": 0}),
        ("scale", {"instances": True}),
        ("scale", {"instances": "2"}),
        ("scale", {"instances": 1000}),
        ("degraded-mode", {"enabled": 1}),
        ("degraded-mode", []),
    ],
)
def test_an_operation_says_what_it_expected(running, path, sent):
    answer = ask(f"{running.url}/api/ops/{path}", sent)
    assert answer.status == 400
    assert "expected" in answer.json()["error"]

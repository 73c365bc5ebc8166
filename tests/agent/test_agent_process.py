"""The agent as the bot meets it: a process, a file, a port, a token, and a service that it watches."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.agents import BEARER, TOKEN, Agent, agent, environ, write
from tests.support.ports import kept_port
from tests.support.programs import Sample, ask, sample, until

METRICS = [
    "cpu_percent",
    "cpu_core_percent",
    "memory_mb",
    "threads",
    "open_files",
    "open_files_limit",
    "uptime_s",
    "uss_mb",
]


def refusal(path: Path, **more: str) -> tuple[int, str]:
    """Exit code and standard error of an agent that does not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "bot.agent"],
        env=environ(IORA_AGENT_CONFIG=str(path), **more),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return ended.returncode, ended.stderr


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Sample]:
    with sample(tmp_path) as running:
        yield running


@pytest.fixture
def watching(tmp_path: Path, service: Sample) -> Iterator[Agent]:
    with agent(write(tmp_path, f"port: {service.port}")) as running:
        yield running


def test_health_says_what_it_is_and_what_it_watches(watching, service):
    answer = until(lambda: watching.health()["target"] and watching.health(), "the target")
    assert answer["status"] == "ok"
    assert answer["process"] == {"port": service.port}
    assert answer["target"]["pid"] == service.process.pid
    assert answer["error"] is None


def test_metrics_have_their_shape_and_their_units(watching, service):
    answer = watching.metrics().json()
    assert set(answer) == {"target", "at", "readings"}
    assert answer["target"]["pid"] == service.process.pid
    started = psutil.Process(service.process.pid).create_time()
    assert abs(answer["target"]["started_at"] / 1000 - started) < 2
    assert [one["metric"] for one in answer["readings"]] == METRICS
    assert all(
        set(one) == {"metric", "value", "unit", "reason", "at"} for one in answer["readings"]
    )
    units = {one["metric"]: one["unit"] for one in answer["readings"]}
    assert units["cpu_percent"] == units["cpu_core_percent"] == "%"
    assert units["memory_mb"] == units["uss_mb"] == "MB"


def test_cpu_is_read_once_there_are_two_samples(watching):
    reading = until(
        lambda: (
            watching.readings()["cpu_percent"]["value"] is not None
            and watching.readings()["cpu_percent"]
        ),
        "the second sample",
    )
    assert 0 <= reading["value"] <= 100
    assert reading["reason"] is None


def test_numbers_agree_with_the_system(watching, service):
    readings = watching.readings()
    process = psutil.Process(service.process.pid)
    assert readings["memory_mb"]["value"] == pytest.approx(process.memory_info().rss / 1e6, rel=0.2)
    assert 0 < readings["uss_mb"]["value"] < readings["memory_mb"]["value"]
    assert readings["threads"]["value"] == process.num_threads()
    assert readings["open_files"]["value"] == pytest.approx(process.num_fds(), abs=12)
    assert 0 <= readings["uptime_s"]["value"] < 60


def test_a_service_that_burns_is_seen_burning_on_every_core_that_others_leave(watching, service):
    cores = len(psutil.Process(service.process.pid).cpu_affinity())
    service.mode("burning")
    idle: list[tuple[float, float]] = []

    def seen() -> bool:
        """What the process uses and what nobody uses are all there is: others' load takes no part."""
        idle.append((time.monotonic(), psutil.cpu_times().idle))
        window = [one for one in idle if one[0] >= idle[-1][0] - 5]
        (began, before), (end, after) = window[0], window[-1]
        if end - began < 4.5:
            return False
        unused = 100 * (after - before) / (end - began) / cores
        value = watching.value("cpu_percent")
        return value > 10 and value / (value + max(0.0, unused)) > 0.9

    until(seen, "the burn in cpu_percent")
    readings = watching.readings()
    of_one, of_all = readings["cpu_core_percent"]["value"], readings["cpu_percent"]["value"]
    assert of_all == pytest.approx(min(100.0, of_one / cores), abs=0.2)
    service.mode("healthy")
    until(lambda: watching.value("cpu_percent") < 10, "the end of the burn")


def test_a_service_that_leaks_is_seen_growing_and_freed(watching, service):
    before = watching.value("memory_mb")
    service.mode("leaking")
    until(lambda: watching.value("memory_mb") > before + 50, "50 MB more")
    service.mode("healthy")
    until(lambda: watching.value("memory_mb") < before + 20, "memory given back")


def test_a_service_that_closed_its_port_is_watched_on_and_the_doubt_is_told(watching, service):
    assert watching.metrics().status == 200
    service.mode("down")
    note = until(lambda: watching.metrics().json()["target"]["note"], "the note")
    assert f"nothing listens on port {service.port}; the process that was found before" in note
    assert watching.metrics().json()["target"]["pid"] == service.process.pid


def test_a_service_that_is_not_there_is_said_with_the_fix_and_found_when_it_starts(tmp_path):
    path = write(tmp_path, "pid_file: sample.pid")
    with agent(path) as running:
        answer = running.metrics()
        assert answer.status == 404
        assert answer.json()["kind"] == "process_not_found"
        assert "sample.pid is not there" in answer.json()["error"]
        assert "start the service" in answer.json()["next"]
        assert running.health()["status"] == "ok"
        assert "sample.pid is not there" in running.health()["error"]
        with sample(tmp_path) as service:
            found = until(
                lambda: running.metrics().status == 200 and running.metrics().json(), "found"
            )
            assert found["target"]["pid"] == service.process.pid


def test_a_restart_is_noticed(tmp_path):
    with agent(write(tmp_path, "pid_file: sample.pid")) as running:
        with sample(tmp_path) as first:
            until(lambda: running.metrics().status == 200, "the first process")
            first.process.send_signal(signal.SIGTERM)
            first.process.wait(10)
        assert running.metrics().status == 404
        with sample(tmp_path) as second:
            answer = until(
                lambda: running.metrics().status == 200 and running.metrics().json(), "the second"
            )
            assert answer["target"]["pid"] == second.process.pid


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer caf\u00e9"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/v1/health", "/v1/metrics", "/nothing"])
def test_without_the_token_nothing_is_told(guarded, path, sent):
    answer = ask(guarded.url + path, headers=sent)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert len(answer.text.splitlines()) == 1
    assert "Authorization: Bearer" in answer.json()["next"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[Agent]:
    """One agent for all the wrong tokens: none of them changes it."""
    folder = tmp_path_factory.mktemp("guarded")
    more = "probes: {pausing: {argv: [echo], approval: true}}\n"
    with agent(write(folder, "name: nothing-of-this-name", more=more)) as running:
        yield running


def test_an_unknown_path_says_which_there_are(guarded):
    answer = ask(f"{guarded.url}/v1/secrets", headers=BEARER)
    assert answer.status == 404
    assert answer.json()["kind"] == "no_such_path"
    assert "/v1/metrics" in answer.json()["next"]
    assert ask(f"{guarded.url}/v1/metrics", send={}, headers=BEARER).status == 405


def test_on_loopback_it_works_without_a_token(tmp_path):
    with agent(write(tmp_path, "name: nothing-of-this-name"), IORA_AGENT_TOKEN="") as running:
        assert ask(f"{running.url}/v1/health").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="a page in a browser here"),
        pytest.param({"Host": "evil.example:9108"}, id="a name that was led to this machine"),
    ],
)
def test_without_a_token_no_web_page_gets_anything_from_it(tmp_path, headers):
    probe = f"probes: {{it: {{argv: [{sys.executable}, -c, 'print(1)']}}}}\n"
    with agent(write(tmp_path, "port: 65000", more=probe), IORA_AGENT_TOKEN="") as one:
        assert ask(f"{one.url}/v1/health", headers=headers).status == 403
        assert ask(f"{one.url}/v1/probes/it", raw=b"", headers=headers).status == 403
        assert ask(f"{one.url}/v1/probes/it", raw=b"").status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 403),
        (b"{}", 403),
        (b"[]", 403),
        (b"approved", 403),
        (b"\xff", 403),
        (b'{"approved": "true"}', 403),
        (b'{"approved": 1}', 403),
        (b"[" * 4_000, 403),
        (b'{"approved": true}', 200),
    ],
)
def test_only_a_body_that_says_approved_runs_what_pauses_the_process(guarded, body, status):
    answer = ask(f"{guarded.url}/v1/probes/pausing", raw=body, headers=BEARER)
    assert answer.status == status
    if status == 403:
        assert answer.json()["kind"] == "approval_needed"
        assert "approved" in answer.json()["next"]


def test_the_token_of_the_file_may_come_from_the_environment(tmp_path):
    path = write(tmp_path, "name: nothing-of-this-name", more='token: "${OWN_TOKEN}"\n')
    with agent(path, OWN_TOKEN=TOKEN, IORA_AGENT_TOKEN="another") as running:
        assert ask(f"{running.url}/v1/health", headers=BEARER).status == 200


def test_beyond_loopback_it_refuses_to_start_without_a_token(tmp_path):
    code, error = refusal(write(tmp_path, "port: 8080", listen="0.0.0.0:0"))
    assert code == 2
    assert len(error.splitlines()) == 1
    assert "set IORA_AGENT_TOKEN" in error


def test_beyond_loopback_it_starts_with_a_token(tmp_path):
    with agent(write(tmp_path, "port: 1", listen="0.0.0.0:0")) as running:
        port = running.url.rsplit(":", 1)[1]
        assert ask(f"http://127.0.0.1:{port}/v1/health", headers=BEARER).status == 200


def test_a_platforms_port_is_taken(tmp_path):
    with (
        kept_port() as port,
        agent(write(tmp_path, "port: 1"), PORT=str(port)) as running,
    ):
        assert running.url == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, error = refusal(write(tmp_path, "port: 8080", listen=address))
    assert code == 2
    assert f"can't listen on {address}" in error.splitlines()[-1]
    assert "Traceback" not in error


def test_a_wrong_file_is_told_with_line_and_column(tmp_path):
    path = write(tmp_path, "port: 8080", more="tokn: x\n")
    code, error = refusal(path)
    assert code == 2
    assert f"{path}:3:1" in error
    assert "Traceback" not in error


def test_a_missing_file_is_told(tmp_path):
    code, error = refusal(tmp_path / "agent.yaml")
    assert code == 2
    assert "agent.yaml" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_ends_at_once(watching, number):
    assert watching.metrics().status == 200
    began = time.monotonic()
    watching.process.send_signal(number)
    assert watching.process.wait(30) == 0
    assert time.monotonic() - began < 20, "with patience for a loaded machine"


def test_its_log_is_one_json_object_a_line_and_never_holds_the_token(watching):
    watching.metrics()
    watching.process.send_signal(signal.SIGTERM)
    watching.process.wait(30)
    text = watching.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {"timestamp", "level", "message"} <= set(lines[0])
    assert any(line["message"] == "process found" for line in lines)
    assert any(line.get("path") == "/v1/metrics" and line["status"] == 200 for line in lines)
    assert TOKEN not in text


def test_its_own_load_is_small(watching):
    process = psutil.Process(watching.process.pid)
    until(lambda: watching.readings()["cpu_percent"]["value"] is not None, "two samples")
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    until(lambda: time.monotonic() - began > 3, "three seconds of watching")
    used = sum(process.cpu_times()[:2]) - before
    assert used / (time.monotonic() - began) < 0.3, "of a core"

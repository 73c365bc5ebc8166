"""The diagnostics as the bot gets them: all parts, each by itself, whatever becomes of one of them."""

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.agent.part import Part, PartFailed
from bot.agent.reading import Unknown
from bot.agent.snapshot import redacted
from bot.clock import SystemClock
from tests.support.agents import BEARER, Agent, agent, environ, write
from tests.support.hostile import self_signed
from tests.support.ports import kept_port
from tests.support.programs import ask, child, sample, script, until

EXAMPLE = json.loads((Path(__file__).parents[1] / "support/diagnostics.json").read_text())
WAIT = "import time; print('ready', flush=True); time.sleep(60)"


@pytest.fixture(scope="module")
def watching(tmp_path_factory) -> Iterator[Agent]:
    """One agent with everything configured, and the sample service that it watches."""
    folder = tmp_path_factory.mktemp("agent")
    with kept_port() as nobody, sample(folder) as service:
        more = (
            "logs: [{file: sample.log}, {journald: none.service}]\n"
            f"relay: {{dashboard: '{service.url}/api/metrics', missing: '{service.url}/none', "
            f"nobody: 'http://127.0.0.1:{nobody}/'}}\n"
            "probes: {uptime: {argv: [cat, /proc/uptime]}, "
            'pid: {argv: [echo, "{pid}"]}, file: {argv: [dd, if=/dev/zero, of=f, bs=1000, count=100], '
            "artifacts: [f]}}\n"
        )
        with agent(write(folder, "pid_file: sample.pid", more=more)) as running:
            until(lambda: running.value("cpu_percent") is not None, "two samples")
            until(lambda: running.part("logs")[0]["requests"], "a request in the log")
            yield running


def fits(
    answer: Any, example: Any, free: tuple[str, ...] = ("by_state", "by_kind", "unknown")
) -> None:
    """Every key of the example is in the answer, and no other, down to the values."""
    if isinstance(example, dict) and isinstance(answer, dict):
        assert set(answer) == set(example)
        for key in set(example) - set(free):
            fits(answer[key], example[key])
    elif isinstance(example, list) and isinstance(answer, list):
        for one in answer if example else ():
            fits(one, example[0])
    elif answer is not None and example is not None:
        kinds = (int, float) if isinstance(example, int | float) else type(example)
        assert isinstance(answer, kinds), (answer, example)


def test_the_whole_answer_has_the_shape_that_findings_are_made_from(watching):
    answer = watching.get("/v1/diagnostics").json()
    assert set(answer) == set(EXAMPLE)
    fits(answer["target"], EXAMPLE["target"])
    assert set(answer["parts"]) == set(EXAMPLE["parts"]) - {"database"}
    for name, part in answer["parts"].items():
        assert part["ok"], part
        fits(part["data"], EXAMPLE["parts"][name]["data"])


@pytest.mark.parametrize("name", ["snapshot", "threads", "heap", "leak", "logs"])
def test_each_part_is_to_be_had_alone_in_the_same_shape(watching, name):
    answer = watching.get(f"/v1/{name}").json()
    assert (answer["part"], answer["ok"]) == (name, True)
    assert answer["target"]["pid"] > 0
    fits(answer["data"], EXAMPLE["parts"][name]["data"])


def test_all_parts_are_there_within_what_the_bot_waits(watching):
    assert watching.get("/v1/diagnostics").seconds < 5


def test_the_snapshot_agrees_with_the_system(watching):
    snapshot = watching.part("snapshot")
    process = psutil.Process(snapshot["process"]["pid"])
    assert snapshot["process"]["command"] == process.cmdline()
    assert snapshot["process"]["user"] == process.username()
    assert snapshot["connections"]["by_state"]["LISTEN"] == 2
    assert len(snapshot["connections"]["listening"]) == 2
    assert snapshot["files"]["open"] == pytest.approx(process.num_fds(), abs=12)
    assert snapshot["system"]["memory_total_mb"] == round(psutil.virtual_memory().total / 1e6, 1)
    assert any(disk["total_gb"] > 0 for disk in snapshot["system"]["disks"])


def test_a_log_that_can_not_be_read_leaves_the_others(watching):
    file, journal = watching.part("logs")
    assert (file["error"], file["lines"] > 0) == (None, True)
    assert journal["errors"] is None or journal["error"] is None


def test_without_a_process_the_machine_is_still_told(tmp_path):
    with agent(write(tmp_path, "name: nothing-of-this-name")) as running:
        answer = running.get("/v1/diagnostics").json()
    assert answer["target"] is None
    assert "no process is called" in answer["error"]
    snapshot = answer["parts"]["snapshot"]["data"]
    assert snapshot["system"]["cores"] >= 1
    assert snapshot["process"] is None
    assert "no process is called" in snapshot["unknown"]["process"]
    for name in ("threads", "heap", "leak"):
        assert not answer["parts"][name]["ok"]
        assert answer["parts"][name]["data"] is None
        assert "no process is called" in answer["parts"][name]["error"]


def test_a_database_that_does_not_answer_is_a_part_that_failed_and_without_one_there_is_no_part(
    tmp_path, watching
):
    with kept_port() as nobody:
        more = f"postgres: {{dsn: 'postgresql://u:s3cret@127.0.0.1:{nobody}/d'}}\n"
        with agent(write(tmp_path, "port: 1", more=more)) as running:
            database = running.get("/v1/diagnostics").json()["parts"]["database"]
    assert (database["ok"], database["data"]) == (False, None)
    assert "s3cret" not in database["error"]
    assert watching.get("/v1/database").json()["kind"] == "no_such_path"


def test_children_are_told_with_what_they_use(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'while True: pass'])\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    with script(code) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        try:
            with agent(write(tmp_path, "pid_file: pid")) as running:

                def seen() -> Any:
                    (busy,) = running.part("snapshot")["children"]
                    return busy["cpu_percent"] > 10 and busy

                assert until(seen, "a child that works")["rss_mb"] > 1
        finally:
            for one in psutil.Process(process.pid).children():
                one.kill()


AS_NOBODY = """
import os, sys
import encodings.idna
from pathlib import Path
from bot.agent.program import run
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(run(Path(sys.argv[1]), os.environ))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user may look into, as the folders of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="iora-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_another_users_process_is_permission_denied_where_it_is_and_never_empty(open_folder):
    """The agent as nobody, watching the first process of the machine, which is root's."""
    (open_folder / "pid").write_text("1")
    path = write(open_folder, "pid_file: pid")
    with child(
        [sys.executable, "-c", AS_NOBODY, str(path)],
        environ(IORA_AGENT_TOKEN="t"),
        errors=open_folder / "log",
    ) as process:
        url = process.stdout.readline().split()[-1]
        said = ask(f"{url}/v1/diagnostics", headers={"Authorization": "Bearer t"}).json()
    snapshot = said["parts"]["snapshot"]["data"]
    assert snapshot["process"]["pid"] == 1
    assert snapshot["files"]["open"] is None
    unknown = snapshot["unknown"]
    assert unknown["files.open"] == unknown["connections"] == "permission denied"
    threads = said["parts"]["threads"]["data"]
    assert threads["total"] >= 1
    assert threads["threads"][0]["wait_channel"] is None
    assert threads["unknown"]["wait_channel"] == "permission denied"
    heap = said["parts"]["heap"]["data"]
    assert heap["largest"] == []
    assert heap["unknown"]["largest"] == heap["unknown"]["pss_mb"] == "permission denied"


def test_a_relay_gives_the_services_own_answer_whatever_its_status(watching):
    answer = watching.get("/v1/relay/dashboard")
    assert answer.status == 200
    assert answer.headers["X-Iora-Relay"] == "dashboard"
    assert "metrics_summary" in answer.json()
    missing = watching.get("/v1/relay/missing")
    assert (missing.status, missing.headers["X-Iora-Relay"]) == (404, "missing")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/relay/other", 404, "no_such_relay"),
        ("/v1/relay/http:%2F%2F169.254.169.254", 404, "no_such_relay"),
        ("/v1/relay/dashboard/more", 404, "no_such_path"),
        ("/v1/relay/nobody", 502, "relay_failed"),
    ],
)
def test_a_relay_to_anywhere_else_is_refused_in_the_agents_own_words(watching, path, status, kind):
    answer = watching.get(path)
    assert (answer.status, answer.json()["kind"]) == (status, kind)
    assert "X-Iora-Relay" not in answer.headers
    reach = answer.json().get("reach")
    assert reach == ("refused" if kind == "relay_failed" else None), "for the bot's second look"


def test_a_relay_is_only_for_reading(watching):
    assert watching.post("/v1/relay/dashboard").status == 405


def test_probes_are_offered_and_run_by_name(watching):
    assert watching.get("/v1/probes").json()["offered"] == ["file", "pid", "uptime"]
    run = watching.post("/v1/probes/pid")
    assert run.status == 200
    assert run.json()["stdout"] == f"{watching.health()['target']['pid']}\n"
    assert watching.get("/v1/probes/pid").status == 405
    assert watching.post("/v1/probes/rm").json()["kind"] == "no_such_probe"


def test_an_artifact_is_downloaded_and_nothing_else_is(watching):
    (artifact,) = watching.post("/v1/probes/file").json()["artifacts"]
    request = urllib.request.Request(watching.url + artifact["url"], headers=BEARER)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.read() == bytes(100_000)
        assert answer.headers["Content-Disposition"].startswith("attachment")
    folder = artifact["url"].rpartition("/")[0]
    for other in (f"{folder}/g", f"{folder}/..%2f..%2fetc%2fpasswd", "/v1/artifacts/0/f"):
        assert watching.get(other).status == 404


def test_two_probes_at_once_are_told_who_runs(tmp_path):
    gate = tmp_path / "gate"
    waiting = f'slow: {{argv: [sh, -c, "while [ ! -e {gate} ]; do sleep 0.02; done"]}}'
    with agent(write(tmp_path, "port: 1", more=f"probes: {{{waiting}}}\n")) as running:
        first = threading.Thread(target=running.post, args=("/v1/probes/slow",))
        first.start()
        until(lambda: running.get("/v1/probes").json()["running"], "the probe")
        second = running.post("/v1/probes/slow")
        assert second.status == 409
        assert second.json()["running"]["probe"] == "slow"
        gate.touch()
        first.join()
        assert running.get("/v1/probes").json()["running"] is None


def test_its_own_metrics_count_what_it_did_and_leave_out_what_is_unknown(watching):
    watching.get("/v1/snapshot")
    watching.get("/v1/unheard-of")
    text = watching.get("/metrics").text
    assert 'iora_agent_requests_total{route="/v1/snapshot",status="200"}' in text
    assert 'iora_agent_requests_total{route="none",status="404"}' in text
    assert "unheard-of" not in text
    assert 'iora_agent_part_seconds_count{part="snapshot"}' in text
    assert "iora_agent_target_found 1.0" in text
    assert 'iora_agent_target{metric="memory_mb",unit="MB"}' in text
    assert ask(f"{watching.url}/metrics").status == 401


def test_it_speaks_tls_with_certificate_files(tmp_path):
    self_signed(tmp_path)
    more = "tls: {certificate: certificate.pem, key: key.pem}\n"
    with agent(write(tmp_path, "port: 1", more=more)) as running:
        assert running.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        request = urllib.request.Request(f"{running.url}/v1/health", headers=BEARER)
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            assert json.load(answer)["status"] == "ok"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificate_files_that_can_not_be_used_are_said_in_one_line(tmp_path, content):
    if content:
        (tmp_path / "a.pem").write_text(content)
    path = write(tmp_path, "port: 1", more="tls: {certificate: a.pem, key: a.pem}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "bot.agent"], env=environ(IORA_AGENT_CONFIG=str(path)),
        check=False, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "tls: a.pem" in ended.stderr


def raising(error: Exception) -> Callable[[], Any]:
    async def read() -> object:
        raise error

    return read


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PartFailed("no process: it is gone"), "no process: it is gone"),
        (PermissionError(13, "x"), "permission denied"),
        (psutil.AccessDenied(1), "permission denied"),
        (psutil.NoSuchProcess(1), "the process has ended"),
        (FileNotFoundError(2, "x", "/proc/4194304/task"), "the process has ended"),
        (FileNotFoundError(2, "x", "/proc/self/smaps_rollup"), "not readable on this system"),
        (Unknown("needs two samples"), "needs two samples"),
        (ValueError("x"), "failed: ValueError, see the agent's log"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_part_that_fails_says_why_in_one_line(error, said):
    outcome = await Part("threads", raising(error)).outcome(SystemClock())
    assert outcome.json()["ok"] is False
    assert outcome.json()["data"] is None
    assert said in outcome.json()["error"]


async def test_a_part_that_is_late_is_given_up_at_its_limit():
    outcome = await Part("heap", asyncio.Event().wait, 0.05).outcome(SystemClock())
    assert outcome.error == "not read within 0.05 s"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["iora", "--token", "abc", "run"], ["iora", "--token", "[redacted]", "run"]),
        (["iora", "--api-key", "abc"], ["iora", "--api-key", "[redacted]"]),
        (["iora", "--db-password=abc"], ["iora", "--db-password=[redacted]"]),
        (["iora", "--port", "8080", "x"], ["iora", "--port", "8080", "x"]),
        (["iora", "postgres://u:p@h/d"], ["iora", "postgres://[redacted]@h/d"]),
    ],
)
def test_arguments_lose_their_secrets(command, shown):
    assert redacted(command) == shown

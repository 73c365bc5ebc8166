"""``iora init`` writes what ``iora check`` accepts, after showing what the health URL answers."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.check import check
from bot.cli.init import init
from bot.files.config import load_config
from bot.files.note import findings
from bot.web.control import login_of
from tests.support.agents import TOKEN, agent, write

ANSWERS = {
    "/health": (200, b'{"status": "ok", "uptime": 5}'),
    "/nested": (200, b'{"ok": true, "data": {"status": "fine"}}'),
    "/plain": (200, b"hello \x1b[31m"),
    "/broken": (503, b'{"status": "down"}'),
}


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS.get(self.path.partition("?key=")[0], (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("IORA_CONFIG", "IORA_AGENT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run_init(*options: str, typed: str = "") -> Result:
    return CliRunner().invoke(init, options, input=typed)


def run_check(*options: str) -> Result:
    return CliRunner().invoke(check, options)


def scripted(url: str, *more: str) -> Result:
    people = ("--responders", "U01ALICE,U02BOB", "--commanders", "U01ALICE")
    return run_init("--yes", *people, "--health-url", url, *more)


def test_a_person_answers_and_the_written_file_passes_the_check(folder: Path, service: str) -> None:
    typed = f"T01TEAM\noncall\nU01ALICE, U02BOB\nU01ALICE\napi\n{service}/health\ny\n\n"
    result = run_init(typed=typed)
    assert result.exit_code == 0, result.output
    assert '{"status": "ok", "uptime": 5}' in result.output
    assert 'The status word is at status: "ok", which means healthy.' in result.output
    config = load_config(folder / "config.yaml", {})
    assert (config.slack.team, config.slack.channel) == ("T01TEAM", "oncall")
    assert config.targets["api"].health.url == f"{service}/health"
    login = f"cli:{login_of(os.getuid())}"
    assert config.roles == {
        "responder": ("U01ALICE", "U02BOB", login),
        "commander": ("U01ALICE",),
    }, "whoever sets it up may resolve from here"
    assert "#" in (folder / "config.yaml").read_text()
    assert run_check().exit_code == 0


def test_a_wrong_answer_is_asked_again_with_what_was_expected(folder: Path, service: str) -> None:
    typed = f"\nBad Channel\n\nbob\nU02BOB\n\nsev1\n\nnowhere\n{service}/health\ny\n\n"
    result = run_init(typed=typed)
    assert result.exit_code == 0, result.output
    for said in ("a channel's name", "a Slack member id", "not a severity", "http:// or https://"):
        assert said in result.output


def test_an_unknown_word_is_healthy_only_if_the_person_says_so(folder: Path, service: str) -> None:
    start = f"\n\nU02BOB\n\n\n{service}/nested\ny\n"
    for answer, known in (("y", True), ("n", False)):
        result = run_init("--force", typed=f"{start}{answer}\n\n")
        assert 'The status word is at data.status: "fine", which is not a word I know.' in (
            result.output
        )
        health = load_config(folder / "config.yaml", {}).targets["iora"].health
        assert (health.status, "fine" in health.healthy) == ("data.status", known)


def test_a_url_that_fails_is_shown_and_another_can_be_given(folder: Path, service: str) -> None:
    typed = f"\n\nU02BOB\n\n\n{service}/none\nn\nhttp://127.0.0.1:9/\nn\n{service}/plain\ny\n\n"
    result = run_init(typed=typed)
    assert result.exit_code == 0, result.output
    assert "404 in" in result.output
    assert "no answer: nothing listens on 127.0.0.1:9" in result.output
    assert "hello [31m" in result.output
    assert "\x1b" not in result.output
    assert load_config(folder / "config.yaml", {}).targets["iora"].health.status is None


def test_a_script_gives_every_answer_as_an_option(folder: Path, service: str) -> None:
    result = scripted(f"{service}/health", "--agent-url", "http://127.0.0.1:9108")
    assert result.exit_code == 0, result.output
    config = load_config(folder / "config.yaml", {})
    assert config.targets["iora"].agent is not None
    assert findings(config) == ()


def test_the_written_rules_notice_what_answers_badly_also_without_an_agent(
    folder: Path, service: str
) -> None:
    assert scripted(f"{service}/health").exit_code == 0
    rules = {one.name: str(one.when) for one in load_config(folder / "config.yaml", {}).detection}
    assert rules == {"down": "verdict == down", "failing": "verdict == unhealthy"}


def test_a_script_that_leaves_an_answer_out_is_wrong_use(folder: Path) -> None:
    result = run_init("--yes")
    assert result.exit_code == 2
    assert "an option must say: Who responds" in result.output
    assert not (folder / "config.yaml").exists()


@pytest.mark.parametrize("option", [("--team", "x"), ("--channel", "A b"), ("--target", "sev2")])
def test_a_wrong_option_is_wrong_use(folder: Path, service: str, option: tuple[str, str]) -> None:
    assert scripted(f"{service}/health", *option).exit_code == 2
    assert not (folder / "config.yaml").exists()


def test_an_existing_file_is_never_overwritten_unasked(folder: Path, service: str) -> None:
    (folder / "config.yaml").write_text("mine\n")
    assert scripted(f"{service}/health").exit_code == 1
    assert run_init(typed="n\n").exit_code == 1
    assert (folder / "config.yaml").read_text() == "mine\n"
    assert scripted(f"{service}/health", "--force").exit_code == 0
    assert (folder / "config.yaml").read_text() != "mine\n"
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["config.yaml", "runbooks"], "no half of a file"


def test_what_the_check_would_refuse_is_not_written(folder: Path, service: str) -> None:
    result = scripted(f"{service}/health", "--status", "a.[")
    assert result.exit_code == 1
    assert "nothing was written" in result.output
    assert "not a JMESPath expression" in result.output
    assert not (folder / "config.yaml").exists()


def test_answers_with_odd_characters_are_kept_as_they_are(folder: Path, service: str) -> None:
    url = f'{service}/health?q="é: ${{X}} #'
    assert scripted(url).exit_code == 0
    assert load_config(folder / "config.yaml", {}).targets["iora"].health.url == url


def test_the_check_prints_every_problem_of_every_file(folder: Path) -> None:
    (folder / "config.yaml").write_text("version: 1\nx: 1\n")
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "a.yaml").write_text("id: b\n")
    result = run_check()
    assert result.exit_code == 1
    for line in (
        "config.yaml:1:1: missing key 'targets'",
        "config.yaml:2:1: unknown key 'x'",
        "runbooks/a.yaml:1:5: got text 'b'; expected the file's name, a",
        "problems to mend",
    ):
        assert line in result.output


def test_notes_alone_are_no_finding(folder: Path, service: str) -> None:
    scripted(f"{service}/health")
    result = run_check()
    assert "note: targets.iora: no agent" in result.output
    assert result.exit_code == 0


def test_the_check_in_json(folder: Path, service: str) -> None:
    scripted(f"{service}/health")
    good = json.loads(run_check("--json").output)
    assert (good["ok"], good["problems"]) == (True, [])
    assert good["notes"][0]["at"] == "targets.iora"
    (folder / "config.yaml").write_text("verson: 1\n")
    result = run_check("--json")
    assert result.exit_code == 1
    first = json.loads(result.output)["problems"][0]
    assert first == {
        "path": "config.yaml",
        "line": 1,
        "column": 1,
        "message": "missing key 'targets'",
        "near": "",
    }


def with_metrics(folder: Path, service: str) -> None:
    scripted(f"{service}/health")
    text = (folder / "config.yaml").read_text()
    source = (
        f'    metrics: [{{url: "{service}/health?key=k", values: '
        "{uptime_s: uptime, threads: threads}}]\n    health:"
    )
    (folder / "config.yaml").write_text(text.replace("    health:", source, 1))


def test_the_live_check_shows_what_each_value_reads_and_from_where(
    folder: Path, service: str
) -> None:
    with_metrics(folder, service)
    place = service.removeprefix("http://")
    assert run_check().exit_code == 0
    result = run_check("--live")
    for line in (
        f'live: targets.iora.health: healthy, status word "ok" ({place}/health)',
        f"live: targets.iora.metrics[0].values.uptime_s: 5 s ({place}/health)",
        (
            "live: targets.iora.metrics[0].values.threads: unknown:"
            f" {place}/health: nothing at `threads`"
        ),
        "1 of 3 values can't be read",
    ):
        assert line in result.output.splitlines()
    assert result.exit_code == 1
    told = json.loads(run_check("--live", "--json").output)
    assert not told["ok"]
    assert [(one["metric"], one["value"]) for one in told["live"]] == [
        (None, 'healthy, status word "ok"'),
        ("uptime_s", 5),
        ("threads", None),
    ]
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace(", threads: threads", ""))
    assert run_check("--live").exit_code == 0


def test_the_live_check_shows_an_agent_that_does_not_answer(folder: Path, service: str) -> None:
    scripted(f"{service}/health", "--agent-url", "http://127.0.0.1:9")
    result = run_check("--live")
    assert (
        "live: targets.iora.agent: cpu_percent unknown: the agent gave no answer:"
        " nothing listens on 127.0.0.1:9"
    ) in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("relays", "line"),
    [
        ("health", 'healthy, status word "ok" (health via agent)'),
        ("other", "unknown: there is no relay called health"),
    ],
)
def test_the_live_check_tries_what_the_agent_relays(
    folder: Path, service: str, monkeypatch: pytest.MonkeyPatch, relays: str, line: str
) -> None:
    monkeypatch.setenv("IORA_AGENT_TOKEN", TOKEN)
    more = f"relay: {{{relays}: '{service}/health'}}\n"
    with agent(write(folder, f"port: {service.rpartition(':')[2]}", more=more)) as running:
        scripted(f"{service}/health", "--agent-url", running.url)
        text = (folder / "config.yaml").read_text()
        written = text.replace("      status:", "      relay: health\n      status:", 1)
        (folder / "config.yaml").write_text(written)
        result = run_check("--live")
    assert f"live: targets.iora.health.relay: {line}" in result.output.splitlines()


def test_the_check_reads_an_agents_file_too(folder: Path, service: str) -> None:
    scripted(f"{service}/health")
    (folder / "agent.yaml").write_text("process: {port: 8080, name: iora}\n")
    result = run_check("--agent", "agent.yaml")
    assert result.exit_code == 1
    assert "agent.yaml:1:10: got a mapping; expected exactly one of port, pid_file and name" in (
        result.output
    )


def test_a_missing_config_is_a_finding_and_an_unknown_option_wrong_use(folder: Path) -> None:
    missing = run_check()
    assert (missing.exit_code, "config.yaml: there is no such file" in missing.output) == (1, True)
    assert run_check("--nope").exit_code == 2

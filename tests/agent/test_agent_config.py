"""``agent.yaml``: what it may say, and what the environment adds."""

import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.agent.program import StartRefusedError, settings
from bot.files.document import load_text
from bot.model.agent import Address, AgentConfig, ProcessRule, parse_address

RULE = ProcessRule(port=8080)
FOLDER = Path("/etc/iora")


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("127.0.0.1:9108", Address("127.0.0.1", 9108), True),
        ("127.8.8.8:1", Address("127.8.8.8", 1), True),
        ("localhost:0", Address("localhost", 0), True),
        ("[::1]:9108", Address("::1", 9108), True),
        ("0.0.0.0:9108", Address("0.0.0.0", 9108), False),
        ("[::]:9108", Address("::", 9108), False),
        ("10.0.0.7:9108", Address("10.0.0.7", 9108), False),
        ("iora-1.example:9108", Address("iora-1.example", 9108), False),
    ],
)
def test_an_address_and_whether_only_this_machine_can_reach_it(text, address, loopback):
    assert parse_address(text) == address
    assert address.loopback is loopback
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    ["", "9108", ":9108", "127.0.0.1", "127.0.0.1:", "h:65536", "h:1:2", "http://h:1", "a b:1"],
)
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(ValidationError, match=r"expected HOST:PORT such as 127\.0\.0\.1:9108"):
        AgentConfig(listen=text, process=RULE)


@pytest.mark.parametrize(
    "given", [{}, {"port": 1, "name": "x"}, {"pid_file": "a", "name": "b"}], ids=str
)
def test_a_process_is_named_in_exactly_one_way(given):
    with pytest.raises(ValidationError, match="exactly one of port, pid_file and name"):
        ProcessRule(**given)


@pytest.mark.parametrize("given", [{"port": 0}, {"port": 65536}, {"name": ""}, {"pidfile": "x"}])
def test_a_rule_that_can_match_nothing_is_refused(given):
    with pytest.raises(ValidationError):
        ProcessRule(**given)


def test_without_a_port_from_the_platform_the_file_says_where_to_listen():
    config = AgentConfig(listen="127.0.0.1:9999", process=RULE)
    assert settings(config, FOLDER, {"HOST": "0.0.0.0"}).address == Address("127.0.0.1", 9999)


def test_the_platforms_port_goes_before_the_file():
    config = AgentConfig(listen="127.0.0.1:9999", process=RULE)
    assert settings(config, FOLDER, {"PORT": "5000"}).address == Address("127.0.0.1", 5000)
    there = settings(config, FOLDER, {"PORT": "5000", "HOST": "0.0.0.0", "IORA_AGENT_TOKEN": "s"})
    assert there.address == Address("0.0.0.0", 5000)


@pytest.mark.parametrize("port", ["web", "-1", "65536", "1.5"])
def test_a_port_from_the_platform_that_is_none_is_refused(port):
    with pytest.raises(StartRefusedError, match="expected a port number"):
        settings(AgentConfig(process=RULE), FOLDER, {"PORT": port})


@pytest.mark.parametrize(
    ("in_file", "environ", "token"),
    [
        (None, {}, None),
        (None, {"IORA_AGENT_TOKEN": ""}, None),
        (None, {"IORA_AGENT_TOKEN": "outer"}, "outer"),
        (SecretStr("inner"), {"IORA_AGENT_TOKEN": "outer"}, "inner"),
        (SecretStr(""), {"IORA_AGENT_TOKEN": "outer"}, "outer"),
        (SecretStr("  "), {}, None),
    ],
)
def test_where_the_token_comes_from(in_file, environ, token):
    config = AgentConfig(token=in_file, process=RULE)
    assert settings(config, FOLDER, environ).token == token


@pytest.mark.parametrize("environ", [{}, {"IORA_AGENT_TOKEN": " "}])
def test_without_a_token_it_does_not_listen_beyond_loopback(environ):
    with pytest.raises(StartRefusedError, match="set IORA_AGENT_TOKEN, or listen on 127"):
        settings(AgentConfig(listen="0.0.0.0:9108", process=RULE), FOLDER, environ)


def config(**more: object) -> AgentConfig:
    return AgentConfig.model_validate_json(json.dumps({"process": {"port": 8080}} | more))


def test_without_more_there_are_no_logs_relays_or_probes_and_the_guides_threshold():
    found = config()
    assert (found.logs, found.relay, found.probes, found.tls) == ((), {}, {}, None)
    assert (found.leak.threshold_mb, found.leak.window) == (512, 1_800_000)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({"file": "logs/iora.log"}, "file logs/iora.log"),
        ({"journald": "iora@1.service"}, "journald iora@1.service"),
        ({"container": "/c/json.log"}, "container /c/json.log"),
    ],
)
def test_a_log_is_named_in_exactly_one_way(given, label):
    (source,) = config(logs=[given]).logs
    assert source.label == label
    with pytest.raises(ValidationError, match="exactly one of file, journald and container"):
        config(logs=[given | {"file": "a", "container": "b"}])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"logs": [{}]}, "exactly one of file"),
        ({"logs": [{"journald": "--all"}]}, "a unit such as"),
        ({"logs": [{"journald": "a b"}]}, "a unit such as"),
        ({"logs": [{"file": "a", "window": "10ms"}]}, "at least 1s"),
        ({"relay": {"x": "http://example.com/"}}, "a URL of this machine"),
        ({"relay": {"x": "http://169.254.169.254/latest"}}, "relay.x"),
        ({"relay": {"x": "http://127.0.0.1.example.com/"}}, "a URL of this machine"),
        ({"relay": {"x": "http://u:p@127.0.0.1/"}}, "without a user name"),
        ({"relay": {"x": "file:///etc/passwd"}}, "http"),
        ({"relay": {"x": "http://127.0.0.1:99999/"}}, "relay.x"),
        ({"relay": {"X/../y": "http://127.0.0.1/"}}, "a name of lower-case"),
        ({"probes": {"x": {"argv": []}}}, "at least 1 item"),
        ({"probes": {"x": {"argv": "uptime"}}}, "tuple"),
        ({"probes": {"x": {"argv": ["{pid}"]}}}, "a program first"),
        ({"probes": {"x": {"argv": ["a", "{host}"]}}}, "no other placeholder than {pid}, {port}"),
        ({"probes": {"x": {"argv": ["a", "b\0c"]}}}, "no NUL"),
        ({"probes": {"x": {"argv": ["a"], "timeout": "1h"}}}, "between 100ms and 10m"),
        ({"probes": {"x": {"argv": ["a"], "artifacts": ["../a"]}}}, "the name of a file"),
        ({"probes": {"x": {"argv": ["a"], "artifacts": [".."]}}}, "the name of a file"),
        ({"probes": {"x": {"argv": ["a"], "shell": True}}}, "Extra inputs"),
        (
            {"process": {"name": "a"}, "probes": {"x": {"argv": ["a", "{port}"]}}},
            "needs process.port",
        ),
        ({"leak": {"threshold_mb": 0}}, "greater than 0"),
        ({"leak": {"window": "1s"}}, "between 5s and 1d"),
        ({"tls": {"certificate": "a"}}, "key"),
    ],
    ids=str,
)
def test_what_the_agent_must_not_or_can_not_do_is_refused(more, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        config(**more)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/a", "http://[::1]:1/", "https://localhost/x"]
)
def test_a_relay_is_to_this_machine(url):
    assert config(relay={"dashboard": url}).relay == {"dashboard": url}


def test_other_braces_of_a_probe_are_its_own():
    argv = ["awk", "{print $1}", "{pid}", "{folder}/a", "{port}"]
    assert config(probes={"x": {"argv": argv}}).probes["x"].argv == tuple(argv)


RUNBOOKS_ASK_FOR = {
    "uptime", "top", "ping", "traceroute", "ps", "ps-threads", "perf-record", "flamegraph", "py-spy-dump",
    "eu-stack", "massif", "heaptrack", "health-check", "performance-baseline-check", "db-performance-check",
    "db-connection-check", "db-slow-query-analysis", "db-lock-analysis", "db-metrics-monitoring",
}  # fmt: skip


def test_the_shipped_file_is_read_and_what_it_comments_out_would_be_too():
    shipped = (Path(__file__).parents[2] / "agent.yaml").read_text()
    offered = load_text(shipped, "agent.yaml", AgentConfig, {}).probes
    assert offered["uptime"].argv == ("uptime",)
    assert not any(probe.approval for probe in offered.values())
    more = re.sub(r"^  # ([a-z_-]+:|- |  \{|   [a-z])", r"  \1", shipped, flags=re.MULTILINE)
    more = re.sub(r"^  (approval: it|port: |pid_file: ).*\n", "", more, flags=re.MULTILINE)
    more = re.sub(r"^# (tls|token): ", r"\1: ", more, flags=re.MULTILINE)
    found = load_text(more, "agent.yaml", AgentConfig, {"IORA_AGENT_TOKEN": "t"})
    assert set(found.probes) == RUNBOOKS_ASK_FOR
    pausing = {name for name, probe in found.probes.items() if probe.approval}
    assert pausing == {"eu-stack", "massif", "heaptrack"}
    assert [source.label.split()[0] for source in found.logs] == ["file", "journald", "container"]
    assert found.tls is not None

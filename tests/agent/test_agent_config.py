"""``agent.yaml``: what it may say, and what the environment adds."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.agent.program import StartRefusedError, settings
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

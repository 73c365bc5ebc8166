"""The config's names are checked against each other; what is unwise becomes a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config, load_config_text
from bot.files.document import load
from bot.files.note import findings
from bot.model.agent import AgentConfig
from bot.model.config import Config
from bot.model.nearest import listed

ROOT = Path(__file__).parents[2]

GOOD = """\
version: 1
targets:
  iora:
    health: {url: http://127.0.0.1:8080/api/health, status: status}
    agent: {url: http://127.0.0.1:9108}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies:
    page: {levels: [{after: 0s, notify: [channel, "group:engineering"]}]}
groups: {engineering: [U01ALICE]}
roles: {responder: [U01ALICE], commander: [U01ALICE, cli:alice]}
"""


def first_lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config_text(text, "c.yaml", {})
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


def notes(text: str) -> list[str]:
    return [str(note) for note in findings(load_config_text(text, "c.yaml", {}))]


WRONG = {
    "a default policy that nobody defined": (
        ("default: page", "default: pag"),
        "c.yaml:7:12: there is no policy of this name; did you mean page?",
    ),
    "a policy by severity that nobody defined": (
        ("default: page", "default: page\n  by_severity: {sev3: quiet}"),
        "c.yaml:8:23: there is no policy of this name; add it below escalation.policies",
    ),
    "a group that nobody defined": (
        ("group:engineering", "group:enginering"),
        "c.yaml:10:51: there is no group of this name; did you mean engineering?",
    ),
    "a last resort that nobody defined": (
        ("user:U01ALICE", "group:ops"),
        "c.yaml:8:17: there is no group of this name; add it below groups",
    ),
    "an empty group": (
        ("[U01ALICE]}\nroles", "[]}\nroles"),
        "c.yaml:11:23: nothing in it; expected at least 1 item",
    ),
    "a metric that doesn't exist": (
        ("version: 1", "version: 1\nbaselines: {cpu_precent: {below: 70}}"),
        "c.yaml:2:13: no metric is called 'cpu_precent'; did you mean cpu_percent?",
    ),
    "a bound with two sides": (
        ("version: 1", "version: 1\ncritical: {cpu_percent: {below: 70, above: 1}}"),
        "c.yaml:2:25: got a mapping; expected exactly one of below and above",
    ),
    "a role that doesn't exist": (
        ("responder:", "responders:"),
        (
            "c.yaml:12:9: got key 'responders'; expected responder or commander;"
            " did you mean responder?"
        ),
    ),
    "a target called as a severity": (
        ("  iora:", "  sev1:"),
        "c.yaml:3:3: a target can't be called sev1: in a declare that word is a severity",
    ),
    "a status that is no JMESPath": (
        ("status: status", 'status: "a.["'),
        (
            "c.yaml:4:61: not a JMESPath expression; expected a path into the JSON answer such as"
            " status or data.status"
        ),
    ),
    "a status that would exhaust the parser": (
        ("status: status", f'status: "{"(" * 5000}"'),
        (
            "c.yaml:4:61: not a JMESPath expression; expected a path into the JSON answer such as"
            " status or data.status"
        ),
    ),
    "a poll that is too quick": (
        ("    health:", "    poll: 1ms\n    health:"),
        "c.yaml:4:11: got text '1ms'; expected between 500ms and 1h",
    ),
    "a threshold that is no percentage": (
        ("version: 1", "version: 1\nregression: {threshold: 0.1}"),
        "c.yaml:2:25: got number 0.1; expected a percentage such as 10%",
    ),
    "a window that is too short": (
        ("version: 1", "version: 1\nregression: {window: 5m}"),
        "c.yaml:2:22: got text '5m'; expected between 1h and 31d",
    ),
    "a mistyped key of regressions": (
        ("version: 1", "version: 1\nregression: {treshold: 10%}"),
        "c.yaml:2:14: unknown key 'treshold'; did you mean threshold?",
    ),
    "a key that this version doesn't have": (
        ("version: 1", "version: 1\npages: {}"),
        f"c.yaml:2:1: unknown key 'pages'; expected {listed(Config.model_fields)}",
    ),
    "a value of JSON that is no JMESPath": (
        ("    agent:", "    metrics: [{url: http://h/m, values: {threads: 'a.['}}]\n    agent:"),
        (
            "c.yaml:5:51: not a JMESPath expression; expected a path into the JSON answer such as"
            " overall_score or data.uptime_sec"
        ),
    ),
    "a time of JSON that is no JMESPath": (
        (
            "    agent:",
            "    metrics: [{url: http://h/m, values: {threads: {path: a, at: '['}}}]\n    agent:",
        ),
        (
            "c.yaml:5:65: not a JMESPath expression; expected a path into the JSON answer such as"
            " overall_score or data.uptime_sec"
        ),
    ),
    "a relay of a target without an agent": (
        (
            "    agent: {url: http://127.0.0.1:9108}",
            "    metrics: [{relay: dashboard, values: {threads: threads}}]",
        ),
        (
            "c.yaml:5:23: a relay is a service of the target's agent, and it has none;"
            " add agent: to the target, or give a url"
        ),
    ),
    "a second look through a relay, without an agent": (
        (
            "status: status}\n    agent: {url: http://127.0.0.1:9108}",
            "status: status, relay: health}",
        ),
        (
            "c.yaml:4:76: a relay is a service of the target's agent, and it has none;"
            " add agent: to the target, or remove it"
        ),
    ),
    "a second look through a relay that is written wrong": (
        ("status: status}", "status: status, realy: health}"),
        "c.yaml:4:69: unknown key 'realy'; did you mean relay?",
    ),
    "a second look where a Prometheus is asked": (
        ("status: status}", "promql: up, relay: health}"),
        (
            "c.yaml:4:13: got a mapping; expected relay or promql, not both: an agent relays no"
            " Prometheus"
        ),
    ),
    "a source of metrics with two places": (
        (
            "    agent:",
            "    metrics: [{url: http://h/, relay: d, values: {threads: a}}]\n    agent:",
        ),
        "c.yaml:5:15: got a mapping; expected exactly one of url and relay",
    ),
    "labels where lines have none": (
        (
            "    agent:",
            (
                "    metrics: [{url: http://h/m, format: text, values: {threads: {path: t, labels: {a: b}}}}]"
                "\n    agent:"
            ),
        ),
        "c.yaml:5:75: lines have labels in the prometheus format, this source is text",
    ),
    "an age that nothing tells": (
        (
            "    agent:",
            (
                "    metrics: [{url: http://h/m, format: text, values: {threads: {path: t, max_age: 1h}}}]"
                "\n    agent:"
            ),
        ),
        (
            "c.yaml:5:75: nothing says how old a line of text is;"
            " add at: with the name of the line that holds the time"
        ),
    ),
    "a range the wrong way round": (
        (
            "    agent:",
            "    metrics: [{url: http://h/m, values: {threads: {path: t, range: [9, 1]}}}]\n    agent:",
        ),
        "c.yaml:5:68: got a list; expected the lowest value, then the highest",
    ),
    "a range of one number": (
        (
            "    agent:",
            "    metrics: [{url: http://h/m, values: {threads: {path: t, range: [9]}}}]\n    agent:",
        ),
        "c.yaml:5:68: got a list; expected two numbers: the lowest value, then the highest",
    ),
    "a metadata service": (
        ("http://127.0.0.1:9108", "http://169.254.169.254"),
        (
            "c.yaml:5:18: got text 'http://169.254.169.254'; expected a URL that the bot may ask:"
            " it is a link-local address, where clouds keep their metadata service"
        ),
    ),
    "a port that can't be": (
        ("http://127.0.0.1:9108", "http://127.0.0.1:99999"),
        (
            "c.yaml:5:18: got text 'http://127.0.0.1:99999'; expected a URL with a host, and a port"
            " from 1 to 65535 if any"
        ),
    ),
    "two ways to be known": (
        ("    agent:", "    auth: {bearer: x, hmac_sha256: {secret: y}}\n    agent:"),
        "c.yaml:5:11: got a mapping; expected exactly one of hmac_sha256 and bearer",
    ),
    "a token that no header may hold": (
        ("    agent:", '    auth: {bearer: "two\\nlines"}\n    agent:'),
        (
            "c.yaml:5:20: got text; expected a token: ASCII characters that can be printed, no spaces"
        ),
    ),
    "a password in a URL": (
        ("http://127.0.0.1:9108", "http://me:hunter2@host:9108"),
        (
            "c.yaml:5:18: got text 'http://***@host:9108'; expected a URL without a user name or"
            " password in it"
        ),
    ),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_is_refused_is_said_at_its_place(change: tuple[str, str], expected: str) -> None:
    assert change[0] in GOOD
    assert first_lines(GOOD.replace(*change, 1)) == [expected]


def test_wrong_names_and_wrong_types_are_told_together() -> None:
    text = GOOD.replace("default: page", "default: x").replace("version: 1", "version: 2")
    assert first_lines(text) == [
        "c.yaml:1:10: got number 2; expected 1",
        "c.yaml:7:12: there is no policy of this name; add it below escalation.policies",
    ]


def test_an_empty_agent_token_means_none() -> None:
    text = GOOD.replace("9108}", '9108, token: "${IORA_AGENT_TOKEN:-}"}')
    agents = [
        load_config_text(text, "c.yaml", environ).targets["iora"].agent
        for environ in ({}, {"IORA_AGENT_TOKEN": "x"})
    ]
    tokens = [agent.token.get_secret_value() if agent and agent.token else None for agent in agents]
    assert tokens == [None, "x"]


def test_a_good_config_gives_no_note() -> None:
    assert notes(GOOD) == []


NOTES = {
    "nobody has a role": (
        ("roles: {responder: [U01ALICE], commander: [U01ALICE, cli:alice]}", ""),
        (
            "note: roles: nobody has a role: only who was paged may mitigate, resolve or change"
            " severity; name responders and commanders"
        ),
    ),
    "there is no last resort": (
        ('  last_resort: ["user:U01ALICE"]\n', ""),
        (
            "note: escalation.policies.page: when nobody answers its repeats, nobody else is told;"
            " set escalation.last_resort"
        ),
    ),
    "a policy is never followed": (
        ("  policies:\n", "  policies:\n    x: {levels: [{after: 0s, notify: [channel]}]}\n"),
        (
            "note: escalation.policies.x: neither default nor by_severity names it: its levels never"
            " fire"
        ),
    ),
    "no policy pings anybody": (
        (', "group:engineering"', ""),
        (
            "note: escalation: no policy in use pings a person: incidents are only announced in the"
            " channel; add user: or group: to a level's notify"
        ),
    ),
    "two targets have one URL": (
        (
            "escalation:\n",
            (
                '  b: {health: {url: http://127.0.0.1:8080/api/health}, agent: {url: "http://[::1]:1"}}\n'
                "escalation:\n"
            ),
        ),
        "note: targets.b.health.url: the same URL as iora's",
    ),
    "nothing measures CPU and memory": (
        ("    agent: {url: http://127.0.0.1:9108}\n", ""),
        (
            "note: targets.iora: no agent, so nothing measures memory_mb and cpu_percent;"
            " run `iora agent` on its host and add agent:"
        ),
    ),
    "a distant agent without a token": (
        ("http://127.0.0.1:9108", "http://iora.internal:9108"),
        (
            "note: targets.iora.agent: no token: an agent beyond loopback doesn't start without one;"
            ' add token: "${IORA_AGENT_TOKEN}"'
        ),
    ),
    "no agent, and a source gives only one of its metrics": (
        (
            "    agent: {url: http://127.0.0.1:9108}",
            "    metrics: [{url: http://h/m, values: {memory_mb: rss}}]",
        ),
        (
            "note: targets.iora: no agent, so nothing measures cpu_percent;"
            " run `iora agent` on its host and add agent:"
        ),
    ),
    "a metric's name that looks like another's": (
        ("    agent:", "    metrics: [{url: http://h/m, values: {overal_score: s}}]\n    agent:"),
        (
            "note: targets.iora.metrics[0].values.overal_score: a metric of your own, shown only"
            " where it has a bound; did you mean overall_score?"
        ),
    ),
    "an answer with metrics that may outlast the poll": (
        (
            "    agent:",
            "    metrics: [{url: http://h/m, timeout: 30s, values: {threads: t}}]\n    agent:",
        ),
        (
            "note: targets.iora.metrics[0].timeout: one answer may take longer than the time between"
            " polls; make it shorter than poll"
        ),
    ),
    "a token that others can read on its way": (
        (
            "    agent:",
            (
                "    metrics: [{url: http://h/m, values: {threads: t}}]\n"
                "    auth: {bearer: x}\n    agent:"
            ),
        ),
        (
            "note: targets.iora.auth: sent over http:// beyond this machine, where others on the way"
            " can read it; use https://"
        ),
    ),
    "a baseline that nothing measures": (
        ("version: 1\n", "version: 1\nbaselines: {throughput_rps: {above: 5}}\n"),
        "note: baselines.throughput_rps: nothing gives this metric: it is shown as not measured",
    ),
    "polls that are too rare for P95": (
        ("    health:", "    poll: 1m\n    health:"),
        (
            "note: targets.iora.poll: polled every 60 s, fewer than 10 times in 5 min: P95 and"
            " error rate stay unknown; poll more often, or make window longer"
        ),
    ),
    "more samples than an hour has": (
        ("version: 1\n", "version: 1\nregression: {min_samples: 200}\n"),
        (
            "note: regression.min_samples: iora is read every 30 s, fewer than 200 times in 60 min: no"
            " baseline can be learned; poll more often, or make min_samples smaller"
        ),
    ),
    "an answer that may outlast the poll": (
        ("    health:", "    poll: 5s\n    health:"),
        (
            "note: targets.iora.health.timeout: one answer may take longer than the time between"
            " polls; make it shorter than poll"
        ),
    ),
}


@pytest.mark.parametrize(("change", "expected"), NOTES.values(), ids=NOTES.keys())
def test_what_is_unwise_becomes_a_note(change: tuple[str, str], expected: str) -> None:
    assert change[0] in GOOD
    assert notes(GOOD.replace(*change, 1)) == [expected]


def test_a_bound_may_name_a_metric_that_a_source_gives() -> None:
    source = "    metrics: [{url: http://h/m, values: {queue_length: q}}]\n    agent:"
    bound = "version: 1\nbaselines: {queue_length: {below: 10}}"
    text = GOOD.replace("    agent:", source).replace("version: 1", bound)
    assert notes(text) == []
    assert first_lines(text.replace("queue_length: {", "queue_lenght: {")) == [
        "c.yaml:2:13: no metric is called 'queue_lenght'; did you mean queue_length?"
    ]


def test_the_shipped_config_loads_with_an_empty_environment() -> None:
    config = load_config(ROOT / "config.yaml", {})
    assert findings(config) == ()


def test_the_shipped_agent_config_loads_with_an_empty_environment() -> None:
    assert load(ROOT / "agent.yaml", AgentConfig, {}).process.port == 8080

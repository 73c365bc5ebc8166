"""`intake:` of the config: what each key means, and what is refused at its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config, load_config_text
from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.intake import AlertmanagerSource, JsonSource

ENVIRON = {"PROM": "a-prometheus-token", "CI": "a-builds-token", "NIGHT": "a-nightly-token"}
GOOD = """\
version: 1
targets:
  iora:
    health: {url: http://127.0.0.1:8080/api/health}
    agent: {url: http://127.0.0.1:9108}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies:
    page: {levels: [{after: 0s, notify: ["user:U01ALICE"]}]}
roles: {responder: [U01ALICE]}
intake:
  sources:
    prometheus:
      kind: alertmanager
      token: "${PROM}"
      group_by: [alertname]
      severities: {P1: sev1}
    builds:
      kind: json
      token: "${CI}"
      items: builds
      map: {title: message, fingerprint: id, status: state, target: service, labels: {branch: ref}}
      firing: [failed]
      resolved: [passed, fixed]
      group_by: [branch]
      severity: sev3
      policy: page
      runbook: high-cpu-usage
      open: suggest
      rate: 20
      size: 100KB
  heartbeats:
    nightly: {every: 24h, grace: 1h, token: "${NIGHT}", target: iora, severity: sev3}
"""


def loaded(text: str) -> Config:
    return load_config_text(text, "c.yaml", ENVIRON)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


def test_sources_and_jobs_are_read_with_what_they_leave_out() -> None:
    intake = loaded(GOOD).intake
    prometheus, builds = intake.sources["prometheus"], intake.sources["builds"]
    assert isinstance(prometheus, AlertmanagerSource)
    assert isinstance(builds, JsonSource)
    assert (prometheus.rate, prometheus.size, prometheus.open) == (1_000, 4_000_000, "declare")
    assert (builds.rate, builds.size, builds.open) == (20, 100_000, "suggest")
    assert intake.heartbeats["nightly"].every == 86_400_000


def test_without_intake_nothing_is_taken() -> None:
    intake = loaded(GOOD[: GOOD.index("intake:")]).intake
    assert (intake.sources, intake.heartbeats) == ({}, {})


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.SEV2),
        ("Warning", Severity.SEV3),
        ("info", Severity.SEV4),
        ("sev1", Severity.SEV1),
        ("p1", Severity.SEV1),
        ("unheard-of", None),
    ],
)
def test_a_word_of_severity_means_what_the_source_says_or_what_is_usual(
    word: str, severity: Severity | None
) -> None:
    assert loaded(GOOD).intake.sources["prometheus"].severity_of(word) == severity


def test_a_word_of_status_means_firing_unless_it_is_resolved_or_the_words_are_named() -> None:
    sources = loaded(GOOD).intake.sources
    words = ("resolved", "firing", "anything", "OK")
    assert [sources["prometheus"].means(word) for word in words] == [False, True, True, False]
    words = ("FAILED", "passed", "running")
    assert [sources["builds"].means(word) for word in words] == [True, False, None]


MISTAKES = {
    "an expression that can't be read": (
        ("title: message,", "title: 'message[',"),
        (
            "c.yaml:23:20: not a JMESPath expression; expected a path into what is sent, such as message or"
            " labels.service"
        ),
    ),
    "items that can't be read": (
        ("items: builds", "items: '[['"),
        (
            "c.yaml:22:14: not a JMESPath expression; expected a path into what is sent, such as message or"
            " labels.service"
        ),
    ),
    "a part of an alert that there is none of": (
        ("title: message,", "titel: message,"),
        "c.yaml:23:13: unknown key 'titel'; did you mean title?",
    ),
    "a token of two senders": (
        ('token: "${CI}"', 'token: "${PROM}"'),
        "c.yaml:21:14: the token of prometheus already; give each sender one of its own",
    ),
    "a job's token that is a source's": (
        ('token: "${NIGHT}"', 'token: "${CI}"'),
        "c.yaml:34:45: the token of builds already; give each sender one of its own",
    ),
    "a policy that there is not": (
        ("policy: page", "policy: pages"),
        "c.yaml:28:15: there is no policy of this name; did you mean page?",
    ),
    "a target that there is not": (
        ("target: iora, sev", "target: ioar, sev"),
        "c.yaml:34:65: there is no target of this name; did you mean iora?",
    ),
    "a label that nothing gives": (
        ("group_by: [branch]", "group_by: [branhc]"),
        "c.yaml:26:18: there is no label of this name; did you mean branch?",
    ),
    "labels of Alertmanager mapped": (
        ("      group_by: [alertname]\n", "      map: {labels: {a: b}}\n"),
        "c.yaml:17:13: Alertmanager's alerts have labels of their own",
    ),
    "a word that means both": (
        ("firing: [failed]", "firing: [failed, Passed]"),
        (
            "c.yaml:24:24: 'Passed' means resolved already: it would never fire; write the words of"
            " `resolved` too, without it"
        ),
    ),
    "the bot's own name": (
        ("    builds:\n", "    heartbeat:\n"),
        "c.yaml:19:5: a source can't be called heartbeat: so the bot calls what it misses itself",
    ),
    "no title": (
        ("title: message, ", ""),
        "c.yaml:23:12: got a mapping; expected at least title, such as {title: message}",
    ),
    "a size that is none": (
        ("size: 100KB", "size: 100"),
        "c.yaml:32:13: got number 100; expected a size from 1KB to 16MB",
    ),
    "a kind that there is not": (
        ("kind: json", "kind: jsn"),
        "c.yaml:20:13: got text 'jsn'; expected alertmanager, json or deploys; did you mean json?",
    ),
    "a job that is asked all the time": (
        ("every: 24h", "every: 5s"),
        "c.yaml:34:22: got text '5s'; expected at least 10s",
    ),
}


@pytest.mark.parametrize(("change", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_what_can_not_be_is_told_at_its_place(change: tuple[str, str], expected: str) -> None:
    assert change[0] in GOOD
    assert expected in problems(GOOD.replace(*change, 1))


def test_a_runbook_that_is_not_in_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "c.yaml").write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml", ENVIRON, tmp_path / "runbooks")
    assert "29:16: there is no runbook of this name" in str(caught.value)


def test_what_the_tour_shows_in_comments_can_be_read() -> None:
    """Uncommented, the examples of `intake` in the shipped config are a config."""
    text = (Path(__file__).parents[2] / "config.yaml").read_text()
    block = text[text.index("\nintake:") : text.index("\n# Ways out")]
    live = re.sub(r"^#(?= )", " ", block, flags=re.MULTILINE)
    live = live.replace("sources: {}", "sources:").replace("heartbeats: {}", "heartbeats:")
    names = dict.fromkeys(re.findall(r"\$\{(\w+)\}", live))
    environ = {name: f"a-token-of-{name}" for name in names}
    config = load_config_text(text.replace(block, live), "config.yaml", environ)
    assert set(config.intake.sources) == {"prometheus", "builds", "ci"}
    assert set(config.intake.heartbeats) == {"nightly-backup"}

"""What a config may ask of a Prometheus is checked where it is written."""

from __future__ import annotations

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config_text
from bot.files.note import findings

FILE = """\
version: 1
targets:
  api-7:
    labels: {instance: "10.0.0.7:9100"}
    health: {url: http://127.0.0.1:9090, promql: 'up{instance="$instance"}'}
    metrics:
      - url: http://127.0.0.1:9090
        format: promql
        values:
          queue: 'queue{host="$target"}'
          memory_mb: {path: 'rss{instance="$instance"}', at: 'timestamp(rss{i="$instance"})', max_age: 1m}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies:
    page: {levels: [{after: 0s, notify: [channel, "user:U01ALICE"]}]}
roles: {responder: [U01ALICE]}
"""

WRONG = {
    "a label that the target lacks": (
        ("$target", "$targt"), ":10:18: the target has no label $targt; did you mean $target?"),
    "a label of health that is like no other": (
        ('up{instance="$instance', 'up{instance="$zone'),
        ":5:50: the target has no label $zone; add it below the target's labels"),
    "a label of the time": (
        ('i="$instance"', 'i="$instanc"'),
        ":11:62: the target has no label $instanc; did you mean $instance?"),
    "an age without the time of the sample": (
        ("at: 'timestamp(rss{i=\"$instance\"})', ", ""),
        ":11:58: a query's answer has the time of the query; add at: with the time of the sample, "),
    "labels beside the expression": (
        ("max_age: 1m", "labels: {a: b}"),
        ":11:95: labels are part of the expression in promql; write them there, such as up{job=\"api\"}"),
    "a relay": (
        ("url: http://127.0.0.1:9090\n        format", "relay: dashboard\n        format"),
        ":7:9: got a mapping; expected url: of a Prometheus, a relay takes no query"),
    "a status word": (
        ("promql: 'up", "status: status, promql: 'up"),
        ":5:13: got a mapping; expected status or promql, not both: a Prometheus has no status word"),
    "a key of health without a Prometheus": (
        ("promql: 'up{instance=\"$instance\"}'", "auth: {bearer: x}"),
        ":5:13: got a mapping; expected auth: beside health:, its own auth is for promql"),
    "a key of a source without a Prometheus": (
        ("format: promql", "auth: {bearer: x}"),
        ":7:9: got a mapping; expected auth: of the target, its own auth is for format promql"),
    "a label that would end the string it stands in": (
        ('"10.0.0.7:9100"', "'a\"b'"),
        ":4:24: got text 'a\"b'; expected a text without quotes and backslashes"),
    "a label's name": (
        ("labels: {instance", "labels: {in-stance"), ":4:14: "),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_place(change, expected):
    assert change[0] in FILE
    with pytest.raises(ConfigError) as caught:
        load_config_text(FILE.replace(*change, 1), "c.yaml", {})
    assert any(str(one).startswith(f"c.yaml{expected}") for one in caught.value.problems), [
        str(one) for one in caught.value.problems
    ]


def notes(text: str) -> list[str]:
    return [str(one) for one in findings(load_config_text(text, "c.yaml", {}))]


def test_a_target_that_is_not_polled_is_no_disappointment():
    said = "\n".join(notes(FILE.replace("labels:", "poll: 10m\n    labels:", 1)))
    assert "P95 and error rate stay unknown" not in said


def test_two_targets_with_one_question_are_told():
    second = "  api-8:\n" + FILE.split("  api-7:\n")[1].split("escalation", maxsplit=1)[0]
    both = FILE.replace("escalation:", f"{second}escalation:", 1)
    assert "note: targets.api-8.health.promql: the same query as api-7's" in notes(both)
    first, _, rest = both.partition("api-8:")
    other = f"{first}api-8:{rest.replace('10.0.0.7', '10.0.0.8')}"
    assert not [one for one in notes(other) if "the same" in one]


def test_a_level_that_asks_for_what_polls_tell_never_fires_without_polls():
    level = "{after: 5m, when: error_rate_percent > 1, notify: [channel]}"
    text = FILE.replace('"user:U01ALICE"]}]}', f'"user:U01ALICE"]}}, {level}]}}')
    assert any("error_rate_percent: this level never fires" in one for one in notes(text))


def test_a_key_that_others_can_read_on_the_way_is_told():
    text = FILE.replace(
        "url: http://127.0.0.1:9090\n", "url: http://p.example:9090\n        auth: {bearer: x}\n"
    )
    told = "note: targets.api-7.metrics[0].auth: sent over http:// beyond this machine"
    assert any(one.startswith(told) for one in notes(text))

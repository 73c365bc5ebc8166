"""What `iora check` says of levels: errors at their place, and notes where they would disappoint somebody."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config, load_config_text
from bot.files.note import findings
from bot.model.policy import Policy

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
    page:
      levels:
        - {after: 0s, notify: [channel, "user:U01ALICE"]}
        - {after: 5m, when: cpu_percent > 90, notify: [channel], reason: "CPU {{ readings.cpu_percent }}"}
      repeat: {every: 15m, times: 3}
roles: {responder: [U01ALICE], commander: [U01ALICE]}
"""


def changed(before: str, after: str) -> str:
    assert before in GOOD
    return GOOD.replace(before, after)


def first_lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config_text(text, "c.yaml", {})
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


WRONG = {
    "a condition that can't be read": (
        ("cpu_percent > 90", "cpu_percent >> 90"),
        "c.yaml:13:42: got '>'; expected a number in % for cpu_percent",
    ),
    "a metric that doesn't exist": (
        ("cpu_percent > 90", "cpu_precent > 90"),
        "c.yaml:13:29: no metric is called 'cpu_precent'; did you mean cpu_percent?",
    ),
    "a unit that doesn't suit": (
        ("cpu_percent > 90", "cpu_percent > 90 MB"),
        "c.yaml:13:46: got 'MB'; expected a number in % for cpu_percent",
    ),
    "what only a run knows": (
        ("cpu_percent > 90", "steps.look.state == ok"),
        "c.yaml:13:29: a level is asked without a run, so it can't speak of steps",
    ),
    "a condition that can never hold": (
        ("cpu_percent > 90", "cpu_percent > 90 and cpu_percent < 10"),
        "c.yaml:13:29: this can never hold: the level would never fire",
    ),
    "a template that names what there isn't": (
        ("readings.cpu_percent", "readings.cpu_precent"),
        "c.yaml:13:82: nothing is known as readings.cpu_precent; did you mean readings.cpu_percent?",
    ),
    "an unknown beginning": (
        ("after: 5m, when", "after: 5m, from: resolved, when"),
        "c.yaml:13:29: got text 'resolved'; expected declared or acknowledged",
    ),
    "a key that doesn't exist": (
        ("after: 5m, when", "after: 5m, after_acknowlege: true, when"),
        "c.yaml:13:23: unknown key 'after_acknowlege'; did you mean after_acknowledge?",
    ),
    "an idle time that nags": (
        ("default: page", "default: page\n  idle: 10s"),
        "c.yaml:8:9: got text '10s'; expected at least 1m",
    ),
    "levels out of order": (
        ("after: 0s", "after: 10m"),
        "c.yaml:12:9: got a list; expected each level at the time of the one before or later",
    ),
    "hours in a zone that doesn't exist": (
        ("repeat: {", "hours: {timezone: Europe/Belin}\n      repeat: {"),
        "c.yaml:14:25: there is no such time zone",
    ),
    "hours that are no time of day": (
        ("repeat: {", 'hours: {timezone: UTC, from: "9 o\'clock"}\n      repeat: {'),
        "c.yaml:14:36: ",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str) -> None:
    (before, after), expected = WRONG[case]
    (line,) = first_lines(changed(before, after))
    assert line.startswith(expected), line


def notes(text: str) -> list[str]:
    return [str(note) for note in findings(load_config_text(text, "c.yaml", {}))]


def test_nothing_is_said_of_a_good_one() -> None:
    assert notes(GOOD) == []


NOTES = {
    "a metric that no target has a source for": (
        ("    agent: {url: http://127.0.0.1:9108}\n", ""),
        "no target has a source for cpu_percent: this level never fires",
    ),
    "a change of such a metric": (
        ("when: cpu_percent > 90", "when: throughput_rps.change_5m > 90"),
        "no target has a source for throughput_rps: this level never fires",
    ),
    "working hours of a severe policy": (
        ("repeat: {", "hours: {timezone: UTC}\n      repeat: {"),
        "sev1 and sev2 wait for these hours: nobody is told at night",
    ),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_will_disappoint_somebody_is_a_note(case: str) -> None:
    (before, after), expected = NOTES[case]
    assert any(expected in note for note in notes(changed(before, after)))


def test_a_level_that_another_part_of_its_condition_can_meet_is_no_note() -> None:
    text = changed("when: cpu_percent > 90", "when: cpu_percent > 90 or throughput_rps > 5")
    assert notes(text) == []


def test_the_shipped_config_has_the_two_rules_of_the_guide() -> None:
    policy = load_config(ROOT / "config.yaml", {}).escalation.policies["critical"]
    rules = {
        (level.after, level.asked, level.notify, level.reason, level.after_acknowledge)
        for level in policy.levels
        if level.when is not None
    }
    engineering = ("group:engineering",)
    assert rules == {
        (300_000, "cpu_percent > 90", engineering, "Critical CPU usage", True),
        (300_000, "memory_mb > 1024", engineering, "Critical memory usage", True),
    }


def test_a_policy_is_pinned_and_read_again_as_it_was() -> None:
    text = changed("repeat: {", "hours: {timezone: UTC, days: mon-wed}\n      repeat: {").replace(
        "after: 5m, when", "after: 5m, from: acknowledged, when"
    )
    policy = load_config_text(text, "c.yaml", {}).escalation.policies["page"]
    assert Policy.from_pinned(policy.model_dump(mode="json")) == policy


def test_a_policy_that_an_older_version_pinned_is_still_read() -> None:
    pinned = {
        "levels": [{"after": "0ms", "notify": ["channel"]}],
        "repeat": {"every": "15m", "times": 3},
    }
    assert Policy.from_pinned(pinned).levels[0].begins == "declared"

"""What `iora check` says of detection rules: errors at their place, and notes where they would disappoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.errors import ConfigError
from bot.files.config import load_config, load_config_text
from bot.files.detection_note import detection_notes
from bot.model.detection import Rule
from bot.model.incident import Severity

ROOT = Path(__file__).parents[2]

GOOD = """\
version: 1
targets:
  iora:
    health: {url: http://127.0.0.1:8080/api/health, status: status}
    agent: {url: http://127.0.0.1:9108}
  worker:
    health: {url: http://127.0.0.1:7070/healthz, status: status}
detection:
  - {name: hot, when: cpu_percent > 90, targets: [iora], policy: page}
  - {name: down, when: verdict == down and time.hour > 6, for: 1m, unknown_for: off}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies:
    page:
      levels: [{after: 0s, notify: [channel, "user:U01ALICE"]}]
roles: {responder: [U01ALICE], commander: [U01ALICE]}
"""


def changed(before: str, after: str) -> str:
    assert before in GOOD
    return GOOD.replace(before, after, 1)


def first_lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config_text(text, "c.yaml", {})
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


WRONG = {
    "a condition that can't be read": (
        ("cpu_percent > 90", "cpu_percent >> 90"),
        "c.yaml:9:36: got '>'; expected a number in % for cpu_percent",
    ),
    "a metric that doesn't exist": (
        ("cpu_percent > 90", "cpu_precent > 90"),
        "c.yaml:9:23: no metric is called 'cpu_precent'; did you mean cpu_percent?",
    ),
    "a change of one that doesn't": (
        ("cpu_percent > 90", "cpu_percent > 90 or cpus.change_5m > 1"),
        "c.yaml:9:43: no metric is called 'cpus'",
    ),
    "what only an incident knows": (
        ("cpu_percent > 90", "incident.severity == sev1"),
        "c.yaml:9:23: a rule is asked without an incident or a run, so it can't speak of incident",
    ),
    "what only a run knows": (
        ("cpu_percent > 90", "inputs.x > 90"),
        "c.yaml:9:23: a rule is asked without an incident or a run, so it can't speak of inputs",
    ),
    "a condition that can never hold": (
        ("cpu_percent > 90", "cpu_percent > 90 and cpu_percent < 10"),
        "c.yaml:9:23: this can never hold: the rule would never fire",
    ),
    "a policy that isn't there": (
        ("policy: page}", "policy: pages}"),
        "c.yaml:9:66: there is no policy of this name; did you mean page?",
    ),
    "a target that isn't there": (
        ("targets: [iora]", "targets: [ioro]"),
        "c.yaml:9:51: there is no target of this name; did you mean iora?",
    ),
    "a name that is taken": (
        ("name: down", "name: hot"),
        "c.yaml:10:12: another rule has this name; expected each name once",
    ),
    "a key that doesn't exist": (
        ("for: 1m", "fro: 1m"),
        "c.yaml:10:59: unknown key 'fro'; did you mean for?",
    ),
    "a rule without a condition": (
        ("when: cpu_percent > 90, ", ""),
        "c.yaml:9:5: missing key 'when'",
    ),
    "another way to open": (
        ("for: 1m", "open: page"),
        "c.yaml:10:65: got text 'page'; expected suggest or declare",
    ),
    "a time that is none": (
        ("unknown_for: off", "unknown_for: never"),
        "c.yaml:10:81: got text 'never'; expected off, or a duration such as 30s, 5m, 1h30m or 2d",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str) -> None:
    (before, after), expected = WRONG[case]
    (line,) = first_lines(changed(before, after))
    assert line.startswith(expected), line


def notes(text: str) -> list[str]:
    return [str(note) for note in detection_notes(load_config_text(text, "c.yaml", {}))]


_FIX = "add agent: to it, or name it in the values of its metrics"
NOTES = {
    "a good one": (("name: hot", "name: hot"), []),
    "no source on one target": (
        ("targets: [iora], ", ""),
        [f"nothing measures cpu_percent on worker: this rule never fires there; {_FIX}"],
    ),
    "no source on any": (
        ("targets: [iora]", "targets: [worker]"),
        [f"nothing measures cpu_percent on any target of it: this rule never fires; {_FIX}"],
    ),
    "another part of it can hold": (
        ("cpu_percent > 90, targets: [iora]", "cpu_percent > 90 or verdict == down"),
        [],
    ),
}


@pytest.mark.parametrize("case", NOTES)
def test_where_a_rule_can_never_fire_is_a_note(case: str) -> None:
    (before, after), expected = NOTES[case]
    at = "note: detection[0].when: "
    assert notes(changed(before, after)) == [f"{at}{one}" for one in expected]


def test_what_a_rule_leaves_out_is_sensible() -> None:
    rule = load_config_text(GOOD, "c.yaml", {}).detection[0]
    minute = 60_000
    assert (rule.lasts, rule.clear_for, rule.reopen_within) == (2 * minute, 5 * minute, 30 * minute)
    assert (rule.opens, rule.unknown_for, rule.unknown) == ("suggest", 5 * minute, "suggest")
    assert (rule.severity, rule.runbook) == (None, None)


def test_the_example_of_the_tour_is_a_rule() -> None:
    written = {
        "name": "cpu-critical",
        "when": "cpu_percent > 90",
        "for": "2m",
        "severity": "sev2",
        "runbook": "high-cpu-usage",
        "open": "suggest",
    }
    rule = Rule.model_validate_json(json.dumps(written))
    assert rule.severity is Severity.SEV2
    again = Rule.model_validate_json(rule.model_dump_json())
    assert again.model_dump() == rule.model_dump()


def test_the_tour_has_the_rules_of_the_guide_and_for_bad_verdicts_and_their_runbooks_are_there() -> (
    None
):
    config = load_config(ROOT / "config.yaml", {}, ROOT / "runbooks")
    rules = {rule.name: str(rule.when) for rule in config.detection}
    assert rules == {
        "cpu-critical": "cpu_percent > 90",
        "memory-critical": "memory_mb > 1024",
        "down": "verdict == down",
        "failing": "verdict == unhealthy",
    }
    assert list(detection_notes(config)) == []


def run_check(folder: Path) -> str:
    result = CliRunner().invoke(main, ["check", "--config", str(folder / "c.yaml")])
    return result.output


def test_a_runbook_that_is_not_there_is_told_by_the_check(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(changed("name: hot", "name: hot, runbook: coffee"))
    assert "c.yaml:9:26: there is no runbook of this name; add it to" in run_check(tmp_path)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "coffees.yaml").write_text("id: coffees\n")
    assert "did you mean coffees?" in run_check(tmp_path)


def test_the_check_says_how_many_rules_there_are(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(GOOD)
    assert "; 2 rules of detection" in run_check(tmp_path)

"""Runbooks are read whole, or every problem of every file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.runbooks import load_runbooks

ROOT = Path(__file__).parents[2]

GOOD = """\
schema: runbook/v1
id: quick
title: Quick
version: 1
inputs: {minutes: {type: duration, default: 5m}}
defaults: {on_failure: continue}
steps:
  - {id: look, title: Look, kind: check, of: health, on_failure: decide}
  - {id: decide, title: Decide, kind: checklist, items: [{text: Decide, note: true}]}
"""

WRONG = {
    "an id that is not the file's name": (
        ("id: quick", "id: quik"),
        "quick.yaml:2:5: got text 'quik'; expected the file's name, quick",
    ),
    "a kind that comes later": (
        ("kind: check,", "kind: probe,"),
        (
            "quick.yaml:8:35: steps of the kind probe are not offered by this version;"
            " expected check or checklist"
        ),
    ),
    "a kind that doesn't exist": (
        ("kind: check,", "kind: chek,"),
        "quick.yaml:8:35: got text 'chek'; expected check or checklist; did you mean check?",
    ),
    "a step without a kind": (
        ("kind: check, ", ""),
        "quick.yaml:8:5: missing key 'kind'",
    ),
    "a key of another kind": (
        ("of: health", "items: []"),
        (
            "quick.yaml:8:42: unknown key 'items'; expected id, title, text, timeout, on_failure,"
            " always, kind or of"
        ),
    ),
    "a step id that comes twice": (
        ("id: decide", "id: decide, title: Decide, kind: check}\n  - {id: decide"),
        "quick.yaml:10:10: an earlier step has the id 'decide' too",
    ),
    "a failure that leads nowhere": (
        ("on_failure: decide", "on_failure: decde"),
        (
            "quick.yaml:8:66: got text 'decde'; expected stop, continue, escalate or a later step's"
            " id; did you mean decide?"
        ),
    ),
    "a failure that leads back": (
        ("kind: checklist", "kind: checklist, on_failure: look"),
        "quick.yaml:9:62: got text 'look'; expected stop, continue, escalate or a later step's id",
    ),
    "a checklist without items": (
        ("[{text: Decide, note: true}]", "[]"),
        "quick.yaml:9:57: nothing in it; expected at least 1 item",
    ),
    "a default of another type": (
        ("default: 5m", "default: soon"),
        "quick.yaml:5:45: got text 'soon'; expected a duration such as 30s, 5m, 1h30m or 2d",
    ),
    "another schema": (
        ("runbook/v1", "runbook/v2"),
        "quick.yaml:1:9: got text 'runbook/v2'; expected runbook/v1; did you mean runbook/v1?",
    ),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_runbook_is_told_at_its_place(
    tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    assert change[0] in GOOD
    (tmp_path / "quick.yaml").write_text(GOOD.replace(*change, 1))
    with pytest.raises(ConfigError) as caught:
        load_runbooks(tmp_path)
    told = [str(problem).split("\n")[0] for problem in caught.value.problems]
    assert [line.removeprefix(f"{tmp_path}/") for line in told] == [expected]


def test_a_good_runbook_loads(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(GOOD)
    runbook = load_runbooks(tmp_path)["quick"]
    assert [(step.id, step.kind) for step in runbook.steps] == [
        ("look", "check"),
        ("decide", "checklist"),
    ]


def test_references_in_a_runbook_stay_as_written(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(GOOD.replace("title: Look", 'title: "echo ${HOME}"'))
    assert load_runbooks(tmp_path)["quick"].steps[0].title == "echo ${HOME}"


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("x: 1\nschema: [\n")
    with pytest.raises(ConfigError) as caught:
        load_runbooks(tmp_path)
    assert len(caught.value.problems) == 2


def test_a_folder_that_is_not_there_holds_no_runbooks(tmp_path: Path) -> None:
    assert load_runbooks(tmp_path / "none") == {}


def test_the_shipped_runbooks_load() -> None:
    check = load_runbooks(ROOT / "runbooks")["system-health-check"]
    words = " ".join([step.text for step in check.steps] + [str(step) for step in check.steps])
    for command in ("./scripts/health-check.sh", ".overall_score", "jq '.status'"):
        assert command in words

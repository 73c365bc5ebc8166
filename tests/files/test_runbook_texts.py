"""What a template may name is what a run shows it, no less and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.problem import Problem
from bot.files.runbook_texts import ABOUT
from bot.files.runbooks import load_book
from bot.model.run import Progress, Run, RunState, StepRun, StepState
from bot.model.runbook import Runbook
from bot.rules import facts
from tests.support.configs import config
from tests.support.incidents import incident
from tests.support.runs import book, step

READING = {"metric": "cpu_percent", "value": 96.0, "unit": "%", "reason": None}


def progress(runbook: Runbook) -> Progress:
    run = Run(
        id=5,
        runbook=runbook.id,
        version=1,
        hash="",
        pinned=runbook.model_dump_json(by_alias=True),
        target="iora",
        incident_id=7,
        by="slack:T01TEAM:U01ALICE",
        inputs={"hold": "5m"},
        state=RunState.RUNNING,
        reason="",
        started_at=0,
        ends_by=1,
        paused_at=None,
        ended_at=None,
    )
    look = StepRun(
        run_id=5, position=0, step="look", state=StepState.OK, output={"readings": [READING]}
    )
    return Progress(run, (look,))


def load(folder: Path, text: str) -> Runbook:
    import yaml

    written = book(
        step("check", "look"),
        step("notify", "tell", to=["channel"], message=text),
        inputs={"hold": {"type": "duration", "default": "5m"}},
    )
    path = folder / "breaker.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return load_book(path, config()).runbook


def test_what_may_be_named_is_what_a_run_shows(tmp_path: Path) -> None:
    shown = facts.shown(progress(load(tmp_path, "hello")), incident(), None)
    groups = {"run": shown["run"], "incident": shown["incident"]}
    named = {f"{group}.{name}" for group, values in groups.items() for name in values}
    assert named | {"target"} == ABOUT
    assert shown.keys() == {"target", "run", "incident", "inputs", "readings", "steps"}


@pytest.mark.parametrize(
    "name",
    [
        *sorted(ABOUT),
        "inputs.hold",
        "readings.cpu_percent",
        "steps.look.state",
        "steps.look.text",
        "steps.look.reason",
        "steps.look.cpu_percent",
    ],
)
def test_whatever_may_be_named_has_a_value(tmp_path: Path, name: str) -> None:
    from bot.template import render_plain

    runbook = load(tmp_path, f"{{{{ {name} }}}}")
    shown = facts.shown(progress(runbook), incident(), None)
    assert render_plain(f"{{{{ {name} }}}}|", shown).endswith("|")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("steps.tell.state", "a step can't speak of its own result before it is done"),
        ("steps.look.findings", "nothing is known as steps.look.findings"),
        ("incident.owner", "nothing is known as incident.owner"),
        ("config.roles", "nothing is known as config"),
        ("inputs.held", "there is no input 'held'; did you mean inputs.hold?"),
        ("readings.cpu_prcent", "did you mean readings.cpu_percent?"),
    ],
)
def test_whatever_else_is_named_is_refused(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"It is {{{{ {name} }}}} now")
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    assert expected in problem.message
    assert problem.source_line[problem.caret :].startswith(name)

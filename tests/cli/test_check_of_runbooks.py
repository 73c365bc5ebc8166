"""``iora check`` reads the runbooks with the config; ``schema`` prints what a file may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import main
from tests.support.agents import TOKEN, agent, write
from tests.support.runs import book, step

CONFIG = """\
version: 1
targets:
  iora: {health: {url: "http://127.0.0.1:9/health"}, agent: {url: "%s", token: "%s"}}
escalation: {default: page, policies: {page: {levels: [{after: 0s, notify: ["user:U01ALICE"]}]}}}
roles: {commander: [U01ALICE]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("IORA_CONFIG", "IORA_RUNBOOKS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG % ("http://127.0.0.1:9", TOKEN))
    return tmp_path


def iora(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def put(folder: Path, *steps: dict[str, object]) -> None:
    text = yaml.safe_dump(book(*steps), sort_keys=False)
    (folder / "breaker.yaml").write_text(text)


def test_a_runbook_is_checked_against_the_config(folder: Path) -> None:
    put(folder / "runbooks", step("check", "look", target="iroa"))
    result = iora("check")
    assert result.exit_code == 1
    assert "there is no target of this name; did you mean iora?" in result.output
    told = json.loads(iora("check", "--json").output)["problems"]
    assert [(one["path"], one["near"]) for one in told] == [("runbooks/breaker.yaml", "iora")]


def test_a_broken_config_hides_no_problem_of_a_runbook(folder: Path) -> None:
    (folder / "config.yaml").write_text("version: 2\n")
    put(folder / "runbooks", step("check", "look", when="steps.look.state == ok"))
    result = iora("check")
    assert "config.yaml:1:10: got number 2" in result.output
    assert "a step can't speak of its own result before it is done" in result.output


def test_what_nobody_offers_is_a_note_and_no_finding(folder: Path) -> None:
    put(folder / "runbooks", step("action", "breaker", action="open"))
    result = iora("check")
    assert result.exit_code == 0
    assert "note: runbooks: iora has no actions: a person does by hand" in result.output


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_folder_of_runbooks_may_be_another(
    folder: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "other").mkdir()
    put(folder / "other", step("check", "look", target="iroa"))
    assert iora("check").exit_code == 0
    monkeypatch.setenv("IORA_RUNBOOKS", "other" if by == "environment" else "nowhere")
    result = iora("check", *(("--runbooks", "other") if by == "option" else ()))
    assert "other/breaker.yaml" in result.output


def test_the_live_check_asks_the_agent_which_probes_it_offers(folder: Path) -> None:
    put(
        folder / "runbooks",
        step("probe", "load", probe="uptime"),
        step("probe", "profile", probe="perf-record"),
    )
    missing = "note: runbooks: iora offers no probe perf-record"
    agent_file = write(folder, "port: 1", more="probes: {uptime: {argv: [uptime]}}\n")
    with agent(agent_file) as running:
        (folder / "config.yaml").write_text(CONFIG % (running.url, TOKEN))
        assert missing not in iora("check").output
        live = iora("check", "--live").output
    assert missing in live
    assert "probe uptime" not in live


def test_of_an_agent_that_does_not_answer_no_probe_is_said_to_be_missing(folder: Path) -> None:
    put(folder / "runbooks", step("probe", "load", probe="uptime"))
    assert "offers no probe" not in iora("check", "--live").output


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (("check", "--schema"), "Config"),
        (("check", "--schema", "config"), "Config"),
        (("check", "--schema", "agent"), "AgentConfig"),
        (("check", "--schema", "runbook"), "Runbook"),
        (("runbooks", "schema"), "Runbook"),
    ],
)
def test_a_schema_is_printed_without_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], title: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = iora(*words)
    assert result.exit_code == 0
    assert json.loads(result.output)["title"] == title


def test_another_schema_is_wrong_use(folder: Path) -> None:
    assert iora("check", "--schema", "workspace").exit_code == 2

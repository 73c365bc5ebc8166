"""Runbooks are read whole, with the text that they were written in, or every problem is told."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.problem import Problem
from bot.files.runbooks import load_books
from bot.model.run import StepState
from bot.model.runbook import Runbook

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


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_books(folder)
    return [one for one in caught.value.problems if isinstance(one, Problem)]


def test_a_good_runbook_loads(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(GOOD)
    runbook = load_books(tmp_path)["quick"].runbook
    assert [(step.id, step.kind) for step in runbook.steps] == [
        ("look", "check"),
        ("decide", "checklist"),
    ]


def test_a_book_keeps_the_text_and_its_hash_so_that_a_run_can_pin_them(tmp_path: Path) -> None:
    path = tmp_path / "quick.yaml"
    path.write_bytes(GOOD.replace("Quick", "Quíck").replace("\n", "\r\n").encode())
    book = load_books(tmp_path)["quick"]
    assert book.source.encode() == path.read_bytes()
    assert book.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert book.path == str(path)
    assert Runbook.from_pinned(book.runbook.model_dump_json(by_alias=True)) == book.runbook


def test_references_in_a_runbook_stay_as_written(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(GOOD.replace("title: Look", 'title: "echo ${HOME}"'))
    assert load_books(tmp_path)["quick"].runbook.steps[0].title == "echo ${HOME}"


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("x: 1\nschema: [\n")
    assert [Path(one.path).name for one in problems(tmp_path)] == ["a.yaml", "b.yaml"]


def test_a_folder_that_is_not_there_holds_no_runbooks(tmp_path: Path) -> None:
    assert load_books(tmp_path / "none") == {}


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "runbooks").write_text("")
    assert "expected a folder" in str(problems(tmp_path / "runbooks")[0])


def test_two_files_with_one_id_are_told(tmp_path: Path) -> None:
    for suffix in ("yaml", "yml"):
        (tmp_path / f"quick.{suffix}").write_text(GOOD)
    (told,) = problems(tmp_path)
    assert str(told).startswith(f"{tmp_path}/quick.yml: the id 'quick' is quick.yaml's too")


def test_files_that_are_no_runbooks_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(GOOD)
    (tmp_path / "README.md").write_text("# Runbooks")
    (tmp_path / "old.yaml.bak").write_text("[")
    assert list(load_books(tmp_path)) == ["quick"]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _holding(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def _steps(count: int) -> bytes:
    return GOOD.split("  - ", maxsplit=1)[0].encode() + b"".join(
        b"- {id: s%d, title: S, kind: analyze, on_failure: nowhere, when: steps.x.state == ok}\n"
        % n
        for n in range(count)
    )


BOMB = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
PYTHON = '!!python/object/apply:os.system ["touch HERE"]'

NASTY = {
    "an empty file": (_holding(b""), "the file is empty"),
    "only a comment": (_holding(b"# nothing\n"), "the file is empty"),
    "no UTF-8": (_holding(GOOD.encode() + b"# \xff\n"), ":10:3: byte 0xff is not UTF-8"),
    "UTF-16": (_holding(GOOD.encode("utf-16")), ":1:1: byte 0xff is not UTF-8"),
    "zeros": (_holding(bytes(1000)), ":1:1: a control character"),
    "ten megabytes": (_holding(b"# " + b"x" * 10_000_000), "too large"),
    "10,000 steps": (_holding(_steps(10_000)), "too large"),
    "2,500 steps": (_holding(_steps(2_500)), "expected at most 60 items"),
    "an alias bomb": (_holding(f"a0: &a0 x\n{BOMB}\n".encode()), ":1:5: an anchor"),
    "an alias to itself": (_holding(b"steps: &a [*a]\n"), "an anchor"),
    "a merge key": (_holding(GOOD.encode() + b"<<: {id: x}\n"), ":10:1: a merge key"),
    "a tag that would run something": (_holding(f"id: {PYTHON}\n".encode()), ":1:5: a tag"),
    "brackets without an end": (_holding(b"[" * 100_000), ":1:21: nested too deep"),
    "maps without an end": (_holding(b"{a: " * 50_000), ":1:81: nested too deep"),
    "a tab": (_holding(GOOD.replace("  - {id: look", "\t- {id: look").encode()), ":8:1: a tab"),
    "two documents": (_holding(f"{GOOD}---\n{GOOD}".encode()), ":10:1: a second document"),
    "a list": (_holding(b"- a\n- b\n"), ":1:1: got a list"),
    "a word": (_holding(b"runbook\n"), ":1:1: got text 'runbook'"),
    "half a character": (_holding(GOOD.encode() + b'x: "\\ud800"\n'), ":10:4: half a character"),
    "a number without an end": (
        _holding(GOOD.replace("version: 1", "version: " + "9" * 5000).encode()),
        ":4:10: ",
    ),
    "a key without an end": (_holding(b"x" * 200_000 + b": 1\n"), ":1:"),
    "a folder": (Path.mkdir, "a folder"),
    "a pipe that nobody fills": (_pipe, "a pipe or a device"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "there is no such file"),
    "a link to itself": (lambda path: path.symlink_to(path), "can't be read"),
    "zeros without an end": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
}


@pytest.mark.parametrize(("write", "expected"), NASTY.values(), ids=NASTY.keys())
def test_a_nasty_file_is_told_soon_and_nothing_of_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runbooks"
    folder.mkdir()
    write(folder / "quick.yaml")
    begun = time.process_time()
    found = problems(folder)
    assert time.process_time() - begun < 15
    assert any(expected in str(one) for one in found), found
    assert all(one.path == str(folder / "quick.yaml") for one in found)
    assert not (tmp_path / "HERE").exists()


def test_every_state_of_a_result_is_a_word_of_conditions() -> None:
    from bot.model.condition import STEP_STATES

    assert {state.value for state in StepState if state.over} == set(STEP_STATES)


def test_the_shipped_runbooks_load() -> None:
    check = load_books(ROOT / "runbooks")["system-health-check"].runbook
    words = " ".join([step.text for step in check.steps] + [str(step) for step in check.steps])
    for command in ("./scripts/health-check.sh", ".overall_score", "jq '.status'"):
        assert command in words

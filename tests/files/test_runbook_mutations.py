"""Whatever becomes of a runbook's file, it loads or says where it is wrong: never anything else."""

from __future__ import annotations

import copy
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.files.problem import Problem
from bot.files.runbooks import load_book
from bot.model.runbook import Runbook
from tests.support.configs import config

ROOT = Path(__file__).parents[2]
CONFIG = config()
TEXTS = [path.read_text() for path in sorted((ROOT / "runbooks").glob("*.yaml"))]
WRITTEN = [yaml.safe_load(text) for text in TEXTS]
PLACED = re.compile(r"[^:]+:\d+:\d+: \S")
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

WORDS = "steps inputs incident time state cpu_percent verdict look unknown severity hour change_5m"
words = st.sampled_from([*WORDS.split(), "change_", "target", "readings", "", "_", "-", "é"])
names = st.lists(words, min_size=1, max_size=4).map(".".join)
literals = st.sampled_from(["90", "-1.5", "5m", "5", "%", "failed", "'x", "'a b'", "1e9", "sev1"])
ops = st.sampled_from(["<", ">", "==", "!=", "=", "<>", "&&", "and", "not"])
conditions = st.recursive(
    st.builds(lambda *parts: " ".join(parts), names, ops, literals),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or", "xor"]), inner),
        st.builds("not {}".format, inner),
        st.builds("unknown({})".format, inner),
    ),
    max_leaves=12,
)
PIECES = """{% for x in steps %}
{% endfor %}
{{ x
}}
{% if
{{ 9 ** 9 ** 9 }}
{{ ''.__class__ }}
{% include 'x' %}
{{ range(10**9) }}
{#
| upper"""
templates = st.lists(
    st.one_of(
        names.map("{{{{ {} }}}}".format),
        st.sampled_from(PIECES.split("\n")),
        st.text(max_size=8),
    ),
    max_size=6,
).map(" ".join)
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    conditions,
    templates,
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.sampled_from(["kind", "id", "that", "text"]), st.text(max_size=5)),
)


def check(text: str | bytes, name: str) -> Runbook | None:
    """Loads it, or holds every problem to what it must say."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_bytes(raw)
        begun = time.process_time()
        try:
            return load_book(path, CONFIG).runbook
        except ConfigError as error:
            lines = len(re.split(rb"\r\n|\r|\n", raw))
            for problem in error.problems:
                assert isinstance(problem, Problem)
                assert problem.text
                if problem.line is not None:
                    assert 1 <= problem.line <= lines
                    assert problem.column is not None
                    assert problem.column >= 1
                    assert PLACED.match(str(problem).removeprefix(folder))
            return None
        finally:
            assert time.process_time() - begun < 20


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below the root."""
    entries = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [one for key, value in entries for one in [(*path, key), *places(value, (*path, key))]]


def holder(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data


def dumped(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, str]:
    """A shipped runbook in which up to three values were replaced, removed, renamed or doubled."""
    data = copy.deepcopy(draw(st.sampled_from(WRITTEN)))
    name = data["id"]
    for _ in range(draw(st.integers(1, 3))):
        found = places(data)
        if not found:
            break
        path = draw(st.sampled_from(found))
        inside, key = holder(data, path), path[-1]
        match draw(st.sampled_from(["replace", "remove", "rename", "double"])):
            case "replace":
                inside[key] = draw(anything)
            case "remove":
                del inside[key]
            case "rename" if isinstance(inside, dict):
                inside[draw(st.text(max_size=8))] = inside.pop(key)
            case "double" if isinstance(inside, list):
                inside.insert(key, copy.deepcopy(inside[key]))
    return dumped(data), name


@QUICK
@given(changed())
def test_a_value_that_was_changed_is_told_or_loads(case: tuple[str, str]) -> None:
    runbook = check(*case)
    if runbook is not None:
        assert Runbook.from_pinned(runbook.model_dump_json(by_alias=True)) == runbook


@QUICK
@given(st.sampled_from(TEXTS), st.data())
def test_a_text_that_was_changed_is_told_or_loads(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(["double", "remove", "indent", "insert", "cut", "noise"])):
        case "double":
            lines.insert(at, lines[at])
        case "remove":
            del lines[at]
        case "indent":
            lines[at] = data.draw(st.sampled_from([" ", "\t", "  "])) + lines[at]
        case "insert":
            lines.insert(at, data.draw(st.text(max_size=20)))
        case "cut":
            lines[at] = lines[at][: len(lines[at]) // 2]
        case "noise":
            column = data.draw(st.integers(0, len(lines[at])))
            noise = data.draw(st.text(min_size=1, max_size=3))
            lines[at] = lines[at][:column] + noise + lines[at][column:]
    check("\n".join(lines), "system-health-check")


@QUICK
@given(st.sampled_from(TEXTS), st.data())
def test_bytes_that_were_changed_are_told_or_load(text: str, data: st.DataObject) -> None:
    raw = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(bytes(raw), "system-health-check")


def small(**more: Any) -> str:
    look = {"id": "look", "title": "Look", "kind": "check"}
    decide = {"id": "decide", "title": "Decide", "kind": "checklist", "items": [{"text": "Decide"}]}
    return json.dumps(
        {
            "schema": "runbook/v1",
            "id": "small",
            "title": "Small",
            "version": 1,
            "inputs": {"target": {"type": "target"}, "hold": {"type": "duration"}},
            "steps": [look, decide | more],
        },
        ensure_ascii=False,
    )


@QUICK
@given(conditions)
def test_a_condition_of_any_words_is_told_in_its_own_text_or_loads(condition: str) -> None:
    check(small(when=condition), "small")


@QUICK
@given(templates)
def test_a_template_of_any_words_is_told_in_its_own_text_or_loads(template: str) -> None:
    check(small(text=template), "small")


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_are_told(raw: bytes) -> None:
    assert check(raw, "small") is None


@QUICK
@given(anything)
def test_anything_as_a_whole_file_is_told(value: Any) -> None:
    assert check(dumped(value), "small") is None

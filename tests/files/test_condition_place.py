"""A wrong condition is shown where it is wrong, however its text was written in YAML."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.files.document import load
from bot.files.place import place
from bot.files.problem import Problem
from bot.model.condition import ConditionText, parse
from bot.model.record import Written


class Sheet(Written):
    when: ConditionText | None = None
    each: tuple[ConditionText, ...] = ()


def problems_of(text: str, folder: Path, environ: dict[str, str] | None = None) -> list[Problem]:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, Sheet, environ or {})
    found = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    assert len(found) == len(caught.value.problems)
    return found


WRITTEN = {
    "plain": "when: cpu_percent > ^high\n",
    "in single quotes": "when: 'cpu_percent > ^high'\n",
    "behind doubled quotes": "when: 'inputs.mode == ''fast'' and cpu_percent > ^high'\n",
    "in double quotes": 'when: "cpu_percent > ^high"\n',
    "behind escapes": 'when: "\\tcpu_percent \\x3e 1 \\u0061nd cpu_percent > ^high"\n',
    "behind a joined line": 'when: "cpu_percent \\\n    > ^high"\n',
    "in a plain value of two lines": "when: memory_mb > 1\n  and cpu_percent > ^high\n",
    "in a folded block": "when: >\n  memory_mb > 1\n  and cpu_percent > ^high\n",
    "in a block with a header": "when: |-  # why\n\n   memory_mb > 1\n   and cpu_percent > ^high\n",
    "in a list": "each:\n  - memory_mb > 1\n  - cpu_percent > ^high\n",
    "in a list of one line": "each: [memory_mb > 1, cpu_percent > ^high]\n",
}


@pytest.mark.parametrize("marked", WRITTEN.values(), ids=WRITTEN)
def test_the_column_points_into_the_text(marked: str, tmp_path: Path) -> None:
    before, _, after = marked.partition("^")
    (problem,) = problems_of(before + after, tmp_path)
    assert problem.line == before.count("\n") + 1
    assert problem.column == len(before.rpartition("\n")[2]) + 1
    assert problem.message == "got 'high'; expected a number in % for cpu_percent"


def test_the_problem_shows_the_line_and_the_suggestion(tmp_path: Path) -> None:
    (problem,) = problems_of("when: incident.status == acknowleged\n", tmp_path)
    assert str(problem).removeprefix(f"{tmp_path}/") == (
        "s.yaml:1:26: got 'acknowleged'; expected open, acknowledged, mitigated or resolved"
        " for incident.status; did you mean acknowledged?\n"
        "    when: incident.status == acknowleged\n"
        "                             ^"
    )


def test_a_text_that_ends_too_soon_is_told_at_its_end(tmp_path: Path) -> None:
    (problem,) = problems_of("when: >\n  cpu_percent >\n\neach: []\n", tmp_path)
    assert (problem.line, problem.column) == (2, 16)


def test_all_wrong_conditions_are_told_at_once(tmp_path: Path) -> None:
    found = problems_of("when: a\neach: [b = 1, c > 1, d > x]\n", tmp_path)
    assert [(one.line, one.column) for one in found] == [(1, 8), (2, 10), (2, 26)]


def test_a_number_is_no_condition(tmp_path: Path) -> None:
    (problem,) = problems_of("when: 5\n", tmp_path)
    assert problem.message == "got number 5; expected a condition such as cpu_percent > 90"


def test_what_the_environment_filled_in_is_not_repeated(tmp_path: Path) -> None:
    (problem,) = problems_of("when: cpu_percent > ${LIMIT}\n", tmp_path, {"LIMIT": "hunter"})
    assert (problem.line, problem.column) == (1, 7)
    assert "hunter" not in str(problem)
    assert problem.expected == "a number in % for cpu_percent"


def test_a_condition_that_the_environment_completes_loads(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("when: cpu_percent > ${LIMIT}\n")
    assert load(path, Sheet, {"LIMIT": "80"}).when == parse("cpu_percent > 80")


@given(
    st.text(alphabet="ab '\"\\\n\t#:-é\x07", min_size=1, max_size=60),
    st.sampled_from([None, "'", '"', "|", ">"]),
)
def test_every_character_of_a_value_is_found_where_it_was_written(value: str, style: str) -> None:
    written = yaml.dump(value, default_style=style, width=12, allow_unicode=True)
    (scalar,) = [event for event in yaml.parse(written) if isinstance(event, yaml.ScalarEvent)]
    assume(scalar.value == value)
    assert scalar.start_mark is not None
    assert scalar.end_mark is not None
    written = written[scalar.start_mark.index : scalar.end_mark.index]
    for offset, character in enumerate(value):
        if character not in " \t\n":
            found = place(written, value, offset)
            assert found is not None
            assert written[found] in (character, "\\")


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 40))
def test_a_value_that_was_written_otherwise_has_no_place_or_one_inside(
    written: str, value: str, offset: int
) -> None:
    found = place(written, value, offset)
    assert found is None or 0 <= found <= len(written)

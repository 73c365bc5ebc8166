"""Every file that people write either loads, or says where it is wrong and what was expected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from bot.errors import ConfigError
from bot.files.document import SIZE, load, load_text
from bot.files.problem import Fault, Problem
from bot.files.tree import each
from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.record import Written
from bot.model.units import Duration


class Part(Written):
    url: str = ""
    token: SecretStr | None = None
    pin: SecretStr | None = None
    limit: float | None = None


class Sheet(Written):
    name: str = ""
    every: Duration = 1_000
    on: bool = False
    count: int | None = Field(None, ge=1)
    worst: Severity | None = None
    words: tuple[str, ...] = ()
    numbers: dict[str, float] = {}
    parts: dict[str, Part] = {}
    either: int | bool | None = None


def problems_of(text: str, environ: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "s.yaml", Sheet, environ or {})
    found = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    assert len(found) == len(caught.value.problems)
    return found


NASTY = {
    "an unknown key names the nearest": (
        "nam: x\n",
        "s.yaml:1:1: unknown key 'nam'; did you mean name?\n    nam: x\n    ^",
    ),
    "an unknown key without a near one lists what there is": (
        "parts: {a: {zzz: 1}}\n",
        (
            "s.yaml:1:13: unknown key 'zzz'; expected url, token, pin or limit\n"
            "    parts: {a: {zzz: 1}}\n                ^"
        ),
    ),
    "text is not a number": (
        'numbers: {a: "500"}\n',
        (
            "s.yaml:1:14: got text '500'; expected a number\n"
            '    numbers: {a: "500"}\n                 ^'
        ),
    ),
    "a number is not text": (
        "name: 500\n",
        "s.yaml:1:7: got number 500; expected text; put it in quotes\n    name: 500\n          ^",
    ),
    "yes is a word": (
        "on: yes\n",
        "s.yaml:1:5: got text 'yes'; expected true or false\n    on: yes\n        ^",
    ),
    "a duration has a unit": (
        "every: 30\n",
        (
            "s.yaml:1:8: got number 30; expected a duration such as 30s, 5m, 1h30m or 2d\n"
            "    every: 30\n           ^"
        ),
    ),
    "a word of a list names the nearest": (
        "worst: sev\n",
        "s.yaml:1:8: got text 'sev'; expected sev1, sev2, sev3 or sev4\n    worst: sev\n           ^",
    ),
    "a bound is said": (
        "count: 0\n",
        "s.yaml:1:8: got number 0; expected 1 or more\n    count: 0\n           ^",
    ),
    "alternatives are told together": (
        "either: x\n",
        (
            "s.yaml:1:9: got text 'x'; expected a whole number or true or false\n"
            "    either: x\n            ^"
        ),
    ),
    "a list is not a word": (
        "words: x\n",
        "s.yaml:1:8: got text 'x'; expected a list\n    words: x\n           ^",
    ),
    "an item is found by its place": (
        "words:\n  - a\n  - {}\n",
        "s.yaml:3:5: got an empty mapping; expected text\n      - {}\n        ^",
    ),
    "a mapping is not a list": (
        "- a\n",
        "s.yaml:1:1: got a list; expected a mapping (key: value)\n    - a\n    ^",
    ),
    "a key comes once": (
        "name: a\nname: b\n",
        "s.yaml:2:1: key 'name' is here twice; keep one of them\n    name: b\n    ^",
    ),
    "an anchor is refused": (
        "name: &a x\n",
        (
            "s.yaml:1:7: an anchor (&name); write the value out where it is used\n"
            "    name: &a x\n          ^"
        ),
    ),
    "an alias is refused": (
        "name: *a\n",
        "s.yaml:1:7: an alias (*name); write the value out\n    name: *a\n          ^",
    ),
    "a tag is refused": (
        "name: !!python/object:os.system x\n",
        (
            "s.yaml:1:7: a tag (!name); write the plain value\n"
            "    name: !!python/object:os.system x\n          ^"
        ),
    ),
    "a merge key is refused": (
        "parts: {a: {<<: {url: x}}}\n",
        (
            "s.yaml:1:13: a merge key (<<); write the keys out\n"
            "    parts: {a: {<<: {url: x}}}\n                ^"
        ),
    ),
    "a key is a word": (
        "numbers: {? [a] : 1}\n",
        (
            "s.yaml:1:13: a key that is not a word; expected key: value\n"
            "    numbers: {? [a] : 1}\n                ^"
        ),
    ),
    "infinity is no bound": (
        "numbers: {a: .inf}\n",
        (
            "s.yaml:1:14: a number that is not finite; put it in quotes if it is text\n"
            "    numbers: {a: .inf}\n                 ^"
        ),
    ),
    "a number has an end": (
        "numbers: {a: 1e999}\n",
        (
            "s.yaml:1:14: a number that is too long or too large; put it in quotes if it is text\n"
            "    numbers: {a: 1e999}\n                 ^"
        ),
    ),
    "a tab is seen": (
        "parts:\n\ta: {}\n",
        "s.yaml:2:1: a tab where a value begins; indent with spaces\n     a: {}\n    ^",
    ),
    "a quote that stays open is found where it begins": (
        'name: "a\n\n\n',
        's.yaml:1:7: a quote that is never closed; close it\n    name: "a\n          ^',
    ),
    "a bracket that stays open is found where it begins": (
        "words: [a,\nb\nname: c\n",
        "s.yaml:1:8: a { or [ that is never closed; close it\n    words: [a,\n           ^",
    ),
    "an unquoted reference in braces says so": (
        "parts: {a: {url: ${X}}}\n",
        (
            "s.yaml:1:19: a character that can't stand here; put text with { } [ ] , or ? such as"
            " ${NAME} in quotes\n    parts: {a: {url: ${X}}}\n                      ^"
        ),
    ),
    "a wrong indentation is seen": (
        "parts:\n  a: {}\n name: x\n",
        (
            "s.yaml:3:2: this doesn't line up with the lines above; "
            "mend the indentation, or close a quote further up\n"
            "     name: x\n     ^"
        ),
    ),
    "a control character is named": (
        "name: a\x1b[31m\n",
        "s.yaml:1:8: a control character (U+001B); remove it\n    name: a [31m\n           ^",
    ),
    "an impossible escape is found": (
        'name: "\\UFFFFFFFF"\n',
        (
            "s.yaml:1:8: an escape or a directive that can't be read; remove it\n"
            '    name: "\\UFFFFFFFF"\n           ^'
        ),
    ),
    "half a character is refused": (
        'name: "\\ud800"\n',
        's.yaml:1:7: half a character (a lone surrogate)\n    name: "\\ud800"\n          ^',
    ),
    "one document is enough": (
        "name: a\n---\nname: b\n",
        "s.yaml:2:1: a second document; keep one document, without '---'\n    ---\n    ^",
    ),
    "an empty file is said to be empty": (
        "# nothing\n",
        "s.yaml: the file is empty; it starts with 'name:'",
    ),
    "an unset name is found inside its text": (
        'name: "a ${NOPE}"\n',
        (
            "s.yaml:1:10: the environment has no NOPE; set it, or give a default: ${NOPE:-default}\n"
            '    name: "a ${NOPE}"\n             ^'
        ),
    ),
    "a reference that is none is found": (
        'name: "a ${b c}"\n',
        (
            "s.yaml:1:10: a reference that can't be read; expected ${NAME} or ${NAME:-default};"
            ' write $${ for a plain ${\n    name: "a ${b c}"\n             ^'
        ),
    ),
    "a control character in a value can't play with the terminal": (
        'worst: "\\e[31mred"\n',
        (
            "s.yaml:1:8: got text '?[31mred'; expected sev1, sev2, sev3 or sev4\n"
            '    worst: "\\e[31mred"\n           ^'
        ),
    ),
}


@pytest.mark.parametrize(("text", "expected"), NASTY.values(), ids=NASTY.keys())
def test_a_wrong_file_is_told_in_one_line_with_the_place(text: str, expected: str) -> None:
    assert "\n".join(map(str, problems_of(text))) == expected


def test_all_problems_are_told_at_once_in_file_order() -> None:
    text = "worst: x\nnme: a\nparts:\n  a: {limit: b}\ncount: 1.5\nname: *a\n"
    places = [(problem.line, problem.column) for problem in problems_of(text)]
    assert places == [(1, 8), (2, 1), (4, 14), (5, 8), (6, 7)]


def test_a_missing_key_that_was_only_misspelt_is_told_once() -> None:
    class Need(Written):
        target: str

    with pytest.raises(ConfigError) as caught:
        load_text("traget: x\n", "n.yaml", Need, {})
    assert [str(p).split("\n")[0] for p in caught.value.problems] == [
        "n.yaml:1:1: unknown key 'traget'; did you mean target?"
    ]


def test_two_missing_keys_are_two_problems() -> None:
    class Need(Written):
        first: str
        second: str

    with pytest.raises(ConfigError) as caught:
        load_text("{}\n", "n.yaml", Need, {})
    assert [p.text for p in caught.value.problems if isinstance(p, Problem)] == [
        "missing key 'first'",
        "missing key 'second'",
    ]


@pytest.mark.parametrize(
    "written",
    ["yes", "on", "010", "1:30", "0x1f", "2026-01-01", "1_000", "NO", "12:30:45", "1.2.3"],
)
def test_what_yaml_would_reinterpret_stays_as_written(written: str) -> None:
    assert load_text(f"name: {written}\n", "s.yaml", Sheet, {}).name == written


@pytest.mark.parametrize(
    ("written", "value"), [("1", 1.0), ("-2.5", -2.5), ("1e3", 1000.0), ("+7", 7.0), (".5", 0.5)]
)
def test_numbers_are_numbers(written: str, value: float) -> None:
    assert load_text(f"numbers: {{a: {written}}}\n", "s.yaml", Sheet, {}).numbers == {"a": value}


@pytest.mark.parametrize("text", ["\ufeffname: a\r\nwords: [b]\r\n", "name: a\rwords: [b]\r"])
def test_a_byte_order_mark_and_other_line_ends_do_no_harm(text: str) -> None:
    sheet = load_text(text, "s.yaml", Sheet, {})
    assert (sheet.name, sheet.words) == ("a", ("b",))


def test_lines_are_counted_as_editors_count_them() -> None:
    [problem] = problems_of("name: a\u2028b\r\nnme: x\r\n")
    assert (problem.line, problem.column) == (2, 1)


def test_nesting_stops_at_twenty_levels() -> None:
    [problem] = problems_of("words: " + "[" * 25 + "]" * 25)
    assert str(problem).startswith("s.yaml:1:27: nested too deep; expected at most 20 levels")


def test_a_bomb_of_aliases_costs_nothing() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert len(problems_of("\n".join(lines))) > 8


def test_a_long_line_is_shown_around_the_place() -> None:
    [problem] = problems_of(f"words: [{'a, ' * 200}{{}}{', b' * 200}]\n")
    line, caret = str(problem).split("\n")[1:]
    assert line[caret.index("^") :].startswith("{}")
    assert len(line) < 120


def test_a_file_that_was_never_a_config_is_cut_short() -> None:
    found = problems_of("".join(f"k{number}: 1\n" for number in range(500)))
    assert (len(found), str(found[-1])) == (101, "s.yaml: and 400 more problems")


def test_names_of_the_environment_are_filled_in_and_never_parsed_again() -> None:
    environ = {"A": "[1, *x]: ${B}", "EMPTY": ""}
    text = 'name: "<${A}> $${A} ${C:-d} ${EMPTY:-e}${EMPTY}"\n'
    assert load_text(text, "s.yaml", Sheet, environ).name == "<[1, *x]: ${B}> ${A} d e"


def test_a_filled_in_number_stays_text() -> None:
    [problem] = problems_of('count: "${N}"\n', {"N": "5"})
    assert problem.text == "got text '${N}'"


def test_without_an_environment_references_stay_as_written() -> None:
    assert load_text('name: "${A} $${B}"\n', "s.yaml", Sheet, None).name == "${A} $${B}"


def test_checks_see_the_data_beside_the_schemas_problems() -> None:
    def check(data: object) -> list[Fault]:
        return [Fault(at=loc, text="not this") for loc, word in each(data, "words", None)]

    with pytest.raises(ConfigError) as caught:
        load_text("nme: 1\nwords: [a]\n", "s.yaml", Sheet, {}, check)
    assert [p.text for p in caught.value.problems if isinstance(p, Problem)] == [
        "unknown key 'nme'",
        "not this",
    ]


FILES = {
    "a missing file": (None, "there is no such file"),
    "a file over 256 KB": (b"#" * (SIZE + 1), "too large; expected at most 256 KB"),
    "an empty file": (b"", "the file is empty; it starts with 'name:'"),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES.keys())
def test_a_file_that_holds_nothing_to_read_is_one_clear_line(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "s.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, Sheet, {})
    assert str(caught.value) == f"{path}: {message}"


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"name: a\nname: \xff\n")
    with pytest.raises(ConfigError) as caught:
        load(path, Sheet, {})
    assert str(caught.value) == f"{path}:2:7: byte 0xff is not UTF-8; save it as UTF-8"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, Sheet, {})
    assert str(caught.value) == f"{tmp_path}: a folder; expected a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_how_to_give_it(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: a\n")
    path.chmod(0)
    with pytest.raises(ConfigError) as caught:
        load(path, Sheet, {})
    assert str(caught.value) == f"{path}: no permission to read it; chmod u+r {path}"


SECRET = "hunter2hunter2"
LEAKS = {
    "on the line of another problem": f"parts: {{a: {{token: {SECRET}, nope: 1}}}}",
    "in a field that only the schema knows": f"parts: {{a: {{pin: {SECRET}, nope: 1}}}}",
    "under a misspelt key": f"parts: {{a: {{tokn: {SECRET}}}}}",
    "as a default of a reference": f"parts: {{a: {{token: '${{X:-{SECRET}}}', nope: 1}}}}",
    "of the wrong type": f"parts: {{a: {{token: [{SECRET}]}}}}",
    "as a key": f"parts: {{a: {{token: {{{SECRET}: 1}}}}}}",
    "in a second copy of a key": f"parts: {{a: {{token: x, token: {SECRET}}}}}",
    "beside an alias": f"parts: {{a: {{token: {SECRET}, url: *x}}}}",
    "in a file that is no YAML": f'parts: {{a: {{token: "{SECRET}}}}}',
    "in lines of a file that is no YAML": f"token: |\n  {SECRET}\n  b\n {SECRET}: {{\n",
    "in a quote that is never closed": f'x: 1\npassword: "a\n  {SECRET}\n',
    "in a URL": f"parts: {{a: {{limit: 'http://me:{SECRET}@host/'}}}}",
    "from the environment": 'worst: "${S}"\ncount: "${S}"\nevery: "${S}"\nnumbers: {a: "${S}"}',
    "from the environment, in a key's value that is unknown": 'nope: "${S}"',
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS.keys())
def test_a_secret_is_never_shown(text: str) -> None:
    for problem in problems_of(text, {"S": SECRET}):
        assert SECRET not in str(problem)
        assert SECRET not in repr(problem)


def test_a_line_with_a_secret_is_still_shown_with_its_caret() -> None:
    [problem] = problems_of(f"parts: {{a: {{token: {SECRET}, nope: 1}}}}")
    line, caret = str(problem).split("\n")[1:]
    assert line == "    parts: {a: {token: ***, nope: 1}}"
    assert line[caret.index("^") :].startswith("nope")


def test_a_secret_that_is_only_a_reference_is_shown_as_written() -> None:
    [problem] = problems_of('parts: {a: {token: "${S}", nope: 1}}', {"S": SECRET})
    assert problem.source_line == 'parts: {a: {token: "${S}", nope: 1}}'


SOUP = """
name parts a token : [ ] { } ${ } *a &a !x | > ' " \\ # --- ... ? << 1 1e9 .inf null true é
\\ud800 \\U99999999
"""
pieces = st.sampled_from([*SOUP.split(), ": ", "\n", "  ", "- ", "\t", "\ufeff", "\x85", "\u2028"])
texts = st.one_of(st.text(max_size=80), st.lists(pieces, max_size=40).map("".join))


def told(text: str, schema: type[Written]) -> tuple[object, ...]:
    try:
        load_text(text, "any.yaml", schema, {})
    except ConfigError as error:
        return error.problems or ("an error without a problem",)
    return ()


@settings(max_examples=400, deadline=None)
@given(text=texts)
@example(text="%YAML " + "9" * 5000 + ".1\n---\n")
@example(text="? " * 30)
@example(text="numbers: {a: " + "9" * 5000 + "}")
@example(text="%TAG ! tag:x\n--- !y z")
@example(text="*a")
def test_any_text_loads_or_gives_located_problems(text: str) -> None:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in (*told(text, Sheet), *told(text, Config)):
        assert isinstance(problem, Problem)
        str(problem).encode()
        if problem.line is not None and problem.column is not None:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            assert 0 <= problem.caret <= len(problem.source_line)


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(pieces, max_size=12).map("".join),
    after=st.lists(pieces, max_size=12).map("".join),
    quote=st.sampled_from(["", "'", '"']),
)
def test_no_broken_file_gives_a_secret_away(before: str, after: str, quote: str) -> None:
    text = f"{before}\ntoken: {quote}{SECRET}{quote}{after}"
    assert SECRET not in "".join(map(str, told(text, Sheet)))

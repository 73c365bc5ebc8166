"""Texts that people write: what works, what is refused and where, what values can never do."""

from __future__ import annotations

import enum
import re
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from jinja2 import TemplateError
from markupsafe import Markup

from bot.errors import TemplateFailed
from bot.template import (
    MAX_OUTPUT,
    MAX_SOURCE,
    TemplateProblem,
    check,
    render,
    render_mrkdwn,
    render_plain,
)
from bot.template.allowance import Allowance, Trouble
from bot.template.grammar import ENVIRONMENT
from bot.template.rendering import _compiled
from bot.text import from_slack, without_controls

VALUES: dict[str, Any] = {
    "inputs": {"minutes": 5.0, "wait": "45s", "target": "iora", "word": "api"},
    "incident": {"id": "INC-7", "title": "API slow", "severity": "sev2", "drill": False},
    "readings": {
        "cpu_percent": 96.4,
        "response_time_p95_ms": 910.0,
        "memory_mb": None,
        "error_rate_percent": {"value": None, "unit": "%", "reason": "too few samples"},
    },
    "steps": {"metrics": {"state": "ok", "age": 360_000}},
    "findings": [{"title": "cpu", "level": 2}, {"title": "Memory", "level": 1}],
    "people": ["Alice", "Bob"],
    "nothing": [],
    "yes": True,
    "count": 7,
}
KNOWN = [
    "inputs.minutes",
    "inputs.target",
    "incident",
    "readings",
    "steps.metrics.state",
    "steps.metrics.cpu_percent",
    "findings",
]

WORKS = {
    "as it is, braces } and { too": "as it is, braces } and { too",
    "{{ incident.id }}: {{ incident['title'] }}": "INC-7: API slow",
    "hold for {{ inputs.minutes }} min": "hold for 5 min",
    "{{ count }} of {{ count * 2 + 1 }}": "7 of 15",
    "{{ inputs.minutes / 2 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ -count }}": "2.5 3 3 -7",
    "{{ yes }} {{ incident.drill }} {{ none }}": "yes no unknown",
    "{{ people }}": "Alice, Bob",
    "{{ people|join(' and ') }}": "Alice and Bob",
    "{{ people[0] }} {{ people|last }} {{ people[:1]|length }}": "Alice Bob 1",
    "{{ readings.cpu_percent|value }}": "96.4 %",
    "{{ readings.response_time_p95_ms|value }}": "910 ms",
    "{{ count|value('MB') }}": "7 MB",
    "{{ readings.memory_mb|value }}": "unknown",
    "{{ readings.error_rate_percent|value }}": "unknown",
    "{{ readings.memory_mb|round(1)|abs }} {{ readings.memory_mb + 1 }}": "unknown unknown",
    "{{ readings.memory_mb|default('not read') }}": "not read",
    "{{ steps.other.p95|default('did not run') }}": "did not run",
    "{{ nothing|default('none', true) }}": "none",
    "{{ steps.metrics.age|duration }} {{ inputs.wait|duration }}": "6 min 45 s",
    "{{ readings.cpu_percent|round }} {{ '7.9'|int }}": "96 7",
    "{{ inputs.word|upper }} {{ 'ABC'|lower }} {{ 'a b'|title }}": "API abc A B",
    "{{ 'a b'|capitalize }}{{ ' x '|trim }}": "A bx",
    "{% if readings.cpu_percent > 90 %}high{% elif yes %}low{% else %}no{% endif %}": "high",
    "{{ 'on' if yes else 'off' }} {{ 'x' if not yes and count else 'y' }}": "on y",
    "{% if steps.x is defined %}ran{% else %}skipped{% endif %}": "skipped",
    "{% if readings.memory_mb is none %}not read{% endif %}": "not read",
    "{% if incident.severity in ['sev1', 'sev2'] %}page{% endif %}": "page",
    "{% if 'API' in incident.title and 'x' not in people %}api{% endif %}": "api",
    "{% if 5 < count <= 7 %}between{% endif %}": "between",
    "{% for name in people %}\n- {{ name }}\n{% endfor %}\nend": "- Alice\n- Bob\nend",
    "{% for f in findings|sort(attribute='level') %}{{ loop.index }} {{ f.title }};{% endfor %}": (
        "1 Memory;2 cpu;"
    ),
    "{% for x in nothing %}x{% else %}none{% endfor %}": "none",
    "{% for f in findings if f.level > 1 %}{{ f.title }}{{ loop.last }}{% endfor %}": "cpuyes",
    "{% for k, v in steps.metrics|items %}{{ k }}={{ v }} {% endfor %}": "state=ok age=360000 ",
    "{% for p in people %}{% for f in findings %}{{ loop.length }}{% endfor %}{% endfor %}": "2222",
    "{# a note #}a{#- and another -#} b": "ab",
    r"{{ 'it\'s \"a\" \\ b' }}": 'it\'s "a" \\ b',
    "{% raw %}{{ shown }}{% endraw %}": "{{ shown }}",
    "*bold* <https://x.example|link> & more": "*bold* <https://x.example|link> & more",
}


@pytest.mark.parametrize("source", WORKS)
def test_what_people_write_is_filled_in(source: str) -> None:
    assert check(source, None) is None
    assert render_plain(source, VALUES) == WORKS[source]
    assert render(source, VALUES) == WORKS[source]


# Escapes, calls and what could grow: each is found before anything runs.
NASTY = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' 'ss__'] }}",
    "{{ x.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ joiner.__init__ }}",
    "{{ namespace(a=1) }}",
    "{{ dict(a=1) }}",
    "{{ range(10**9) }}",
    "{% for i in range(999999999) %}{{ i }}{% endfor %}",
    "{{ lipsum(n=100000) }}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ super() }}",
    "{{ caller() }}",
    "{{ varargs }}{{ kwargs }}",
    "{{ loop }}",
    "{% for x in y %}{{ loop }}{% endfor %}",
    "{% for x in y %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in y %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in y %}{{ loop['_iterator'] }}{% endfor %}",
    "{% for x in y %}{{ loop.previtem }}{% endfor %}",
    "{% for x in y recursive %}{{ loop(y) }}{% endfor %}",
    "{% for _x in y %}a{% endfor %}",
    "{% for loop in y %}a{% endfor %}",
    "{% for self in y %}a{% endfor %}",
    "{% for a, (b, _c) in y %}a{% endfor %}",
    "{{ x|attr('__class__') }}",
    "{{ x|map('upper') }}",
    "{{ x|safe }}",
    "{{ x|e|safe }}",
    "{{ x|escape }}",
    "{{ x|replace('a', 'aaaa') }}",
    "{{ x|center(1000000000) }}",
    "{{ x|indent(1000000000) }}",
    "{{ '%9999999999d'|format(1) }}",
    "{{ x|tojson }}",
    "{{ x|pprint }}",
    "{{ x|list }}",
    "{{ x|batch(1) }}",
    "{{ x|urlize }}",
    "{{ x|_loop(1) }}",
    "{{ x|_in_link }}",
    "{{ x is sameas y }}",
    "{{ x is callable }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ '{0.__class__}'.format_map(x) }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ x.items() }}",
    "{{ x.clear() }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'a' ~ 'b' }}",
    "{{ {'a': 1} }}",
    "{{ (1, 2) }}",
    "{{ x|default(*y) }}",
    "{{ x|default(**y) }}",
    "{{ x|default(other=1, other=2) }}",
    "{{ x|upper(1) }}",
    "{{ x is defined(1) }}",
    "{{ 99999999999999999999 }}",
    "{{ 0x" + "f" * 3_900 + " }}",
    "{{ 1e999 }}",
    "{% set a = 1 %}",
    "{% set a %}b{% endset %}",
    "{% macro a() %}{{ a() }}{% endmacro %}",
    "{% call a() %}b{% endcall %}",
    "{% filter upper %}a{% endfilter %}",
    "{% include 'a' %}",
    "{% import 'a' as b %}",
    "{% from 'a' import b %}",
    "{% extends 'a' %}",
    "{% block a %}b{% endblock %}",
    "{% with a = 1 %}b{% endwith %}",
    "{% autoescape true %}{{ x }}{% endautoescape %}",
    "{% do x %}",
    "{% trans %}a{% endtrans %}",
    "{% debug %}",
    "{% for a in x %}{% break %}{% endfor %}",
    "{% for a in x %}" * 4 + "y" + "{% endfor %}" * 4,
    "{% if x %}" * 60 + "{% endif %}" * 60,
    "{{ " + "(" * 1_900 + "1" + ")" * 1_900 + " }}",
    "{{ " + "[" * 1_900 + "]" * 1_900 + " }}",
    "{{ " + "{1:" * 900 + " }}",
    "{{ " + "not " * 900 + "x }}",
    "{{ " + "-" * 3_900 + "1 }}",
    "{{ x" + "|upper" * 600 + " }}",
    "{{ x" + " + x" * 900 + " }}",
    "{{ x" + ".y" * 1_900 + "[0] }}",
    "{{ " + "a if b else " * 300 + "c }}",
    "{{ \uff58 }}",
    "{{ x",
    "{{ x }",
    "{% if x %}",
    "{% endfor %}",
    "{# never closed",
    "{{ 'never closed }}",
    r"{{ '\d' }}",
    r"{{ '\x3c' }}",
    "{{ x | }}",
    "{{ }}",
    "a\x00b",
    "a\u202eb",
    "a" * (MAX_SOURCE + 1),
]


@pytest.mark.parametrize("source", NASTY, ids=[text[:40] for text in NASTY])
def test_what_could_break_out_or_grow_is_refused_before_it_runs(source: str) -> None:
    problem = check(source, None)
    assert problem is not None
    assert "\n" not in str(problem)
    assert len(str(problem)) < 400
    for drawing in (render, render_plain, render_mrkdwn):
        with pytest.raises(TemplateFailed):
            drawing(source, {"x": "a", "y": ["b"]})


PAST_THE_GRAMMAR = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ x.keys }}",
    "{{ x.items() }}",
    "{{ x.clear() }}",
    "{{ 'a'.upper() }}",
    "{{ 'a'.format }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ cycler }}",
    "{{ range(3) }}",
    "{{ lipsum() }}",
    "{{ dict() }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{{ 2 ** 3 }}",
    "{{ 'ab' * 3 }}",
    "{{ [1] * 3 }}",
    "{{ 'a' + 'b' }}",
    "{{ '%9d' % 1 }}",
    "{% for a in x recursive %}{{ loop(x) }}{% endfor %}",
    "{% for a in x %}{{ loop.cycle('a') }}{% endfor %}",
]


@pytest.mark.parametrize("source", PAST_THE_GRAMMAR)
def test_the_sandbox_refuses_on_its_own_what_the_grammar_refuses_first(source: str) -> None:
    template = ENVIRONMENT.from_string(source)
    context = template.new_context({"x": {"k": "v"}, **Allowance(str).under()})
    with pytest.raises((Trouble, TemplateError)):
        list(template.root_render_func(context))


UNKNOWN_NAMES = {
    "{{ inputs.minute }}": ("nothing is known as inputs.minute; did you mean inputs.minutes?", 3),
    "{{ inputs.hours }}": (
        "nothing is known as inputs.hours; expected inputs.minutes, inputs.target",
        3,
    ),
    "{{ input.minutes }}": ("nothing is known as input; did you mean inputs?", 3),
    "say inputs.minute {{ inputs['minute'] }}": (
        "nothing is known as inputs.minute; did you mean inputs.minutes?",
        21,
    ),
    "{{ steps.metric.state }}": (
        "nothing is known as steps.metric; did you mean steps.metrics?",
        3,
    ),
    "{{ steps.metrics.stat }}": (
        "nothing is known as steps.metrics.stat; did you mean steps.metrics.state?",
        3,
    ),
    "ok {{ incident.anything.below }}\n\n  {{ inputs.target|upper }} {{ people }}": (
        "nothing is known as people; expected findings, incident, inputs, readings, steps",
        65,
    ),
    "{% for f in finding %}{{ f.x }}{% endfor %}": (
        "nothing is known as finding; did you mean findings?",
        12,
    ),
    "{% for f in findings %}{% endfor %}{{ f.title }}": (
        "nothing is known as f; expected findings, incident, inputs, readings, steps",
        38,
    ),
    "{{ incident.title|uper }}": ("unknown filter 'uper'; did you mean upper?", 18),
    "{{ incident.title is defned }}": ("unknown test 'defned'; did you mean defined?", 18),
    "{{ incident.title|round(1, 2) }}": ("round: too many positional arguments", 18),
    "one\ntwo {% set a = 1 %}": (
        "set is not offered here; expected only {{ }}, if, for and filters",
        11,
    ),
    "{{ incident.title.upper() }}": (
        "a call is not offered here; expected only {{ }}, if, for and filters",
        23,
    ),
    "a {{ incident._x }}": ("names that begin with _ are not offered: _x", 5),
    "a\n  {{ incident.title }": ("unexpected '}'", 22),
    "a\u202eb": ("a control character, which nobody can see", 1),
}


@pytest.mark.parametrize("source", UNKNOWN_NAMES)
def test_a_problem_says_what_was_meant_and_where_it_stands(source: str) -> None:
    problem = check(source, KNOWN)
    assert problem is not None
    assert (problem.message, problem.offset) == UNKNOWN_NAMES[source]


def test_lines_and_columns_count_from_one() -> None:
    problem = check("one\n\n  {{ inputs.minute }}", KNOWN)
    assert problem is not None
    assert (problem.line, problem.column, problem.near) == (3, 6, "inputs.minutes")
    assert str(problem) == (
        "line 3: nothing is known as inputs.minute; did you mean inputs.minutes?"
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{ inputs.minutes }} {{ inputs }} {{ steps.metrics }}",
        "{{ readings.whatever.below[0] }}",
        "{% for f in findings %}{{ f.any }}{{ loop.index }}{% endfor %}",
        "{{ incident[inputs.target] }}",
    ],
)
def test_below_a_name_with_nothing_longer_beside_it_anything_may_be_asked(source: str) -> None:
    assert check(source, KNOWN) is None


def test_a_root_that_is_named_beside_its_own_names_opens_nothing() -> None:
    assert check("{{ inputs.hours }}", ["inputs", "inputs.minutes"]) is not None
    assert check("{{ inputs.hours }}", ["inputs"]) is None
    assert check("{{ inputs }}", []) is not None


FAILURES = {
    "a\n{{ readings.cpu }}": "line 2: there is no value cpu (there is: cpu_percent, ",
    "{{ nobody }}": "line 1: there is no value nobody",
    "{{ steps.later.state }}": "line 1: there is no value later (there is: metrics)",
    "{{ steps.later|upper }}": "line 1: there is no value later",
    "{% if steps.later %}a{% endif %}": "line 1: there is no value later",
    "{% for a in steps.later %}a{% endfor %}": "line 1: there is no value later",
    "{{ steps.later + 1 }}": "line 1: there is no value later",
    "{{ steps.later == 1 }}": "line 1: there is no value later",
    "{{ steps.later is none }}": "line 1: there is no value later",
    "{{ people[7] }}": "line 1: there is no value 7",
    "{{ nothing|first }}": "line 1: there is no value first (the list is empty)",
    "{{ 1 if not yes }}": "line 1: if needs an else",
    "{{ incident }}": "line 1: this is a group of values: name one of it (id, title,",
    "{{ readings.memory_mb > 5 }}": "line 1: unknown is neither more nor less",
    "{{ 'a' < 5 }}": "line 1: values of different kinds can't be put together",
    "{{ people == people }}": "line 1: expected a single value to compare, got a list",
    "{{ 1 in count }}": "line 1: expected a list or text to look in, got a number",
    "{{ 1 / 0 }}": "line 1: a division by zero",
    "{{ 'a' * 3 }}": "line 1: expected a number, got text",
    "{{ people * 3 }}": "line 1: expected a number, got a list",
    "{{ '%d' % 3 }}": "line 1: expected a number, got text",
    "{{ count" + " * 999999" * 5 + " }}": "line 1: a number gets too large",
    "{{ people|round }}": "line 1: expected a number, got a list",
    "{{ 'x'|int }}": "line 1: expected a number, got text",
    "{{ 'inf'|int }}": "line 1: a number gets too large",
    "{{ count|upper }}": "line 1: expected text, got a number",
    "{{ count|round(400) }}": "line 1: round takes 0 to 9 digits",
    "{{ findings|sort }}": "line 1: sort: expected texts or numbers",
    "{% for c in 'abc' %}{{ c }}{% endfor %}": "line 1: expected a list, got text",
    "{% for a, b in people %}{{ a }}{% endfor %}": "line 1: values of different kinds",
    "{{ 'soon'|duration }}": "line 1: expected a duration such as 30s",
}


@pytest.mark.parametrize("source", FAILURES)
def test_a_text_that_can_not_be_made_says_why_in_one_line(source: str) -> None:
    with pytest.raises(TemplateFailed) as failed:
        render_plain(source, VALUES)
    assert str(failed.value).startswith(FAILURES[source])
    assert "\n" not in str(failed.value)


MENTIONS = {
    "{{ v }}": "&lt;!channel&gt;",
    "*{{ v }}*": "*&lt;!channel&gt;*",
    "{{ v|upper }}": "&lt;!CHANNEL&gt;",
    "{{ [v, v]|join(v) }}": "&lt;!channel&gt;&lt;!channel&gt;&lt;!channel&gt;",
    "{{ [v] }}": "&lt;!channel&gt;",
    "{{ missing|default(v) }}": "&lt;!channel&gt;",
    "{{ '<!here>' }}": "&lt;!here&gt;",
    "<{{ word }}>": "&lt;!channel>",
    "<!{{ word }}>": "&lt;!!channel>",
    "<{{ '!' }}channel>": "&lt;!channel>",
    "{{ '<' }}!channel>": "&lt;!channel>",
    "<{% if 1 %}!channel>{% endif %}": "&lt;!channel>",
    "<https://x.example/{{ v }}|see {{ v }}>": (
        "<https://x.example/%3C%21channel%3E|see &lt;!channel&gt;>"
    ),
    "<https://x.example/{{ pipe }}>": "<https://x.example/a%7Cb%3E>",
    "<@{{ person }}> <#C01X> <!channel>": "<@U01ALICE> <#C01X> <!channel>",
    "P95 < {{ bound }} & up, {{ v }}": "P95 &lt; 500 &amp; up, &lt;!channel&gt;",
    "kept &amp; &lt; as written": "kept &amp; &lt; as written",
    "> quoted {{ bound }}": "> quoted 500",
}


@pytest.mark.parametrize("source", MENTIONS)
def test_the_author_may_mention_and_link_and_a_value_never(source: str) -> None:
    values = {
        "v": "<!channel>",
        "word": "!channel",
        "pipe": "a|b>",
        "person": "U01ALICE",
        "bound": 500,
    }
    assert render_mrkdwn(source, values) == MENTIONS[source]


def test_a_value_is_never_a_template() -> None:
    value = "{{ incident.title }}{% for a in b %}{# gone #}"
    for drawing in (render, render_plain, render_mrkdwn):
        assert drawing("{{ v }}", {"v": value, "incident": {"title": "secret"}}) == value


def test_markup_is_text_like_any_other() -> None:
    assert render_mrkdwn("{{ v }}", {"v": Markup("<b>&amp;</b>")}) == (
        "&lt;b&gt;&amp;amp;&lt;/b&gt;"
    )


def test_a_caller_brings_the_escape_that_its_page_needs() -> None:
    seen: list[str] = []

    def escape(text: str) -> str:
        seen.append(text)
        return f"[{text}]"

    assert render("<p>{{ v|upper }}</p>{{ 5 }}", {"v": "a<b"}, escape) == "<p>[A<B]</p>[5]"
    assert seen == ["A<B", "5"]


TOKEN = "xoxb-12345678901-abcdefABCDEF"


@pytest.mark.parametrize(
    "source",
    ["{{ v }}", "{{ v[4:] }}", "{{ v[:12] }}", "{{ v|upper }}", "{{ m.password }}", "{{ [v] }}"],
)
def test_a_secret_is_masked_before_a_template_can_take_it_apart(source: str) -> None:
    values = {"v": f"as {TOKEN}", "m": {"password": "hunter2"}}
    for drawing in (render_plain, render_mrkdwn):
        text = drawing(source, values).lower()
        assert "123456" not in text
        assert "abcdef" not in text
        assert "hunter2" not in text


class Level(enum.IntEnum):
    HIGH = 3


class Word(enum.StrEnum):
    OPEN = "open"


PLAIN = {
    "an enum of texts": (Word.OPEN, "open"),
    "an enum of numbers": (Level.HIGH, "3"),
    "a tuple": (("a", 1), "a, 1"),
    "a long number": (10**20, "1" + "0" * 20),
    "not a number": (float("nan"), "unknown"),
    "without an end": (float("inf"), "unknown"),
    "a small number": (0.0004, "0.0004"),
    "an inexact number": (0.1 + 0.2, "0.3"),
    "control characters": ("a\x00\x1b[31m\u202eb", "a[31mb"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_data_is_made_plain(name: str) -> None:
    value, shown = PLAIN[name]
    assert render_plain("{{ v }}", {"v": value}) == shown


@pytest.mark.parametrize(
    "value",
    [object(), sys, print, {1}, b"bytes", [object()], {"a": {"b": open}}, {1: "a"}, 10**200, 3j],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(TemplateFailed):
        render_plain("{{ v }}", {"v": value})


def test_data_that_no_template_asks_for_is_not_looked_at() -> None:
    values = {"v": {"a": "x", "huge": object()}, "other": object()}
    assert render_plain("{{ v.a }}", values) == "x"


def test_data_that_holds_itself_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["a"] = circle
    with pytest.raises(TemplateFailed, match="holds more than a text can be made of"):
        render_plain("{{ v }}", {"v": circle})


def test_a_long_value_is_cut_and_its_escapes_stay_whole() -> None:
    text = render_mrkdwn("{{ v }}", {"v": "<" * 1_500 + "x" * 1_000_000})
    assert text == "&lt;" * 1_500 + "x" * 499 + "…"
    assert render_plain("{{ v }}", {"v": "x" * 1_000_000}) == "x" * 1_999 + "…"


THOUSAND = list(range(1_000))
GROWING = {
    "{% for a in l %}1234567890{% endfor %}": "comes to more than 8,000 characters",
    "{% for a in l %}{{ big }}{% endfor %}": "comes to more than 8,000 characters",
    "{% for a in l %}{{ control }}{% endfor %}it went on": "it went on",
    "{{ big }}{{ big }}{{ big }}{{ big }}{{ big }}": "comes to more than 8,000 characters",
    "{% for a in l %}{% for b in l %}{% endfor %}{% endfor %}": "go over more than 1,000 items",
    "{% for a in l %}{% endfor %}{% for a in l %}{% endfor %}": "go over more than 1,000 items",
    "{% for a in l %}{{ l|sort|sort|sort|sort|first }}{% endfor %}": "do too much work",
    "{% for a in l %}{% if 999 in l and 999 in l %}{% endif %}{% endfor %}": "do too much work",
    "{{ l|join('" + "x" * 3_000 + "') }}": "too long to be shown whole",
    "{{ [big, big, big]|join(big)|upper|lower|title }}": "Xxx",
    "{% for a in l %}" + "{{ '' }}" * 60 + "{% endfor %}": "do too much work",
}


@pytest.mark.parametrize("source", GROWING)
def test_what_grows_is_stopped_while_it_is_made(source: str) -> None:
    values = {"l": THOUSAND, "big": "x" * 2_000, "control": "\x01" * 2_000}
    start = time.process_time()
    try:
        text = render_plain(source, values)
    except TemplateFailed as failed:
        text = str(failed)
    assert GROWING[source] in text
    assert len(text) <= MAX_OUTPUT
    assert time.process_time() - start < 2


def test_a_text_of_the_longest_source_is_made() -> None:
    source = "{{ a }}" + "x" * (MAX_SOURCE - 7)
    assert render_plain(source, {"a": "y"}) == "y" + source[7:]


def test_a_template_is_compiled_once() -> None:
    _compiled.cache_clear()
    for name in ("a", "b", "c"):
        render_plain("{{ name }} once", {"name": name})
    assert _compiled.cache_info().misses == 1


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "-",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "|",
            ".",
            ",",
            ":",
        ),
        *("for ", " in ", "if ", "endif", "endfor", "else", "elif ", "set ", "macro ", "raw"),
        *("a", "b", "v", "loop", "self", "__class__", "_x", "range", "upper", "default", "join"),
        *(
            "sort",
            "value",
            "duration",
            "items",
            "length",
            "first",
            "round",
            "is ",
            "not ",
            "defined",
        ),
        *(
            "'",
            '"',
            "'x'",
            "1",
            "0",
            "-1",
            "1e999",
            "999999999",
            "+",
            "*",
            "**",
            "/",
            "%",
            "~",
            "==",
        ),
        *("<", ">", "<!channel>", "<https://x/", "<@", "\n", " ", "&", "\\", "é", "\ud800", "\x00"),
    ]
)
NAMES = ["a", "b", "v", "n", "v.k", "v['k']", "l", "l[0]", "1", "'x'", "none", "'<'", "w"]
SIGNS = ["+", "-", "*", "/", "//", "%", "<", "==", "in", "and", "or"]
FILTERS = [
    *("upper", "lower", "title", "trim", "round", "int", "abs", "length", "first", "last", "sort"),
    *("join", "items", "duration", "value", "default", "default('-')", "round(3)", "join('<')"),
    *("sort(attribute='k')", "value('ms')"),
]
TESTS = ["defined", "undefined", "none", "number", "string"]
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.builds("({})".format, inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(SIGNS), inner),
        st.builds("{}|{}".format, inner, st.sampled_from(FILTERS)),
        st.builds("({} is {})".format, inner, st.sampled_from(TESTS)),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("-{}".format, inner),
    ),
    max_leaves=8,
)
TEXTS = st.recursive(
    st.one_of(
        st.sampled_from(["text ", "<", ">", "<https://x/", "|", "<!", "<@", "&", "\n"]),
        st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    ),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner),
        st.builds("{{% for v in {} %}}{}{{% endfor %}}".format, EXPRESSIONS, inner),
        st.builds("{{% for v in l if {} %}}{}{{% endfor %}}".format, EXPRESSIONS, inner),
    ),
    max_leaves=12,
)
DATA: dict[str, Any] = {
    "a": "<!channel> & {{ v }}",
    "b": 3,
    "n": None,
    "v": {"k": "<@U01>", "value": 5},
    "w": "!here",
    "l": ["x", {"k": 2}, 7, None, [1]],
}


def _settle(source: str) -> str | None:
    """What a source comes to, whatever it is: a text within its limit, or the typed error."""
    problem = check(source, None)
    texts: list[str] = []
    reasons: list[str] = []
    for drawing in (render_plain, render_mrkdwn):
        try:
            texts.append(drawing(source, DATA))
        except TemplateFailed as failed:
            reasons.append(str(failed))
    assert not (problem and texts)
    assert not any("\n" in reason for reason in reasons)
    assert problem is None or isinstance(problem, TemplateProblem)
    assert problem is None or 0 <= problem.offset <= len(source)
    assert all(len(text) <= MAX_OUTPUT for text in texts)
    return texts[-1] if len(texts) == 2 else None


@limits(max_examples=300, deadline=20_000)
@given(st.lists(PIECES, max_size=60).map("".join))
@example("{{" * 2_000)
@example("{{ a|default(1, boolean=1) }}")
def test_no_source_hangs_crashes_or_grows(source: str) -> None:
    _settle(source)


@limits(max_examples=100, deadline=20_000)
@given(st.text(max_size=200))
def test_no_text_between_braces_hangs_or_crashes(text: str) -> None:
    for source in (text, f"{{{{ {text} }}}}", f"{{% {text} %}}"):
        _settle(source)


@limits(max_examples=300, deadline=20_000)
@given(TEXTS)
def test_whatever_the_template_no_value_becomes_a_mention(source: str) -> None:
    text = _settle(source)
    if text is not None:
        assert all(mention in source for mention in re.findall(r"<![^>]*>?", text))
        assert "<@U01" not in text


@given(st.text(max_size=300))
def test_a_value_comes_out_as_the_text_that_it_is(value: str) -> None:
    shown = render_mrkdwn("<{{ v }}>", {"v": value})
    assert shown.count("<") == 0
    assert from_slack(shown) == f"<{without_controls(value)}>"

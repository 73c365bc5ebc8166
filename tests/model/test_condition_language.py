"""The condition language: what it reads, and what it says about what it can't read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.model import condition as language
from bot.model.condition import And, ConditionError, ConditionText, Mention, Not, Or, parse
from bot.model.record import Written
from tests.support.conditions import trees


class Sheet(Written):
    when: ConditionText | None = None


def literal(text: str) -> language.Literal:
    root = parse(text).root
    assert isinstance(root, language.Test)
    return root.literal


def error(text: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    return caught.value


A, B, C = (parse(text).root for text in ("a > 1", "b > 2", "c > 3"))

SHAPES = {
    "a test": ("a > 1", A),
    "and binds closer than or": ("a > 1 or b > 2 and c > 3", Or((A, And((B, C))))),
    "and binds closer on the left too": ("a > 1 and b > 2 or c > 3", Or((And((A, B)), C))),
    "brackets group": ("(a > 1 or b > 2) and c > 3", And((Or((A, B)), C))),
    "a row of ands is one and": ("a > 1 and b > 2 and c > 3", And((A, B, C))),
    "brackets keep a row apart": ("a > 1 and (b > 2 and c > 3)", And((A, And((B, C))))),
    "not binds closest": ("not a > 1 and b > 2", And((Not(A), B))),
    "not of a bracket": ("not (a > 1 and b > 2)", Not(And((A, B)))),
    "not of not": ("not not a > 1", Not(Not(A))),
    "needless brackets leave no trace": ("((a > 1))", A),
    "spaces are free": (" a>1\n\tand\r\n( b>2 ) ", And((A, B))),
    "unknown": ("unknown( a ) or b > 2", Or((language.Unknown("a"), B))),
}


@pytest.mark.parametrize(("text", "root"), SHAPES.values(), ids=SHAPES)
def test_a_text_becomes_the_tree_that_it_means(text: str, root: language.Node) -> None:
    assert parse(text).root == root


LITERALS = {
    # the text, its value in the unit of the name, its unit as written
    "a bare number is in the metric's own unit": ("cpu_percent > 90", 90.0, ""),
    "per cent": ("error_rate_percent > 0.1 %", 0.1, "%"),
    "a negative number": ("cpu_percent.change_5m < -12.5%", -12.5, "%"),
    "a negative number right behind the sign": ("a<-5", -5.0, ""),
    "ms for a metric in ms": ("response_time_p95_ms > 500ms", 500.0, "ms"),
    "seconds for a metric in ms": ("response_time_p95_ms > 1.5 s", 1500.0, "s"),
    "a minute for a metric in ms": ("response_time_p95_ms > 1m", 60_000.0, "m"),
    "minutes for a metric in s": ("uptime_s < 5m", 300.0, "m"),
    "ms for a metric in s": ("uptime_s < 500 ms", 0.5, "ms"),
    "MB": ("memory_mb > 256 MB", 256.0, "MB"),
    "GB are thousands of MB": ("memory_mb > 1.5 GB", 1500.0, "GB"),
    "the unit of a metric that only a config names": ("queue_wait_ms > 2s", 2000.0, "s"),
    "the unit of a step's metric": ("steps.metrics.memory_mb > 1GB", 1000.0, "GB"),
    "the unit of a change": ("memory_mb.change_1h30m > 0.1GB", 100.0, "GB"),
    "an age in hours": ("incident.age >= 2h", 7_200_000.0, "h"),
    "an age in days": ("incident.age >= 1d", 86_400_000.0, "d"),
    "an input's duration in ms": ("inputs.hold > 5m", 300_000.0, "m"),
    "an input's number": ("inputs.workers >= 3", 3.0, ""),
    "an input's word": ("inputs.mode == fast", "fast", ""),
    "an input's text": ("inputs.mode == 'read only'", "read only", ""),
    "an input's empty text": ("inputs.mode != ''", "", ""),
    "an hour": ("time.hour >= 22", 22.0, ""),
    "a weekday": ("time.weekday != sun", "sun", ""),
    "a severity": ("incident.severity == sev1", "sev1", ""),
    "a severity in quotes": ("incident.severity == 'sev1'", "sev1", ""),
    "a status": ("incident.status == acknowledged", "acknowledged", ""),
    "a state of a step": ("steps.open-breaker.state != failed", "failed", ""),
    "a verdict": ("verdict == unhealthy", "unhealthy", ""),
    "unknown as a word": ("verdict == unknown", "unknown", ""),
    "the verdict that a step read": ("steps.health.verdict == down", "down", ""),
}


@pytest.mark.parametrize(("text", "value", "unit"), LITERALS.values(), ids=LITERALS)
def test_a_literal_is_in_the_unit_of_its_name(text: str, value: float | str, unit: str) -> None:
    found = literal(text)
    assert (found.value, found.unit) == (value, unit)
    assert text[found.start : found.end] == found.text


def test_nodes_keep_where_they_stand() -> None:
    text = "  cpu_percent > 90 % or not unknown( memory_mb )"
    root = parse(text).root
    assert isinstance(root, Or)
    assert text[root.start : root.end] == "cpu_percent > 90 % or not unknown( memory_mb )"
    assert [text[part.start : part.end] for part in root.parts] == [
        "cpu_percent > 90 %",
        "not unknown( memory_mb )",
    ]


def test_the_names_are_told_in_order_with_their_places() -> None:
    condition = parse("(b > 1 or unknown( a )) and not b < 0")
    assert condition.names == (Mention("b", 1), Mention("a", 19), Mention("b", 32))
    assert [condition.text[name.start : name.end] for name in condition.names] == ["b", "a", "b"]


WRONG = {
    # a ^ marks the place; then the whole message
    "nothing": ("^", "got the end; expected a name such as cpu_percent, not, unknown(NAME) or ("),
    "a name alone": ("cpu_percent^ ", "got the end; expected <, <=, >, >=, == or !="),
    "a number first": (
        "^5 < a",
        "got '5'; expected a name such as cpu_percent, not, unknown(NAME) or (",
    ),
    "one equals sign": (
        "a ^= 5",
        "got '='; expected <, <=, >, >=, == or !=; did you mean ==?",
    ),
    "no literal": ("cpu_percent >^ ", "got the end; expected a number in % for cpu_percent"),
    "no number behind the sign": ("a > ^- 5", "got '-'; expected a number without a unit for a"),
    "a word for a number": (
        "cpu_percent > ^high",
        "got 'high'; expected a number in % for cpu_percent",
    ),
    "a text for a number": (
        "threads == ^'5'",
        "got '5'; expected a number without a unit for threads",
    ),
    "another name for a number": (
        "memory_mb > ^steps.a.memory_mb",
        "got 'steps.a.memory_mb'; expected a number in MB for memory_mb",
    ),
    "a number for a word": (
        "incident.severity == ^1",
        "got '1'; expected sev1, sev2, sev3 or sev4 for incident.severity",
    ),
    "a word that isn't one": (
        "incident.status == ^acknowleged",
        (
            "got 'acknowleged'; expected open, acknowledged, mitigated or resolved"
            " for incident.status; did you mean acknowledged?"
        ),
    ),
    "a weekday that isn't one": (
        "time.weekday == ^saturday",
        "got 'saturday'; expected mon, tue, wed, thu, fri, sat or sun for time.weekday",
    ),
    "a state that isn't one": (
        "steps.a.state == ^fail",
        (
            "got 'fail'; expected ok, failed, skipped or unknown for steps.a.state;"
            " did you mean failed?"
        ),
    ),
    "words in an order": ("incident.severity ^< sev2", "got '<'; expected == or != with a word"),
    "an input's words in an order": (
        "inputs.mode > ^fast",
        "got 'fast'; expected a number for inputs.mode: words are compared with == or !=",
    ),
    "a keyword for a word": (
        "inputs.mode == ^and",
        "got 'and'; expected a number, a word or 'text' for inputs.mode",
    ),
    "MB of a per cent": (
        "cpu_percent > 5 ^MB",
        "got 'MB'; expected a number in % for cpu_percent",
    ),
    "per cent of MB": ("memory_mb > 5^%", "got '%'; expected a number in MB for memory_mb"),
    "a unit of a plain number": (
        "threads > 5^s",
        "got 's'; expected a number without a unit for threads",
    ),
    "an age without a unit": (
        "incident.age > ^5",
        "got '5'; expected a duration such as 5m for incident.age",
    ),
    "an age in MB": (
        "incident.age > 5^MB",
        "got 'MB'; expected a duration such as 5m for incident.age",
    ),
    "a unit in small letters": (
        "memory_mb > 5 ^gb",
        "got 'gb'; expected a unit (% ms s m h d MB GB), and, or, or the end; did you mean GB?",
    ),
    "an hour past the day": (
        "time.hour < ^24",
        "got '24'; expected a whole hour from 0 to 23 for time.hour",
    ),
    "half an hour": (
        "time.hour < ^8.5",
        "got '8.5'; expected a whole hour from 0 to 23 for time.hour",
    ),
    "an hour with a unit": (
        "time.hour < 8^h",
        "got 'h'; expected a whole hour from 0 to 23 for time.hour",
    ),
    "a name of the incident that isn't one": (
        "^incident.severty == sev1",
        (
            "got 'incident.severty'; expected incident.age, incident.severity or incident.status;"
            " did you mean incident.severity?"
        ),
    ),
    "the incident alone": (
        "^incident == sev1",
        "got 'incident'; expected incident.age, incident.severity or incident.status",
    ),
    "a name of the time that isn't one": (
        "^time.minute > 5",
        "got 'time.minute'; expected time.hour or time.weekday",
    ),
    "a step without a metric": (
        "^steps.a > 5",
        "got 'steps.a'; expected steps.ID.state or steps.ID.METRIC",
    ),
    "an input without a name": ("^inputs == 5", "got 'inputs'; expected inputs.NAME"),
    "a change without a duration": (
        "^cpu_percent.change > 5",
        (
            "got 'cpu_percent.change'; expected METRIC.change_5m, incident., time., inputs."
            " or steps.ID."
        ),
    ),
    "a change over no time": (
        "^memory_mb.change_0s > 5",
        (
            "got 'memory_mb.change_0s'; expected METRIC.change_5m, incident., time., inputs."
            " or steps.ID."
        ),
    ),
    "a metric in capitals": (
        "^CPU_PERCENT > 5",
        (
            "got 'CPU_PERCENT'; expected a metric's name in lower case, such as cpu_percent;"
            " did you mean cpu_percent?"
        ),
    ),
    "another language's and": (
        "a > 1 ^&& b > 2",
        "got '&&'; expected and, or, or the end; did you mean and?",
    ),
    "another language's or": (
        "a > 1 ^|| b > 2",
        "got '||'; expected and, or, or the end; did you mean or?",
    ),
    "another language's not": (
        "^!a > 1",
        "got '!'; expected a name such as cpu_percent, not, unknown(NAME) or (; did you mean not?",
    ),
    "AND in capitals": (
        "a > 1 ^AND b > 2",
        "got 'AND'; expected a unit (% ms s m h d MB GB), and, or, or the end; did you mean and?",
    ),
    "arithmetic": ("a > 1 ^+ 2", "got '+'; expected and, or, or the end"),
    "a call": ("a^(1) > 2", "got '('; expected <, <=, >, >=, == or !="),
    "double quotes": (
        'inputs.mode == ^"fast"',
        "got \"; expected 'single quotes' around a text",
    ),
    "a quote that is not closed": (
        "inputs.mode == ^'fast",
        "got '''; expected a number, a word or 'text' for inputs.mode",
    ),
    "a bracket that is not closed": ("(a > 1^", "got the end; expected and, or, or )"),
    "a bracket too many": ("a > 1^)", "got ')'; expected and, or, or the end"),
    "unknown without brackets": (
        "unknown ^a",
        "got 'a'; expected ( and a name, as in unknown(cpu_percent)",
    ),
    "unknown of a test": ("unknown(a ^> 1)", "got '>'; expected )"),
    "unknown of nothing": ("unknown(^)", "got ')'; expected a name such as cpu_percent"),
    "unknown of no name": ("unknown(^time.minute)", None),
    "no part behind and": ("a > 1 and^ ", None),
    "two words for one": ("a > 1 or ^or b > 2", None),
    "a number with two points": ("a > 1.5^.5", "got '.'; expected and, or, or the end"),
    "a number that is too large": (
        f"a > ^{'9' * 400}",
        f"got '{'9' * 37}...'; expected a number that is not that large",
    ),
    "digits of another script": ("a > ^\u0665", None),
    "a blank that is none": ("a^\u00a0> 5", None),
    "code": ("^__import__('os').system('true')", None),
    "21 brackets": (f"{'(' * 20}^(a > 1{')' * 21}", "nested too deep; expected at most 20 levels"),
    "21 times not": (f"{'not ' * 20}^not a > 1", "nested too deep; expected at most 20 levels"),
    "1,001 characters": (
        f"a > 1{' ' * 995}^ ",
        "got 1,001 characters; expected at most 1,000 in a condition",
    ),
}


@pytest.mark.parametrize(("marked", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_text_is_told_at_its_place(marked: str, message: str | None) -> None:
    before, _, after = marked.partition("^")
    found = error(before + after)
    assert found.offset == len(before)
    if message is not None:
        assert str(found) == message


@pytest.mark.parametrize("text", [f"{'(' * 20}a > 1{')' * 20}", f"{'not ' * 20}a > 1"])
def test_twenty_levels_are_read(text: str) -> None:
    parse(text)


def test_a_thousand_characters_are_read() -> None:
    parse("a > 1" + " and a > 1" * 99 + " " * 5)


@given(trees())
def test_the_text_of_a_tree_reads_as_the_same_tree(tree: language.Node) -> None:
    text = str(tree)
    assume(len(text) <= language.LENGTH)
    assert parse(text).root == tree


WORDS = """cpu_percent > 90 and or not ( ) unknown( incident.age == 5m % 'x y' ' inputs.a sev1 -1 . 1e9
    = ! time.hour steps.a.state ok != <= GB \x00 é 💥 \u00a0"""


@given(
    st.one_of(
        st.text(max_size=1100), st.lists(st.sampled_from(WORDS.split()), max_size=40).map(" ".join)
    )
)
@example("(" * 10_000)
@example("not " * 250)
@example("not " * 10_000)
@example("(" * 500 + ")" * 500)
@example("unknown(" * 125)
@example(" " * 1000)
@example("a" * 1000)
@example("'" + "x" * 999)
@example("a." * 500)
@example("a > " + "9" * 996)
@example("(a > 1) and " * 83)
def test_any_text_is_read_or_told_what_is_wrong_in_it(text: str) -> None:
    wrong: ConditionError | None = None
    try:
        found = parse(text)
    except ConditionError as error:
        wrong = error
    if wrong is None:
        assert parse(str(found)).root == found.root
    else:
        assert 0 <= wrong.offset <= len(text)
        assert len(str(wrong)) < 400


@pytest.mark.parametrize(
    "sheet",
    [
        Sheet.model_validate_json('{"when": "cpu_percent  > 90"}'),
        Sheet.model_validate({"when": "cpu_percent  > 90"}),
        Sheet(when=parse("cpu_percent  > 90")),
    ],
    ids=["from JSON", "from data", "from a condition"],
)
def test_a_record_holds_the_condition_and_writes_its_text(sheet: Sheet) -> None:
    assert sheet.when == parse("cpu_percent  > 90")
    assert sheet.model_dump_json() == '{"when":"cpu_percent  > 90"}'
    assert Sheet.model_validate_json(sheet.model_dump_json()) == sheet


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_in_the_schema_it_is_a_text(mode: Any) -> None:
    when = Sheet.model_json_schema(mode=mode)["properties"]["when"]
    assert [one["type"] for one in when["anyOf"]] == ["string", "null"]


@pytest.mark.parametrize("value", [5, True, ["a > 1"], {"a": 1}])
def test_what_is_no_text_is_no_condition(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a condition such as cpu_percent > 90"):
        Sheet.model_validate({"when": value})

"""Whether a condition holds, and the readings that decided it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.condition import And, Condition, Node, Not, Or, Unknown, parse
from bot.model.incident import Incident, Severity, Status
from bot.model.reading import Health, Verdict
from bot.rules.condition import Judged, Truth, any_target, evaluate
from bot.rules.known import Known, Values, of_change, of_health, of_incident, of_time
from tests.support.clock import NOON
from tests.support.conditions import trees
from tests.support.health import P95, reading
from tests.support.incidents import incident

NO, UNKNOWN, YES = Truth
CPU = Known(96.0, "%", source="agent", at=NOON - 4_000)
LOST = Known(None, "MB", reason="the agent gave no answer", source="agent", at=NOON)
VALUES = {
    "cpu_percent": CPU,
    "memory_mb": LOST,
    "response_time_p95_ms": Known(910.0, "ms", source="bot", at=NOON),
    "cpu_percent.change_5m": Known(34.0, "%", source="agent", at=NOON - 4_000),
    "incident.age": Known(360_000.0, "ms"),
    "incident.severity": Known("sev2"),
    "time.hour": Known(3.0, source="UTC"),
    "time.weekday": Known("sun", source="UTC"),
    "steps.breaker.state": Known("failed"),
    "steps.metrics.cpu_percent": CPU,
    "inputs.mode": Known("fast"),
    "inputs.hold": Known(300_000.0, "ms"),
    "inputs.workers": Known(4.0),
    "verdict": Known("unhealthy", at=NOON - 4_000),
}
LOST_SAID = "memory unknown: the agent gave no answer"

JUDGED = {
    # the condition, its truth, what decided it
    "more": ("cpu_percent > 90", YES, ["CPU 96 % > 90 (agent, 4 s ago)"]),
    "not more": ("cpu_percent > 96", NO, ["CPU 96 %, not > 96 (agent, 4 s ago)"]),
    "as much": ("cpu_percent >= 96", YES, ["CPU 96 % >= 96 (agent, 4 s ago)"]),
    "less": ("cpu_percent < 96.5", YES, ["CPU 96 % < 96.5 (agent, 4 s ago)"]),
    "at most": ("cpu_percent <= 95", NO, ["CPU 96 %, not <= 95 (agent, 4 s ago)"]),
    "the same": ("cpu_percent == 96", YES, ["CPU 96 % == 96 (agent, 4 s ago)"]),
    "another": ("cpu_percent != 96", NO, ["CPU 96 %, not != 96 (agent, 4 s ago)"]),
    "in its own unit": (
        "response_time_p95_ms > 0.5 s",
        YES,
        ["P95 910 ms > 0.5 s (bot)"],
    ),
    "a change": (
        "cpu_percent.change_5m > 20",
        YES,
        ["CPU change in 5 min +34 % > 20 (agent, 4 s ago)"],
    ),
    "an unknown reading": ("memory_mb > 1024", UNKNOWN, [LOST_SAID]),
    "a name that nobody measured": (
        "throughput_rps > 5",
        UNKNOWN,
        ["throughput unknown: not measured"],
    ),
    "unknown, asked for": ("unknown(memory_mb)", YES, [LOST_SAID]),
    "known, asked for unknown": ("unknown(cpu_percent)", NO, ["CPU 96 % (agent, 4 s ago)"]),
    "an age": ("incident.age > 5m", YES, ["incident's age 6 min > 5m"]),
    "a severity": ("incident.severity == sev2", YES, ["severity is sev2"]),
    "another severity": ("incident.severity == sev1", NO, ["severity is sev2, not sev1"]),
    "not that severity": ("incident.severity != sev1", YES, ["severity is sev2, not sev1"]),
    "that severity after all": ("incident.severity != sev2", NO, ["severity is sev2"]),
    "an hour": ("time.hour < 7", YES, ["hour 3 < 7 (UTC)"]),
    "a weekday": ("time.weekday == sat", NO, ["weekday is sun, not sat (UTC)"]),
    "a step's state": ("steps.breaker.state == ok", NO, ["step breaker is failed, not ok"]),
    "a step's metric": (
        "steps.metrics.cpu_percent > 90",
        YES,
        ["step metrics: CPU 96 % > 90 (agent, 4 s ago)"],
    ),
    "an input's word": ("inputs.mode == fast", YES, ["input mode is fast"]),
    "an input's duration": ("inputs.hold >= 5m", YES, ["input hold 5 min >= 5m"]),
    "an input's number": ("inputs.workers > 4", NO, ["input workers 4, not > 4"]),
    "a verdict": ("verdict == unhealthy", YES, ["verdict is unhealthy (4 s ago)"]),
    "a word where there is a number": (
        "inputs.workers == many",
        UNKNOWN,
        ["input workers is 4: it can't be compared with many"],
    ),
    "a number where there is a word": (
        "inputs.mode > 4",
        UNKNOWN,
        ["input mode is fast: it can't be compared with 4"],
    ),
    "a duration without a unit": (
        "inputs.hold > 4",
        UNKNOWN,
        ["input hold is 5 min: it can't be compared with 4"],
    ),
    "a unit where there is a number": (
        "inputs.workers > 4m",
        UNKNOWN,
        ["input workers is 4: it can't be compared with 4m"],
    ),
    "and, where one is a no": (
        "memory_mb > 1 and cpu_percent < 90",
        NO,
        ["CPU 96 %, not < 90 (agent, 4 s ago)"],
    ),
    "and, where one isn't known": (
        "memory_mb > 1 and incident.severity == sev2",
        UNKNOWN,
        [LOST_SAID],
    ),
    "and, where all are a yes": (
        "incident.age > 5m and incident.severity == sev2",
        YES,
        ["incident's age 6 min > 5m", "severity is sev2"],
    ),
    "or, where one is a yes": (
        "memory_mb > 1 or incident.severity == sev2",
        YES,
        ["severity is sev2"],
    ),
    "or, where one isn't known": (
        "memory_mb > 1 or incident.severity == sev1",
        UNKNOWN,
        [LOST_SAID],
    ),
    "or, where all are a no": (
        "incident.severity == sev1 or time.hour > 7",
        NO,
        ["severity is sev2, not sev1", "hour 3, not > 7 (UTC)"],
    ),
    "not of a yes": ("not incident.severity == sev2", NO, ["severity is sev2"]),
    "not of what isn't known": ("not memory_mb > 1", UNKNOWN, [LOST_SAID]),
    "a reason that is there twice": ("memory_mb > 1 or memory_mb > 2", UNKNOWN, [LOST_SAID]),
}


@pytest.mark.parametrize(("text", "truth", "because"), JUDGED.values(), ids=JUDGED)
def test_a_truth_comes_with_what_decided_it(text: str, truth: Truth, because: list[str]) -> None:
    assert evaluate(parse(text), VALUES, NOON) == Judged(truth, tuple(because))


def test_what_is_not_a_number_is_not_known() -> None:
    values = {"cpu_percent": Known(float("nan"), "%")}
    assert evaluate(parse("not cpu_percent > 90"), values, NOON).truth is UNKNOWN


LEAVES = ("m0 > 0", "m1 > 0", "m2 > 0", "m3 > 0", "unknown(m0)")
AND = [[NO, NO, NO], [NO, UNKNOWN, UNKNOWN], [NO, UNKNOWN, YES]]
OR = [[NO, UNKNOWN, YES], [UNKNOWN, UNKNOWN, YES], [YES, YES, YES]]
NOT = [YES, UNKNOWN, NO]
VALUE_OF = {NO: -1.0, UNKNOWN: None, YES: 1.0}


def by_table(node: Node, truths: dict[str, Truth]) -> Truth:
    match node:
        case And((first, *rest)) | Or((first, *rest)):
            table, truth = AND if isinstance(node, And) else OR, by_table(first, truths)
            for part in rest:
                truth = table[truth][by_table(part, truths)]
            return truth
        case Not(part):
            return NOT[by_table(part, truths)]
        case Unknown(name):
            return YES if truths[name] is UNKNOWN else NO
    return truths[node.name]


@given(trees(LEAVES), st.lists(st.sampled_from(Truth), min_size=4, max_size=4))
def test_the_truth_is_what_the_tables_of_kleene_say(tree: Node, truths: list[Truth]) -> None:
    given_truths = {f"m{number}": truth for number, truth in enumerate(truths)}
    values = {name: Known(VALUE_OF[truth]) for name, truth in given_truths.items()}
    judged = evaluate(Condition(str(tree), tree), values, NOON)
    assert judged.truth is by_table(tree, given_truths)
    assert judged.because


@given(trees(LEAVES), st.lists(st.sampled_from(Truth), min_size=4, max_size=4))
def test_what_becomes_known_never_turns_a_yes_or_a_no_around(
    tree: Node, truths: list[Truth]
) -> None:
    """Where ``unknown()`` isn't asked for: that is its purpose."""
    condition = Condition(str(tree), tree)
    if "unknown(" in condition.text:
        return
    values = {f"m{number}": Known(VALUE_OF[truth]) for number, truth in enumerate(truths)}
    before = evaluate(condition, values, NOON).truth
    for value in (1.0, -1.0):
        learnt = {
            name: Known(value) if known.value is None else known for name, known in values.items()
        }
        assert before is UNKNOWN or evaluate(condition, learnt, NOON).truth is before


def cpu(value: float | None) -> Values:
    return {"cpu_percent": Known(value, "%", reason=None if value else "no answer")}


SEV2 = {"incident.severity": Known("sev2")}
BUSY, CALM, SILENT = cpu(96.0), cpu(42.0), cpu(None)
SEVERAL = {
    # the targets; the truth of CPU > 90
    "none": ({}, UNKNOWN),
    "one busy": ({"a": BUSY}, YES),
    "one calm": ({"a": CALM}, NO),
    "one silent": ({"a": SILENT}, UNKNOWN),
    "one of two busy": ({"a": CALM, "b": BUSY}, YES),
    "busy and silent": ({"a": SILENT, "b": BUSY}, YES),
    "calm and silent": ({"a": CALM, "b": SILENT}, UNKNOWN),
    "both calm": ({"a": CALM, "b": CALM}, NO),
}


@pytest.mark.parametrize(("targets", "trigger"), SEVERAL.values(), ids=SEVERAL)
def test_any_target_triggers(targets: dict[str, Values], trigger: Truth) -> None:
    assert any_target(parse("cpu_percent > 90"), targets, SEV2, NOON).truth is trigger


def test_the_whole_condition_is_asked_of_one_target_at_a_time() -> None:
    slow = {**CALM, "response_time_p95_ms": Known(910.0, "ms")}
    quick = {**BUSY, "response_time_p95_ms": Known(80.0, "ms")}
    both = parse("cpu_percent > 90 and response_time_p95_ms > 500")
    assert any_target(both, {"a": slow, "b": quick}, {}, NOON).truth is NO


def test_where_there_are_several_the_reasons_name_the_targets_that_decided() -> None:
    busy = parse("cpu_percent > 90 and incident.severity == sev2")
    judged = any_target(busy, {"api": BUSY, "web": CALM, "db": SILENT}, SEV2, NOON)
    assert judged.because == ("api: CPU 96 % > 90", "api: severity is sev2")
    judged = any_target(parse("cpu_percent > 90"), {"api": CALM, "web": SILENT}, {}, NOON)
    assert judged.because == ("web: CPU unknown: no answer",)
    judged = any_target(parse("cpu_percent > 90"), {"api": BUSY}, {}, NOON)
    assert judged.because == ("CPU 96 % > 90",)


def test_without_targets_the_incident_alone_is_asked() -> None:
    assert any_target(parse("incident.severity == sev2"), {}, SEV2, NOON).truth is YES


def test_a_targets_own_value_goes_before_a_shared_one() -> None:
    judged = any_target(parse("cpu_percent > 90"), {"a": BUSY}, CALM, NOON)
    assert judged.truth is YES


def test_a_health_gives_its_readings_and_its_verdict() -> None:
    lost = reading("memory_mb", None, "MB")
    health = Health(
        target="iora",
        verdict=Verdict.UNKNOWN,
        reason="memory unknown",
        status="ok",
        at=NOON,
        readings=(P95, lost),
        findings=(),
    )
    values = of_health(health)
    assert values["response_time_p95_ms"] == Known(910.4, "ms", None, "bot", P95.at)
    assert values["memory_mb"].value is None
    assert values["memory_mb"].reason == "the agent did not answer"
    assert evaluate(parse("verdict == unknown"), values, NOON).truth is YES
    assert evaluate(parse("unknown(verdict)"), values, NOON).truth is NO


AGES = {
    "open": (incident(), 360_000),
    "reopened: without the time it stood resolved": (
        incident(closed_ms=60_000, opened_at=NOON + 200_000),
        300_000,
    ),
    "resolved: until then": (incident(Status.RESOLVED), 180_000),
    "declared a moment from now": (incident(declared_at=NOON + 400_000), 0),
}


@pytest.mark.parametrize(("one", "age"), AGES.values(), ids=AGES)
def test_an_incidents_age_counts_from_its_declaration(one: Incident, age: int) -> None:
    assert of_incident(one, NOON + 360_000)["incident.age"] == Known(age, "ms")


def test_an_incident_gives_its_severity_and_status() -> None:
    values = of_incident(incident(Status.ACKNOWLEDGED, severity=Severity.SEV1), NOON)
    text = "incident.severity == sev1 and incident.status == acknowledged"
    assert evaluate(parse(text), values, NOON).truth is YES


def test_the_time_is_that_of_its_zone() -> None:
    late = round(datetime(2026, 1, 4, 23, 30, tzinfo=UTC).timestamp() * 1000)
    assert of_time(late) == {
        "time.hour": Known(23.0, source="UTC"),
        "time.weekday": Known("sun", source="UTC"),
    }
    berlin = of_time(late, ZoneInfo("Europe/Berlin"))
    assert berlin["time.hour"] == Known(0.0, source="Europe/Berlin")
    assert berlin["time.weekday"] == Known("mon", source="Europe/Berlin")


def test_a_change_needs_both_ends() -> None:
    name = "memory_mb.change_30m"
    now, before = reading("memory_mb", 400, "MB"), reading("memory_mb", 512, "MB")
    lost = reading("memory_mb", None, "MB")
    assert of_change(name, now, before) == Known(-112, "MB", source="agent", at=now.at)
    assert of_change(name, lost, before).reason == "the agent did not answer"
    assert of_change(name, None, before).reason == "not measured"
    assert of_change(name, now, lost).reason == "no reading from 30 min before"
    assert of_change(name, now, None).value is None

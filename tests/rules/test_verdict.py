"""From what a health URL says, and from the readings, to one word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.config import GUIDE_BASELINES, GUIDE_CRITICAL
from bot.model.reading import Check, Health, Reach, Reading, Result, Verdict
from bot.model.target import Bound, HealthSource
from bot.rules.verdict import Said, explain, facts, judge, missing, said
from tests.support.clock import NOON

HEALTHY, UNKNOWN, DEGRADED, UNHEALTHY, DOWN = Verdict
SOURCE = HealthSource(url="http://127.0.0.1:8080/api/health", status="status")
WORDLESS = HealthSource(url="http://127.0.0.1:8080/api/health")


def check(reach: Reach = Reach.ANSWERED, **known: Any) -> Check:
    return Check(at=NOON, reach=reach, elapsed_ms=10.0, **known)


def answer(status: int, word: str | None = None, *, body: bool = True, **known: Any) -> Check:
    return check(http_status=status, has_body=body, word=word, **known)


SAYS = {
    # what came back: the verdict, words of the reason, whether it counts as an error
    "200 ok": (answer(200, "ok"), HEALTHY, 'status word "ok"', False),
    "200 with the word in capitals and spaces": (answer(200, " UP "), HEALTHY, "UP", False),
    "200 degraded": (answer(200, "degraded"), DEGRADED, 'status word "degraded"', False),
    "200 warning": (answer(200, "Warning"), DEGRADED, "Warning", False),
    "200 failing": (answer(200, "failing"), UNHEALTHY, 'status word "failing"', False),
    "200 without the word": (answer(200), UNKNOWN, "no status word at `status`", False),
    "200 that is no JSON": (
        answer(200, problem="the answer is not JSON"),
        UNKNOWN,
        "not JSON: check `health.status`",
        False,
    ),
    "204 without a body": (answer(204, body=False), UNKNOWN, "no status word", False),
    "301": (answer(301), UNKNOWN, "it redirects (HTTP 301): put the final URL", False),
    "302": (answer(302, body=False), UNKNOWN, "it redirects (HTTP 302)", False),
    "307": (answer(307), UNKNOWN, "redirects", False),
    "400": (answer(400), UNHEALTHY, "HTTP 400", True),
    "400 with a word": (answer(400, "error"), UNHEALTHY, 'HTTP 400, status word "error"', True),
    "401": (answer(401), UNKNOWN, "access refused (HTTP 401): it wants a key", False),
    "403": (answer(403), UNKNOWN, "access refused (HTTP 403)", False),
    "404": (answer(404), UNKNOWN, "endpoint not there (HTTP 404): check `health.url`", False),
    "405": (answer(405), UNKNOWN, "endpoint not there", False),
    "410": (answer(410), UNKNOWN, "endpoint not there", False),
    "418": (answer(418), UNHEALTHY, "HTTP 418", True),
    "429": (answer(429), UNKNOWN, "busy with us (HTTP 429)", False),
    "429 with Retry-After": (
        answer(429, retry_after="7"),
        UNKNOWN,
        "busy with us (HTTP 429, asks to wait 7 s)",
        False,
    ),
    "429 with a date as Retry-After": (
        answer(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
        UNKNOWN,
        "busy with us (HTTP 429, asks to wait until Wed, 21 Oct 2026 07:28:00 GMT)",
        False,
    ),
    "500 with a body": (answer(500), UNHEALTHY, "HTTP 500", True),
    "500 without": (answer(500, body=False), DOWN, "HTTP 500 without a body", True),
    "502 without": (answer(502, body=False), DOWN, "HTTP 502 without a body", True),
    "503 that says ok": (answer(503, "ok"), UNHEALTHY, "HTTP 503", True),
    "503 without": (answer(503, body=False), DOWN, "HTTP 503 without a body", True),
    "refused": (
        check(Reach.REFUSED, problem="nothing listens on 127.0.0.1:8080"),
        DOWN,
        "nothing listens",
        True,
    ),
    "timed out": (check(Reach.TIMED_OUT, problem="no answer within 5 s"), DOWN, "within 5 s", True),
    "broken": (check(Reach.BROKEN, problem="broken answer: x"), DOWN, "broken answer", True),
    "too large to read": (
        check(Reach.TOO_LARGE, problem="the answer is larger than 1 MiB"),
        UNKNOWN,
        "larger than 1 MiB: check `health.url`",
        False,
    ),
    "no answer and no reason": (check(Reach.BROKEN), DOWN, "no answer", True),
    "unreachable": (
        check(Reach.UNREACHABLE, problem="the name db.example is not known here"),
        UNKNOWN,
        "unreachable from here: the name db.example",
        False,
    ),
}


@pytest.mark.parametrize("case", SAYS)
def test_what_the_health_url_says(case: str) -> None:
    found, verdict, reason, failed = SAYS[case]
    word = said(found, SOURCE)
    assert (word.verdict, word.failed) == (verdict, failed)
    assert reason in word.reason


def test_without_a_path_to_a_word_a_200_is_healthy() -> None:
    assert said(answer(200), WORDLESS) == Said(HEALTHY, "HTTP 200", failed=False)


def test_the_healthy_words_of_the_config_are_taken_however_they_are_written() -> None:
    source = HealthSource(url=SOURCE.url, status="status", healthy=("GREEN", " Fine "))
    assert said(answer(200, "Green"), source).verdict is HEALTHY
    assert said(answer(200, "fine"), source).verdict is HEALTHY
    assert said(answer(200, "ok"), source).verdict is UNHEALTHY, "the list replaces the default"


def test_what_a_target_says_of_itself_is_not_repeated_without_end() -> None:
    for status in (200, 500):
        assert len(said(answer(status, "x" * 100_000), SOURCE).reason) < 200


OK = Said(HEALTHY, 'status word "ok"', failed=False)


def reading(metric: str, value: float | None, unit: str = "%", **known: Any) -> Reading:
    reason = None if value is not None else "the agent did not answer"
    return Reading(
        metric=metric,
        value=value,
        unit=unit,
        at=NOON,
        source="agent",
        **({"reason": reason} | known),
    )


def judged(*readings: Reading, word: Said = OK, **tables: Any) -> Health:
    known = {"baselines": GUIDE_BASELINES, "critical": GUIDE_CRITICAL} | tables
    return judge("iora", word, "ok", readings, known["baselines"], known["critical"], NOON)


VERDICTS: dict[str, tuple[Health, Verdict, str]] = {
    "everything within its bounds": (
        judged(reading("cpu_percent", 42), reading("memory_mb", 212, "MB")),
        HEALTHY,
        'status word "ok"',
    ),
    "nothing measured: the word alone": (judged(), HEALTHY, 'status word "ok"'),
    "exactly at the baseline is not below it": (
        judged(reading("cpu_percent", 70)),
        DEGRADED,
        "CPU 70 % (must be under 70)",
    ),
    "a baseline broken": (
        judged(reading("response_time_p95_ms", 910, "ms")),
        DEGRADED,
        "P95 910 ms (must be under 500)",
    ),
    "exactly at the critical bound": (
        judged(reading("cpu_percent", 90)),
        UNHEALTHY,
        "CPU 90 % (critical above 90)",
    ),
    "a critical bound broken": (
        judged(reading("memory_mb", 1100, "MB"), reading("cpu_percent", 75)),
        UNHEALTHY,
        "memory 1,100 MB (critical above 1,024)",
    ),
    "a critical bound of a metric that has no baseline": (
        judged(reading("cpu_percent", 96), baselines={"memory_mb": Bound(below=256)}),
        UNHEALTHY,
        "CPU 96 % (critical above 90)",
    ),
    "a metric with a critical bound only, within it": (
        judged(reading("cpu_percent", 80), baselines={}),
        HEALTHY,
        'status word "ok"',
    ),
    "a source that can't be read is never green": (
        judged(reading("cpu_percent", None), reading("memory_mb", 100, "MB")),
        UNKNOWN,
        "CPU unknown: the agent did not answer",
    ),
    "what is known to be bad counts more than what is not known": (
        judged(reading("cpu_percent", None), reading("response_time_p95_ms", 910, "ms")),
        DEGRADED,
        "P95 910 ms (must be under 500)",
    ),
    "an informative baseline never changes the verdict": (
        judged(reading("test_coverage_percent", 12)),
        HEALTHY,
        'status word "ok"',
    ),
    "nor does it when it can't be read": (
        judged(reading("test_coverage_percent", None)),
        HEALTHY,
        'status word "ok"',
    ),
    "nor with a critical bound of its own": (
        judged(
            reading("test_coverage_percent", 12),
            critical={"test_coverage_percent": Bound(above=50)},
        ),
        HEALTHY,
        'status word "ok"',
    ),
    "down stays down, whatever the agent says": (
        judged(reading("cpu_percent", 1), word=Said(DOWN, "nothing listens", failed=True)),
        DOWN,
        "nothing listens",
    ),
    "an unknown word with good readings is unknown": (
        judged(reading("cpu_percent", 1), word=Said(UNKNOWN, "endpoint not there", failed=False)),
        UNKNOWN,
        "endpoint not there",
    ),
    "an unknown word with a critical reading is unhealthy": (
        judged(reading("cpu_percent", 99), word=Said(UNKNOWN, "endpoint not there", failed=False)),
        UNHEALTHY,
        "CPU 99 % (critical above 90)",
    ),
    "a bound from above": (
        judged(reading("throughput_rps", 3, "/s"), baselines={"throughput_rps": Bound(above=10)}),
        DEGRADED,
        "throughput 3 /s (must be over 10)",
    ),
    "a critical bound from above": (
        judged(
            reading("throughput_rps", 3, "/s"),
            baselines={"throughput_rps": Bound(above=10)},
            critical={"throughput_rps": Bound(above=5)},
        ),
        UNHEALTHY,
        "throughput 3 /s (critical below 5)",
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_verdict_and_its_reason(case: str) -> None:
    health, verdict, reason = VERDICTS[case]
    assert (health.verdict, health.reason) == (verdict, reason)


def test_what_has_no_source_is_shown_as_not_measured_and_does_not_count() -> None:
    health = judged(reading("cpu_percent", 42))
    results = {finding.metric: finding.result for finding in health.findings}
    assert results == {
        "cpu_percent": Result.PASS,
        "response_time_p95_ms": Result.NOT_MEASURED,
        "error_rate_percent": Result.NOT_MEASURED,
        "memory_mb": Result.NOT_MEASURED,
        "test_coverage_percent": Result.NOT_MEASURED,
    }
    assert health.verdict is HEALTHY


def test_failures_come_first_the_critical_ones_before_the_rest() -> None:
    health = judged(
        reading("test_coverage_percent", 90),
        reading("error_rate_percent", None),
        reading("response_time_p95_ms", 910, "ms"),
        reading("cpu_percent", 96),
    )
    assert [(finding.metric, finding.result) for finding in health.findings] == [
        ("cpu_percent", Result.FAIL),
        ("response_time_p95_ms", Result.FAIL),
        ("error_rate_percent", Result.UNKNOWN),
        ("test_coverage_percent", Result.INFO),
        ("memory_mb", Result.NOT_MEASURED),
    ]


METRICS = st.sampled_from([*GUIDE_BASELINES, "threads"])
VALUES = st.one_of(st.none(), st.floats(0, 2_000))


@given(st.dictionaries(METRICS, VALUES), st.sampled_from(list(Verdict)))
def test_no_data_is_never_green_and_nothing_hides_what_is_bad(
    values: dict[str, float | None], word: Verdict
) -> None:
    readings = [reading(metric, value) for metric, value in values.items()]
    health = judged(*readings, word=Said(word, "said so", failed=False))
    counted = {name: value for name, value in values.items() if name in GUIDE_BASELINES}
    counted.pop("test_coverage_percent", None)
    known = {name: value for name, value in counted.items() if value is not None}
    assert health.verdict.rank >= word.rank
    if len(known) < len(counted):
        assert health.verdict is not HEALTHY
    if any(not GUIDE_BASELINES[name].holds(value) for name, value in known.items()):
        assert health.verdict.rank >= DEGRADED.rank
    for name, bound in GUIDE_CRITICAL.items():
        if name in known and not bound.holds(known[name]):
            assert health.verdict.rank >= UNHEALTHY.rank


def test_the_json_of_a_target_has_the_promised_keys() -> None:
    drawn = facts(judged(reading("cpu_percent", 96)))
    assert json.loads(json.dumps(drawn)) == drawn
    assert {"target", "verdict", "reason", "status", "readings", "findings"} <= set(drawn)
    assert drawn["readings"] == [
        {
            "metric": "cpu_percent",
            "value": 96,
            "unit": "%",
            "reason": None,
            "at": NOON,
            "source": "agent",
            "samples": None,
        }
    ]


def test_an_unknown_reading_keeps_its_unit_and_reason() -> None:
    found = missing("memory_mb", NOON, "agent", "refused")
    assert (found.value, found.unit, found.reason, found.source) == (None, "MB", "refused", "agent")
    health = judged(found)
    assert explain(health.findings[0]) == "memory unknown: refused"

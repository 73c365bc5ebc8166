"""What the config names is found in the answers that services really give, or is unknown with the reason.

The examples have the shapes of a quality dashboard, of a service that wraps its answers in ``ok`` and
``data``, of one whose metrics only look like Prometheus text, and of Prometheus text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.collect import metrics
from bot.http import Client
from bot.model.reading import Reading
from bot.model.target import Target
from tests.support.hostile import Host, reset, response, saying

EXAMPLES = Path(__file__).parent / "examples"
NOW = round(datetime(2026, 3, 1, 10, 0, tzinfo=UTC).timestamp() * 1000)
TWO_MINUTES_AGO = NOW - 120_000


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as pool:
        yield pool


def target(url: str, source: Mapping[str, Any], **more: Any) -> Target:
    written = {"health": {"url": url}, "metrics": [{"url": f"{url}m?key=k", **source}], **more}
    return Target.model_validate_json(json.dumps(written))


async def measure(client: Client, one: Target) -> tuple[Reading, ...]:
    return await metrics.measure(client, one, one.metrics[0], NOW)


async def read(client: Client, name: str, kind: str, value: Any) -> Reading:
    answer = response((EXAMPLES / name).read_bytes())
    async with Host(saying(answer)).listening() as host:
        source = {"format": kind, "values": {"a_metric": value}}
        (reading,) = await measure(client, target(host.url, source))
        place = host.url.removeprefix("http://")
        assert reading.source == f"{place}m", "without the query, which may hold a key"
        assert (reading.reason is None) == (reading.value is not None)
        if reading.reason:
            assert reading.reason.startswith(f"{reading.source}: ")
        return reading


COVERAGE = "metrics_summary.test_coverage.current_value.value"
MEMORY = "metrics_summary.memory_usage.current_value.value"

KNOWN = {
    "a number at the top": ("dashboard.json", "json", "overall_score", 81.4),
    "a number deep inside": ("dashboard.json", "json", COVERAGE, 87.25),
    "bytes as MB": ("dashboard.json", "json", {"path": MEMORY, "scale": 1e-6}, 134.217728),
    "a share as per cent, without the digits that a factor adds": (
        "dashboard.json", "json",
        {"path": "metrics_summary.cache_hit_rate.current_value.value", "scale": 100}, 29.0),
    "a duration of seconds and nanoseconds": ("dashboard.json", "json", "odd.took", 2.5),
    "a number written as text": ("dashboard.json", "json", "odd.text", 12.5),
    "what an expression counts": ("dashboard.json", "json", "length(alerts)", 1),
    "the lowest and the highest of a range": (
        "dashboard.json", "json", {"path": "length(alerts)", "range": [1, 2]}, 1),
    "a number in wrapped data": ("wrapped.json", "json", "data.uptime_sec", 86461.25),
    "a line among those that are no number": ("service.txt", "text", "requests_total", 1042),
    "a scaled line": ("service.txt", "text", {"path": "memory_rss_bytes", "scale": 1e-6}, 134.217728),
    "a zero": ("service.txt", "text", "avg_response_time_ms", 0),
    "a line told by its labels": ("service.txt", "text", 'errors{kind="parse"}', 1),
    "a line with labels that hold spaces": (
        "service.txt", "text", 'errors{kind="timeout", path="/tools"}', 2),
    "name: value": ("service.txt", "text", "queue", 7),
    "name = value": ("service.txt", "text", "workers", 4),
    "the same name in Prometheus text read line by line": (
        "exposition.txt", "text", "process_threads", 24),
    "a sample": ("exposition.txt", "prometheus", "process_threads", 24),
    "a sample told by a label": (
        "exposition.txt", "prometheus",
        {"path": "http_requests_total", "labels": {"code": "200"}}, 1042),
    "a sample told by odd labels": (
        "exposition.txt", "prometheus",
        {"path": "http_requests_total", "labels": {"path": '/b "quoted", with } in it'}}, 1),
    "a sample with its own time": ("exposition.txt", "prometheus", "queue_length", 12),
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "value", "expected"), KNOWN.values(), ids=KNOWN)
async def test_a_value_is_found(client, name, kind, value, expected):
    assert (await read(client, name, kind, value)).value == expected


UNKNOWN = {
    "not there": ("dashboard.json", "json", "overall", "nothing at `overall`"),
    "null": ("dashboard.json", "json", "odd.none", "nothing at `odd.none`"),
    "below null": (
        "dashboard.json", "json", "metrics_summary.api_health.current_value.value",
        "nothing at `metrics_summary.api_health.current_value.value`"),
    "a word": ("dashboard.json", "json", "odd.word", "many is no number"),
    "true": ("dashboard.json", "json", "odd.yes", "true is no number"),
    "an object": ("dashboard.json", "json", "metrics_summary", "an object is no number"),
    "a list": ("dashboard.json", "json", "odd.list", "a list is no number"),
    "infinity": ("dashboard.json", "json", "odd.huge", "Infinity is no number that can be used"),
    "the largest number there is": (
        "dashboard.json", "json", "odd.most", "18446744073709551615 stands for no value"),
    "a function of what is not there": (
        "dashboard.json", "json", "length(nothing)",
        "`length(nothing)` can't be read: In function length(), invalid type for …"),
    "out of range": (
        "dashboard.json", "json", {"path": "overall_score", "range": [0, 1]},
        "81.4 is outside 0 to 1"),
    "out of range once scaled": (
        "dashboard.json", "json", {"path": "overall_score", "scale": 100, "range": [0, 100]},
        "8,140 is outside 0 to 100"),
    "too old by the time beside it": (
        "dashboard.json", "json", {"path": MEMORY, "max_age": "7d"}, "28 d old, at most 7 d"),
    "too old by a time elsewhere": (
        "dashboard.json", "json",
        {"path": COVERAGE, "at": "metrics_summary.test_coverage.last_updated", "max_age": "7d"},
        "9 d old, at most 7 d"),
    "without the time that is needed": (
        "dashboard.json", "json", {"path": "overall_score", "max_age": "7d"}, "no time beside it"),
    "without a time where the config says": (
        "dashboard.json", "json", {"path": "overall_score", "at": "when"}, "no time at `when`"),
    "with a time that is none": (
        "dashboard.json", "json",
        {"path": "metrics_summary.cache_hit_rate.current_value.value", "max_age": "7d"},
        "yesterday is no time"),
    "from the future": (
        "dashboard.json", "json",
        {"path": "overall_score", "at": "metrics_summary.api_health.last_updated"},
        "its time 2199-01-01T00:00:00.000000000Z is in the future"),
    "at the end of time": (
        "dashboard.json", "json", {"path": "overall_score", "at": "odd.most"},
        "18446744073709551615 stands for no value"),
    "an answer that says no": (
        "failing.json", "json", "data.uptime_sec",
        'it says error "the oracle binary does not answer"'),
    "no JSON at all": ("service.txt", "json", "requests_total", "the answer is not JSON"),
    "a line that is not there": (
        "service.txt", "text", "requests", "no line begins with `requests`"),
    "a version": ("service.txt", "text", "version", "1.0.0 is no number"),
    "a word in a line": ("service.txt", "text", "ready", "true is no number"),
    "a date": (
        "service.txt", "text", "started_at", "2026-03-01T09:58:20.123456789Z is no number"),
    "NaN in a line": ("service.txt", "text", "limit", "NaN is no number"),
    "the largest number in a line": (
        "service.txt", "text", "most", "1.8446744073709552e+19 stands for no value"),
    "a name of several lines": (
        "service.txt", "text", "errors", "2 lines begin with `errors`: name one with its labels"),
    "a line twice": (
        "service.txt", "text", "twice", "2 lines begin with `twice`: name one with its labels"),
    "a line that is too old": (
        "service.txt", "text", {"path": "queue", "at": "started_at", "max_age": "60s"},
        "100 s old, at most 60 s"),
    "a sample that is not there": (
        "exposition.txt", "prometheus", "threads", "no sample of `threads`"),
    "several samples": (
        "exposition.txt", "prometheus", {"path": "http_requests_total", "labels": {"code": "500"}},
        '2 samples of `http_requests_total` with code="500": tell them apart by `labels`'),
    "no sample with these labels": (
        "exposition.txt", "prometheus", {"path": "queue_length", "labels": {"queue": "x"}},
        'no sample of `queue_length` with queue="x"'),
    "a sample that is not a number": (
        "exposition.txt", "prometheus", "ratio", "NaN is no number that can be used"),
    "a sample without an end": (
        "exposition.txt", "prometheus", "limit", "Infinity is no number that can be used"),
    "a sample that is too old": (
        "exposition.txt", "prometheus", {"path": "queue_length", "max_age": "60s"},
        "2 min old, at most 60 s"),
    "a line that Prometheus would not read": (
        "exposition.txt", "prometheus", "broken",
        "the lines of `broken` are not in the Prometheus format"),
    "a version among Prometheus samples": (
        "service.txt", "prometheus", "version",
        "the lines of `version` are not in the Prometheus format"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "value", "reason"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_can_not_count_is_unknown_with_the_reason(client, name, kind, value, reason):
    reading = await read(client, name, kind, value)
    assert reading.value is None
    assert reading.reason == f"{reading.source}: {reason}"


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("dashboard.json", "json", COVERAGE),
        ("dashboard.json", "json", {"path": COVERAGE, "max_age": "7d"}),
        ("dashboard.json", "json", {"path": "overall_score", "at": "odd.seconds"}),
        ("dashboard.json", "json", {"path": "overall_score", "at": "odd.nanoseconds"}),
        ("exposition.txt", "prometheus", "queue_length"),
        (
            "exposition.txt",
            "prometheus",
            {"path": "process_threads", "at": "last_run_timestamp_seconds", "max_age": "3m"},
        ),
    ],
)
async def test_a_value_is_as_old_as_its_own_time_says(client, name, kind, value):
    reading = await read(client, name, kind, value)
    assert abs(reading.at - TWO_MINUTES_AGO) < 200


async def test_a_value_without_a_time_is_of_now_and_so_is_one_whose_time_is_unreadable(client):
    assert (await read(client, "wrapped.json", "json", "data.uptime_sec")).at == NOW
    rate = "metrics_summary.cache_hit_rate.current_value.value"
    assert (await read(client, "dashboard.json", "json", rate)).at == NOW


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (response(b"", "429 Busy", ("Retry-After: 7",)),
         "busy with us (HTTP 429, asks to wait 7 s)"),
        (response(b'{"ok": false, "error": "no oracle"}', "400 Bad"),
         'HTTP 400, error "no oracle"'),
        (response(b"oops", "500 Oops"), "HTTP 500"),
        (response(b"", "401 No"), "access refused (HTTP 401): check `auth`"),
        (response(b"", "404 No"), "not there (HTTP 404): check the URL"),
        (response(b"", "302 Found", ("Location: http://169.254.169.254/",)),
         "it redirects (HTTP 302): put the final URL into the config"),
        (response(b"\xff\xfe{}"), "the answer is not JSON"),
        (response(b"[" * 100_000), "the answer is not JSON"),
        (response(b"1" * 5_000), "the answer is not JSON"),
        (response(b"[]"), "nothing at `a`"),
    ],
)  # fmt: skip
async def test_an_answer_without_metrics_leaves_each_value_unknown(client, answer, reason):
    async with Host(saying(answer)).listening() as host:
        source = {"values": {"one": "a", "other": {"path": "a", "max_age": "1h"}}}
        one, other = await measure(client, target(host.url, source))
        assert (one.value, other.value) == (None, None)
        assert one.reason == other.reason == f"{one.source}: {reason}"


async def test_no_answer_leaves_each_value_unknown(client):
    async with Host(reset).listening() as host:
        (one,) = await measure(client, target(host.url, {"values": {"one": "a"}}))
        assert one.reason.startswith(f"{one.source}: broken answer: ")
        # aiohttp sends a GET once more by itself, for a kept connection may have gone stale.
        assert len(host.requests) == 2 * metrics.TRIES


async def test_requests_are_signed_as_the_service_checks_it(client):
    auth = {"hmac_sha256": {"header": "X-Iora-Signature", "secret": "s3cret"}}
    async with Host(saying(response(b'{"a": 1}'))).listening() as host:
        one = target(host.url, {"values": {"one": "a"}}, auth=auth)
        assert (await measure(client, one))[0].value == 1
        right = hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest()
        assert f"x-iora-signature: {right}" in host.requests[0].decode().lower()


async def test_credentials_go_to_whom_they_are_for(client):
    async with (
        Host(saying(response(b'{"a": 1}'))).listening() as service,
        Host(saying(response(b'{"a": 2}'))).listening() as agent,
    ):
        written = {
            "health": {"url": service.url},
            "metrics": [
                {"url": service.url, "values": {"one": "a"}},
                {"relay": "dashboard", "values": {"two": "a"}},
            ],
            "auth": {"bearer": "for-the-service"},
            "agent": {"url": agent.url, "token": "for-the-agent"},
        }
        one = Target.model_validate_json(json.dumps(written))
        for source, value in zip(one.metrics, (1, 2), strict=True):
            assert (await metrics.measure(client, one, source, NOW))[0].value == value
        assert b"Authorization: Bearer for-the-service\r\n" in service.requests[0]
        assert b"Authorization: Bearer for-the-agent\r\n" in agent.requests[0]
        assert b"for-the-service" not in b"".join(agent.requests)
        assert agent.requests[0].startswith(b"GET /v1/relay/dashboard HTTP/1.1")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            response(
                b'{"kind": "no_such_relay", "error": "there is no relay called d", "next": "?"}',
                "404 Not Found",
            ),
            "the agent says: there is no relay called d",
        ),
        (response(b"", "401 Unauthorized"), "the agent refused the token: check `agent.token`"),
        (response(b"", "404 Not Found"), "not there (HTTP 404): check the URL"),
    ],
)
async def test_the_agents_own_words_are_told_from_those_of_what_it_relays(client, answer, reason):
    async with Host(saying(answer)).listening() as agent:
        written = {
            "health": {"url": agent.url},
            "metrics": [{"relay": "d", "values": {"one": "a"}}],
            "agent": {"url": agent.url},
        }
        one = Target.model_validate_json(json.dumps(written))
        (reading,) = await measure(client, one)
        assert reading.source == "d via agent"
        assert reading.reason == f"d via agent: {reason}"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": "x", "b": 5}', "contains(a, b)"),
        (b'{"a": 1e999}', "ceil(a)"),
        (b'{"a": [1.5, 1%s]}' % (b"0" * 400), "sum(a)"),
    ],
)
async def test_an_expression_that_fails_on_an_answer_leaves_its_value_unknown(client, body, path):
    async with Host(saying(response(body))).listening() as host:
        source = {"format": "json", "values": {"a_metric": {"path": path, "at": "none"}}}
        (reading,) = await measure(client, target(host.url, source))
    assert reading.value is None
    assert f"`{path}` can't be read" in (reading.reason or "")


@pytest.mark.parametrize("stamp", [b"-1e300", b'"0001-01-01T00:00:00Z"', b"-5"])
async def test_a_time_before_1970_is_no_time(client, stamp):
    async with Host(saying(response(b'{"a": 1, "timestamp": %s}' % stamp))).listening() as host:
        source = {"format": "json", "values": {"a_metric": "a"}}
        (reading,) = await measure(client, target(host.url, source))
        source = {"format": "json", "values": {"a_metric": {"path": "a", "max_age": "1m"}}}
        (needed,) = await measure(client, target(host.url, source))
    assert (reading.value, reading.at) == (1, NOW)
    assert needed.value is None

"""A Prometheus is asked one expression a request; what isn't one number is unknown, with the reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.collect import health, metrics
from bot.http import Client
from bot.model import promql
from bot.model.config import Config
from bot.model.reading import Reading, Verdict
from bot.model.target import Target
from bot.rules import verdict
from tests.support.hostile import Host, hang, response, saying

NOW = 1_772_359_200_000
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as pool:
        yield pool


def target(url: str, value: Any = "up", health: Any = None, **source: Any) -> Target:
    written = {
        "health": health or {"url": url},
        "auth": {"bearer": "of-the-target"},
        "metrics": [{"url": url, "format": "promql", "values": {"queue": value}, **source}],
    }
    return Target.model_validate_json(json.dumps(written))


def vector(*raw: str, at: float = NOW / 1000, **more: Any) -> bytes:
    series = [{"metric": {"i": str(number)}, "value": [at, one]} for number, one in enumerate(raw)]
    return result("vector", series, **more)


def result(kind: str, found: Any, **more: Any) -> bytes:
    data = {"resultType": kind, "result": found}
    return json.dumps({"status": "success", "data": data, **more}).encode()


def error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()


async def read(client: Client, answer: bytes, value: Any = "up") -> Reading:
    async with Host(saying(answer)).listening() as host:
        one = target(host.url, value)
        (reading,) = await metrics.measure(client, one, one.metrics[0], NOW)
        return reading


KNOWN = {
    "one series": (vector("1.5e+06"), "x", 1_500_000.0),
    "a scalar": (result("scalar", [NOW / 1000, "7"]), "x", 7.0),
    "scaled": (vector("134217728"), {"path": "x", "scale": 1e-6}, 134.217728),
    "a guess at a mistake in the expression": (
        vector("3", warnings=["PromQL info: metric might not be a counter"]), "x", 3.0),
}  # fmt: skip


@pytest.mark.parametrize(("body", "value", "expected"), KNOWN.values(), ids=KNOWN)
async def test_one_number_is_a_value_at_the_time_of_the_query(client, body, value, expected):
    reading = await read(client, response(body), value)
    assert (reading.value, reading.at, reading.reason) == (expected, NOW, None)


UNKNOWN = {
    "no series": (response(vector()), "no series"),
    "several": (
        response(vector("1", "2", "3")), "3 series: narrow the query, or take their max or sum"),
    "not a number": (response(vector("NaN")), "NaN is no number"),
    "infinite": (response(vector("+Inf")), "+Inf is no number"),
    "a range": (
        response(result("matrix", [])), "the query gives a range of samples, not one number"),
    "a string": (
        response(result("string", [1, "a"])), "the query gives a text, not one number"),
    "a result that may lack something": (
        response(vector("3", warnings=["no answer of store-2:\nbroken"])),
        "it warns: no answer of store-2: broken"),
    "an expression that can't be parsed": (
        response(error("bad_data", "1:4: parse error: unexpected end"), "400 Bad Request"),
        "it refuses the query: 1:4: parse error: unexpected end"),
    "an expression that can't be run": (
        response(error("execution", "many-to-many matching"), "422 Unprocessable Entity"),
        "it refuses the query: many-to-many matching"),
    "a query that took too long": (
        response(error("timeout", "query timed out"), "503 Service Unavailable"),
        "HTTP 503, query timed out"),
    "an error with a success": (
        response(error("internal", "no space")), "it says no space"),
    "a proxy": (response(b"<html>", "502 Bad Gateway"), "HTTP 502"),
    "another server": (
        response(b"{}", "404 Not Found"), "no Prometheus there (HTTP 404): check the URL"),
    "a key that is wanted": (
        response(b"", "401 Unauthorized"),
        "access refused (HTTP 401): check `auth` of this source"),
    "a page to sign in": (
        response(b"", "302 Found"), "it redirects (HTTP 302): put the final URL into the config"),
    "a server that is busy": (
        response(b"", "429 Too Many Requests", headers=("Retry-After: 7",)),
        "busy with us (HTTP 429, asks to wait 7 s)"),
    "no JSON": (response(b"up 1"), "the answer is not that of a Prometheus query"),
    "other JSON": (response(b"[1]"), "the answer is not that of a Prometheus query"),
    "odd data": (
        response(result("vector", [{"value": "1"}])),
        "the answer is not that of a Prometheus query"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "reason"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_is_not_one_number_is_unknown_with_the_reason(client, answer, reason):
    reading = await read(client, answer)
    assert reading.value is None
    assert reading.reason == f"{reading.source}: {reason}"


async def test_a_server_that_hangs_costs_its_time_limit(client):
    async with Host(hang).listening() as host:
        one = target(host.url, timeout="100ms")
        (reading,) = await metrics.measure(client, one, one.metrics[0], NOW)
    assert reading.reason == f"{reading.source}: no answer within 0.1 s"


async def test_the_age_is_that_of_the_sample_which_is_asked_for_beside_it(client):
    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked = b"timestamp" in head
        writer.write(response(vector(str(NOW / 1000 - 600) if asked else "5")))

    value = {"path": "queue", "at": "timestamp(queue)", "max_age": "5m"}
    async with Host(talk).listening() as host:
        old, fresh = target(host.url, value), target(host.url, value | {"max_age": "15m"})
        (reading,) = await metrics.measure(client, old, old.metrics[0], NOW)
        assert reading.reason == f"{reading.source}: 10 min old, at most 5 min"
        (reading,) = await metrics.measure(client, fresh, fresh.metrics[0], NOW)
        assert (reading.value, reading.at) == (5, NOW - 600_000)


async def test_a_sample_without_the_time_that_is_needed_is_unknown(client):
    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(vector() if b"timestamp" in head else vector("5")))

    async with Host(talk).listening() as host:
        one = target(host.url, {"path": "queue", "at": "timestamp(queue)", "max_age": "1m"})
        (reading,) = await metrics.measure(client, one, one.metrics[0], NOW)
    assert reading.reason == f"{reading.source}: its time at `timestamp(queue)`: no series"


async def test_the_key_is_the_sources_own_and_never_the_targets(client):
    async with Host(saying(response(vector("1")))).listening() as host:
        for source in ({}, {"auth": {"bearer": "of-prometheus"}}):
            one = target(host.url, **source)
            await metrics.measure(client, one, one.metrics[0], NOW)
        without, with_key = host.requests
    assert b"authorization" not in without.lower()
    assert b"Authorization: Bearer of-prometheus" in with_key


HEALTH = {
    "up": (vector("1"), Verdict.HEALTHY, "Prometheus says up"),
    "down": (vector("0"), Verdict.DOWN, "Prometheus says down"),
    "two of three instances": (vector("0.67"), Verdict.DEGRADED, "Prometheus says 67 % up"),
    "no series": (vector(), Verdict.UNKNOWN, "Prometheus can't tell: {place}: no series"),
    "a value that is no up": (
        vector("17"), Verdict.UNKNOWN, "Prometheus can't tell: {place}: 17 is outside 0 to 1"),
    "no number": (vector("NaN"), Verdict.UNKNOWN, "Prometheus can't tell: {place}: NaN is no number"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected", "reason"), HEALTH.values(), ids=HEALTH)
async def test_a_prometheus_says_whether_a_target_is_up(client, body, expected, reason):
    async with Host(saying(response(body))).listening() as host:
        one = target(host.url, health={"url": host.url, "promql": "up"})
        said = verdict.said(await health.check(client, one, NOW), one.health)
    assert (said.verdict, said.reason) == (expected, reason.format(place=one.health.label))


async def test_a_prometheus_that_is_away_makes_no_target_down(client):
    async with Host(saying(b"")).listening() as host:
        one = target(host.url, health={"url": host.url, "promql": "up"})
    said = verdict.said(await health.check(client, one, NOW), one.health)
    assert said.verdict is Verdict.UNKNOWN
    assert "nothing listens on" in said.reason


@given(TEXTS)
def test_an_expression_arrives_as_it_is_written(expression):
    asked = urlsplit(promql.question("https://h:9090/a", expression))
    assert (asked.path, parse_qs(asked.query, keep_blank_values=True)) == (
        "/a/api/v1/query",
        {"query": [expression]},
    )


async def test_an_expression_arrives_through_the_client_as_it_is_written(client):
    expression = 'sum(rate(x{p=~"/a b+|50%2F&;#é$"}[5m])) % 2 == bool 1'
    async with Host(saying(response(vector("1")))).listening() as host:
        one = target(host.url, expression)
        await metrics.measure(client, one, one.metrics[0], NOW)
        line = host.requests[0].split(b"\r\n")[0].decode()
    query = urlsplit(line.split(" ")[1]).query
    assert parse_qs(query, keep_blank_values=True) == {"query": [expression]}


@pytest.mark.parametrize("url", ["http://h:1", "http://h:1/", "http://h:1/api/v1/query"])
def test_the_url_is_the_servers_base_or_that_of_its_queries(url):
    assert promql.question(url, "up") == "http://h:1/api/v1/query?query=up"


def test_a_key_in_the_url_stays():
    assert promql.question("http://h/?tenant=a", "up") == "http://h/api/v1/query?tenant=a&query=up"


def config(**source: Any) -> Config:
    written = {
        "version": 1,
        "targets": {
            "api-7": {
                "labels": {"instance": "10.0.0.7:9100"},
                "health": {"url": "http://h:1", "promql": 'up{instance="$instance"}'},
                "metrics": [
                    {
                        "url": "http://h:1",
                        "format": "promql",
                        "values": {"queue": 'q{name="$target", x=~"a$"}'},
                    }
                ],
            }
        },
        "escalation": {
            "default": "page",
            "policies": {"page": {"levels": [{"after": "0s", "notify": ["channel"]}]}},
        },
    }
    return Config.model_validate_json(json.dumps(written))


def test_labels_of_the_target_are_filled_in_and_nothing_else():
    one = config().targets["api-7"]
    assert one.health.promql == 'up{instance="10.0.0.7:9100"}'
    assert one.metrics[0].values["queue"].path == 'q{name="api-7", x=~"a$"}'


def test_only_the_questions_of_the_config_may_be_asked():
    allows = config().allows
    one = config().targets["api-7"]
    assert allows(one.health.asked)
    assert all(allows(url) for url in one.metrics[0].asked)
    assert not allows(promql.question("http://h:1", "up"))
    assert not allows("http://h:1/api/v1/admin/tsdb/delete_series?match[]=up")

"""The way to PagerDuty: events that its Events API v2 takes, one incident there for each one here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.http import Client
from bot.model.incident import Severity
from bot.model.message import Failed, Limited, Outcome, Refused, Sent, Unsure
from bot.model.way import Page
from bot.send.way import Way
from tests.support.hostile import Host, Talk, hang, pour, reset, response, saying
from tests.support.pagerduty import KEY, PagerDutyServer
from tests.support.pages import LINK, page, way_of

THREAD = "iora:T01TEAM:INC-7"


def pagerduty(client: Client, url: str, key: str = KEY, **written: Any) -> Way:
    return way_of(client, kind="pagerduty", routing_key=key, url=url, **written)


@asynccontextmanager
async def at_pagerduty(key: str = KEY) -> AsyncIterator[tuple[PagerDutyServer, Way]]:
    async with PagerDutyServer().listening() as server, Client() as client:
        yield server, pagerduty(client, server.url, key)


async def told(talk: Talk, page: Page, limit: str = "20s") -> tuple[Outcome, int]:
    async with Host(talk).listening() as host, Client() as client:
        outcome = await pagerduty(client, host.url, timeout=limit).tell("page", page)
        return outcome, len(host.requests)


async def test_a_page_is_an_alert_there_until_it_is_resolved_here():
    async with at_pagerduty() as (server, way):
        assert await way.tell("page", page()) == Sent("out", THREAD)
        assert server.alerts == {THREAD: "triggered"}
        assert await way.tell("acknowledged", page()) == Sent("out", THREAD)
        assert server.alerts == {THREAD: "acknowledged"}
        assert await way.tell("resolved", page()) == Sent("out", THREAD)
        assert server.alerts == {THREAD: "resolved"}


async def test_what_is_sent_again_calls_nobody_again():
    async with at_pagerduty() as (server, way):
        assert way.idempotent
        for person in ("U02BOB", "U02BOB", "U01ALICE"):
            await way.tell("page", page(key=f"ping:7:12:{person}", person=person))
        assert (server.calls, len(server.events)) == (1, 3)
        await way.tell("page", page(thread="iora:T01TEAM:INC-8", incident="INC-8"))
        assert server.calls == 2


async def test_what_calls_anew_is_an_alert_of_its_own_for_one_that_was_acknowledged_calls_nobody():
    async with at_pagerduty() as (server, way):
        await way.tell("page", page())
        await way.tell("acknowledged", page())
        await way.tell("page", page())
        assert server.calls == 1
        for event in ("page", "page"):
            assert await way.tell(event, page(anew=12)) == Sent("out", f"{THREAD}:12")
        assert server.calls == 2
        await way.tell("resolved", page(anew=12))
        assert server.alerts == {THREAD: "acknowledged", f"{THREAD}:12": "resolved"}


async def test_a_reopened_incident_calls_again():
    async with at_pagerduty() as (server, way):
        for event in ("page", "resolved", "page"):
            await way.tell(event, page())
        assert (server.calls, server.alerts) == (2, {THREAD: "triggered"})


async def test_the_alert_says_what_is_wrong_why_and_where_to_answer():
    async with at_pagerduty() as (server, way):
        await way.tell("page", page())
    (event,) = server.events
    assert event["payload"] == {
        "summary": "[SEV2] INC-7 API slow: open for 5 min, nobody has acknowledged",
        "source": "iora",
        "component": "iora",
        "severity": "error",
        "timestamp": "2025-06-15T15:06:40.000+00:00",
        "class": "incident",
        "custom_details": {
            "incident": "INC-7",
            "severity": "sev2",
            "reason": "open for 5 min, nobody has acknowledged",
            "text": "SEV2 INC-7 API slow\n\nOpen for 5 min, nobody has acknowledged.",
            "readings": {"iora CPU": "96 %"},
        },
    }
    assert event["links"] == [{"href": LINK, "text": "INC-7 in Slack"}]
    assert event["client_url"] == LINK


async def test_a_drill_is_marked_and_needs_no_target_no_readings_and_no_link():
    async with at_pagerduty() as (server, way):
        sent = await way.tell("page", page(drill=True, targets=(), readings={}, link=None))
        assert isinstance(sent, Sent)
    (event,) = server.events
    assert event["payload"]["summary"].startswith("[DRILL SEV2] INC-7 API slow")
    assert event["payload"]["class"] == "drill"
    assert event["payload"]["source"] == "iora-bot"


@pytest.mark.parametrize(
    ("severity", "there"),
    [("sev1", "critical"), ("sev2", "error"), ("sev3", "warning"), ("sev4", "info")],
)
async def test_severities_have_their_names_there(severity: str, there: str):
    async with at_pagerduty() as (server, way):
        await way.tell("page", page(severity=Severity(severity)))
    assert server.events[0]["payload"]["severity"] == there


@limits(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.text(), st.text(max_size=20_000), st.text())
def test_no_words_make_an_event_that_is_refused(title: str, text: str, reason: str):
    """The strict server takes whatever a title, a text or a reason may hold."""
    from tests.support.pagerduty import _wrong

    sent: list[bytes] = []

    class Keeping:
        async def call(self, method: str, url: str, body: bytes, **more: Any) -> Any:
            sent.append(body)
            raise AssertionError

    way = pagerduty(Keeping(), "http://127.0.0.1:1/")
    told = page(title=title, text=text, reason=reason, readings={title: text[:300]})
    with pytest.raises(AssertionError):
        way.tell("page", told).send(None)
    assert list(_wrong(json.loads(sent[0]), len(sent[0]))) == []
    json.loads(sent[0])["payload"]["summary"].encode("utf-8")


async def test_secrets_in_words_from_outside_do_not_leave():
    async with at_pagerduty() as (server, way):
        await way.tell("page", page(title="password=hunter2", readings={"x": "token=zyxwvu"}))
    assert "hunter2" not in json.dumps(server.events)
    assert "zyxwvu" not in json.dumps(server.events)


async def test_a_refusal_gives_its_reasons_and_never_the_key():
    async with at_pagerduty(key="not-the-right-key") as (server, way):
        assert await way.tell("page", page()) == Refused("HTTP 400: Invalid routing key")
        assert server.events == []
    echo = json.dumps({"errors": [f"'{KEY}' is blocked"]}).encode()
    outcome, _ = await told(saying(response(echo, "400 Bad Request")), page())
    assert outcome == Refused("HTTP 400: '***' is blocked")


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (429, {}, Limited(30_000)),
        (429, {"Retry-After": "7"}, Limited(7_000)),
        (429, {"Retry-After": "0"}, Limited(1_000)),
        (429, {"Retry-After": "999999999999"}, Limited(300_000)),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, Limited(30_000)),
        (500, {}, Unsure('HTTP 500: {"status": "error"}')),
        (503, {}, Unsure('HTTP 503: {"status": "error"}')),
        (403, {}, Refused('HTTP 403: {"status": "error"}')),
        (302, {"Location": "/elsewhere"}, Refused('HTTP 302: {"status": "error"}')),
        (408, {}, Failed('HTTP 408: {"status": "error"}')),
        (200, {}, Unsure('HTTP 200, which is not PagerDuty\'s answer: {"status": "error"}')),
    ],
)
async def test_an_answer_says_what_became_of_it(status: int, headers: Any, outcome: Outcome):
    async with at_pagerduty() as (server, way):
        server.answers = [(status, headers)]
        assert await way.tell("page", page()) == outcome
        assert server.events == []
        assert isinstance(await way.tell("page", page()), Sent), "the next time it is taken"


@pytest.mark.parametrize(
    "talk",
    [hang, reset, pour, saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), saying(response(b"ok", length=99))],
    ids=["hang", "reset", "pour", "not HTTP", "half an answer"],
)
async def test_without_an_answer_nobody_knows_and_it_is_not_tried_twice(talk: Talk):
    outcome, requests = await told(talk, page(), "2s")
    assert isinstance(outcome, Unsure)
    assert requests == 1


async def test_where_nothing_listens_it_was_certainly_not_taken():
    async with PagerDutyServer().listening() as server:
        url = server.url
    async with Client() as client:
        outcome = await pagerduty(client, url).tell("page", page())
    assert isinstance(outcome, Failed)
    assert "nothing listens" in outcome.reason

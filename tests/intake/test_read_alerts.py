"""What a request says: Alertmanager's message and any JSON, as alerts in the bot's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.model.alert import Alert, Told
from bot.model.incident import Severity
from bot.model.intake import AlertmanagerSource, AlertSource, JsonSource
from bot.rules.alert import counted, key_of, named, titled, told
from bot.rules.foreign import Unreadable, text_of
from tests.support.alerts import firing, message, resolved

NOW = 1_750_000_000_000
STARTED = 1_749_999_600_123


def alertmanager(**settings: Any) -> AlertmanagerSource:
    data = {"kind": "alertmanager", "token": "t", **settings}
    return AlertmanagerSource.model_validate_json(json.dumps(data))


def any_json(**settings: Any) -> JsonSource:
    data = {"kind": "json", "token": "t", "map": {"title": "message"}, **settings}
    return JsonSource.model_validate_json(json.dumps(data))


def read(source: AlertSource, body: object) -> Told:
    return told("prometheus", source, body, ("iora", "worker"), NOW)


def one(source: AlertSource, body: object) -> Alert:
    (alert,) = read(source, body).alerts
    return alert


def test_an_alert_of_alertmanager_is_read_whole() -> None:
    alert = one(alertmanager(), message([firing()]))
    assert alert == Alert(
        source="prometheus",
        fingerprint="HighErrorRate-1",
        title="HighErrorRate",
        firing=True,
        since=STARTED,
        severity=Severity.SEV3,
        target="iora",
        group=(("alertname", "HighErrorRate"),),
        labels=firing()["labels"],
        summary="HighErrorRate on i1",
        url="http://prometheus:9090/graph?g0.expr=up",
    )


def test_each_alert_has_a_status_of_its_own_and_the_message_s_where_it_says_none() -> None:
    without = {key: value for key, value in firing().items() if key != "status"}
    body = message([firing(), resolved(number=2), without], status="resolved")
    assert [alert.firing for alert in read(alertmanager(), body).alerts] == [True, False, False]


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00Z", "", None, "yesterday", "2099-01-01T00:00:00Z", -5, True, 1e300],
)
def test_a_beginning_that_can_not_be_is_now(time: object) -> None:
    assert one(alertmanager(), message([firing(startsAt=time)])).since == NOW


def test_alerts_are_grouped_as_the_config_says_or_as_alertmanager_did() -> None:
    body = message([firing()], by={"cluster": "a", "alertname": "HighErrorRate"})
    assert one(alertmanager(), body).group == (("alertname", "HighErrorRate"), ("cluster", "a"))
    own = alertmanager(group_by=["severity", "region"])
    assert one(own, body).group == (("region", ""), ("severity", "warning"))


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        ({"service": "iora"}, "iora"),
        ({"service": "billing", "job": "worker"}, "worker"),
        ({"service": "billing", "job": "node"}, "billing"),
        ({"instance": "i1"}, ""),
    ],
)
def test_a_target_that_the_config_knows_goes_before_one_that_it_does_not(
    labels: dict[str, str], target: str
) -> None:
    alert = {"status": "firing", "labels": {"alertname": "A", **labels}}
    assert one(alertmanager(), message([alert])).target == target


def test_what_alertmanager_cut_off_is_known() -> None:
    assert one(alertmanager(), message([firing()], truncatedAlerts=7)).cut == 7


def test_a_map_goes_before_alertmanager_s_own_places() -> None:
    source = alertmanager(map={"title": "annotations.summary", "target": "labels.instance"})
    alert = one(source, message([firing()]))
    assert (alert.title, alert.target) == ("HighErrorRate on i1", "i1")


WRONG = {
    "no object": ([], "expected Alertmanager's webhook message: an object with a list `alerts`"),
    "no alerts": ({"version": "4"}, "expected Alertmanager's webhook message"),
    "another version": (message([], version="3"), "expected version 4 of the message, got 3"),
    "nameless": (
        message([{"labels": {"a": "b"}}, 7, None]),
        "expected a title at `labels.alertname` of each alert",
    ),
}


@pytest.mark.parametrize(("body", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be_read_says_what_was_expected(body: object, expected: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(alertmanager(), body)
    assert expected in str(caught.value)


def test_an_alert_that_can_not_be_read_costs_none_of_the_others() -> None:
    found = read(alertmanager(), message([firing(), "nonsense", firing(number=2)]))
    assert [alert.fingerprint for alert in found.alerts] == ["HighErrorRate-1", "HighErrorRate-2"]
    assert len(found.unreadable) == 1


def test_an_empty_message_is_no_mistake() -> None:
    assert read(alertmanager(), message([])) == Told(())


MAP = {
    "title": "message",
    "fingerprint": "id",
    "status": "state",
    "target": "service.name",
    "severity": "level",
    "summary": "text",
    "url": "link",
    "since": "at",
    "labels": {"branch": "ref"},
}


def test_any_json_is_read_by_its_map() -> None:
    body = {
        "message": "build failed",
        "id": 42,
        "state": "failed",
        "service": {"name": "iora"},
        "level": "info",
        "text": "12 tests",
        "link": "https://ci.example.com/42",
        "at": 1_749_999_600,
        "ref": "main",
    }
    alert = one(any_json(map=MAP, group_by=["branch"]), body)
    assert alert == Alert(
        source="prometheus",
        fingerprint="42",
        title="build failed",
        firing=True,
        since=1_749_999_600_000,
        severity=Severity.SEV4,
        target="iora",
        group=(("branch", "main"),),
        labels={"branch": "main"},
        summary="12 tests",
        url="https://ci.example.com/42",
    )


def test_a_list_is_many_alerts_and_items_say_where_they_are() -> None:
    body = [{"message": "a"}, {"message": "b"}]
    assert [alert.title for alert in read(any_json(), body).alerts] == ["a", "b"]
    inside = any_json(items="data.checks[?failed]")
    found = read(inside, {"data": {"checks": [{"message": "a", "failed": True}, {"message": "b"}]}})
    assert [alert.title for alert in found.alerts] == ["a"]


def test_a_status_that_means_neither_is_left_out() -> None:
    source = any_json(map={"title": "message", "status": "state"}, firing=["failed"])
    body = [{"message": "a", "state": state} for state in ("failed", "pending", "ok", "FAILED")]
    found = read(source, body)
    assert ([alert.firing for alert in found.alerts], found.ignored) == ([True, False, True], 1)


def test_without_a_fingerprint_the_same_words_are_the_same_alert() -> None:
    first, again, other = (
        one(any_json(map=MAP), {"message": "down", "ref": ref, "text": text}).fingerprint
        for ref, text in (("main", "12:00"), ("main", "12:01"), ("topic", "12:00"))
    )
    assert first == again
    assert first != other


def test_text_from_outside_is_one_line_of_a_length_that_any_store_takes() -> None:
    alert = one(any_json(), json.loads('{"message": "a\\ud800\\u0000\\n\\tb ' + "x" * 999 + '"}'))
    assert alert.title.startswith("a b x")
    assert len(alert.title) == 200
    alert.title.encode("utf-8")


def test_an_expression_that_does_not_suit_finds_nothing() -> None:
    source = any_json(map={"title": "message", "summary": "join('', labels)"})
    assert one(source, {"message": "a", "labels": 5}).summary == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ceil(value)", "Infinity"),
        ("ceil(value)", "NaN"),
        ("avg(value)", "[1" + "0" * 400 + "]"),
        ("value[::0]", "[1]"),
    ],
)
def test_a_number_that_can_not_be_reckoned_with_finds_nothing(path: str, value: str) -> None:
    source = any_json(map={"title": "message", "summary": path})
    assert one(source, json.loads(f'{{"message": "a", "value": {value}}}')).summary == ""


def test_what_can_be_read_and_not_be_written_again_is_no_text() -> None:
    nested: list[object] = []
    for _ in range(5_000):
        nested = [nested]
    assert text_of(nested, 10) == ""


def test_a_group_s_key_is_the_same_after_a_restart_and_another_for_another_target() -> None:
    labels = (("alertname", "A"),)
    assert key_of("iora", labels) == "7ee6cdc6b8f319c6"
    assert len({key_of("iora", labels), key_of("worker", labels), key_of("iora", ())}) == 3


@pytest.mark.parametrize(
    ("firing", "resolved", "words"),
    [
        (1, 0, "1 alert firing"),
        (12, 3, "12 alerts firing, 3 resolved"),
        (0, 1, "the alert is resolved"),
        (0, 15, "all 15 alerts are resolved"),
    ],
)
def test_alerts_are_counted_in_words(firing: int, resolved: int, words: str) -> None:
    assert counted(firing, resolved) == words


def test_titles_are_named_the_most_frequent_first() -> None:
    titles = {"Disk": 1, "Errors": 8, "Latency": 3, "Queue": 1, "CPU": 1}
    assert named(titles) == "Errors (8), Latency (3), CPU, 2 more"


@pytest.mark.parametrize(
    ("titles", "rest", "title"),
    [
        ({"Errors": 3}, False, "iora: Errors"),
        ({"iora is down": 1}, False, "iora is down"),
        ({"Errors": 3, "Disk": 1}, False, "iora: Errors and 1 other alert"),
        ({"Errors": 3, "Disk": 1, "CPU": 1}, False, "iora: Errors and 2 other alerts"),
        ({"Errors": 3}, True, "Many alerts from prometheus"),
    ],
)
def test_an_incident_is_called_by_what_fires_most(
    titles: dict[str, int], rest: bool, title: str
) -> None:
    assert titled(titles, "iora", "prometheus", rest=rest) == title
